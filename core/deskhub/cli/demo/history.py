"""What happened in the demo before it was started: two months of talks, and who waits now.

It is written through the rules of the chat like everything else, only at moments that have
passed: reports then have something to say.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from deskhub.chat import commands as c
from deskhub.identity.model import Principal
from deskhub.identity.records import Agent, agent_principal
from deskhub.store import schema
from deskhub.store.batch import Asked, Batch
from deskhub.store.engine import writer_engine
from deskhub.store.known import Known

DAYS = 60
# What begins on a day, Monday first; nobody starts a conversation at night.
_BEGINS = ((2, 4), (2, 4), (1, 3), (1, 4), (2, 5), (1, 2), (0, 2))
_HOURS = range(8, 19)
_TALKS: tuple[tuple[str, str, str], ...] = (
    ("Emma Clarke", "Where is my parcel? The link says it left Hamburg.",
     "It is on the van and arrives today."),
    ("赵敏", "登山杖可以托运吗？", "可以的，收到最短放进托运行李就行。"),
    ("Jonas Weber", "The zip of my jacket is stuck.", "Candle wax on the teeth helps."),
    ("陈晨", "这款帐篷防水多少？", "外帐 3000 毫米，底部 5000 毫米。"),
    ("Maya Patel", "Can I still change the colour of my order?", "Yes, I have changed it."),
    ("孙丽", "想换大一码，怎么操作？", "我帮您登记换货，快递员明天上门。"),
    ("Oliver Smith", "Is the stove allowed on trains?", "The stove is, the gas is not."),
    ("周杰", "订单还没发货，能催一下吗？", "已经催仓库了，今天发出。"),
    ("Lucia Romano", "I never got an invoice.", "I have sent it to you again."),
    ("吴桐", "背包可以机洗吗？", "建议手洗，水温不超过 30 度。"),
)  # fmt: skip
# Who waits when the demo starts, and for how many minutes: one is late, for one it is time.
_WAITING = (
    ("Marta Lindqvist", "The tracking page is empty since yesterday.", 34),
    ("何静", "退款三天了还没到账，能帮我查一下吗？", 25),
)
_SAID = {
    5: ("", "", "Quick and kind!", "回复很快，谢谢！"),
    4: ("", "", "Helpful", "态度很好"),
    3: ("", "It took a while."),
    2: ("", "Waited too long", "等了好久"),
    1: ("Nobody answered for an hour.", "问题没有解决"),
}

_Command = Callable[[str], c.ChatCommand]


@dataclass(frozen=True, slots=True)
class _Step:
    """Something that somebody does in talk number *talk* at a moment."""

    at: datetime
    talk: int
    by: Principal
    command: _Command


def write(url: str, agents: Mapping[str, Agent], now: datetime) -> int:
    """Write the past of *agents* into the new database at *url*; return its size."""
    engine = writer_engine(url)
    try:
        schema.prepare(engine)
        steps = sorted(_steps(agents, now), key=lambda step: step.at)
        with engine.begin() as connection:
            _play(connection, steps)
        return len(steps)
    finally:
        engine.dispose()


def _play(connection: sa.Connection, steps: Sequence[_Step]) -> None:
    known = Known()
    conversations: dict[int, str] = {}
    for number, step in enumerate(steps):
        batch = Batch(connection, "main", step.at, known)
        command = step.command(conversations.get(step.talk, ""))
        receipt = batch.chat(Asked(step.by, command, f"past-{number}"))
        conversations[step.talk] = receipt.conversation
        batch.finish()
        batch.committed()


def _steps(agents: Mapping[str, Agent], now: datetime) -> Iterator[_Step]:
    dice = random.Random(8700)  # noqa: S311  the same past for everybody
    first = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    people = [agent_principal(one, "past") for one in agents.values()]
    number = 0
    for back in range(DAYS, -1, -1):
        day = first - timedelta(days=back)
        for _ in range(dice.randint(*_BEGINS[day.weekday()])):
            number += 1
            opened = day + timedelta(
                hours=dice.choice(_HOURS),
                minutes=dice.randrange(60),
                seconds=dice.randrange(60),
            )
            talk = list(_talk(dice, number, opened, people))
            # What began ended before the demo starts.
            if talk[-1].at < now:
                yield from talk
    for name, asked, minutes in _WAITING:
        number += 1
        yield _opens(number, name, asked, now - timedelta(minutes=minutes))


def _talk(
    dice: random.Random, number: int, opened: datetime, people: Sequence[Principal]
) -> Iterator[_Step]:
    name, asked, answered = _TALKS[number % len(_TALKS)]
    opens = _opens(number, name, asked, opened)
    visitor = opens.by
    agent = people[number % len(people)]
    reply_s = int(dice.lognormvariate(4.6, 0.9))
    answered_at = opened + timedelta(seconds=reply_s)
    closed_at = answered_at + timedelta(minutes=dice.lognormvariate(3.4, 1.1))

    yield opens
    taken = opened + timedelta(seconds=reply_s / 2)
    yield _Step(taken, number, agent, lambda it: c.Assign(it, agent.id, name=agent.name))
    yield _Step(answered_at, number, agent, lambda it: c.PostMessage(it, answered))
    yield _Step(closed_at, number, agent, c.Close)
    if dice.random() < 0.45:
        score = dice.choices((5, 4, 3, 2, 1), (60, 25, 8, 4, 3))[0] - (reply_s > 400)
        comment = dice.choice(_SAID[max(1, score)])
        at = closed_at + timedelta(seconds=dice.randint(10, 300))
        yield _Step(at, number, visitor, lambda it: c.Rate(it, max(1, score), comment))


def _opens(number: int, name: str, asked: str, at: datetime) -> _Step:
    visitor = Principal(
        "main", "visitor", f"v_past{number:04}", name, inboxes=frozenset({"shop"})
    )
    language = "en" if name.isascii() else "zh-CN"
    return _Step(at, number, visitor, lambda _: c.OpenConversation("shop", asked, language))
