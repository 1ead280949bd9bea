"""Every delivery is something new."""
# ruff: noqa: F403, F405, I001

from base import *
import uuid


class Bad(Good):
    """Good, but for one thing."""

    @hookimpl
    async def receive_webhook(self, request):
        (signal,) = await super().receive_webhook(request)
        return (msgspec.structs.replace(signal, dedupe=uuid.uuid4().hex),)
