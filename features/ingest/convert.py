"""From the cell as written to the value as meant: SQL that converts, and names what does not convert.

Each column gives a value and faults. A fault is a condition with a reason code; the first one that holds
turns the row away. Text is trimmed and put in Unicode form NFC, so that keys compare; an empty cell and each
null token are null.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import duckdb

from features.errors import InputError, ParameterError, Place
from features.ingest.cells import LARGEST_EXACT, Cell, Converted, trimmed
from features.ingest.moments import EPOCHS, moment
from features.ingest.sql import quoted
from features.tables import Source

_YES = ("yes", "true", "1", "1.0", "y", "t")
_NO = ("no", "false", "0", "0.0", "n", "f")
_MANGLED = r"[+-]?\d([.,]\d+)?[eE]\+\d+"
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_NUMERIC = (*_INTEGERS, *(f"U{name}" for name in _INTEGERS), "FLOAT", "DOUBLE", "DECIMAL")
_NESTED = ("STRUCT", "MAP", "UNION", "BLOB", "BIT")


def converted(cell: Cell, source: Source) -> Converted:
    """SQL that converts one column.

    Raises
    ------
    InputError
        The column's Parquet type cannot hold such values.
    """
    if cell.type.endswith("]") or cell.type.startswith(_NESTED):
        raise InputError(
            f"column '{cell.wanted.name}' of file '{cell.file}' holds nested or binary values",
            hint="flatten it in the export, or do not declare it",
            place=Place(stage="ingest", file=cell.file, column=cell.wanted.name),
        )
    by_role = {
        "id": _id,
        "text": _text,
        "category": _text,
        "number": _number,
        "timestamp": moment,
        "flag": _flag,
        "outcome": _outcome,
    }
    return by_role[cell.wanted.role](cell, source)


def check_source(connection: duckdb.DuckDBPyConnection, source: Source) -> None:
    """Refuse a zone or a timestamp format that does not exist.

    Raises
    ------
    ParameterError
        Names the setting.
    """
    try:
        ZoneInfo(source.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ParameterError(
            f"timezone '{source.timezone}' is unknown", hint="use an IANA name such as Europe/Berlin"
        ) from None
    if source.timestamp_format == "iso" or source.timestamp_format in EPOCHS:
        return
    try:
        connection.execute(f"SELECT try_strptime('', {quoted(source.timestamp_format)})")
    except duckdb.Error:
        raise ParameterError(
            f"timestamp_format '{source.timestamp_format}' is not a strptime pattern",
            hint="use iso, unix_seconds, unix_milliseconds or a pattern such as %d.%m.%Y %H:%M",
        ) from None


def _text(cell: Cell, source: Source) -> Converted:
    value = f"v_{cell.tag}"
    return Converted(((value, trimmed(cell, source)),), value)


def _id(cell: Cell, source: Source) -> Converted:
    text = _text(cell, source)
    is_mangled = f"regexp_full_match({text.value}, {quoted(_MANGLED)})"
    if cell.type in {"FLOAT", "DOUBLE"}:
        is_mangled = f"(isfinite({cell.raw}) AND abs({cell.raw}) >= {LARGEST_EXACT}) OR {is_mangled}"
    return Converted(text.steps, text.value, (("mangled_id", is_mangled),))


def _number(cell: Cell, source: Source) -> Converted:
    value, text = f"v_{cell.tag}", f"t_{cell.tag}"
    if cell.type == "BOOLEAN" or cell.type.startswith(_NUMERIC):
        return Converted(((value, f"CAST({cell.raw} AS DOUBLE) + 0"),), value)  # + 0: no negative zero
    number = f"TRY_CAST({_point(text, source)} AS DOUBLE) + 0"
    return Converted(
        ((text, trimmed(cell, source)), (value, number)),
        value,
        (("not_a_number", f"{text} IS NOT NULL AND {value} IS NULL"),),
    )


def _point(text: str, source: Source) -> str:
    """The number as DuckDB writes it; null if it contradicts the declared marks."""
    if source.thousands is None:
        foreign = "_." if source.decimal == "," else "_"
        is_foreign = " OR ".join(f"contains({text}, {quoted(mark)})" for mark in foreign)
        point = text if source.decimal == "." else f"replace({text}, ',', '.')"
        return f"CASE WHEN NOT ({is_foreign}) THEN {point} END"
    blank = not source.thousands.strip()
    mark = r"[ \x{00A0}\x{202F}]" if blank else "[" + "".join("\\" + m for m in source.thousands) + "]"
    pattern = rf"[+-]?(\d{{1,3}}({mark}\d{{3}})+|\d*)(\{source.decimal}\d*)?([eE][+-]?\d+)?"
    bare = f"regexp_replace({text}, {quoted(mark)}, '', 'g')"
    point = f"replace({bare}, {quoted(source.decimal)}, '.')"
    return f"CASE WHEN regexp_full_match({text}, {quoted(pattern)}) THEN {point} END"


def _flag(cell: Cell, source: Source) -> Converted:
    value, text = f"v_{cell.tag}", f"t_{cell.tag}"
    yes, no = (", ".join(map(quoted, words)) for words in (_YES, _NO))
    flag = f"CASE WHEN {text} IN ({yes}) THEN 1.0::DOUBLE WHEN {text} IN ({no}) THEN 0.0::DOUBLE END"
    return Converted(
        ((text, f"lower({trimmed(cell, source)})"), (value, flag)),
        value,
        (("not_a_flag", f"{text} IS NOT NULL AND {value} IS NULL"),),
    )


def _outcome(cell: Cell, source: Source) -> Converted:
    """1 won, 0 lost, null undecided; ``t_…`` keeps the text for the count of distinct values."""
    value, text, number = f"v_{cell.tag}", f"t_{cell.tag}", f"n_{cell.tag}"
    whole = f"{number} = floor({number}) AND abs({number}) < {LARGEST_EXACT}"
    canonical = f"CASE WHEN {whole} THEN CAST(CAST({number} AS BIGINT) AS VARCHAR) ELSE {text} END"
    won = ", ".join(quoted(_canonical(word)) for word in source.won_values) or "NULL"
    is_won = f"CAST(coalesce({canonical} IN ({won}), false) AS DOUBLE)"
    steps = (
        (text, f"lower({trimmed(cell, source)})"),
        (number, f"TRY_CAST({text} AS DOUBLE)"),
        (value, f"CASE WHEN {text} IS NOT NULL THEN {is_won} END"),
    )
    return Converted(steps, value)


def _canonical(word: str) -> str:
    """A won value as the SQL writes it: lower case, whole numbers without a point.

    >>> [_canonical(word) for word in ("Won ", "1.0", "1.5")]
    ['won', '1', '1.5']
    """
    text = word.strip().lower()
    try:
        number = float(text)
    except ValueError:
        return text
    return str(int(number)) if number.is_integer() and abs(number) < LARGEST_EXACT else text
