"""The list as a file: the leads and columns that the page shows, and no text that a sheet would run."""

from __future__ import annotations

import csv as csv_files
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from serve.spreadsheet import disarmed
from serve.views.asking import Asked, chosen, ordered
from serve.views.index import Index
from serve.views.listing import leads
from serve.views.scope import Scope

AT_A_TIME = 2_000
CSV_ROWS, XLSX_ROWS = 1_048_575, 50_000
"""The most leads of a file: a sheet has no more rows; an XLSX file costs a second per 10,000."""
COLUMNS = (
    "place", "moved_by", "lead_id", "name", "company", "score", "probability", "probability_low",
    "probability_high", "probability_withheld", "expected_value", "grade", "route", "tags", "owner",
    "territory", "source", "campaign", "stage", "created_at", "last_touch_at", "touches", "change",
    "change_1",
)  # fmt: skip


def columns(index: Index) -> list[str]:
    """The header of a file."""
    return [*COLUMNS, *(n for n in index.published if n not in COLUMNS), "reasons_for", "reasons_against"]


def csv(index: Index, scope: Scope, asked: Asked) -> Iterator[bytes]:
    """The leads asked for, page and size aside, as CSV in UTF-8, part by part."""
    names = columns(index)
    yield _line([names])
    for part in _parts(index, scope, asked, CSV_ROWS):
        yield _line([[disarmed(value) for value in _cells(row, names)] for row in part])


def xlsx(index: Index, scope: Scope, asked: Asked, to: Path) -> int:
    """Write the first `XLSX_ROWS` leads asked for into an XLSX file; how many they are."""
    import xlsxwriter

    names = columns(index)
    safe = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    number = 0
    with xlsxwriter.Workbook(str(to), {"constant_memory": True, **safe}) as book:
        sheet = book.add_worksheet("leads")
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, names)
        for part in _parts(index, scope, asked, XLSX_ROWS):
            for row in part:
                number += 1
                sheet.write_row(number, 0, _cells(row, names))
    return number


def _parts(index: Index, scope: Scope, asked: Asked, most: int) -> Iterator[list[dict[str, Any]]]:
    found = chosen(index, scope, asked)
    rows = ordered(index, scope, found, asked, offset=0, size=most)
    for start in range(0, len(rows), AT_A_TIME):
        yield leads(index, scope, rows[start : start + AT_A_TIME])


def _cells(row: dict[str, Any], names: list[str]) -> list[Any]:
    found = {**dict(row["fields"]), **row}
    return [_cell(found.get(name)) for name in names]


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return "; ".join(each if isinstance(each, str) else each["sentence"] for each in value)
    return value


def _line(rows: list[list[Any]]) -> bytes:
    text = io.StringIO()
    csv_files.writer(text).writerows(rows)
    return text.getvalue().encode()
