"""The three tables of a published ranking in PostgreSQL, within one transaction of a connection."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import duckdb
from pyarrow import csv as arrow_csv

from features.errors import UpstreamError
from features.ingest.sql import named
from serve.runs import Run, digest_of
from serve.sinks.columns import SqlColumn, sql_columns

if TYPE_CHECKING:
    from serve.sinks.database import Connection

RUNS, RANKING, CURRENT = "leadrank_runs", "leadrank_ranking", "leadrank_current"
_BATCH_ROWS = 50_000
_MADE_BY: Mapping[str, tuple[str, ...]] = {
    RUNS: (
        """CREATE TABLE {runs} (
            run_id text PRIMARY KEY, as_of timestamptz NOT NULL, ranked_by text, leads bigint NOT NULL,
            data_digest text, params_digest text, ranking_sha256 text)""",
    ),
    RANKING: (
        """CREATE TABLE {ranking} (
            run_id text, rank bigint, lead_id text NOT NULL, PRIMARY KEY (run_id, rank))""",
        "CREATE INDEX ON {ranking} (lead_id)",
    ),
    CURRENT: (
        """CREATE TABLE {current} (
            only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
            run_id text NOT NULL REFERENCES {runs})""",
    ),
}


class Tables:
    """The three tables, within a transaction of a connection."""

    def __init__(self, connection: Connection, schema: str) -> None:
        self._connection, self._schema = connection, schema

    def make(self) -> None:
        """Take the lock that one host at a time may hold, and make the tables where they are not."""
        key = int.from_bytes(hashlib.sha256(f"leadrank {self._schema}".encode()).digest()[:8], signed=True)
        self._do("SELECT pg_advisory_xact_lock(%s)", key)
        for table, statements in _MADE_BY.items():
            if not self._has(table):  # who may write the tables need not be allowed to make them
                for statement in statements:
                    self._do(statement)

    def load(self, run: Run) -> bool:
        """Copy a run's rows unless they are there; whether they are new."""
        if self._do("SELECT 1 FROM {runs} WHERE run_id = %s", run.run_id):
            return False
        with duckdb.connect() as engine:
            ranked = engine.read_parquet(str(run.folder / "ranking.parquet"))
            columns = sql_columns(dict(zip(ranked.columns, map(str, ranked.types), strict=True)))
            self._widen(columns)
            rows = self._copy(run, columns, _lines(run, ranked, columns))
        self._do(
            "INSERT INTO {runs} VALUES (%s, %s, %s, %s, %s, %s, %s)",
            run.run_id,
            run.as_of,
            run.manifest.get("ranked_by"),
            rows,
            run.manifest.get("data_digest"),
            run.manifest.get("params_digest"),
            digest_of(run, "ranking.parquet"),
        )
        return True

    def put_in_force(self, run: Run, withdrawn: Collection[str]) -> None:
        """Move the pointer to a run, unless one of a later night is in force and was not withdrawn."""
        self._do(
            """INSERT INTO {current} AS c (run_id) VALUES (%s) ON CONFLICT (only_row) DO UPDATE
            SET run_id = EXCLUDED.run_id WHERE c.run_id = ANY(%s)
            OR (SELECT as_of FROM {runs} WHERE run_id = c.run_id) <= %s::timestamptz""",
            run.run_id,
            list(withdrawn),
            run.as_of,
        )

    def current(self) -> str:
        """Id of the run in force."""
        return str(self._do("SELECT run_id FROM {current}")[0][0])

    def prune(self, keep: int) -> list[str]:
        """Remove all runs but the latest nights and the one in force; ids of those that are gone."""
        gone = self._do(
            """DELETE FROM {runs} WHERE run_id NOT IN (SELECT run_id FROM {current}) AND run_id NOT IN
            (SELECT run_id FROM {runs} ORDER BY as_of DESC, run_id DESC LIMIT %s) RETURNING run_id""",
            keep,
        )
        names = sorted(str(name) for (name,) in gone)
        if names:
            self._do("DELETE FROM {ranking} WHERE run_id = ANY(%s)", names)
        return names

    def erase(self, lead_ids: Collection[str]) -> int:
        """Remove leads from every run; the rows that are gone."""
        if not self._has(RANKING):
            return 0
        gone = self._do("DELETE FROM {ranking} WHERE lead_id = ANY(%s) RETURNING 1", list(lead_ids))
        return len(gone)

    def _has(self, table: str) -> bool:
        return bool(self._do("SELECT to_regclass(%s) IS NOT NULL", self._named(table))[0][0])

    def _widen(self, columns: Mapping[str, SqlColumn]) -> None:
        """Add the columns that earlier runs did not have."""
        found = dict(
            self._do(
                """SELECT column_name, data_type FROM information_schema.columns
                WHERE table_schema = %s AND table_name = %s""",
                self._schema,
                RANKING,
            )
        )
        for column in columns.values():
            has = found.get(column.name)
            if has is None:
                self._alter(f"ADD COLUMN {named(column.name)} {column.type}")
            elif (has, column.type) == ("bigint", "double precision"):  # nothing but whole numbers till now
                self._alter(f"ALTER COLUMN {named(column.name)} TYPE double precision")
            elif has != column.type and (has, column.type) != ("double precision", "bigint"):
                raise UpstreamError(
                    f"column '{column.name}' of {RANKING} is {has}, that of the ranking {column.type}",
                    hint=f"rename or drop it (ALTER TABLE {RANKING} …), then `leadrank publish --resume`",
                )

    def _alter(self, change: str) -> None:
        self._connection.execute(f"ALTER TABLE {self._named(RANKING)} {change}".encode())

    def _copy(self, run: Run, columns: Mapping[str, SqlColumn], lines: Iterator[bytes]) -> int:
        self._do(
            "DELETE FROM {ranking} WHERE run_id = %s", run.run_id
        )  # if its row in runs was deleted by hand
        names = ", ".join(named(name) for name in ("run_id", *(column.name for column in columns.values())))
        into = f"COPY {self._named(RANKING)} ({names}) FROM STDIN (FORMAT csv)"
        with self._connection.cursor() as cursor:
            with cursor.copy(into.encode()) as copy:
                for block in lines:
                    copy.write(block)
            return cursor.rowcount

    def _named(self, table: str) -> str:
        return f"{named(self._schema)}.{named(table)}"

    def _do(self, text: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows; ``{runs}``, ``{ranking}`` and ``{current}`` are the tables."""
        tables = {"runs": RUNS, "ranking": RANKING, "current": CURRENT}
        names = {key: self._named(table).replace("%", "%%") for key, table in tables.items()}
        done = self._connection.execute(text.format(**names).encode(), values)
        return done.fetchall() if done.description else []


def _lines(run: Run, ranked: duckdb.DuckDBPyRelation, columns: Mapping[str, SqlColumn]) -> Iterator[bytes]:
    """The rows as CSV, some thousand at a time: text is quoted, null is nothing at all."""
    values = [f"'{run.run_id}' AS run_id"]
    for name, column in columns.items():
        value = named(name)
        if column.type == "text":
            value = f"replace(CAST({value} AS VARCHAR), chr(0), '')"  # PostgreSQL keeps no NUL in a text
        elif column.type.startswith(("timestamp", "date")):
            value = f"CAST({value} AS VARCHAR)"
        values.append(f"{value} AS {named(column.name)}")
    options = arrow_csv.WriteOptions(include_header=False)
    for batch in ranked.project(", ".join(values)).to_arrow_reader(_BATCH_ROWS):
        block = io.BytesIO()
        arrow_csv.write_csv(batch, block, options)
        yield block.getvalue()
