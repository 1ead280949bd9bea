"""Every document and every simulated answer, against the schema that Shopify publishes."""

from __future__ import annotations

import importlib.util
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    NoDeprecatedCustomRule,
    OperationDefinitionNode,
    SelectionSetNode,
    execute,
    get_named_type,
    is_composite_type,
    parse,
    specified_rules,
    validate,
)

from deskhub_orders_shopify.cancelling import CancelOrder
from deskhub_orders_shopify.documents import CUSTOMERS, DOCUMENTS, MAX_COST, ORDERS, Document
from deskhub_orders_shopify.refunding import GoodwillRefund
from deskhub_orders_shopify.returning import CreateReturn
from deskhub_sdk import OrderId


def _module() -> Any:
    path = Path(__file__).with_name("published_schema.py")
    spec = importlib.util.spec_from_file_location("shopify_published_schema", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    found: GraphQLSchema = _module().published_schema()
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.name)
def test_a_document_is_valid_and_uses_nothing_deprecated(
    schema: GraphQLSchema, document: Document
) -> None:
    found = validate(schema, parse(document.text), [*specified_rules, NoDeprecatedCustomRule])

    assert [one.message for one in found] == []


def test_a_spoilt_document_is_found(schema: GraphQLSchema) -> None:
    """The sabotaged twin: a field that this version does not have."""
    spoilt = ORDERS.text.replace("totalPriceSet", "grandTotalSet")

    assert validate(schema, parse(spoilt))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.name)
def test_a_document_costs_what_it_says_and_less_than_a_query_may(
    schema: GraphQLSchema, document: Document
) -> None:
    ids = {"Orders": 12, "Customers": 19}.get(document.name, 0)

    assert _cost(schema, document, ids) == document.costs(ids) <= MAX_COST


def test_one_order_more_would_be_too_dear() -> None:
    assert ORDERS.costs(13) > MAX_COST
    assert CUSTOMERS.costs(20) > MAX_COST


async def test_what_the_simulator_answers_has_the_published_shape(given, schema) -> None:
    adapter = given.adapter
    await adapter.check_connection()
    await adapter.get_orders([OrderId(one) for one in ("1042", "1063", "1226", "1", "9999")])
    await adapter.orders_of(["C-1001", "C-7777"])
    await adapter.changed_since(datetime.now(UTC) - timedelta(days=3), "")
    returned = given.call()
    await CreateReturn(adapter).preview(returned)
    fact = await CreateReturn(adapter).run(returned)
    await GoodwillRefund(adapter).run(given.call("order.refund@1", key="dh_r2"))
    await CreateReturn(adapter).undo(returned, fact)
    await CreateReturn(adapter).run(given.call(key="dh_r3"))
    await adapter.fresh(OrderId("1042"))
    await CancelOrder(adapter).run(given.call("order.cancel@1", number="1051"))

    by_name = {one.name: one for one in DOCUMENTS}
    for operation, variables, data in given.shop.answered:
        document = parse(by_name[operation].text)
        done = execute(schema, document, root_value=data, variable_values=variables)
        assert done.errors is None, (operation, done.errors)
        # What was not asked for is left out here, so the simulator answers nothing else.
        assert done.data == data, operation
    assert set(given.asked()) == set(by_name)


def _cost(schema: GraphQLSchema, document: Document, ids: int) -> int:
    """Count as Shopify publishes it: objects 1, lists by their size, a mutation 10."""
    parsed = parse(document.text)
    parts = {
        one.name.value: one
        for one in parsed.definitions
        if isinstance(one, FragmentDefinitionNode)
    }
    (operation,) = (
        one for one in parsed.definitions if isinstance(one, OperationDefinitionNode)
    )
    root = schema.get_root_type(operation.operation)
    if operation.operation.value == "mutation":
        return 10
    return _sum(schema, parts, operation.selection_set, root, ids)


def _sum(schema, parts, chosen: SelectionSetNode, parent, ids: int) -> int:
    total = 0
    for one in chosen.selections:
        if isinstance(one, FragmentSpreadNode):
            part = parts[one.name.value]
            on = schema.type_map[part.type_condition.name.value]
            total += _sum(schema, parts, part.selection_set, on, ids)
        elif isinstance(one, InlineFragmentNode):
            on = schema.type_map[one.type_condition.name.value]
            total += _sum(schema, parts, one.selection_set, on, ids)
        else:
            total += _field(schema, parts, one, parent, ids)
    return total


def _field(schema, parts, field: FieldNode, parent, ids: int) -> int:
    if field.name.value == "__typename" or field.selection_set is None:
        return 0
    kind = get_named_type(parent.fields[field.name.value].type)
    assert is_composite_type(kind)
    inside = _sum(schema, parts, field.selection_set, kind, ids)
    given = {one.name.value: one.value for one in field.arguments or ()}
    size = given.get("first")
    if kind.name.endswith("Connection"):
        assert isinstance(size, IntValueNode)
        page = sum(
            1 for one in field.selection_set.selections
            if isinstance(one, FieldNode) and one.name.value == "pageInfo"
        )  # fmt: skip
        return int(size.value) * (inside - page) + page
    if field.name.value == "nodes" and parent.name == "QueryRoot":
        return ids * (1 + inside)
    times = int(size.value) if isinstance(size, IntValueNode) else 1
    return times * (1 + inside)
