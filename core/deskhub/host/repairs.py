"""What is out of order with the adapters and hub.toml, whom it affects, and what mends it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from deskhub.host.asked import code_of
from deskhub.host.reload import Status
from deskhub.host.running import Running
from deskhub.store.hookcursors import DeadLetter
from deskhub.store.mails import MailRow
from deskhub.store.signals import SignalRow

Severity = Literal["critical", "warning", "notice"]
# What a person can do about it: restart, open the settings, look at the events, edit hub.toml,
# send a mail again or forget it.
Remedy = Literal["restart", "settings", "events", "file", "mail"]

# One may be a stranger knocking; so many are a wrong secret.
FORGED = 3

_RANK: dict[Severity, int] = {"critical": 0, "warning": 1, "notice": 2}


@dataclass(frozen=True, slots=True)
class Repair:
    """One thing out of order. *who* is whom it affects, *fix* what mends it, in words."""

    id: str
    severity: Severity
    what: str
    who: str
    fix: str
    remedy: Remedy
    since: datetime
    instance: str = ""
    code: str = ""
    conversation: str = ""


def repairs(
    running: Iterable[Running],
    status: Status,
    signals: Sequence[SignalRow],
    letters: Sequence[DeadLetter],
    forged: Mapping[str, tuple[int, datetime]],
    mails: Sequence[MailRow] = (),
) -> list[Repair]:
    """Return everything that is out of order, the worst first.

    *forged* says of instances how many webhooks were refused lately, and since when.
    """
    instances = [one for one in running if not one.built_in]
    found = [repair for one in instances if (repair := _of_instance(one)) is not None]
    names = {one.id: one.name for one in instances}
    found += _of_file(status)
    found += _of_events(signals, letters, names)
    found += _of_webhooks(forged, names)
    found += [_of_mail(one) for one in mails]
    return sorted(found, key=lambda one: (_RANK[one.severity], one.since, one.id))


def _of_instance(one: Running) -> Repair | None:
    match one.state:
        case "auth_required":
            return _repair(one, "critical", "Put its credentials in order, then reconnect.",
                           "settings")  # fmt: skip
        case "quarantined":
            return _repair(one, "critical", "See its log, then reconnect.", "restart")
        case "config_invalid" | "incompatible":
            fix = one.problems[0].fix if one.problems else "Correct its settings."
            return _repair(one, "critical", _sentence(fix), "settings")
        case "backoff":
            return _repair(one, "warning", "It tries again by itself; test its connection.",
                           "restart")  # fmt: skip
        case "degraded":
            return _repair(one, "warning", "See which calls fail, and test its connection.",
                           "restart")  # fmt: skip
        case _:
            return None


def _repair(one: Running, severity: Severity, fix: str, remedy: Remedy) -> Repair:
    return Repair(
        id=f"instance:{one.id}:{one.state}",
        severity=severity,
        what=one.problems[0].what if one.problems else (one.words or one.state),
        who=_affected(one),
        fix=fix,
        remedy=remedy,
        since=one.since,
        instance=one.id,
        code=code_of(one),
    )


def _affected(one: Running) -> str:
    """Return who misses what while *one* does not work."""
    missing = []
    if "sign_in_start" in one.hooks:
        missing.append(f"Nobody can sign in through {one.name}.")
    if "conversation_cards" in one.hooks:
        missing.append(f"Agents see no cards of {one.name}.")
    if one.cls is not None and one.cls.steps:
        missing.append(f"Actions that need {one.name} cannot start.")
    if "receive_webhook" in one.hooks:
        missing.append("Its updates wait at their sender.")
    return " ".join(missing) or f"Whatever {one.name} does is missing."


def _of_file(status: Status) -> Iterator[Repair]:
    if status.problems is not None:
        for problem in status.problems.problems:
            yield Repair(
                id=f"file:{'.'.join(problem.path)}:{problem.code}",
                severity="critical",
                what=_sentence(problem.what),
                who="Nobody yet: the hub runs on with the last good hub.toml.",
                fix=_sentence(problem.fix),
                remedy="file",
                since=status.at,
                code=problem.code,
            )
    for instance, why in status.kept:
        yield Repair(
            id=f"kept:{instance}", severity="warning", what=why,
            who="Nobody yet: it runs on as it was.",
            fix="Correct its settings in hub.toml.", remedy="settings", since=status.at,
            instance=instance,
        )  # fmt: skip
    for change in status.waiting:
        yield Repair(
            id=f"waiting:{change.where}", severity="notice", what=str(change),
            who="Nobody: the hub runs on as it was.", fix="Start the hub again when it suits.",
            remedy="file", since=status.at,
        )  # fmt: skip


def _of_events(
    signals: Sequence[SignalRow], letters: Sequence[DeadLetter], names: dict[str, str]
) -> Iterator[Repair]:
    for instance, name in names.items():
        times = [row.received_at for row in signals if row.instance == instance]
        times += [letter.at for letter in letters if letter.instance == instance]
        if times:
            count = f"{len(times)} event" if len(times) == 1 else f"{len(times)} events"
            yield Repair(
                id=f"events:{instance}", severity="warning",
                what=f"{count} of {name} could not be delivered.",
                who="What they tell is missing in the conversations they concern.",
                fix="See why, then replay them.", remedy="events", since=min(times),
                instance=instance,
            )  # fmt: skip


def _of_webhooks(
    forged: Mapping[str, tuple[int, datetime]], names: Mapping[str, str]
) -> Iterator[Repair]:
    for instance, (count, since) in forged.items():
        if instance in names and count >= FORGED:
            yield Repair(
                id=f"webhooks:{instance}", severity="warning",
                what=f"{count} webhooks of {names[instance]} were refused: the signature does"
                " not match.",
                who="What they tell is missing in the conversations they concern.",
                fix="Compare its webhook secret on both sides; no proxy may change the body.",
                remedy="settings", since=since, instance=instance, code="DH601",
            )  # fmt: skip


def _of_mail(row: MailRow) -> Repair:
    refused = "A mail to a customer did not leave"
    doubtful = "A mail to a customer was on its way when the connection ended"
    return Repair(
        id=f"mail:{row.id}",
        severity="warning",
        what=f"{doubtful if row.state == 'unknown' else refused}: {row.error}.",
        who="The customer knows only what they read in the chat.",
        fix="Read the conversation, then send the mail again or forget it.",
        remedy="mail",
        since=row.created_at,
        conversation=row.conversation,
    )


def _sentence(text: str) -> str:
    text = text.rstrip(".")
    return f"{text[:1].upper()}{text[1:]}." if text else ""
