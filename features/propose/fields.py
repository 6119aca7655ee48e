"""What a column of the user's own is: a number, a category, a flag, a date, or nothing to learn from."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from features.personal import MOSTLY
from features.propose import names
from features.propose.facts import ColumnFacts
from features.propose.writing import Writing
from features.tables import Field, Kind, TimeClass

CATEGORIES = 200
"""Different values up to which a text is a category in any table; larger tables may have more."""

_MOST_CATEGORIES, _CATEGORY_SHARE = 1000, 0.02
_FREE_TEXT_CHARACTERS = 50
_MANY_ROWS = 20
_FLAGS = (
    frozenset({"yes", "no"}),
    frozenset({"true", "false"}),
    frozenset({"y", "n"}),
    frozenset({"t", "f"}),
)


@dataclass(frozen=True)
class FieldProposal:
    """One column and what to do with it.

    Attributes
    ----------
    name
        Our name of the column, mostly its header.
    field
        What it is; None if it is left out.
    why
        What the user should know: why it is left out, or what was counted.
    """

    name: str
    field: Field | None
    why: str


def propose_field(
    column: ColumnFacts,
    writing: Writing,
    *,
    rows: int,
    name: str | None = None,
    tracked: Collection[str] = (),
    is_contract: bool = False,
) -> FieldProposal:
    """What one column is.

    Parameters
    ----------
    column
        Its facts.
    writing
        How the cells of its file are written.
    rows
        Rows that were looked at.
    name
        Our name of the column; None if it is the header.
    tracked
        Fields whose past is in ``field_history``.
    is_contract
        Whether the contract reads this column as text: then it can only be a category.
    """
    name = column.name if name is None else name
    kind: Kind = "category" if is_contract else _kind(column, writing)
    reasons = (rule(column, writing, rows) for rule in _LEFT_OUT)
    reason = next(filter(None, reasons), "") or (_too_many(column, rows) if kind == "category" else "")
    if reason:
        return FieldProposal(name, None, reason)
    time = _time(column.name, tracked, is_contract=is_contract)
    return FieldProposal(name, Field(kind, time), _remark(column, kind, time))


def _kind(column: ColumnFacts, writing: Writing) -> Kind:
    if _is_flag(column):
        return "flag"
    if writing.is_timestamp(column):
        return "timestamp"
    return "number" if writing.is_number(column) else "category"


def _is_flag(column: ColumnFacts) -> bool:
    return frozenset(value.lower() for value in column.values) in _FLAGS


def _time(name: str, tracked: Collection[str], *, is_contract: bool) -> TimeClass | None:
    """The time class that the header tells; None for all others, which only the user can know."""
    if name in tracked:
        return "tracked"
    if names.is_a_state(name):
        return "current"
    return "static" if is_contract or names.is_an_origin(name) else None


def _remark(column: ColumnFacts, kind: Kind, time: TimeClass | None) -> str:
    counted = f"{column.distinct} different values" if kind == "category" else ""
    changes = "changes, and only today's value is known" if time == "current" else ""
    return ", ".join(filter(None, (counted, changes)))


def _is_empty(column: ColumnFacts, _writing: Writing, _rows: int) -> str:
    return "" if column.filled else "empty"


def _is_constant(column: ColumnFacts, _writing: Writing, rows: int) -> str:
    return "the same value in every row" if column.distinct == 1 and column.filled == rows else ""


def _is_personal(column: ColumnFacts, _writing: Writing, _rows: int) -> str:
    return "personal: not used unless you say so" if names.is_personal(column.name) else ""


def _is_reach(column: ColumnFacts, _writing: Writing, _rows: int) -> str:
    is_address = names.is_a_way_to_reach(column.name) and not column.values
    is_address = is_address or column.emails > MOSTLY * column.filled
    return "a way to reach a person: not used unless you say so" if is_address else ""


def _is_owner(column: ColumnFacts, _writing: Writing, _rows: int) -> str:
    return "who works the lead, not who the lead is" if names.is_an_owner(column.name) else ""


def _is_id(column: ColumnFacts, _writing: Writing, _rows: int) -> str:
    many = column.filled > _MANY_ROWS and 2 * column.distinct > column.filled
    counts_rows = column.is_growing and column.distinct == column.whole == column.filled
    return (
        "an id: nearly every row has its own"
        if many and (names.ends_like_an_id(column.name) or counts_rows)
        else ""
    )


def _is_unreadable_date(column: ColumnFacts, writing: Writing, _rows: int) -> str:
    is_date = column.filled > 0 and max(column.iso, column.local_dates) == column.filled
    return "a date in another format than the file's" if is_date and not writing.is_timestamp(column) else ""


def _too_many(column: ColumnFacts, rows: int) -> str:
    if (column.mean_length or 0) > _FREE_TEXT_CHARACTERS:
        return f"free text, {column.distinct} different values"
    limit = max(CATEGORIES, min(_MOST_CATEGORIES, int(_CATEGORY_SHARE * rows)))
    mostly_single = column.filled > _MANY_ROWS and 2 * column.distinct > column.filled
    if column.distinct > limit or mostly_single:
        return f"too many different values for a category: {column.distinct}"
    return ""


_LEFT_OUT: tuple[Callable[[ColumnFacts, Writing, int], str], ...] = (
    _is_empty,
    _is_constant,
    _is_personal,
    _is_reach,
    _is_owner,
    _is_id,
    _is_unreadable_date,
)
