"""What alembic runs: the migrations on the connection it was given, in its transaction."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from deskhub.store import tables  # noqa: F401  fills the metadata
from deskhub.store.metadata import UtcTime, metadata
from deskhub.store.migrations.apply import VERSION_TABLE


def render_item(kind: str, item: Any, _: Any) -> str | Literal[False]:  # noqa: ANN401
    """Write our column types as what the database sees: a migration must not follow them."""
    return "sa.BigInteger()" if kind == "type" and isinstance(item, UtcTime) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
    render_item=render_item,
)
context.run_migrations()
