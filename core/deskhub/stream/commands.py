"""From what a transport understood to the command that the chat knows."""

from __future__ import annotations

from deskhub.chat import commands as c
from deskhub.errors import Invalid
from deskhub.identity.model import Principal
from deskhub.ids import new_id
from deskhub.stream import frames as f

CommandFrame = (
    f.Send
    | f.Note
    | f.Edit
    | f.Assign
    | f.Close
    | f.Reopen
    | f.Wake
    | f.Snooze
    | f.Tag
    | f.Read
    | f.Unread
    | f.Rate
)

NEW = "new"


def command_of(frame: CommandFrame, principal: Principal) -> c.ChatCommand:  # noqa: C901, PLR0911  one line for each kind of frame
    """Return the command that *frame* stands for when *principal* sends it."""
    match frame:
        case f.Send():
            return posted(
                principal,
                frame.conversation,
                frame.body.text,
                files=frame.body.files,
                reply_to=frame.body.reply_to,
                language=frame.language,
            )
        case f.Note():
            return c.AddNote(frame.conversation, frame.text)
        case f.Edit():
            return c.Edit(frame.conversation, frame.seq, frame.text, frame.version)
        case f.Assign():
            return c.Assign(frame.conversation, frame.agent, frame.how)
        case f.Close():
            return c.Close(frame.conversation)
        case f.Reopen():
            return c.Reopen(frame.conversation)
        case f.Wake():
            return c.Wake(frame.conversation)
        case f.Snooze():
            return c.Snooze(frame.conversation, frame.until)
        case f.Tag():
            return c.Tag(frame.conversation, frame.add, frame.remove)
        case f.Read():
            return c.MarkRead(frame.conversation, frame.seq)
        case f.Unread():
            return c.MarkUnread(frame.conversation)
        case f.Rate():
            return c.Rate(frame.conversation, frame.score, frame.comment)


def cid_of(frame: CommandFrame) -> str:
    """Return the frame's cid; marks may come without one, since repeating them is harmless."""
    return frame.cid or new_id("k")


def posted(
    principal: Principal,
    conversation: str,
    text: str,
    *,
    files: tuple[str, ...] = (),
    reply_to: int | None = None,
    language: str | None = None,
) -> c.PostMessage | c.OpenConversation:
    """Return the command for a message; ``new`` opens a conversation in the visitor's inbox."""
    if conversation != NEW:
        return c.PostMessage(conversation, text, files, reply_to)
    if principal.kind != "visitor" or not principal.inboxes or len(principal.inboxes) != 1:
        raise Invalid("only a visitor opens a conversation by writing")
    (inbox,) = principal.inboxes
    return c.OpenConversation(inbox, text, language, files=files)
