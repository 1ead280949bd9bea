"""Files of a channel cross a worker's socket in parts, since a frame has a bound."""

from __future__ import annotations

from deskhub_sdk import Heard, Malformed, Said, SaidFile
from deskhub_sdk.channel import PART_BYTES, Channel

# What one worker may have on its way at a time: a mail with its attachments.
MOST_BYTES = 64 * 1024 * 1024


class Parts:
    """What a worker has sent of files and not yet said, and what it is reading."""

    def __init__(self, channel: Channel) -> None:
        """Hand whole files to *channel*."""
        self._channel = channel
        self._files: dict[tuple[str, int], bytearray] = {}
        self._read: tuple[str, str, bytes] = ("", "", b"")

    async def add(self, key: str, number: int, start: int, data: bytes) -> None:
        """Take a part of file *number* of what *key* names; parts come in order.

        Raises `Malformed` when there is a gap or too much; everything is forgotten then.
        """
        if start == 0:
            # Whatever was begun and not said belongs to somebody who gave up.
            self._files = {
                place: file for place, file in self._files.items() if place[0] == key
            }
            self._files[key, number] = bytearray()
        file = self._files.get((key, number))
        total = sum(map(len, self._files.values())) + len(data)
        if file is None or len(file) != start or total > MOST_BYTES:
            self._files.clear()
            raise Malformed(f"part at {start} of file {number}")
        file += data

    async def hear(self, said: Said, named: list[tuple[str, int]]) -> Heard:
        """Say *said* with the files that were sent before. Raises `Malformed`."""
        files = []
        for number, (name, size) in enumerate(named):
            data = bytes(self._files.pop((said.key, number), b""))
            if len(data) != size:
                raise Malformed(f"file {number} has {len(data)} of {size} bytes")
            files.append(SaidFile(name=name, data=data))
        return await self._channel.hear(said, files)

    async def read(self, mail: str, file: str, start: int) -> bytes:
        """Return a part of an answer's file; it is read once and kept until its end."""
        if self._read[:2] != (mail, file):
            self._read = (mail, file, await self._channel.read_file(mail, file))
        part = self._read[2][start : start + PART_BYTES]
        if len(part) < PART_BYTES:
            self._read = ("", "", b"")
        return part
