"""HubSpot's own client, generated from its OpenAPI, beside this adapter and its simulator.

It asks the simulator the same questions: its requests have to be the adapter's, and the
answers have to pass its models, whose rules are those of the OpenAPI document.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hubspot.crm import contacts, properties
from hubspot.crm.associations import v4 as associations
from hubspot.crm.objects import notes
from hubspot.utils.signature import Signature

from deskhub_crm_hubspot.mapping import PROPERTIES
from deskhub_crm_hubspot.steps import NoteReturn
from deskhub_sdk import WebhookRequest
from deskhub_sdk.webhooks import HUBSPOT, METHOD, URL, verify

NUMBER = "customer_number"
ALL = [*PROPERTIES, NUMBER]


@contextmanager
def vendor(package: Any, url: str) -> Iterator[Any]:
    """Yield the client of one of HubSpot's packages, with every rule of its models on."""
    configuration = package.Configuration(host=url)
    configuration.access_token = "pat-token"
    configuration.client_side_validation = True
    client = package.ApiClient(configuration)
    try:
        yield client
    finally:
        client.rest_client.pool_manager.clear()
        client.close()


def read_contacts(client: Any) -> Any:
    wanted = contacts.BatchReadInputSimplePublicObjectId(
        inputs=[contacts.SimplePublicObjectId(id="C-1001")], properties=ALL,
        properties_with_history=[], id_property=NUMBER,
    )  # fmt: skip
    return contacts.BatchApi(client).read(wanted)


def read_with_errors(client: Any) -> Any:
    wanted = contacts.BatchReadInputSimplePublicObjectId(
        inputs=[contacts.SimplePublicObjectId(id=one) for one in ("C-1001", "C-0000")],
        properties=ALL, properties_with_history=[], id_property=NUMBER,
    )  # fmt: skip
    return contacts.BatchApi(client).read(wanted)


def search(client: Any) -> Any:
    wanted = contacts.Filter(
        property_name="email", operator="EQ", value="fang.wang@example.com"
    )
    return contacts.SearchApi(client).do_search(
        contacts.PublicObjectSearchRequest(
            filter_groups=[contacts.FilterGroup(filters=[wanted])], properties=ALL, sorts=[],
            limit=5, after="0",
        )
    )  # fmt: skip


def erase(client: Any) -> Any:
    wanted = contacts.PublicGdprDeleteInput(object_id="51001")
    return contacts.BasicApi(client).purge(wanted)


def linked(client: Any) -> Any:
    return associations.BasicApi(client).get_page("contacts", "51001", "notes", limit=500)


def read_property(client: Any) -> Any:
    return properties.CoreApi(client).get_by_name("contacts", NUMBER)


CASES: list[tuple[str, Any, Callable[[Any], Any], Callable[[Any], Any], str]] = [
    (
        "batch read", contacts, read_contacts,
        lambda adapter: adapter.client.contacts(["C-1001"]), "BatchResponseSimplePublicObject",
    ),
    (
        "batch read, a part of it", contacts, read_with_errors,
        lambda adapter: adapter.client.contacts(["C-1001", "C-0000"]),
        "BatchResponseSimplePublicObjectWithErrors",
    ),
    (
        "search", contacts, search,
        lambda adapter: adapter.client.search("email", "fang.wang@example.com"),
        "CollectionResponseWithTotalSimplePublicObjectForwardPaging",
    ),
    (
        "links", associations, linked,
        lambda adapter: adapter.client.notes_of("51001"),
        "CollectionResponseMultiAssociatedObjectWithLabelForwardPaging",
    ),
    (
        "property", properties, read_property,
        lambda adapter: adapter.client.number_property(), "ModelProperty",
    ),
    (
        "erase", contacts, erase, lambda adapter: adapter.client.erase("51001"), "NoneType",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("package", "theirs", "ours", "shape"),
    [one[1:] for one in CASES],
    ids=[o[0] for o in CASES],
)
async def test_the_adapter_asks_what_hubspots_client_asks(given, package, theirs, ours, shape):
    await ours(given.adapter)
    own = given.hubspot.asked[0]
    given.hubspot.asked.clear()
    given.hubspot.start_over()

    def ask() -> Any:
        with vendor(package, given.hubspot.url) as client:
            return theirs(client)

    answer = await asyncio.to_thread(ask)

    (asked,) = given.hubspot.asked
    assert (asked.method, asked.path) == (own.method, own.path)
    assert asked.body == own.body
    # Numbers in an address are texts, and theirs says whether archived ones are meant.
    assert {k: v for k, v in asked.query.items() if k != "archived"} == own.query
    assert type(answer).__name__ == shape


async def test_a_note_is_written_and_read_as_hubspots_client_would(given):
    call = given.call()
    await NoteReturn(given.adapter).run(call)
    await NoteReturn(given.adapter).run(call)
    (own,) = [one for one in given.hubspot.asked if one.path == "/crm/v3/objects/notes"]
    read = next(one for one in given.hubspot.asked if one.path.endswith("notes/batch/read"))
    given.hubspot.asked.clear()
    link = own.body["associations"][0]

    def ask() -> tuple[Any, Any]:
        with vendor(notes, given.hubspot.url) as client:
            kinds = [
                notes.AssociationSpec(
                    association_category=one["associationCategory"],
                    association_type_id=one["associationTypeId"],
                )
                for one in link["types"]
            ]
            to = notes.PublicObjectId(id=link["to"]["id"])
            made = notes.BasicApi(client).create(
                notes.SimplePublicObjectInputForCreate(
                    properties=own.body["properties"],
                    associations=[notes.PublicAssociationsForObject(to=to, types=kinds)],
                )
            )
            wanted = notes.BatchReadInputSimplePublicObjectId(
                inputs=[notes.SimplePublicObjectId(id=o["id"]) for o in read.body["inputs"]],
                properties=read.body["properties"], properties_with_history=[],
            )  # fmt: skip
            return made, notes.BatchApi(client).read(wanted)

    made, found = await asyncio.to_thread(ask)

    assert [one.body for one in given.hubspot.asked] == [own.body, read.body]
    assert made.properties["hs_note_body"] == own.body["properties"]["hs_note_body"]
    assert found.results


async def test_an_answer_that_breaks_a_rule_is_found(given, monkeypatch):
    """The sabotaged twin: a contact without the time it was changed."""
    from deskhub_crm_hubspot import simulator

    whole = simulator._shown
    monkeypatch.setattr(
        simulator,
        "_shown",
        lambda one, names: {k: v for k, v in whole(one, names).items() if k != "updatedAt"},
    )

    def ask() -> Any:
        with vendor(contacts, given.hubspot.url) as client:
            return read_contacts(client)

    with pytest.raises(ValueError, match="updated_at"):
        await asyncio.to_thread(ask)


async def test_what_the_adapter_sends_passes_the_models_of_the_search(given):
    since = datetime.now(UTC) - timedelta(hours=1)
    await given.adapter.changed_since(since, "")
    (own,) = given.hubspot.asked

    with vendor(contacts, given.hubspot.url) as client:
        read = client._ApiClient__deserialize(own.body, "PublicObjectSearchRequest")
        again = client.sanitize_for_serialization(read)

    # Nothing is lost: every name that is sent is one of theirs.
    assert again == own.body


def test_hubspots_library_signs_what_we_believe(given):
    body, url = '[{"eventId": 1}]', "https://desk.example.com/api/v1/webhooks/crm"
    now = datetime.now(UTC)
    stamp = str(int(now.timestamp() * 1000))
    theirs = Signature.get_signature("s", body, "v3", url, "POST", stamp)

    def arrived(**changed: str) -> WebhookRequest:
        headers = {
            HUBSPOT.header: theirs, HUBSPOT.timestamp: stamp, METHOD: "POST", URL: url,
        }  # fmt: skip
        return WebhookRequest(
            instance="crm", headers=headers | changed, body=body.encode(), received_at=now
        )

    assert verify(arrived(), HUBSPOT, ["s"])
    for changed in (
        {URL: url + "?x=1"},
        {METHOD: "PUT"},
        {HUBSPOT.timestamp: stamp[:-1] + "x"},
    ):
        with pytest.raises(Exception, match=r"signature|just now"):
            verify(arrived(**changed), HUBSPOT, ["s"])


def test_hubspots_library_believes_the_simulator(given):
    given.hubspot.hub = "https://desk.example.com"
    hook = given.hubspot.hook([given.hubspot.event("51001", "contact.propertyChange")])

    def judged(body: str) -> bool:
        return Signature.is_valid(
            hook.headers[HUBSPOT.header], "client-secret", body, hook.url, "POST", "v3",
            hook.headers[HUBSPOT.timestamp],
        )  # fmt: skip

    assert judged(hook.body.decode())
    assert not judged(hook.body.decode() + " ")
