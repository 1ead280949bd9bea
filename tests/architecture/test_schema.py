"""What must stay true of the tables."""

import pytest
import sqlalchemy as sa

from deskhub.store import tables  # noqa: F401  fills the metadata
from deskhub.store.metadata import UtcTime, metadata


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_the_tenant_comes_first_in_every_key(table: sa.Table) -> None:
    assert next(iter(table.primary_key.columns)).name == "tenant"


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_no_column_holds_a_time_that_could_lose_its_zone(table: sa.Table) -> None:
    times = [column for column in table.columns if isinstance(column.type, sa.DateTime)]

    assert times == []
    assert all(
        column.type.__class__ is UtcTime
        for column in table.columns
        if column.name.endswith("_at")
    )
