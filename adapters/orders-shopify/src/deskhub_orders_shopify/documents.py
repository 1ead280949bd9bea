"""Every GraphQL document that this adapter can send, with what each may cost.

They are constants, and what varies travels in variables: so a test can check each of them
against the schema that Shopify publishes for `VERSION`. Costs are points by the published
rule (an object 1, a connection its size times its node, a mutation 10); a query may cost at
most 1,000. The same test counts them.
"""

from __future__ import annotations

from dataclasses import dataclass

VERSION = "2026-10"
MAX_COST = 1000
FIRST_LINES, NEXT_LINES = 20, 100
CUSTOMER_ORDERS = 50
CHANGED_ORDERS = 12
REFUNDS = 80


@dataclass(frozen=True, slots=True)
class Document:
    """A document by the *name* of its operation; *cost* is in points.

    Where *per_id* is set, it is the cost of each of the ids on top.
    """

    name: str
    text: str
    cost: int
    per_id: int = 0

    def costs(self, ids: int = 0) -> int:
        """Return what asking for so many *ids* may cost."""
        return self.cost + self.per_id * ids


_AMOUNT = """
fragment Amount on MoneyBag { presentmentMoney { amount currencyCode } }
"""
_LINE = """
fragment Line on LineItem {
  id sku title variantTitle quantity currentQuantity unfulfilledQuantity
  discountedUnitPriceAfterAllDiscountsSet { ...Amount }
}
"""
_ORDER = f"""
fragment Whole on Order {{
  id name createdAt updatedAt cancelledAt
  displayFinancialStatus displayFulfillmentStatus returnStatus
  paymentGatewayNames
  customer {{ id }}
  totalPriceSet {{ ...Amount }}
  totalRefundedSet {{ ...Amount }}
  lineItems(first: {FIRST_LINES}) {{
    nodes {{ ...Line }}
    pageInfo {{ hasNextPage endCursor }}
  }}
  fulfillments(first: 5) {{
    createdAt inTransitAt deliveredAt displayStatus
    trackingInfo(first: 1) {{ company number }}
  }}
}}
"""
_WHOLE = _ORDER + _LINE + _AMOUNT

SHOP = Document(
    "Shop",
    """
query Shop {
  shop { name currencyCode }
  currentAppInstallation { accessScopes { handle } }
}
""",
    3,
)
ORDERS = Document(
    "Orders",
    """
query Orders($ids: [ID!]!) { nodes(ids: $ids) { __typename ...Whole } }
"""
    + _WHOLE,
    0,
    77,
)
LINES = Document(
    "Lines",
    f"""
query Lines($id: ID!, $after: String) {{
  order(id: $id) {{
    lineItems(first: {NEXT_LINES}, after: $after) {{
      nodes {{ ...Line }}
      pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}
"""
    + _LINE
    + _AMOUNT,
    302,
)
CUSTOMERS = Document(
    "Customers",
    f"""
query Customers($ids: [ID!]!) {{
  nodes(ids: $ids) {{
    __typename
    ... on Customer {{
      id
      orders(first: {CUSTOMER_ORDERS}, sortKey: CREATED_AT, reverse: true) {{ nodes {{ id }} }}
    }}
  }}
}}
""",
    0,
    51,
)
CHANGED = Document(
    "Changed",
    f"""
query Changed($query: String!, $after: String) {{
  orders(first: {CHANGED_ORDERS}, after: $after, sortKey: UPDATED_AT, query: $query) {{
    nodes {{ ...Whole }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}
"""
    + _WHOLE,
    925,
)
RETURNABLE = Document(
    "Returnable",
    """
query Returnable($id: ID!) {
  returnableFulfillments(orderId: $id, first: 5) {
    nodes {
      returnableFulfillmentLineItems(first: 50) {
        nodes { quantity fulfillmentLineItem { id lineItem { id sku } } }
      }
    }
  }
  returnReasonDefinitions(first: 1, handles: ["other"]) { nodes { id } }
}
""",
    756,
)
# The mark stands on every line of a return, so the first one is enough.
RETURNS = Document(
    "Returns",
    """
query Returns($id: ID!) {
  order(id: $id) {
    returns(first: 100) {
      nodes {
        id name status
        returnLineItems(first: 1) { nodes { __typename returnReasonNote } }
      }
    }
  }
}
""",
    201,
)
MONEY = Document(
    "Money",
    f"""
query Money($id: ID!) {{
  order(id: $id) {{
    id
    transactions(first: 50) {{
      id kind status gateway formattedGateway
      amountSet {{ ...Amount }}
      parentTransaction {{ id }}
    }}
    refunds(first: {REFUNDS}) {{
      id note
      totalRefundedSet {{ ...Amount }}
      transactions(first: 5) {{ nodes {{ status }} }}
    }}
  }}
}}
"""
    + _AMOUNT,
    841,
)
CANCELLATION = Document(
    "Cancellation",
    """
query Cancellation($id: ID!) {
  order(id: $id) { id name cancelledAt cancellation { staffNote } }
}
""",
    2,
)
CREATE_RETURN = Document(
    "CreateReturn",
    """
mutation CreateReturn($input: ReturnInput!) {
  returnCreate(returnInput: $input) {
    return { id name status }
    userErrors { code field message }
  }
}
""",
    10,
)
CANCEL_RETURN = Document(
    "CancelReturn",
    """
mutation CancelReturn($id: ID!) {
  returnCancel(id: $id) {
    return { id name status }
    userErrors { code field message }
  }
}
""",
    10,
)
REFUND = Document(
    "Refund",
    """
mutation Refund($key: String!, $input: RefundInput!) {
  refundCreate(input: $input) @idempotent(key: $key) {
    refund {
      id note
      totalRefundedSet { ...Amount }
      transactions(first: 10) { nodes { status } }
    }
    userErrors { field message }
  }
}
"""
    + _AMOUNT,
    10,
)
CANCEL_ORDER = Document(
    "CancelOrder",
    """
mutation CancelOrder($id: ID!, $reason: OrderCancelReason!, $note: String!) {
  orderCancel(
    orderId: $id, reason: $reason, staffNote: $note, restock: true, notifyCustomer: false
    refundMethod: {originalPaymentMethodsRefund: false}
  ) {
    job { id done }
    orderCancelUserErrors { code field message }
  }
}
""",
    10,
)
DOCUMENTS = (
    SHOP, ORDERS, LINES, CUSTOMERS, CHANGED, RETURNABLE, RETURNS, MONEY, CANCELLATION,
    CREATE_RETURN, CANCEL_RETURN, REFUND, CANCEL_ORDER,
)  # fmt: skip
