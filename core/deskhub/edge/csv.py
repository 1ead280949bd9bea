"""Tables as CSV: for spreadsheets, which must not take a customer's words for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

# What a spreadsheet calculates instead of showing it (OWASP, "CSV injection").
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_answer(
    name: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> Response:
    """Return *rows* as a file to save as *name*; the first line holds *columns*.

    A text that begins like a formula gets an apostrophe in front. None is an empty cell.
    """
    written = io.StringIO()
    writer = csv.writer(written, quoting=csv.QUOTE_MINIMAL)
    writer.writerow(columns)
    writer.writerows([cell(row.get(column)) for column in columns] for row in rows)
    # The mark tells spreadsheets that this is UTF-8.
    body = "\ufeff" + written.getvalue()
    headers = {
        "content-type": "text/csv; charset=utf-8",
        "content-disposition": f'attachment; filename="{name}.csv"',
        "cache-control": "no-store",
    }
    return Response(body.encode(), headers=headers)


def cell(value: object) -> object:
    """Return *value* as it may stand in a spreadsheet."""
    if value is None:
        return ""
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULAS):
        return f"'{value}"
    return value
