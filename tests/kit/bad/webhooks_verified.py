"""It believes everybody."""
# ruff: noqa: F403, F405

from base import *


class Bad(Good):
    """Good, but for one thing."""

    @hookimpl
    async def receive_webhook(self, request):
        told = msgspec.json.decode(request.body)
        at = datetime.fromisoformat(told["at"])
        return (Signal(kind="o", dedupe=told["id"], object="o:1", version=told["v"], at=at),)
