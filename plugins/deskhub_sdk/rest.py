"""A system behind one address and one token: its settings, its calls, its refusals.

Most systems are like that; an adapter for one says only which calls there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeVar

import msgspec
from pydantic import Field, SecretStr, field_validator

from deskhub_sdk.adapter import Config
from deskhub_sdk.context import Context, HttpAnswer
from deskhub_sdk.errors import (
    AdapterError,
    AuthRequired,
    ConfigInvalid,
    Conflict,
    Malformed,
    NotFound,
    NotSent,
    OutcomeUnknown,
    Rejected,
    Unavailable,
)
from deskhub_sdk.records import Health

MAX_SAID = 200
REFUSALS = (400, 402, 413, 422)


class Wire(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what a system sends; fields that the adapter does not know are left alone."""


W = TypeVar("W", bound=Wire)


class RestConfig(Config):
    """Where a system is, and a token for it."""

    base_url: str = Field(description="The system's address, without a path of its interface.")
    token: SecretStr = Field(description="A token that may do what this adapter does.")

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if not value.startswith(("https://", "http://")):
            raise ValueError("must start with https:// (or http:// inside your own network)")
        return value


class PushingConfig(RestConfig):
    """The settings of a system that also sends webhooks."""

    webhook_secret: SecretStr = Field(description="The secret that webhooks are signed with.")
    previous_webhook_secret: SecretStr | None = Field(
        default=None, description="The secret before, while it is being changed."
    )
    webhook_max_age_s: float = Field(
        default=300.0, gt=0, le=86_400, description="How old a webhook may be, either way."
    )

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """Return the secrets that are valid now."""
        both = (self.webhook_secret, self.previous_webhook_secret)
        return tuple(secret.get_secret_value() for secret in both if secret is not None)


class Rest:
    """Calls to one system through the context's way out.

    A subclass may override `refusal` where the system has codes of its own.
    """

    def __init__(self, ctx: Context, config: RestConfig, system: str) -> None:
        """Call the system of *config*; *system* names it in errors ("the shop")."""
        self.ctx = ctx
        self.system = system
        self._base = config.base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {config.token.get_secret_value()}"}

    async def read(
        self,
        path: str,
        params: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        *,
        json: object = None,
    ) -> HttpAnswer:
        """Send a call without effect: a GET, or a POST of what *json* asks for.

        It may be repeated and has no unknown outcome: whatever breaks is `Unavailable`.
        """
        method: Literal["GET", "POST"] = "GET" if json is None else "POST"
        try:
            return await self.ctx.http.request(
                method, self._base + path, headers=self._headers, json=json, params=params,
                repeatable=True,
            )  # fmt: skip
        except (NotSent, OutcomeUnknown) as error:
            raise Unavailable(str(error)) from error

    async def write(
        self,
        path: str,
        body: object,
        *,
        repeatable: bool,
        key: str = "",
        method: Literal["POST", "PUT", "PATCH", "DELETE"] = "POST",
        timeout_s: float | None = None,
    ) -> HttpAnswer:
        """Send a call with an effect, under the idempotency *key* if it has one.

        Say *repeatable* only where the system itself makes a repetition harmless. Raises
        `OutcomeUnknown` when nobody can tell whether it arrived.
        """
        headers = {**self._headers, "Idempotency-Key": key} if key else self._headers
        return await self.ctx.http.request(
            method, self._base + path, headers=headers, json=body, repeatable=repeatable,
            timeout_s=timeout_s,
        )  # fmt: skip

    async def found(
        self,
        shape: type[W],
        path: str,
        params: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        *,
        json: object = None,
    ) -> W:
        """Return the answer to `read` as *shape*."""
        answer = await self.read(path, params, json=json)
        self.expect(answer, 200)
        return self.parse(answer.body, shape)

    def done(self, answer: HttpAnswer, shape: type[W], status: int = 201) -> W:
        """Return what a write made. An unreadable answer is `OutcomeUnknown`: look it up."""
        self.expect(answer, status)
        try:
            return self.parse(answer.body, shape)
        except Malformed as error:
            raise OutcomeUnknown(str(error)) from error

    def parse(self, body: bytes, shape: type[W]) -> W:
        """Return *body* as *shape*. Raises `Malformed` with the path of the first mistake."""
        return parsed(body, shape, f"{self.system}'s answer")

    def expect(self, answer: HttpAnswer, status: int) -> None:
        """Return when *answer* has *status*; raise what it means otherwise."""
        if answer.status != status:
            raise self.refusal(answer)

    def refusal(self, answer: HttpAnswer) -> AdapterError:
        """Return what an unexpected *answer* means."""
        said = f"{self.system} answered {answer.status} {self.said(answer)}".strip()
        if answer.status == 404:
            return NotFound(f"{said}: compare base_url with the system's address")
        if answer.status == 409:
            return Conflict(said)
        if answer.status in REFUSALS:
            return Rejected(said)
        if 300 <= answer.status < 400:
            return ConfigInvalid(f"{said}: base_url leads elsewhere")
        return Malformed(said)

    def said(self, answer: HttpAnswer) -> str:
        """Return the system's own words about a refusal, if it found any."""
        try:
            told = answer.json()
        except Malformed:
            return ""
        if not isinstance(told, dict):
            return ""
        return str(told.get("message") or told.get("error") or "")[:MAX_SAID]

    async def health(self, path: str, ready: str) -> Health:
        """Say whether the system takes the token at *path*; *ready* is the good news.

        Raises `AuthRequired` when it does not: waiting does not help then, and an admin is
        told so.
        """
        now = self.ctx.clock.now()
        try:
            answer = await self.read(path)
            self.expect(answer, 200)
            # A page that asks people to sign in is an answer too, and not the system's.
            _ = answer.json()
        except AuthRequired:
            raise
        except AdapterError as error:
            return Health(ok=False, text=str(error), checked_at=now)
        return Health(ok=True, text=ready, checked_at=now)


def parsed(body: bytes, shape: type[W], what: str) -> W:
    """Return *body* as *shape*. Raises `Malformed`, which calls it *what*."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise Malformed(f"{what} is not as documented: {error}") from error
