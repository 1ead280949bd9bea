"""Files over REST: one comes in as the body of a request, and goes out by a signed address."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse

from deskhub.clock import rfc3339
from deskhub.edge.auth import requires
from deskhub.edge.fields import Id, Input
from deskhub.errors import Invalid
from deskhub.files.errors import UploadTooSlow
from deskhub.files.files import Content, Files
from deskhub.files.links import PREFIX
from deskhub.files.names import as_webp, disposition
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission
from deskhub.store.files import FileRow

if TYPE_CHECKING:
    from deskhub.edge.hub import Hub

Sender = Annotated[Principal, Depends(requires(Permission.MESSAGE_POST))]
Reader = Annotated[Principal, Depends(requires(Permission.CONVERSATION_READ))]
LINKS_MAX = 50


class Size(BaseModel):
    """Pixels."""

    width: int
    height: int


class FileView(BaseModel):
    """A file and where its reader finds it until *until*; *image* and *thumb* of pictures."""

    file: str
    name: str
    media: str
    bytes: int
    width: int | None = None
    height: int | None = None
    thumb: Size | None = None
    url: str
    image_url: str | None = None
    thumb_url: str | None = None
    until: str


class LinksBody(Input):
    """Which files."""

    files: list[Id] = Field(min_length=1, max_length=LINKS_MAX)


class LinksView(BaseModel):
    """The files that were asked for, in the same order."""

    files: list[FileView]


_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
        },
    }
}


def router(hub: Hub) -> APIRouter:
    """Return the routes of files."""
    routes = APIRouter(tags=["files"])

    @routes.post("/api/v1/files", status_code=201, openapi_extra=_BODY)
    async def upload(
        request: Request,
        principal: Sender,
        name: Annotated[str, Query(max_length=1000)] = "",
    ) -> FileView:
        """Take the request's body as a file, for a message that names it within a day.

        Pictures are written anew as WebP, without where and when they were taken.
        """
        hub.guard.upload(principal)
        if request.headers.get("content-type", "").startswith("multipart/"):
            fault = {"path": "body", "code": "form", "text": "Send the file itself, no form."}
            raise Invalid("multipart", fields=(fault,))
        length = request.headers.get("content-length", "")
        row = await hub.files.take(
            principal, name, _body(request), int(length) if length.isdigit() else None
        )
        return _view(hub.files, principal, row)

    @routes.post("/api/v1/files/links")
    async def links(body: LinksBody, principal: Reader) -> LinksView:
        """Return fresh addresses of files that the caller may see."""
        found = await hub.files.readable(principal, body.files)
        return LinksView(files=[_view(hub.files, principal, row) for row in found])

    @routes.delete("/api/v1/files/{file}", status_code=204)
    async def remove(file: str, principal: Sender) -> Response:
        """Remove a file of the caller that no message uses."""
        await hub.files.remove(principal, file)
        return Response(status_code=204)

    @routes.get(PREFIX + "{token}", response_class=StreamingResponse)
    async def content(token: str) -> Response:
        """Return a file's bytes to whoever the address was made for."""
        return _streamed(await hub.files.open(token))

    return routes


async def _body(request: Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect as error:
        raise UploadTooSlow("the client went away") from error


def _view(files: Files, principal: Principal, row: FileRow) -> FileView:
    urls, until = files.addressed(principal, row)
    return FileView(
        file=row.id,
        name=row.name,
        media=row.media,
        bytes=row.bytes,
        width=row.width,
        height=row.height,
        thumb=Size(width=row.thumb_width, height=row.thumb_height)
        if row.thumb_width and row.thumb_height
        else None,
        url=urls["download"],
        image_url=urls.get("image"),
        thumb_url=urls.get("thumb"),
        until=rfc3339(datetime.fromtimestamp(until, UTC)),
    )


def _streamed(content: Content) -> Response:
    """Return the bytes; only what the hub wrote itself is shown, everything else is saved."""
    row, shown = content.row, content.variant != "download"
    headers = {
        "content-length": str(content.size),
        "content-disposition": disposition(
            as_webp(row.name) if row.is_picture else row.name, inline=shown
        ),
    }
    if row.is_picture:
        # The widget shows it on the shop's pages; it is a picture and nothing else.
        headers["cross-origin-resource-policy"] = "cross-origin"
    media = "image/webp" if row.is_picture else "application/octet-stream"
    return StreamingResponse(content.chunks, headers=headers, media_type=media)
