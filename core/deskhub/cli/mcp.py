"""``deskhub mcp``: the actions as tools for a model, over stdio, behind the same gate."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deskhub.cli.mcp_tools import Ceiling, HubApi, Refused, Toolbox
from deskhub.cli.output import Exit, fail

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

UrlOption = Annotated[str, typer.Option("--url", envvar="DESKHUB_URL", help="The hub.")]
LimitOption = Annotated[
    str,
    typer.Option("--limit", help="What a model may confirm alone, as 50.00 CNY; else nothing."),
]


def mcp(url: UrlOption = "http://127.0.0.1:8700", limit: LimitOption = "") -> None:
    """Serve the actions to a model over stdio, as the agent whose DESKHUB_TOKEN this is.

    A model can look and propose. What it confirms runs only within --limit; everything else
    waits for a second person in the console.
    """
    token = os.environ.get("DESKHUB_TOKEN", "")
    if not token:
        fail("DH105", "there is no agent's token", exit_code=Exit.USAGE,
             fix="set DESKHUB_TOKEN to an agent's access token")  # fmt: skip
    try:
        ceiling = Ceiling.parse(limit)
    except ValueError as error:
        fail("DH105", str(error), exit_code=Exit.USAGE, fix="write --limit '50.00 CNY'")
    try:
        server = server_of(Toolbox(HubApi(url, token), ceiling))
    except ImportError:
        fail("DH105", "the MCP SDK is not installed", exit_code=Exit.USAGE,
             fix="pip install 'deskhub[mcp]'")  # fmt: skip
    asyncio.run(_serve(server))


def server_of(toolbox: Toolbox) -> Server[Any]:
    """Return an MCP server with *toolbox*'s tools. Raises `ImportError` without the SDK."""
    from mcp import types  # noqa: PLC0415  an extra: nobody else pays for it
    from mcp.server.lowlevel import Server  # noqa: PLC0415

    async def list_tools(_context: object, _params: object) -> types.ListToolsResult:
        tools = [
            types.Tool(
                name=tool["name"],
                description=tool["description"],
                input_schema=tool["schema"],
                annotations=types.ToolAnnotations(
                    read_only_hint=tool["reads"], destructive_hint=not tool["reads"]
                ),
            )
            for tool in await toolbox.tools()
        ]
        return types.ListToolsResult(tools=tools)

    async def call_tool(
        _context: object, params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        try:
            told, failed = await toolbox.use(params.name, params.arguments or {}), False
        except Refused as refused:
            told, failed = refused.problem, True
        except (OSError, TimeoutError):
            told, failed = {"code": "unavailable", "detail": "The hub does not answer."}, True
        text = json.dumps(told, ensure_ascii=False)
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=text)],
            structured_content=told,
            is_error=failed,
        )

    return Server("deskhub", on_list_tools=list_tools, on_call_tool=call_tool)


async def _serve(server: Server[Any]) -> None:
    from mcp.server.stdio import stdio_server  # noqa: PLC0415

    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())
