"""The export of one customer: one JSON document, written a part at a time.

``deskhub.customer/1``: ``format``, ``exported_at``, ``customers`` (the record, then those
merged into it), ``visitors``, ``conversations`` (each with ``events``; *internal* ones are
notes and other things for colleagues), ``files`` (without their bytes), ``cards`` (kept for
the next conversation), ``mails`` (where answers and transcripts went), ``browsers`` (that are
told of answers), ``answers`` (to the form before a conversation that has not begun),
``actions`` (runs with their steps), ``audit`` and ``systems`` (what each business system gave;
null where no hub runs that could ask). An export that was cut off is no JSON: ``complete`` is
its last member.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson

from deskhub.clock import rfc3339
from deskhub.identity.model import Principal
from deskhub.identity.policy import Permission
from deskhub.privacy.systems import Systems
from deskhub.store import audit, exports, mail_data, people, prechat, push_data
from deskhub.store.people import Person
from deskhub.store.store import Store
from deskhub.store.surroundings import customer_row
from deskhub.store.tx import Connection, Tx

FORMAT = "deskhub.customer/1"


async def exported(
    store: Store, principal: Principal, customer: str, systems: Systems | None = None
) -> AsyncIterator[bytes]:
    """Return the document of *customer* in parts, after writing down who asked for it.

    Raises `NotFound` and `Forbidden` before the first part.
    """

    def begin(tx: Tx) -> tuple[Person, str]:
        found = people.person(tx.connection, principal, Permission.CUSTOMER_EXPORT, customer)
        audit.record(
            tx.connection, tx.tenant, tx.now, actor=principal.by, what="customer.exported",
            object_=f"customer:{customer}",
            data={"conversations": len(found.conversations)},
        )  # fmt: skip
        return found, rfc3339(tx.now)

    person, at = await store.transact(principal.tenant, begin)
    return _document(store, principal.tenant, person, at, systems)


async def _document(
    store: Store, tenant: str, person: Person, at: str, systems: Systems | None
) -> AsyncIterator[bytes]:
    def member(name: str, value: object) -> bytes:
        return orjson.dumps(name) + b":" + orjson.dumps(value) + b",\n"

    async def read(query: Callable[..., Any], *more: object) -> Any:  # noqa: ANN401  any JSON
        return await store.read(lambda db: query(db, tenant, *more))

    records = await read(exports.records, person)
    yield b"{" + member("format", FORMAT) + member("exported_at", at)
    yield member("customers", records)
    yield member("visitors", await read(exports.visitors, person))
    yield b'"conversations":['
    for number, one in enumerate(person.conversations):
        async for part in _conversation(store, tenant, one, comma=number > 0):
            yield part
    yield b"],\n"
    yield member("files", await read(exports.files, person.conversations))
    subjects = [record["subject"] for record in records if record["subject"]]
    yield member("cards", await read(exports.kept_cards, subjects))
    yield member("mails", await read(mail_data.exported, person))
    yield member("browsers", await read(push_data.exported, person))
    yield member("answers", await read(prechat.exported, person))
    runs = await read(exports.actions, person)
    yield member("actions", runs)
    objects = sorted({run["object"] for run in runs})
    yield member("audit", await read(exports.audit_rows, person.ids, objects))
    rows = await read(people.records, person.ids)
    known = [customer_row(row) for row in rows]
    yield member("systems", await systems.exported(tenant, known) if systems else None)
    yield b'"complete":true}\n'


async def _conversation(
    store: Store, tenant: str, id_: str, *, comma: bool
) -> AsyncIterator[bytes]:
    def head(connection: Connection) -> dict[str, Any]:
        return exports.conversation(connection, tenant, id_)

    known = orjson.dumps(await store.read(head))
    yield (b",\n" if comma else b"") + known[:-1] + b',"events":['
    after, first = 0, True
    while True:
        found = await store.read(
            lambda db, after=after: exports.events(db, tenant, id_, after)  # type: ignore[misc]  # a default keeps the loop's value
        )
        if found:
            yield (b"" if first else b",") + orjson.dumps(found)[1:-1]
            after, first = found[-1]["seq"], False
        if len(found) < exports.EVENTS_PAGE:
            break
    yield b"]}"
