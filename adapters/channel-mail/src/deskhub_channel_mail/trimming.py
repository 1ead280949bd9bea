"""From what a mail program wrote to what its user wrote: no quotes, no signature, no markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser

HTML_CHARS = 2_000_000
_ATTRIBUTION = re.compile(
    r"^(On .{1,200} wrote:|Am .{1,200} schrieb .{1,200}:|Le .{1,200} a écrit ?:"
    r"|El .{1,200} escribió:|在.{1,200}写道[:：]"
    r"|.{1,200}<[^<>@\s]{1,64}@[^<>\s]{1,190}> ?写道[:：]"
    r"|-{2,} ?(Original Message|Forwarded message|原始邮件"
    r"|Ursprüngliche Nachricht) ?-{2,})\s*$",
    re.IGNORECASE,
)
_OUTLOOK = re.compile(r"^(From|Von|De|发件人)[:：] .+")
_OUTLOOK_NEXT = re.compile(r"^(Sent|Date|To|Gesendet|Envoyé|发送时间|日期)[:：] .+")
_BLOCKS = frozenset({
    "p", "div", "br", "tr", "li", "ul", "ol", "table", "h1", "h2", "h3", "h4", "hr", "pre",
    "blockquote",
})  # fmt: skip
_UNSEEN = frozenset({"script", "style", "head", "title", "template"})


def trimmed(text: str) -> tuple[str, bool]:
    """Return what was written anew, and whether anything was cut off.

    When nothing would be left, everything is kept: somebody may answer below a quote.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    end = len(lines)
    for at, line in enumerate(lines):
        after = lines[at + 1] if at + 1 < len(lines) else ""
        if line in ("-- ", "--") or _begins_quote(line, after):
            end = at
            break
    kept = [line for line in lines[:end] if not line.startswith(">")]
    found = "\n".join(kept).strip()
    if not found:
        return text.strip(), False
    return found, found != text.replace("\r\n", "\n").strip()


def _begins_quote(line: str, after: str) -> bool:
    if len(line) > 500:
        return False
    folded = f"{line.strip()} {after.strip()}"
    attributed = bool(_ATTRIBUTION.match(line.strip()))
    if not attributed and line.startswith(("On ", "Am ", "Le ")) and len(folded) < 500:
        attributed = bool(_ATTRIBUTION.match(folded))
    return attributed or bool(_OUTLOOK.match(line) and _OUTLOOK_NEXT.match(after))


def text_of_html(html: str) -> str:
    """Return what *html* says as plain text; nothing of it is run, loaded or kept as markup."""
    reader = _Reader()
    reader.feed(html[:HTML_CHARS])
    reader.close()
    text = re.sub(r"[ \t\u00a0]+", " ", "".join(reader.said))
    text = re.sub(r" ?\n ?", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


class _Reader(HTMLParser):
    """Collects text; a quoted block gets the mark that plain mail has."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self._unseen = 0
        self._quoted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a line with each block; leave out what nobody sees."""
        del attrs
        self._unseen += tag in _UNSEEN
        self._quoted += tag == "blockquote"
        if tag in _BLOCKS:
            self._line()

    def handle_endtag(self, tag: str) -> None:
        """End what was begun."""
        self._unseen = max(0, self._unseen - (tag in _UNSEEN))
        self._quoted = max(0, self._quoted - (tag == "blockquote"))
        if tag in _BLOCKS and tag != "br":
            self._line()

    def handle_data(self, data: str) -> None:
        """Keep words; line breaks of the source are spaces."""
        if not self._unseen:
            self.said.append(re.sub(r"\s+", " ", data))

    def _line(self) -> None:
        self.said.append("\n> " if self._quoted else "\n")
