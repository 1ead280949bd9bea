"""What crosses the socket between hub and worker: five frames, each with its length before it.

A frame is four bytes of length and one msgpack array. Both sides may ask; an answer carries
the question's number.
"""

from __future__ import annotations

import struct
from typing import Any

import msgspec

MAX_FRAME_BYTES = 4 * 1024 * 1024
HEADER = struct.Struct("!I")

Meter = tuple[int, int, int, int, int, float]


class Garbage(Exception):
    """What arrived is no frame; the text says why, and the connection cannot go on."""


class Ask(msgspec.Struct, array_like=True, tag="a", frozen=True):
    """A call of *target* with *arguments*, a msgpack array; 0 is no deadline."""

    id: int
    target: str
    arguments: msgspec.Raw
    deadline_s: float = 0.0


class Done(msgspec.Struct, array_like=True, tag="d", frozen=True):
    """The answer to a call; *meter* counts look-ups and calls made for it."""

    id: int
    value: msgspec.Raw
    meter: Meter | None = None


class Failed(msgspec.Struct, array_like=True, tag="f", frozen=True):
    """A call's failure: the *code* of the contract's error, its text, and where it happened."""

    id: int
    code: str
    text: str
    retry_after_s: float | None = None
    place: str = ""
    meter: Meter | None = None


class Leave(msgspec.Struct, array_like=True, tag="l", frozen=True):
    """Nobody waits for the answer any more."""

    id: int


class Tell(msgspec.Struct, array_like=True, tag="t", frozen=True):
    """A fact that wants no answer."""

    target: str
    arguments: msgspec.Raw


Frame = Ask | Done | Failed | Leave | Tell

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Frame] = msgspec.msgpack.Decoder(Frame)


def encode(frame: Frame) -> bytes:
    """Return *frame* with its length before it. Raises `Garbage` over 4 MB."""
    data = _encoder.encode(frame)
    if len(data) > MAX_FRAME_BYTES:
        raise Garbage(f"a frame of {len(data)} bytes, at most {MAX_FRAME_BYTES}")
    return HEADER.pack(len(data)) + data


def take(buffer: bytearray) -> Frame | None:
    """Remove the first whole frame from *buffer* and return it; None when more must come.

    Raises `Garbage`.
    """
    if len(buffer) < HEADER.size:
        return None
    (size,) = HEADER.unpack_from(buffer)
    if size > MAX_FRAME_BYTES:
        raise Garbage(f"a frame of {size} bytes, at most {MAX_FRAME_BYTES}")
    end = HEADER.size + size
    if len(buffer) < end:
        return None
    data = bytes(memoryview(buffer)[HEADER.size : end])
    del buffer[:end]
    try:
        return _decoder.decode(data)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise Garbage(f"something that is no frame ({error})") from error


def raw(value: Any) -> msgspec.Raw:  # noqa: ANN401  msgpack knows what it can carry
    """Return *value* as a part of a frame."""
    return msgspec.Raw(_encoder.encode(value))
