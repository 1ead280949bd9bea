"""Input models are strict: unknown fields are refused, texts have a length."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class Input(BaseModel):
    """Base of request bodies: no unknown fields, no guessing of types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


# A NUL cannot be stored in every database and is never meant.
_NO_NUL = r"^[^\x00]*$"

Token = Annotated[str, StringConstraints(min_length=1, max_length=4096, pattern=_NO_NUL)]
Email = Annotated[str, StringConstraints(min_length=3, max_length=320, pattern=_NO_NUL)]
Password = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
Line = Annotated[
    str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True, pattern=_NO_NUL)
]
Id = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=_NO_NUL)]
Paragraph = Annotated[str, Field(max_length=4000, pattern=_NO_NUL)]
