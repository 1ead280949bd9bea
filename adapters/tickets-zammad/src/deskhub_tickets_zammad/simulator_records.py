"""The simulated Zammad's memory: tickets with articles, users by login, and conditions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from deskhub_sdk.testing.facts import Case, World

STATES = (
    "new", "open", "pending reminder", "pending close", "closed", "merged", "removed",
)  # fmt: skip
_STATE = {
    "open": "new", "in_progress": "open", "waiting": "pending reminder", "done": "closed",
}  # fmt: skip
_CONDITION = re.compile(r"condition\[([^\]]+)\]\[(operator|value)\](\[\])?\Z")
Matches = Callable[[Mapping[str, Any], Sequence[str]], bool]

# What the database can be asked. Everything else Zammad logs and then leaves out.
CONDITIONS: dict[tuple[str, str], Matches] = {
    ("ticket.id", "is"): lambda t, values: str(t["id"]) in values,
    ("customer.login", "is"): lambda t, values: t["customer"] in values,
    ("ticket_state.name", "is not"): lambda t, values: t["state"] not in values,
    ("ticket.updated_at", "after (absolute)"): lambda t, values: t["updated_at"] > values[0],
    ("ticket.tags", "contains one"): lambda t, values: bool(
        set(values[0].split(",")) & set(t["_tags"])
    ),
}


class Unprocessable(Exception):
    """What Zammad answers 422 to, in its own words."""


@dataclass
class Desk:
    """Tickets by id, users' addresses by login. *groups* are the ones there are."""

    tickets: dict[int, dict[str, Any]] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)
    groups: tuple[str, ...] = ("Users", "Support", "Escalations")

    @classmethod
    def of(cls, world: World) -> Desk:
        """Return the tickets and customers of the demo *world*."""
        desk = cls(users={one.number: one.email for one in world.people.values()})
        for case in world.cases.values():
            desk.take(case)
        return desk

    def take(self, case: Case) -> None:
        """Remember a case of the world."""
        number = int(case.key.rpartition("-")[2])
        self.tickets[number] = {
            "id": number, "number": f"22{number}", "title": case.title,
            "group": "Support", "state": _STATE[case.status], "priority": "2 normal",
            "customer": case.customer, "owner": case.assignee or "-", "preferences": {},
            "article_count": 1, "created_at": _time(case.created_at),
            "updated_at": _time(case.updated_at), "_tags": [], "_articles": [],
        }  # fmt: skip

    def found(self, condition: Mapping[str, tuple[str, Sequence[str]]]) -> list[dict[str, Any]]:
        """Return the tickets that *condition* holds for; an unreadable one holds for all."""
        found = list(self.tickets.values())
        for name, (operator, values) in condition.items():
            matches = CONDITIONS.get((name, operator))
            if matches is not None:
                found = [one for one in found if matches(one, values)]
        return found

    def open(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """Open a ticket, another one for each request. Raises `Unprocessable`."""
        if wish.get("group") not in self.groups:
            raise Unprocessable(f"No lookup value found for 'group': \"{wish.get('group')}\"")
        if not (wish.get("article") or {}).get("body"):
            raise Unprocessable('Need at least article: { body: "some text" }')
        number = max(self.tickets, default=300) + 1
        now = _time(datetime.now(UTC))
        made = {
            "id": number, "number": f"22{number}", "title": str(wish["title"]),
            "group": wish["group"], "state": "new", "priority": "2 normal",
            "customer": self._login(wish), "owner": "-",
            "preferences": dict(wish.get("preferences") or {}), "article_count": 1,
            "created_at": now, "updated_at": now,
            "_tags": [tag.strip() for tag in str(wish.get("tags", "")).split(",") if tag],
            "_articles": [dict(wish["article"])],
        }  # fmt: skip
        self.tickets[number] = made
        return made

    def change(self, number: int, wish: Mapping[str, Any]) -> dict[str, Any]:
        """Apply a state, an owner or an article. Raises `Unprocessable`."""
        ticket = self.tickets[number]
        state = wish.get("state", ticket["state"])
        if state not in STATES:
            raise Unprocessable(f"No lookup value found for 'state': \"{state}\"")
        ticket["state"] = state
        ticket["owner"] = wish.get("owner", ticket["owner"])
        if wish.get("article"):
            ticket["_articles"].append(dict(wish["article"]))
            ticket["article_count"] += 1
        before = datetime.fromisoformat(ticket["updated_at"])
        now = max(datetime.now(UTC), before + timedelta(milliseconds=1))
        ticket["updated_at"] = _time(now)
        return ticket

    def _login(self, wish: Mapping[str, Any]) -> str:
        """Return whose ticket it is; an unknown address becomes a user, as Zammad does."""
        guess = str(wish.get("customer_id", ""))
        if guess.startswith("guess:"):
            address = guess.removeprefix("guess:").lower()
            if "@" not in address:
                raise Unprocessable(f"Invalid email '{address}' of customer")
            known = [login for login, mail in self.users.items() if mail.lower() == address]
            login = known[0] if known else address
            self.users[login] = address
            return login
        login = str(wish.get("customer", ""))
        if login not in self.users:
            raise Unprocessable(f"No lookup value found for 'customer': \"{login}\"")
        return login


def shown(ticket: Mapping[str, Any]) -> dict[str, Any]:
    """Return *ticket* as the interface writes it: tags and articles are asked for apart."""
    return {name: value for name, value in ticket.items() if not name.startswith("_")}


def conditions(query: Sequence[tuple[str, str]]) -> dict[str, tuple[str, list[str]]]:
    """Return what the parameters ``condition[name][…]`` of *query* ask for."""
    operators: dict[str, str] = {}
    values: dict[str, list[str]] = {}
    for name, value in query:
        found = _CONDITION.match(name)
        if found is None:
            continue
        if found[2] == "operator":
            operators[found[1]] = value
        else:
            values.setdefault(found[1], []).append(value)
    return {name: (operator, values.get(name, [])) for name, operator in operators.items()}


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
