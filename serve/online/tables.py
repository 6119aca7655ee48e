"""From the rows of a request to tables as the load makes them: trimmed texts, UTC moments, no doubles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from features.ingest.headers import Wanted
from features.tables import CONTRACT
from features.tombstones import normalised
from serve.online.body import MOST_TOUCHES, Rows
from serve.online.columns import has_recorded, needs_one_of, type_of
from serve.online.refusal import Problem, refused

_UTC = pa.timestamp("us", tz="UTC")
_FIRST, _LAST, _EPOCH = (
    pa.scalar(datetime(*day, tzinfo=UTC), _UTC) for day in ((1900, 1, 2), (2200, 1, 1), (1970, 1, 1))
)
_GIVEN = {"number": pa.float64(), "flag": pa.bool_(), "timestamp": _UTC}
"""Arrow type of what a request holds, by the role of its column; of all others it is text."""
_LINKED = {"touches": "leads", "outcomes": "leads", "field_history": "leads", "identities": "leads"}


def tables(rows: Mapping[str, Rows], columns: Mapping[str, Mapping[str, Wanted]]) -> dict[str, pa.Table]:
    """One Arrow table for each table of the request.

    Parameters
    ----------
    rows
        Rows by table, as `Body.read` gives them.
    columns
        Columns by table.

    Returns
    -------
    dict
        The columns that are accepted, null where a row has no value, and ``row_number``.

    Raises
    ------
    RefusedError
        A required text is empty, a moment is none, a key is there twice, a fact is of a lead that is not
        there, or a lead has too many touches.
    """
    made = {table: _table(table, rows[table], own) for table, own in columns.items() if rows.get(table)}
    for table, own in columns.items():
        if table in made:
            _check_key(table, made[table])
            _check_links(table, made, own)
    _check_touches(made)
    return made


def _table(table: str, rows: Rows, columns: Mapping[str, Wanted]) -> pa.Table:
    given = pa.array(
        rows, pa.struct({name: _GIVEN.get(one.role, pa.string()) for name, one in columns.items()})
    )
    arrays = {name: _array(table, given.field(name), column) for name, column in columns.items()}
    if has_recorded(table):
        happened = arrays["changed_at" if table == "field_history" else "occurred_at"]
        arrays["recorded_at"] = pc.coalesce(arrays["recorded_at"], happened)
    return pa.table({"row_number": pa.array(range(len(rows)), pa.int64()), **arrays})


def _array(table: str, values: pa.Array, column: Wanted) -> pa.Array:
    if column.role == "timestamp":
        made = _moments(table, column.name, values)
    elif column.role == "number":
        made = _numbers(table, column.name, values)
    elif column.role == "flag":
        made = values.cast(pa.int8()).cast(type_of(column))
    else:
        made = _texts(values)
    if column.is_required:
        _refuse(table, column.name, pc.is_null(made), "is empty")
    return made


def _texts(values: pa.Array) -> pa.Array:
    """As the load reads a text: in NFC, without the blanks around it, null if nothing is left."""
    words = values.dictionary_encode()  # each different text once: most are said of many facts
    told = [normalised(word) or None for word in words.dictionary.to_pylist()]
    return pa.array(told, pa.string()).take(words.indices)


def _numbers(table: str, name: str, values: pa.Array) -> pa.Array:
    made = pc.add(values, 0.0)  # no negative zero
    if (table, name) == ("touches", "duration_seconds"):
        _refuse(table, name, pc.less(made, 0.0), "must not be below 0")
    return made


def _moments(table: str, name: str, made: pa.Array) -> pa.Array:
    """Moments in UTC without a zone; one without an offset is in UTC."""
    early, late, nothing = pc.less(made, _FIRST), pc.greater_equal(made, _LAST), pc.equal(made, _EPOCH)
    bad = pc.or_(pc.or_(early, late), nothing)
    _refuse(table, name, bad, "is no real moment: it stands for none")
    return made.cast(type_of(Wanted(name, "timestamp")))


def _check_key(table: str, made: pa.Table) -> None:
    key = CONTRACT[table].key
    if not key:
        return
    counted = Counter(zip(*(made.column(name).to_pylist() for name in key), strict=True))
    if len(counted) == made.num_rows:
        return
    seen: set[Any] = set()
    for row, value in enumerate(zip(*(made.column(name).to_pylist() for name in key), strict=True)):
        if value in seen:
            raise refused(Problem(f"{table}[{row}]", f"has the {', '.join(key)} of a row before"))
        seen.add(value)


def _check_links(table: str, made: Mapping[str, pa.Table], columns: Mapping[str, Wanted]) -> None:
    """Facts are of leads of the request, or of visitors and contacts that its tables link to one."""
    rows = made[table]
    if one_of := needs_one_of(table, columns):
        _refuse(
            table, one_of[0], pc.is_null(pc.coalesce(*(rows.column(name) for name in one_of))), "is empty"
        )
    if table in _LINKED:
        known = made[_LINKED[table]].column("lead_id").combine_chunks()
        lead = rows.column("lead_id")
        foreign = pc.and_(pc.is_valid(lead), pc.invert(pc.is_in(lead, value_set=known)))
        _refuse(table, "lead_id", foreign, "is of no lead of this request")


def _check_touches(made: Mapping[str, pa.Table]) -> None:
    if "touches" not in made:
        return
    counted = made["touches"].group_by("lead_id").aggregate([("row_number", "count")])
    most = pc.max(counted.column("row_number_count")).as_py()
    if most > MOST_TOUCHES:
        raise refused(Problem("touches", f"has more than {MOST_TOUCHES} rows of one lead"))


def _refuse(table: str, name: str, bad: pa.Array, what: str) -> None:
    """Refuse the first row for which something is true."""
    at = pc.index(bad, True).as_py()  # the value that is looked for
    if at >= 0:
        raise refused(Problem(f"{table}[{at}].{name}", what))
