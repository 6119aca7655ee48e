"""One table on its way in: the query that converts it, and the way from its rows to quarantine."""

# ruff: noqa: S608  # texts go through quoted(), names through named(), and rows are never written into SQL

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa

from features.errors import InputError, LeadrankError, Place, listed
from features.ingest.cells import Cell, stepwise
from features.ingest.convert import converted
from features.ingest.headers import NEEDS_ONE_OF, Match
from features.ingest.quarantine import Counts, Note, Reason, quarantined
from features.ingest.scan import Scan, damaged
from features.ingest.spread import Executors, converted_rows
from features.ingest.sql import count, named, quoted
from features.machine import refusal
from features.tables import Source

STAGED = "_staged"
SCRATCH = ("_away", "_bad", "_faults", "_leaving", "_lines", "_parts")
_RECORDED_DEFAULTS = {"touches": "occurred_at", "outcomes": "occurred_at", "field_history": "changed_at"}


@dataclass(frozen=True)
class Fault:
    """Something that can be wrong with a row: our column, the file's header, reason code, SQL condition."""

    column: str
    header: str
    reason: Reason
    condition: str


@dataclass
class Stage:
    """A table on its way in.

    Parameters
    ----------
    connection
        Session in UTC.
    table
        Canonical name.
    source
        As declared.
    scan
        What can be read.
    match
        Which cells are wanted.
    makes_ids
        Whether the file has no ids and gets ``row-<n>``.
    executors
        Who may convert rows instead of the connection.
    """

    connection: duckdb.DuckDBPyConnection
    table: str
    source: Source
    scan: Scan
    match: Match
    makes_ids: bool = False
    executors: Executors | None = None
    notes: list[Note] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cells = {
            wanted.name: Cell(wanted, f"c{at}", tag, self.scan.types[at], self.scan.name)
            for tag, (wanted, at) in enumerate(self.match.columns.items())
        }
        self.converted = {name: converted(cell, self.source) for name, cell in self.cells.items()}
        self.faults = tuple(self._faults())

    @property
    def columns(self) -> tuple[str, ...]:
        """Content columns of the finished table."""
        known = (*(("lead_id",) if self.makes_ids else ()), *self.converted)
        return (*known, "recorded_at") if self.recorded_default and "recorded_at" not in known else known

    @property
    def recorded_default(self) -> str | None:
        """Column that ``recorded_at`` defaults to; None if the table has none."""
        return _RECORDED_DEFAULTS.get(self.table)

    def position(self, column: str) -> int:
        """Where one of our columns is in the file."""
        return int(self.cells[column].raw[1:])

    def fill(self) -> None:
        """Convert every row into the staging table; ``fault`` numbers what is wrong, 0 if nothing.

        Raises
        ------
        InputError
            The file is damaged.
        StorageError, UpstreamError
            An executor could not convert its rows.
        LeadrankError
            DuckDB saw other records than the survey: a bug of ours.
        """
        self.scan = self.scan.prepare(self.connection, self.match.columns.values())
        wanted = set(self.match.columns.values())
        with converted_rows(self.scan, wanted, self._query, self.executors) as converted_ones:
            try:
                self.connection.execute(f"CREATE OR REPLACE TABLE {STAGED} AS {converted_ones}")
            except duckdb.Error as error:
                raise refusal(error) or damaged(self.scan.name) from None
        rows = count(self.connection, f"SELECT count(*) FROM {STAGED}")
        if rows != self.scan.rows:
            raise LeadrankError(
                f"'{self.scan.name}' has {self.scan.rows} rows, but {rows} were read",
                hint="please report this",
            )
        self._index_lines()

    def turn_away(self, rows: str) -> None:
        """Move rows from the staging table to quarantine.

        Parameters
        ----------
        rows
            SQL of ``(row_number, column, reason)``.
        """
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE _away AS {rows}")
        self.connection.execute(
            f"INSERT INTO quarantine SELECT {quoted(self.table)}, coalesce(file, {quoted(self.scan.name)}), "
            'row_number + ahead, "column", reason FROM _away '
            "ASOF JOIN _lines ON row_number >= first_row ORDER BY row_number"
        )
        self.connection.execute(f"DELETE FROM {STAGED} WHERE row_number IN (SELECT row_number FROM _away)")

    def first_place(self, condition: str) -> tuple[str, int]:
        """File and line of the first staged row for which an SQL condition holds; there is one."""
        found = self.connection.execute(
            f"SELECT coalesce(file, {quoted(self.scan.name)}), row_number + ahead "
            f"FROM {STAGED} ASOF JOIN _lines ON row_number >= first_row "
            f"WHERE {condition} ORDER BY row_number LIMIT 1"
        ).fetchone()
        return found or (self.scan.name, 0)

    def finish(self, deduplicated: int) -> Counts:
        """Give the staging table its name, and count.

        Raises
        ------
        InputError
            No row can be used.
        LeadrankError
            The conservation law is broken.
        """
        accepted = count(self.connection, f"SELECT count(*) FROM {STAGED}")
        away = quarantined(self.connection, self.table)
        counts = Counts(self.table, self.scan.rows, accepted, away, deduplicated).checked()
        if accepted == 0:
            raise self._unusable(counts)
        for helper in ("fault", *self._offsets()):
            self.connection.execute(f"ALTER TABLE {STAGED} DROP COLUMN {named(helper)}")
        self.connection.execute(f"DROP TABLE IF EXISTS {named(self.table)}")
        self.connection.execute(f"ALTER TABLE {STAGED} RENAME TO {named(self.table)}")
        return counts

    def _faults(self) -> Iterator[Fault]:
        for name, cell in self.cells.items():
            header, column = self.scan.headers[self.position(name)], self.converted[name]
            for reason, condition in column.faults:
                yield Fault(name, header, reason, condition)
            if cell.wanted.is_required:
                yield Fault(name, header, "missing_required", f"{column.value} IS NULL")
        if one_of := NEEDS_ONE_OF.get(self.table):
            values = ", ".join(self.converted[name].value for name in one_of if name in self.converted)
            header = self.source.header(one_of[0])
            yield Fault(one_of[0], header, "missing_required", f"coalesce({values}) IS NULL")

    def _query(self, scan: Scan) -> str:
        """Raw cells, then conversion steps, then values and the number of the first fault."""
        cases = "".join(f" WHEN {fault.condition} THEN {n}" for n, fault in enumerate(self.faults, 1))
        fault = f"CASE{cases} ELSE 0 END" if cases else "0"
        raw = scan.select(set(self.match.columns.values()))
        rows = stepwise(raw, [column.steps for column in self.converted.values()])
        values = ", ".join([*self._values(), *self._offsets()])
        return f"SELECT row_number, {values}, CAST({fault} AS SMALLINT) AS fault FROM ({rows})"

    def _values(self) -> Iterator[str]:
        if self.makes_ids:
            yield "'row-' || (row_number + 1) AS lead_id"
        for name, column in self.converted.items():
            yield f"{column.value} AS {named(name)}"
        if self.recorded_default and "recorded_at" not in self.converted:
            yield f"{self.converted[self.recorded_default].value} AS recorded_at"

    def _offsets(self) -> list[str]:
        return [column.has_offset for column in self.converted.values() if column.has_offset]

    def _index_lines(self) -> None:
        """Table from which the file and the line of a row follow."""
        install(self.connection, "_lines", self.scan.places())

    def _unusable(self, counts: Counts) -> InputError:
        reasons = self.connection.execute(
            "SELECT DISTINCT reason FROM quarantine WHERE table_name = ? ORDER BY 1", [self.table]
        ).fetchall()
        return InputError(
            f"none of the {counts.read} rows of file '{self.scan.name}' can be used: "
            f"{listed([reason for (reason,) in reasons])}",
            hint="see the table of reasons in the manual, and repair the export",
            place=Place(stage="ingest", file=self.scan.name),
        )


def install(connection: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, object]) -> None:
    """Make a temporary table from Arrow columns."""
    connection.register("_arrow", pa.table(dict(columns)))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {named(name)} AS SELECT * FROM _arrow")
    connection.unregister("_arrow")
