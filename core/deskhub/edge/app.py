"""The ASGI application: every route of the hub behind its limits, headers and error pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, Response

from deskhub import __version__
from deskhub.edge import longpoll, ops, problems, static, websocket
from deskhub.edge.cors import Cors
from deskhub.edge.headers import SecurityHeaders
from deskhub.edge.hub import Hub
from deskhub.edge.limits import Limiter
from deskhub.edge.metrics import Metrics
from deskhub.edge.processes import Processes
from deskhub.edge.requests import Requests, request_id_of
from deskhub.edge.routes import (
    actions,
    adapter_deeds,
    adapter_pages,
    adapter_settings,
    adapters,
    agents,
    cards,
    config,
    conversations,
    customer_data,
    customers,
    files,
    inboxes,
    macros,
    mail,
    market,
    messages,
    page,
    prechat,
    push,
    reports,
    saved_views,
    search,
    sessions,
    snapshot,
    sso,
    subscriptions,
    texts,
    visitors,
    webhooks,
)
from deskhub.edge.watching import Watch
from deskhub.errors import HubError

ROUTERS = (
    sessions, sso, visitors, snapshot, conversations, messages, search, agents, customers,
    customer_data, saved_views, cards, actions, webhooks, adapter_deeds,
    adapter_settings, config, files, texts, macros, reports, mail, push,
    inboxes, prechat, subscriptions,
)  # fmt: skip


class Json(JSONResponse):
    """JSON by orjson: fast, UTF-8, times as RFC 3339."""

    def render(self, content: Any) -> bytes:  # noqa: ANN401  JSON is any of its types
        """Return *content* as bytes."""
        return orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS)


def build_app(hub: Hub) -> FastAPI:
    """Return the application that serves *hub*."""
    metrics = Metrics(hub)
    watch = Watch(hub)
    processes = Processes(hub, watch)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            watching = [
                group.create_task(metrics.watch(), name="metrics"),
                group.create_task(watch.watch(), name="watch"),
                group.create_task(processes.share(), name="processes"),
            ]
            yield
            for one in watching:
                one.cancel()

    app = FastAPI(
        title="Deskhub",
        version=__version__,
        summary="The public API; the console and the widget use nothing else.",
        docs_url=None,
        redoc_url=None,
        default_response_class=Json,
        lifespan=lifespan,
        separate_input_output_schemas=False,
        responses={"default": _PROBLEM},
        middleware=[
            # The first is the outermost.
            Middleware(Requests, observe=metrics.observe),
            Middleware(SecurityHeaders, public_url=hub.config.hub.url),
            Middleware(Cors, config=hub.config),
            Middleware(Limiter, guard=hub.guard),
        ],
        exception_handlers={
            HubError: _hub_error,
            RequestValidationError: _validation_error,
            HTTPException: _http_error,
        },
    )
    app.state.hub = hub
    for module in ROUTERS:
        app.include_router(module.router(hub))
    app.include_router(websocket.router(hub))
    app.include_router(longpoll.router(hub))
    app.include_router(ops.router(hub, metrics))
    app.include_router(adapters.router(hub, processes))
    app.include_router(adapter_pages.router(hub, watch, processes))
    app.include_router(market.router(hub, watch))
    app.router.routes.extend(static.routes())
    # After the worker of its folder, whose name no inbox can take.
    app.include_router(page.router(hub))
    return app


_PROBLEM: dict[str, Any] = {
    "description": "A problem (RFC 9457) with a stable `code` from the catalogue.",
    "content": {
        problems.MEDIA_TYPE: {
            "schema": {
                "type": "object",
                "required": [
                    "type", "title", "status", "code", "detail", "retry", "request_id",
                ],
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                    "retry": {"enum": ["never", "same", "later"]},
                    "after_ms": {"type": "integer"},
                    "request_id": {"type": "string"},
                    "errors": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["path", "code", "text"],
                            "properties": {
                                "path": {"type": "string"},
                                "code": {"type": "string"},
                                "text": {"type": "string"},
                            },
                        },
                    },
                },
            }
        }
    },
}  # fmt: skip


async def _hub_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HubError)  # noqa: S101  registered for this class
    return _answer(request, error)


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  registered for this class
    return _answer(request, problems.from_validation(error))


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  registered for this class
    response = _answer(request, problems.from_http(error))
    for name, value in (error.headers or {}).items():
        response.headers.setdefault(name, value)
    return response


def _answer(request: Request, error: HubError) -> Response:
    request.state.error_code = error.code
    return problems.response_of(error, request_id_of(request.scope))
