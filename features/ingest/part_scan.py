"""A table in Parquet parts as something DuckDB can scan.

Rows are numbered over all parts, in the order of the parts' names. A column of which parts disagree does no
harm as long as nobody wants it. DuckDB would read it by the first part's type, and 1.5 as 2: parts with the
same columns, a *shape*, are read together, and most tables have one.
"""

# ruff: noqa: S608  # texts go through quoted(), names through named(), and rows are never written into SQL

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import InputError, Place
from features.ingest.headers import MAX_COLUMNS, plain
from features.ingest.parts import Part
from features.ingest.scan import Piece, Scan, described, linked
from features.ingest.sql import named, quoted
from features.ingest.staging import install

_OURS = ("file_index", "file_row_number")
"""Columns that DuckDB adds to those of a file."""
_TEXT, _VOID = "VARCHAR", "INTEGER"
_PATTERN = re.compile(r"[^\w/.=%+,: -]")
"""What DuckDB might take for more than a character of a file's name."""


@dataclass
class _Shape:
    """Parts with the same columns, and how many rows were before each."""

    schema: pq.ParquetSchema
    headers: tuple[str, ...]
    void: frozenset[str]  # columns without any value, as pandas writes them: they fit every type
    parts: list[tuple[int, Part]] = field(default_factory=list)

    @property
    def first(self) -> Part:
        return self.parts[0][1]


@dataclass(frozen=True)
class _Column:
    """A column of some or all parts: SQL of its cell in each shape, and of what the parts disagree."""

    header: str
    type: str
    cells: tuple[str, ...]
    uneven: InputError | None


def part_scan(connection: duckdb.DuckDBPyConnection, parts: Sequence[Part], name: str, work: Path) -> Scan:
    """Look at the footers of all parts.

    Parameters
    ----------
    parts
        Files of the table, in the order in which their rows are numbered.
    name
        The table as declared, for messages.
    work
        Private folder.

    Raises
    ------
    InputError
        A part is damaged or no Parquet file, no part has a row, or there are too many columns.
    """
    shapes, rows = _shapes(parts)
    if not shapes:
        raise _refused(
            f"'{name}' has no data rows: all of its {len(parts)} parts are empty", "export it again", name
        )
    files = [_names(shape, work / f"shape-{at}") for at, shape in enumerate(shapes)]
    keys = tuple(dict.fromkeys(key for shape in shapes for _, part in shape.parts for key in part.keys))
    _place(connection, shapes, keys)
    types = [_types(connection, shape, names[0]) for shape, names in zip(shapes, files, strict=True)]
    columns = [*_of_files(shapes, types, name), *_of_folders(shapes, keys, name)]
    return Scan(
        name,
        headers=tuple(plain(column.header) for column in columns),
        types=tuple(column.type for column in columns),
        rows=rows,
        reader=f"({' UNION ALL '.join(_queries(files, columns))})",
        names=tuple(f"c{at}" for at in range(len(columns))),
        position="place",
        parts=tuple(sorted((start, part.name) for shape in shapes for start, part in shape.parts)),
        uneven={at: column.uneven for at, column in enumerate(columns) if column.uneven is not None},
        pieces=partial(_pieces, shapes, columns, keys, rows),
    )


def _shapes(parts: Sequence[Part]) -> tuple[list[_Shape], int]:
    """The parts that have rows, by their columns, and their rows; the columns of the others do not matter."""
    shapes: list[_Shape] = []
    rows = 0
    for part in parts:
        try:
            with pq.ParquetFile(part.file) as opened:
                if opened.metadata.num_rows:
                    _shape_of(opened, part, shapes).parts.append((rows, part))
                rows += opened.metadata.num_rows
        except (pa.ArrowException, OSError):
            raise _damaged(part) from None
    return shapes, rows


def _shape_of(opened: pq.ParquetFile, part: Part, shapes: list[_Shape]) -> _Shape:
    """The shape of a part, added to those that are known if it is new."""
    known = next((shape for shape in shapes if shape.schema.equals(opened.schema)), None)
    if known is not None:
        return known
    schema = opened.schema_arrow
    for header in schema.names:
        if header.lower() in _OURS:
            raise _refused(
                f"part '{part.name}' has a column '{header}', as DuckDB has", "rename it", part.name
            )
    if len(schema.names) > MAX_COLUMNS:
        raise _refused(
            f"'{part.name}' has more than {MAX_COLUMNS} columns", "export only those you need", part.name
        )
    void = frozenset(column.name for column in schema if pa.types.is_null(column.type))
    shapes.append(_Shape(opened.schema, tuple(schema.names), void))
    return shapes[-1]


def _names(shape: _Shape, work: Path) -> list[str]:
    work.mkdir()
    return [_name(part.file, work / f"{at}.parquet") for at, (_, part) in enumerate(shape.parts)]


def _name(file: Path, link: Path) -> str:
    """What DuckDB takes for this file only; a link to each of many would take long."""
    return str(linked(file, link)) if _is_pattern(file.absolute()) else str(file.absolute())


def _is_pattern(file: Path) -> bool:
    return _PATTERN.search(str(file)) is not None


def _place(connection: duckdb.DuckDBPyConnection, shapes: Sequence[_Shape], keys: Sequence[str]) -> None:
    """The table ``_parts``: for each part of each shape the rows before it, and the keys of its folders."""
    rows = [
        (shape, at, start, *map(part.keys.get, keys))
        for shape, of_shape in enumerate(shapes)
        for at, (start, part) in enumerate(of_shape.parts)
    ]
    names = ("shape", "part", "first_row", *(f"k{at}" for at in range(len(keys))))
    types = (pa.int64(), pa.int64(), pa.int64(), *(pa.string() for _ in keys))
    columns = zip(names, types, zip(*rows, strict=True), strict=True)
    install(connection, "_parts", {name: pa.array(values, kind) for name, kind, values in columns})


def _types(connection: duckdb.DuckDBPyConnection, shape: _Shape, file: str) -> dict[str, tuple[str, str]]:
    """DuckDB's own name and type of each column of a shape, by header."""
    columns = described(connection, _read([file]), shape.first.name)[: len(shape.headers)]
    return dict(zip(shape.headers, columns, strict=True))


def _read(files: Sequence[str]) -> str:
    listed = ", ".join(map(quoted, files))
    return f"read_parquet([{listed}], file_row_number = true, hive_partitioning = false)"


def _of_files(
    shapes: Sequence[_Shape], types: Sequence[Mapping[str, tuple[str, str]]], name: str
) -> Iterator[_Column]:
    for header in dict.fromkeys(header for shape in shapes for header in shape.headers):
        given = [
            (shape.first, found.get(header, ("", ""))[1])
            for shape, found in zip(shapes, types, strict=True)
            if header not in shape.void
        ]
        kind = next((kind for _, kind in given if kind), _VOID)
        uneven = _uneven(header, name, given)
        cells = (
            f"cells.{named(found[header][0])}"
            if header in found and header not in shape.void and uneven is None
            else "NULL"
            for shape, found in zip(shapes, types, strict=True)
        )
        yield _Column(header, kind, tuple(cells), uneven)


def _of_folders(shapes: Sequence[_Shape], keys: Sequence[str], name: str) -> Iterator[_Column]:
    parts = [part for shape in shapes for _, part in shape.parts]
    for at, key in enumerate(keys):
        given = [(part, _TEXT if key in part.keys else "") for part in parts]
        yield _Column(key, _TEXT, (f"parts.k{at}",) * len(shapes), _uneven(key, name, given))


def _queries(files: Sequence[Sequence[str]], columns: Sequence[_Column]) -> Iterator[str]:
    for shape, names in enumerate(files):
        cells = "".join(f", {column.cells[shape]} AS c{at}" for at, column in enumerate(columns))
        yield (
            f"SELECT parts.first_row + cells.file_row_number AS place{cells} FROM {_read(names)} AS cells "
            f"JOIN _parts AS parts ON parts.shape = {shape} AND parts.part = cells.file_index"
        )


def _pieces(
    shapes: Sequence[_Shape],
    columns: Sequence[_Column],
    keys: Sequence[str],
    rows: int,
    names: Collection[str],
) -> list[Piece]:
    """Each part by itself, in the order of their rows; cells have the types that the table has.

    Empty if DuckDB would take a name for a pattern: a link to it would be seen here only.
    """
    wanted = [(f"c{at}", column) for at, column in enumerate(columns) if f"c{at}" in names]
    found = []
    for at, shape in enumerate(shapes):
        cells = "".join(f", CAST({column.cells[at]} AS {column.type}) AS {name}" for name, column in wanted)
        for start, part in shape.parts:
            file, values = part.file.resolve(), map(part.keys.get, keys)
            found.append((start, file, _query_alone(file, start, cells, values)))
    if any(_is_pattern(file) for _, file, _ in found):
        return []
    found.sort()
    ends = [*(start for start, _, _ in found[1:]), rows]
    return [Piece(file, end - start, query) for (start, file, query), end in zip(found, ends, strict=True)]


def _query_alone(file: Path, start: int, cells: str, keys: Iterable[str | None]) -> str:
    """As `_queries`, of one part, whose first row and keys are in it."""
    values = "".join(f", {_text(key)} AS k{at}" for at, key in enumerate(keys))
    return (
        f"SELECT parts.first_row + cells.file_row_number AS place{cells} "
        f"FROM {_read([str(file)])} AS cells, (SELECT {start} AS first_row{values}) AS parts"
    )


def _text(value: str | None) -> str:
    return "NULL" if value is None else quoted(value)


def _uneven(header: str, name: str, given: Sequence[tuple[Part, str]]) -> InputError | None:
    """What is wrong if not all parts have one type of a column; no type: it is absent."""
    other = next(((part, kind) for part, kind in given if kind != given[0][1]), None)
    if other is None:
        return None
    has = [
        f"{kind} in '{part.name}'" if kind else f"absent from '{part.name}'"
        for part, kind in (given[0], other)
    ]
    return InputError(
        f"the parts of '{name}' disagree of column '{header}': {has[0]}, {has[1]}",
        hint="write the parts anew with one schema, or leave the older ones out by a pattern",
        place=Place(stage="ingest", file=other[0].name, column=header),
    )


def _damaged(part: Part) -> InputError:
    return _refused(
        f"part '{part.name}' is truncated, damaged or no Parquet file",
        "write it again, or name the parts by a pattern that leaves it out",
        part.name,
    )


def _refused(reason: str, hint: str, place: str) -> InputError:
    return InputError(reason, hint=hint, place=Place(stage="ingest", file=place))
