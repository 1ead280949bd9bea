"""Several steps under one name, for agents to do with one key."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, model_validator

TAGS_MAX = 10
TAG_CHARS = 40


def _tag(value: str) -> str:
    if not value.strip() or len(value) > TAG_CHARS or not value.isprintable():
        raise ValueError(f"a tag has 1 to {TAG_CHARS} visible characters, got {value!r}")
    return value


_Tags = Annotated[
    tuple[Annotated[str, AfterValidator(_tag)], ...],
    BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value),
]


class Macro(BaseModel):
    """``[macros.NAME]``: what is done, in this order: say, tag, assign, close.

    *title* and *say* are tables from language to text; a text may hold the variables of saved
    replies (``{{customer.name}}``).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    tenant: str = "main"
    title: dict[str, str]
    say: dict[str, str] = {}
    tags: _Tags = ()
    assign: Literal["me", "queue"] | None = None
    close: bool = False

    @model_validator(mode="after")
    def _does_something(self) -> Macro:
        if not self.title:
            raise ValueError('a macro needs a title, such as { en = "Thank and close" }')
        if not (self.say or self.tags or self.assign or self.close):
            raise ValueError("a macro says, tags, assigns or closes; this one does nothing")
        if len(self.tags) > TAGS_MAX:
            raise ValueError(f"a macro sets at most {TAGS_MAX} tags")
        return self
