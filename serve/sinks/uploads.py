"""The ranking as files that a CRM imports, split where one file would be larger than it takes.

DuckDB writes the files and measures them beforehand: every cell is quoted, so that a row's size is known to
the byte, and no row is ever held in Python.
"""

# names go through named(), texts through quoted(), numbers are our own

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from features.errors import InputError, ParameterError, listed
from features.ingest.sql import named, quoted
from serve.sinks.targets import Target
from serve.spreadsheet import safe_sql

KEY = "lead_id"
_PLACE = "leadrank place"
_CUT = "…"


@dataclass(frozen=True)
class Uploaded:
    """What was written.

    Attributes
    ----------
    files
        Rows by file name, in the order of the ranking.
    cut
        Texts that were longer than the CRM takes; the last character of what is left is an ellipsis.
    """

    files: Mapping[str, int]
    cut: int


def write(
    connection: duckdb.DuckDBPyConnection,
    ranking: Path,
    folder: Path,
    *,
    name: str,
    target: Target,
    fields: Mapping[str, str],
) -> Uploaded:
    """Write ``<name>-001.csv`` and as many more as the limits ask for, best lead first.

    Parameters
    ----------
    ranking
        ``ranking.parquet`` of the run.
    folder
        Receives the files; it exists.
    name
        How the files begin.
    target
        What the CRM takes.
    fields
        Header by column of the ranking, in this order; empty: those of the target.

    Raises
    ------
    ParameterError
        A named column is not in the ranking, or there are more fields than the CRM takes.
    InputError
        One row is larger than a whole file may be.
    """
    ranked = connection.read_parquet(str(ranking))
    chosen = _chosen(ranked, target, fields)
    rows = _as_text(ranked, target, chosen)
    headers = ", ".join(named(header) for header in chosen.values())
    files = {}
    for number, (first, last) in enumerate(_spans(rows, target, chosen), start=1):
        file = f"{name}-{number:03}.csv"
        part = rows.filter(f"{named(_PLACE)} BETWEEN {first} AND {last}").order(named(_PLACE))
        part.project(headers).write_csv(str(folder / file), header=True, quoting=csv.QUOTE_ALL)
        files[file] = last - first + 1
    return Uploaded(files, _cut(ranked, target, chosen))


def _chosen(ranked: duckdb.DuckDBPyRelation, target: Target, fields: Mapping[str, str]) -> dict[str, str]:
    """Header by column of the ranking, that of the id first."""
    missing = [column for column in fields if column not in ranked.columns]
    if missing:
        raise ParameterError(
            f"exports.fields names {listed(missing)}, which the ranking does not have",
            hint="correct the name, or publish the column with score.publish_columns",
        )
    shown = fields or {c: header for c, header in target.fields.items() if c in ranked.columns}
    chosen = {KEY: shown.get(KEY, target.key), **{c: header for c, header in shown.items() if c != KEY}}
    if len(chosen) > target.fields_max:
        raise ParameterError(
            f"an upload would have {len(chosen)} fields, and the CRM takes {target.fields_max}",
            hint="name fewer under exports.fields",
        )
    if len({header.casefold() for header in chosen.values()}) < len(chosen):
        raise ParameterError(
            f"two columns of an upload are called alike; that of {KEY} is '{chosen[KEY]}'",
            hint="give each column of exports.fields a header of its own",
        )
    return chosen


def _as_text(
    ranked: duckdb.DuckDBPyRelation, target: Target, chosen: Mapping[str, str]
) -> duckdb.DuckDBPyRelation:
    """Every column as the text that the file holds, under its header, and the place of the row."""
    kinds = dict(zip(ranked.columns, map(str, ranked.types), strict=True))
    texts = [f"{_text(column, kinds[column], target)} AS {named(h)}" for column, h in chosen.items()]
    rows = ranked.project(", ".join([*texts, f"rank AS {named(_PLACE)}"]))
    if not target.is_literal:
        # Numbers stay as they are: only what was text in the ranking can be taken for a formula.
        safe = [safe_sql(h, kinds[column]) for column, h in chosen.items()]
        rows = rows.project(", ".join([*safe, named(_PLACE)]))
    if target.empty is None:
        return rows
    filled = [f"coalesce({named(h)}, {quoted(target.empty)}) AS {named(h)}" for h in chosen.values()]
    return rows.project(", ".join([*filled, named(_PLACE)]))


def _text(column: str, kind: str, target: Target) -> str:
    value = named(column)
    if kind.startswith("TIMESTAMP"):
        return f"strftime({value}, '%Y-%m-%dT%H:%M:%SZ')"
    if kind != "VARCHAR":
        return f"CAST({value} AS VARCHAR)"
    whole = f"replace({value}, chr(0), '')"
    cut = f"left({whole}, {target.characters - 1}) || {quoted(_CUT)}"
    return f"CASE WHEN length({whole}) > {target.characters} THEN {cut} ELSE {whole} END"


def _spans(
    rows: duckdb.DuckDBPyRelation, target: Target, chosen: Mapping[str, str]
) -> Iterator[tuple[int, int]]:
    """First and last place of each file.

    A row weighs its bytes, and at least the share of a file that one of ``file_rows`` rows may have: so one
    sum keeps both limits (both sides are times ``file_rows``, to stay whole). A file ends where the next row
    could be the heaviest of all and would not fit.
    """
    in_file = target.file_bytes - _header_bytes(chosen)
    room = in_file * target.file_rows
    weight = f"greatest(({_bytes(chosen)}) * {target.file_rows}, {in_file})"
    weighed = rows.project(f"{named(_PLACE)} AS place, {weight} AS weight")
    count, total, heaviest = weighed.aggregate("count(*), sum(weight), max(weight)").fetchall()[0]
    if count and heaviest > room:
        raise InputError(
            f"one row of the upload is larger than the {target.file_bytes} bytes that a file may have",
            hint="name fewer columns under exports.fields",
        )
    if not count or total <= room:
        yield 1, count
        return
    step = int(room - heaviest)
    before = "sum(weight) OVER (ORDER BY place ROWS UNBOUNDED PRECEDING) - weight"
    file = f"({before}) // {step}" if step else "place"
    split = weighed.project(f"place, {file} AS file").aggregate("file, min(place), max(place)", "file")
    yield from ((first, last) for _, first, last in split.order("file").fetchall())


def _bytes(chosen: Mapping[str, str]) -> str:
    """SQL of the bytes of a row: the quoted cells, what separates them, and the end of the line."""
    cells = (
        f"coalesce(2 + strlen(replace({named(h)}, chr(34), chr(34) || chr(34))), 0)" for h in chosen.values()
    )
    return f"{len(chosen)} + {' + '.join(cells)}"


def _header_bytes(chosen: Mapping[str, str]) -> int:
    return sum(3 + len(header.replace('"', '""').encode()) for header in chosen.values())


def _cut(ranked: duckdb.DuckDBPyRelation, target: Target, chosen: Mapping[str, str]) -> int:
    kinds = dict(zip(ranked.columns, map(str, ranked.types), strict=True))
    too_long = [
        f"count(*) FILTER (length({named(c)}) > {target.characters})" for c in chosen if kinds[c] == "VARCHAR"
    ]
    row = ranked.aggregate(" + ".join(too_long)).fetchone()
    return int(row[0]) if row else 0
