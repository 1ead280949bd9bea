"""A hub's side of a channel in memory: what was heard, and what may leave."""

from __future__ import annotations

from collections.abc import Sequence

from deskhub_sdk.channel import Heard, Said, SaidFile
from deskhub_sdk.errors import NotFound
from deskhub_sdk.records import ConversationId

TOKEN = "token-of-"  # noqa: S105  how a test's tokens begin


class GivenChannel:
    """Remembers what an adapter said; the token of ``c_1`` is ``token-of-c_1``.

    A test sets *fails* to raise it from everything, *wanted* to hold answers back, and *files*
    to what answers carry.
    """

    def __init__(self) -> None:
        """Start with nothing said."""
        self.heard: list[tuple[Said, tuple[SaidFile, ...], Heard]] = []
        self.left: list[str] = []
        self.came_back: list[tuple[str, str]] = []
        self.files: dict[str, bytes] = {}
        self.fails: Exception | None = None
        self.wanted = True

    async def hear(self, said: Said, files: Sequence[SaidFile] = ()) -> Heard:
        """Remember *said*; the same key counts once."""
        self._check()
        known = next((one[2] for one in self.heard if one[0].key == said.key), None)
        if known is not None:
            return Heard(conversation=known.conversation, dup=True)
        proven = await self.find(said.tokens)
        follows = next(
            (one[2].conversation for one in self.heard if one[0].key in said.follows), None
        )
        place = proven or follows
        heard = Heard(
            conversation=place or ConversationId(f"c_{len(self.heard) + 1}"),
            is_new=place is None,
            is_verified=proven is not None,
        )
        self.heard.append((said, tuple(files), heard))
        return heard

    async def find(self, tokens: Sequence[str]) -> ConversationId | None:
        """Return what the first of *tokens* is made of."""
        self._check()
        ours = (one.removeprefix(TOKEN) for one in tokens if one.startswith(TOKEN))
        found = next(ours, None)
        return ConversationId(found) if found else None

    async def leaving(self, answer: str) -> bool:
        """Remember that *answer* leaves, when it is wanted."""
        self._check()
        if self.wanted:
            self.left.append(answer)
        return self.wanted

    async def returned(self, tokens: Sequence[str], answer: str, why: str) -> bool:
        """Remember that *answer* came back."""
        if await self.find(tokens) is None:
            return False
        self.came_back.append((answer, why))
        return True

    async def read_file(self, answer: str, file: str) -> bytes:
        """Return what the test put into *files*. Raises `NotFound`."""
        del answer
        try:
            return self.files[file]
        except KeyError:
            raise NotFound(file) from None

    def _check(self) -> None:
        if self.fails is not None:
            raise self.fails
