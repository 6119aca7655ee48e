"""A cell as written: its column, its text, and the SQL that a conversion consists of."""

# ruff: noqa: S608  # expressions are built from quoted() texts and our own aliases

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TypeAlias

from features.ingest.headers import Wanted
from features.ingest.quarantine import Reason
from features.ingest.sql import quoted
from features.tables import Source

LARGEST_EXACT = 2**53  # from here on a double no longer tells neighbouring whole numbers apart
Step: TypeAlias = tuple[str, str]  # alias and expression
_HAS_BLANKS = r"^[ \t\n\r\x{A0}]|[ \t\n\r\x{A0}]$"  # looking first is three times as fast as trimming all
_BLANKS = "chr(32) || chr(9) || chr(10) || chr(13) || chr(160)"


@dataclass(frozen=True)
class Converted:
    """SQL for one column.

    Attributes
    ----------
    steps
        Alias and expression, in order: later ones may use earlier aliases.
    value
        Alias of the value.
    faults
        Reason and condition, worst first.
    has_offset
        Alias that says whether the stamp carries an offset; None where stamps cannot.
    is_utc
        Whether the source's zone plays no part.
    """

    steps: tuple[Step, ...]
    value: str
    faults: tuple[tuple[Reason, str], ...] = ()
    has_offset: str | None = None
    is_utc: bool = False


@dataclass(frozen=True)
class Cell:
    """A column of the file.

    Attributes
    ----------
    wanted
        Which column of ours it is.
    raw
        Alias of its raw cells: ``c<position>``.
    tag
        Suffix of the aliases of its conversion: two of our columns may share a raw one.
    type
        DuckDB type of the raw cells.
    file
        Where it is, for messages.
    """

    wanted: Wanted
    raw: str
    tag: int
    type: str
    file: str


def stepwise(rows: str, columns: Sequence[tuple[Step, ...]]) -> str:
    """SQL that adds the steps of each column to rows.

    Each step is a query of its own: within one query DuckDB writes an alias out wherever it is used, and
    computes it as often.
    """
    for layer in zip_longest(*columns):
        steps = "".join(f", {step[1]} AS {step[0]}" for step in layer if step is not None)
        rows = f"SELECT *{steps} FROM ({rows})"
    return rows


def trimmed(cell: Cell, source: Source) -> str:
    """SQL of the text of a cell: trimmed, in NFC, null if empty or a null token."""
    raw = cell.raw if cell.type == "VARCHAR" else _as_text(cell)
    bare = (
        f"CASE WHEN regexp_matches({raw}, {quoted(_HAS_BLANKS)}) THEN trim({raw}, {_BLANKS}) ELSE {raw} END"
    )
    text = f"nullif(nfc_normalize({bare}), '')"
    tokens = ", ".join(quoted(token.strip()) for token in source.null_tokens)
    return f"CASE WHEN {text} NOT IN ({tokens}) THEN {text} END" if tokens else text


def _as_text(cell: Cell) -> str:
    """Whole numbers are written without a point, as a CSV file would hold them; NaN is no text."""
    if cell.type not in {"FLOAT", "DOUBLE"}:
        return f"CAST({cell.raw} AS VARCHAR)"
    is_whole = f"{cell.raw} = floor({cell.raw}) AND abs({cell.raw}) < {LARGEST_EXACT}"
    whole = f"CAST(CAST({cell.raw} AS BIGINT) AS VARCHAR)"
    text = f"CASE WHEN {is_whole} THEN {whole} ELSE CAST({cell.raw} AS VARCHAR) END"
    return f"CASE WHEN isfinite({cell.raw}) THEN {text} END"
