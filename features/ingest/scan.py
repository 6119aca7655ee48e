"""What a source is once it can be read: its columns, where its cells are, and in which line a row stands.

A scan yields ``row_number`` (0-based position in file order) and the wanted cells as ``c<position>``. Files
are reached through a link in a private folder, so that no path is taken for a pattern.
"""

# ruff: noqa: S608  # texts go through quoted(), names through named()

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import pyarrow as pa

from features.errors import InputError, Place
from features.ingest.lines import Survey
from features.machine import refusal

PARSED = "_parsed"


@dataclass(frozen=True)
class Piece:
    """One file of a table in parts: where it is, its rows, and SQL of its cells that needs no other table."""

    file: Path
    rows: int
    query: str


@dataclass(frozen=True)
class Scan:
    """What can be read, before any column is wanted.

    Attributes
    ----------
    name
        The file or database table as declared.
    headers
        Of the file, in its order, cleaned.
    types
        DuckDB type of each column; all VARCHAR for CSV and databases.
    rows
        Rows in the file, counted without DuckDB.
    reader
        SQL of the tables that give the cells.
    names
        SQL of a cell of the reader, by position.
    position
        SQL of the 0-based row number; None until `prepare` has made one.
    survey
        Lines of a CSV file; None otherwise.
    parts
        Number of the first row, and name, of each file of a table in parts; empty otherwise.
    uneven
        Columns, by position, of which the parts disagree: they must not be wanted.
    pieces
        From the `names` that are wanted to the files of a table in parts, to be read each by itself; empty
        where a file's name does not allow it. None: the table is not in parts.
    """

    name: str
    headers: tuple[str, ...]
    types: tuple[str, ...]
    rows: int
    reader: str
    names: tuple[str, ...]
    position: str | None
    survey: Survey | None = field(default=None, compare=False)
    parts: tuple[tuple[int, str], ...] = ()
    uneven: Mapping[int, InputError] = field(default_factory=dict)
    pieces: Callable[[Collection[str]], Sequence[Piece]] | None = field(default=None, compare=False)

    def prepare(self, connection: duckdb.DuckDBPyConnection, positions: Collection[int]) -> Scan:
        """The same scan over parsed cells, where parsing gives no row numbers (CSV).

        A window function would number the rows on one thread only; those of a table have their place already.

        Raises
        ------
        InputError
            The file is damaged, or the parts disagree of a wanted column.
        """
        for at in sorted(positions):
            if at in self.uneven:
                raise self.uneven[at]
        if self.position is not None:
            return self
        cells = ", ".join(self.names[at] for at in sorted(positions)) or self.names[0]
        try:
            connection.execute(f"CREATE OR REPLACE TEMP TABLE {PARSED} AS SELECT {cells} FROM {self.reader}")
        except duckdb.Error as error:
            raise refusal(error) or damaged(self.name) from None
        return replace(self, reader=PARSED, position="rowid")

    def select(self, positions: Collection[int]) -> str:
        """SQL of ``row_number`` and the cells at some positions, named ``c<position>``."""
        cells = "".join(f", {self.names[at]} AS c{at}" for at in sorted(positions))
        return f"SELECT {self.position} AS row_number{cells} FROM {self.reader}"

    def places(self) -> dict[str, pa.Array]:
        """Where rows stand: from ``first_row`` on, a row's line is ``ahead`` of its number, in ``file``.

        The line is the physical one of a CSV file and the 1-based number of the row elsewhere. No file: that
        of the table.
        """
        if self.parts:
            first, files = zip(*self.parts, strict=True)
            ahead = [1 - start for start in first]
            return {"first_row": pa.array(first), "ahead": pa.array(ahead), "file": pa.array(files)}
        survey = self.survey
        lines = (survey.first_rows, survey.offsets) if survey else ([0], [1])
        first_row, ahead_of_it = (pa.array(values, pa.int64()) for values in lines)
        return {
            "first_row": first_row,
            "ahead": ahead_of_it,
            "file": pa.nulls(len(first_row), pa.string()),
        }


def described(connection: duckdb.DuckDBPyConnection, reader: str, name: str) -> list[tuple[str, str]]:
    """Name and DuckDB type of each column of a file.

    Raises
    ------
    InputError
        It cannot be read.
    """
    try:
        rows = connection.execute(f"DESCRIBE SELECT * FROM {reader}").fetchall()
    except duckdb.Error as error:
        raise refusal(error) or damaged(name) from None
    return [(str(row[0]), str(row[1])) for row in rows]


def damaged(name: str) -> InputError:
    """The error for a file that cannot be read; DuckDB's own message would print rows."""
    return InputError(
        f"file '{name}' is truncated, damaged or not of its declared format",
        hint="write it again, and check format",
        place=Place(stage="ingest", file=name),
    )


def linked(file: Path, link: Path) -> Path:
    """A link to a file, by which no path is taken for a pattern."""
    link.symlink_to(file.resolve())
    return link
