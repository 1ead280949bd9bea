"""Who works in the demo and what its customers wrote before you came."""

from __future__ import annotations

from dataclasses import dataclass, field

from deskhub.identity.model import Role


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can sign in."""

    name: str
    email: str
    role: Role
    password: str


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation that is there when the demo opens; *lines* start with the customer.

    A line that starts with ``> `` is an agent's answer, one with ``# `` an agent's note.
    """

    customer: str
    lines: tuple[str, ...]
    agent: str | None = None
    tags: tuple[str, ...] = field(default=())


PEOPLE = (
    Person("Li Wei", "li.wei@scree.example", "agent", "demo-agent-1"),
    Person("Sara Lind", "sara.lind@scree.example", "agent", "demo-agent-2"),
    Person("Zhou Min", "zhou.min@scree.example", "supervisor", "demo-lead-1"),
    Person("Ada Admin", "ada@scree.example", "admin", "demo-admin-1"),
)

TALKS = (
    Talk(
        "C-1003",
        ("Hello, my parcel has not moved since Monday. Is it lost?",),
    ),
    Talk(
        "C-1004",
        (
            "发票抬头开错了，能重开吗？",
            "> 您好，可以的，请把正确的抬头发给我。",
            "杭州青山贸易有限公司，谢谢！",
        ),
        agent="li.wei@scree.example",
    ),
    Talk(
        "C-1005",
        ("Can I change the delivery address of my order to my office?",),
        agent="sara.lind@scree.example",
    ),
    Talk(
        "C-1006",
        (
            "Which size should I take for wide feet?",
            "> Half a size up works for most people with wide feet. Exchanges are free.",
            "Perfect, that was quick!",
        ),
        agent="sara.lind@scree.example",
        tags=("sizing",),
    ),
    Talk(
        "C-1007",
        ("We are ordering for our whole running club. Are all of these in stock?",),
        tags=("wholesale",),
    ),
    Talk(
        "C-1008",
        (
            "你们的登山包可以背多重？",
            "> 您好，这款登山包建议负重 18 公斤以内。",
            "# 客户准备去贡嘎徒步，可以推荐 65 升款。",
        ),
        agent="li.wei@scree.example",
    ),
    Talk("C-1001", ("鞋子收到开胶了，怎么退？",), tags=("return",)),
)
