"""What leaves together leaves in an order that a client may rely on."""

from __future__ import annotations

from pathlib import Path

from tests.support.chat import NO_LIMITS, chat_hub


async def test_the_events_of_a_command_come_before_its_result(tmp_path: Path) -> None:
    async with chat_hub(tmp_path / "chat.db", limits=NO_LIMITS) as hub:
        async with hub.dial("visitor.v_1") as visitor:
            opened = await visitor.send("hello", "cid-0")
            for number in range(1, 20):
                await visitor.send("more", f"cid-{number}", opened["conversation"])

    seen: set[int] = set()
    for frame in visitor.frames:
        if frame["t"] == "events":
            seen.update(event["seq"] for event in frame["events"])
        elif frame["t"] == "result":
            assert frame["seq"] in seen
