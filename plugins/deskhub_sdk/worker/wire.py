"""What each call's arguments and answer are, so that both sides speak of the same records.

The types come from the contract itself: the hooks' specs, the capabilities' protocols, the
base of steps. An adapter's own annotations are not asked.
"""

from __future__ import annotations

import collections.abc
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from deskhub_sdk.capabilities import CAPABILITIES
from deskhub_sdk.cards import Card, CardError, encode_card
from deskhub_sdk.errors import Malformed
from deskhub_sdk.hooks import Hooks
from deskhub_sdk.records import Health
from deskhub_sdk.steps import Fact, Preview, Refusal, StepCall
from deskhub_sdk.worker.frames import MAX_FRAME_BYTES


@dataclass(frozen=True, slots=True)
class Refused:
    """Stands where a card broke the format: its *fallback* line is what people see."""

    id: str
    fallback: str


@dataclass(frozen=True, slots=True)
class Shape:
    """The types of one call: arguments in order, and what comes back."""

    arguments: Mapping[str, Any]
    answer: Any

    def decode_arguments(self, data: msgspec.Raw, names: Sequence[str]) -> list[Any]:
        """Return the arguments *names* as records."""
        return list(_arguments(tuple(self.arguments[name] for name in names)).decode(data))

    def encode_answer(self, value: object) -> msgspec.Raw:
        """Return *value* for the socket. Raises `Malformed` when it is not what was asked."""
        # Into a buffer of ours: with memory at its limit, msgspec's own ends the process.
        data = bytearray()
        try:
            _encoder.encode_into(_outgoing(value, self.answer), data)
        except (TypeError, ValueError, OverflowError) as error:
            raise Malformed(f"the answer cannot be sent: {error}") from error
        except MemoryError:
            raise Malformed("the answer is larger than the adapter's memory") from None
        if len(data) > MAX_FRAME_BYTES:
            text = f"the answer is a frame of {len(data)} bytes, at most {MAX_FRAME_BYTES}"
            raise Malformed(text)
        return msgspec.Raw(data)

    def decode_answer(self, data: bytes) -> Any:  # noqa: ANN401  the call says
        """Return the answer as records. Raises `Malformed` when it is something else."""
        try:
            return _incoming(data, self.answer)
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            raise Malformed(f"the answer is not what was asked for: {error}") from error


@cache
def hook_shape(hook: str) -> Shape:
    """Return the types of *hook*."""
    return _shape(getattr(Hooks, hook))


@cache
def capability_shape(capability: str, method: str) -> Shape:
    """Return the types of one method of *capability*."""
    return _shape(getattr(CAPABILITIES[capability], method))


STEP_SHAPES: Mapping[str, Shape] = {
    "preview": Shape({"call": StepCall}, Preview | Refusal),
    "run": Shape({"call": StepCall}, Fact),
    "lookup": Shape({"call": StepCall}, Fact | None),
    "undo": Shape({"call": StepCall, "fact": Fact}, None),
}
CHECK_SHAPE = Shape({}, Health)


def encode(value: object) -> msgspec.Raw:
    """Return one *value* for the socket."""
    return msgspec.Raw(_encoder.encode(value))


def encode_arguments(values: Sequence[object]) -> msgspec.Raw:
    """Return *values* for the socket."""
    return msgspec.Raw(_encoder.encode(list(values)))


def decode(data: bytes | msgspec.Raw, kind: Any) -> Any:  # noqa: ANN401
    """Return *data* as *kind*."""
    return _one(kind).decode(data)


def card_problem(card: object) -> str | None:
    """Return what breaks the format in *card*, or None."""
    if not isinstance(card, Card):
        return f"expected a Card, got {type(card).__name__} - at $"
    try:
        encode_card(card)
    except CardError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001  an odd value may raise anything while encoded
        return f"{type(error).__name__} - at $"
    return None


def _shape(function: Callable[..., Any]) -> Shape:
    hints = {name: _frozen(kind) for name, kind in get_type_hints(function).items()}
    answer = hints.pop("return", None)
    order = [name for name in inspect.signature(function).parameters if name != "self"]
    return Shape({name: hints[name] for name in order}, answer)


def _frozen(kind: Any) -> Any:  # noqa: ANN401  a type or part of one
    """Return *kind* with tuples for sequences, as adapters return them."""
    origin, inside = get_origin(kind), tuple(_frozen(one) for one in get_args(kind))
    if origin is collections.abc.Sequence:
        return tuple[inside[0], ...]  # type: ignore[valid-type]  # made at run time
    if origin is collections.abc.Mapping:
        return dict[inside[0], inside[1]]  # type: ignore[valid-type]  # made at run time
    if origin in (Union, UnionType):
        return Union[inside]  # noqa: UP007  made at run time
    return kind


@cache
def _one(kind: Any) -> msgspec.msgpack.Decoder[Any]:  # noqa: ANN401
    return msgspec.msgpack.Decoder(kind)


@cache
def _arguments(kinds: tuple[Any, ...]) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(tuple[kinds] if kinds else list[None])  # type: ignore[valid-type]  # made at run time


_CARDS = tuple[Card, ...]
_MAYBE_CARD = Union[Card, None]  # noqa: UP007  compared with what `_frozen` makes
_PREVIEW = Preview | Refusal


def _outgoing(value: object, kind: Any) -> object:  # noqa: ANN401
    """Return *value* with what its type alone does not tell the other side."""
    if kind == _PREVIEW:
        return [isinstance(value, Refusal), value]
    if kind == _CARDS and isinstance(value, collections.abc.Iterable):
        return [_card(one) for one in value]
    if kind == _MAYBE_CARD and value is not None:
        return _card(value)
    return value


def _card(card: object) -> list[object]:
    problem = card_problem(card)
    if problem is None:
        return [True, card]
    return [
        False,
        [str(getattr(card, "id", ""))[:128], str(getattr(card, "fallback", ""))[:500]],
    ]


def _incoming(data: bytes, kind: Any) -> Any:  # noqa: ANN401
    if kind == _PREVIEW:
        refuses, value = decode(data, tuple[bool, msgspec.Raw])
        return decode(value, Refusal if refuses else Preview)
    if kind == _CARDS:
        return tuple(_shown(*one) for one in decode(data, list[tuple[bool, msgspec.Raw]]))
    if kind == _MAYBE_CARD:
        found = decode(data, tuple[bool, msgspec.Raw] | None)
        return None if found is None else _shown(*found)
    return decode(data, kind)


def _shown(whole: bool, value: msgspec.Raw) -> Card | Refused:  # noqa: FBT001
    if whole:
        card: Card = decode(value, Card)
        return card
    return Refused(*decode(value, tuple[str, str]))


def _plain(value: object) -> object:
    """Return odd containers as plain ones; whatever else is odd cannot be sent."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, collections.abc.Set | collections.abc.Sequence):
        return list(value)
    raise TypeError(f"{type(value).__name__} cannot leave the adapter's process")


_encoder = msgspec.msgpack.Encoder(enc_hook=_plain)
