"""How the cells of a file are written: decimal mark, thousands mark, date format, null tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from features.propose.facts import ColumnFacts, FileFacts

NEARLY_ALL = 0.99
"""Share of a column's values that must read as its kind; the rest is quarantined by the load."""

_MONTHS = 12
_UNIX = {"unix_seconds": (3.15e8, 4.1e9), "unix_milliseconds": (3.15e11, 4.1e12)}
"""1980 to 2100: tells the units apart, and both from small numbers."""


@dataclass(frozen=True)
class Writing:
    """How cells are written, with what to say about it.

    Attributes
    ----------
    decimal, thousands, timestamp_format, null_tokens
        As in ``features.tables.Source``.
    date_note, number_note
        A question to the user; empty if the file itself gives the answer.
    """

    decimal: Literal[".", ","] = "."
    thousands: str | None = None
    timestamp_format: str = "iso"
    null_tokens: tuple[str, ...] = ()
    date_note: str = ""
    number_note: str = ""

    def is_number(self, column: ColumnFacts) -> bool:
        """Whether nearly all values read as numbers."""
        return _is_number(column, self.decimal, self.thousands)

    def is_timestamp(self, column: ColumnFacts) -> bool:
        """Whether nearly all values read in the format of the file."""
        if column.filled == 0:
            return False
        if self.timestamp_format == "iso":
            return column.iso >= NEARLY_ALL * column.filled
        either = (_format(column, is_day_first=True), _format(column, is_day_first=False))
        return _is_local_date(column) and self.timestamp_format in either


def read_writing(file: FileFacts, *, moments: Sequence[str], is_day_first: bool | None = None) -> Writing:
    """Decide from the counts how a file is written.

    Parameters
    ----------
    file
        The file's facts.
    moments
        Headers of the columns that the contract wants as timestamps: their format wins.
    is_day_first
        The user's answer for dates that could be read both ways; None if not asked.
    """
    columns = list(file.columns.values())
    decimal, thousands, number_note = _marks(columns)
    timestamp_format, date_note = _timestamps(file, moments, is_day_first=is_day_first)
    return Writing(decimal, thousands, timestamp_format, _null_tokens(columns), date_note, number_note)


def _is_number(column: ColumnFacts, decimal: str, thousands: str | None) -> bool:
    if column.filled == column.maybe_null_cells:
        return False
    if decimal == ".":
        good = column.numbers + (column.comma_groups if thousands == "," else 0)
    else:
        good = column.whole + column.comma_numbers + (column.dot_groups if thousands == "." else 0)
    return good + column.maybe_null_cells >= NEARLY_ALL * column.filled


def _marks(columns: Iterable[ColumnFacts]) -> tuple[Literal[".", ","], str | None, str]:
    """Decimal and thousands marks; 1,234 alone could be either and is asked."""
    columns = [c for c in columns if c.comma_numbers + c.dot_groups + c.comma_groups]
    by_comma = [c for c in columns if _is_number(c, ",", ".")]
    by_dot = [c for c in columns if _is_number(c, ".", ",")]
    if any(c not in by_dot for c in by_comma):
        return ",", "." if any(c.dot_groups for c in by_comma) else None, ""
    if any(c.comma_groups for c in by_dot):
        sure = any(c not in by_comma for c in by_dot)
        return ".", ",", "" if sure else "is 1,234 more than a thousand, or a little more than one?"
    return ".", None, ""


def _null_tokens(columns: Iterable[ColumnFacts]) -> tuple[str, ...]:
    tokens: set[str] = set()
    for column in columns:
        tokens.update(column.nulls)
        if column.maybe_nulls and (_is_number(column, ".", ",") or _is_number(column, ",", ".")):
            tokens.update(column.maybe_nulls)
    return tuple(sorted(tokens))


def _timestamps(file: FileFacts, moments: Sequence[str], *, is_day_first: bool | None) -> tuple[str, str]:
    wanted = [file.columns[name] for name in moments]
    columns = wanted or list(file.columns.values())
    if unix := next(filter(None, map(_unix, wanted)), None):
        return unix, ""
    local = [column for column in columns if _is_local_date(column)]
    if not local or any(c.filled and c.iso >= NEARLY_ALL * c.filled for c in columns):
        return "iso", ""
    shape = Counter(column.date_shape for column in local).most_common(1)[0][0]
    return _local_format([c for c in local if c.date_shape == shape], is_day_first=is_day_first)


def _is_local_date(column: ColumnFacts) -> bool:
    return 0 < NEARLY_ALL * column.filled <= column.local_dates


def _unix(column: ColumnFacts) -> str | None:
    """Whole numbers of the size that seconds or milliseconds since 1970 have today."""
    if not column.filled or column.whole < column.filled or column.smallest is None:
        return None
    units = (unit for unit, (first, last) in _UNIX.items() if first <= column.smallest < last)
    return next(units, None)


def _local_format(columns: Sequence[ColumnFacts], *, is_day_first: bool | None) -> tuple[str, str]:
    """Format of the dates, from the parts that can only be a day."""
    if "." in (columns[0].date_shape or ""):
        return _format(columns[0], is_day_first=True), ""
    day_first = any((c.first_max or 0) > _MONTHS for c in columns)
    month_first = any((c.second_max or 0) > _MONTHS for c in columns)
    if day_first and month_first:
        note = "some dates begin with the day and others with the month: the others will be quarantined"
        return _format(columns[0], is_day_first=is_day_first is not False), note
    if day_first or month_first:
        return _format(columns[0], is_day_first=day_first), ""
    note = "" if is_day_first is not None else "is 01/02 the first of February? no day above 12 tells it"
    return _format(columns[0], is_day_first=is_day_first is not False), note


def _format(column: ColumnFacts, *, is_day_first: bool) -> str:
    """A strptime pattern for the way that most dates of a column are written."""
    shape = column.date_shape or ""
    date, _, time = shape.partition(" ")
    mark = date.strip("0")[:1]
    order = ("%d", "%m") if is_day_first else ("%m", "%d")
    pattern = mark.join((*order, "%y" if column.year_digits == 2 else "%Y"))  # noqa: PLR2004  (two-digit years)
    if not time:
        return pattern
    half = time.endswith("M")
    clock = ":".join(("%I" if half else "%H", "%M", "%S")[: time.count(":") + 1])
    return f"{pattern} {clock}" + ((" %p" if " " in time else "%p") if half else "")
