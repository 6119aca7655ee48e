"""Which rows of a staged table go to quarantine, and when the file as a whole is refused instead."""

# ruff: noqa: S608  # texts go through quoted(), names through named(), and rows are never written into SQL

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from features.errors import InputError, Place
from features.ingest.quarantine import Reason
from features.ingest.sql import count, named, quoted
from features.ingest.staging import STAGED, Fault, Stage, install

_MOST_FAILING_SHARE = 0.5
_COMMA_FAILING_SHARE = 0.1  # fewer may be typing errors; "12" and "13,5" mixed is a decimal comma
_COMMA_SHARE = 0.9
_DECIMAL_COMMA = r"[+-]?(\d{1,3}([. \x{00A0}]\d{3})+|\d+),\d+"
_CONTRADICTIONS: Mapping[Reason, tuple[str, str]] = {
    "not_a_number": (
        "is declared a number, but most of its cells are not",
        "declare decimal, thousands, null_tokens or another kind",
    ),
    "not_a_timestamp": (
        "contradicts the declared timestamp_format",
        "declare the format in which it is written",
    ),
    "not_a_flag": ("is declared a flag, but most of its cells are not yes or no", "declare it a category"),
}


def refuse_malformed(stage: Stage) -> None:
    """Quarantine the records that the survey found not well formed."""
    survey = stage.scan.survey
    if survey is None or not survey.bad_rows:
        return
    rows = {"row_number": pa.array(survey.bad_rows, pa.int64()), "reason": survey.bad_reasons}
    install(stage.connection, "_bad", rows)
    stage.turn_away('SELECT row_number, NULL AS "column", reason FROM _bad')


def refuse_faulty(stage: Stage) -> None:
    """Quarantine the rows with a cell that does not convert.

    Raises
    ------
    InputError
        Most cells of a column fail: the declaration is wrong, not the cells.
    """
    counts = dict(stage.connection.execute(f"SELECT fault, count(*) FROM {STAGED} GROUP BY 1").fetchall())
    failing = {number: fault for number, fault in enumerate(stage.faults, 1) if number in counts}
    for number, fault in failing.items():
        _refuse_column(stage, number, fault, counts[number])
    if not failing:
        return
    names = {
        "fault": pa.array(failing, pa.int16()),
        "column": [fault.header for fault in failing.values()],
        "reason": [fault.reason for fault in failing.values()],
    }
    install(stage.connection, "_faults", names)
    stage.turn_away(
        f'SELECT row_number, _faults."column", _faults.reason FROM {STAGED} JOIN _faults USING (fault)'
    )


def refuse_mixed_offsets(stage: Stage) -> None:
    """Quarantine the rarer form where some stamps of a column carry an offset and others do not."""
    for name, column in stage.converted.items():
        if column.has_offset is None:
            continue
        given = f"FROM {STAGED} WHERE {named(name)} IS NOT NULL"
        with_offset = count(stage.connection, f"SELECT count(*) {given} AND {column.has_offset}")
        without = count(stage.connection, f"SELECT count(*) {given} AND NOT {column.has_offset}")
        if with_offset and without:
            rare = column.has_offset if with_offset < without else f"NOT {column.has_offset}"
            header = quoted(stage.scan.headers[stage.position(name)])
            stage.turn_away(
                f"SELECT row_number, {header} AS \"column\", 'mixed_offsets' AS reason {given} AND {rare}"
            )


def _refuse_column(stage: Stage, number: int, fault: Fault, failing: int) -> None:
    """Refuse the file if the declaration, not the cell, is at fault."""
    if fault.reason not in _CONTRADICTIONS:
        return
    fine = count(stage.connection, f"SELECT count({named(fault.column)}) FROM {STAGED}")
    share = failing / (failing + fine)
    told, hint = _CONTRADICTIONS[fault.reason]
    if fault.reason == "not_a_number" and share > _COMMA_FAILING_SHARE and _has_commas(stage, fault, failing):
        told, hint = "looks like decimal comma", 'declare decimal: ","'
    elif share <= _MOST_FAILING_SHARE:
        return
    file, line = stage.first_place(f"fault = {number}")
    where = f"line {line}" if file == stage.scan.name else f"row {line} of '{file}'"
    raise InputError(
        f"column '{fault.header}' of file '{stage.scan.name}' {told}, first in {where}",
        hint=hint,
        place=Place(stage="ingest", file=file, row=line, column=fault.header),
    )


def _has_commas(stage: Stage, fault: Fault, failing: int) -> bool:
    """Whether the failing cells of a number column would be numbers with a decimal comma."""
    at = stage.position(fault.column)
    commas = count(
        stage.connection,
        f"SELECT count(*) FROM ({stage.scan.select([at])}) "
        f"WHERE regexp_full_match(trim(CAST(c{at} AS VARCHAR)), {quoted(_DECIMAL_COMMA)})",
    )
    return stage.source.decimal == "." and commas >= _COMMA_SHARE * failing
