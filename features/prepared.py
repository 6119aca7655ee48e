"""Queries over few rows, planned once: the same expressions as at night, written down and kept by DuckDB.

Planning a feature query takes far longer than answering it for one lead. So the tables of a question stand
there empty, the queries are prepared against them, and a question is one transaction: its rows are put in,
the queries run, and all is rolled back. Nothing of a question stays.
"""

# ruff: noqa: S608  # names are quoted, and rows are never written into SQL

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from features.build import Keep
from features.chosen import of_values
from features.ingest.sql import named

Queries: TypeAlias = Callable[[Mapping[str, ir.Table], Keep], Mapping[str, ir.Table]]
"""From the tables to the answers by name; what several of them read goes through ``keep``."""

_BY_STATISTICS = "statistics_propagation,compressed_materialization"
"""Optimizers that believe what a table held when the query was planned: here it held nothing."""
_FOR_MANY = "in_clause"
"""It makes a join of a list of texts, which takes longer to set up than few rows to compare."""


@dataclass(frozen=True)
class Made:
    """A table whose rows come in another shape.

    Attributes
    ----------
    given
        Schema of the rows that come.
    query
        SQL that makes the rows of the table from those that come, which it reads under the table's name.
    """

    given: pa.Schema
    query: str


class _Given:
    """Rows that a prepared statement scans: other ones at each question."""

    def __init__(self, schema: pa.Schema) -> None:
        self.names = schema.names
        self.rows = schema.empty_table()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.rows.__arrow_c_stream__(requested_schema)


def empty_table(name: str, schema: pa.Schema) -> ir.Table:
    """A table of which only the columns are known."""
    return ibis.table(ibis.Schema.from_pyarrow(schema), name=name)


class Prepared:
    """Queries ready to be asked; one question at a time.

    Parameters
    ----------
    backend
        Ibis DuckDB backend that nobody else uses.
    tables
        Arrow schema of each table.
    queries
        What is asked of them.
    made
        Those of the tables whose rows come in another shape.
    """

    def __init__(
        self,
        backend: Any,
        tables: Mapping[str, pa.Schema],
        queries: Queries,
        made: Mapping[str, Made] | None = None,
    ) -> None:
        self._connection = backend.con
        made = made or {}
        self._given = {n: _Given(made[n].given if n in made else schema) for n, schema in tables.items()}
        self._connection.execute("SET threads = 1")  # few rows: threads would only wait for each other
        self._connection.execute(f"SET disabled_optimizers = '{_BY_STATISTICS},{_FOR_MANY}'")
        for name, schema in tables.items():
            self._connection.register("_empty", schema.empty_table())
            self._connection.execute(f"CREATE TABLE {named(name)} AS SELECT * FROM _empty")
            self._connection.unregister("_empty")
            self._connection.register(f"_given_{name}", self._given[name])
        kept: dict[str, str] = {}

        def keep(table: ir.Table) -> ir.Table:
            name = f"_kept_{len(kept)}"
            kept[name] = backend.compile(of_values(table))
            self._connection.execute(f"CREATE TABLE {name} AS {kept[name]}")
            return backend.table(name)

        asked = queries({name: backend.table(name) for name in tables}, keep)
        written = {name: backend.compile(of_values(query)) for name, query in asked.items()}
        # All tables stand before anything is prepared: a new one would make DuckDB plan everything anew.
        for name in tables:
            rows = f"SELECT * FROM {named('_given_' + name)}"
            query = (
                f"WITH {named(name)} AS MATERIALIZED ({rows}) {made[name].query}" if name in made else rows
            )
            self._connection.execute(f"PREPARE {named('in_' + name)} AS INSERT INTO {named(name)} {query}")
        for name, sql in kept.items():
            self._connection.execute(f"PREPARE fill{name} AS INSERT INTO {name} {sql}")
        for name, sql in written.items():
            self._connection.execute(f"PREPARE {named(name)} AS {sql}")
        self._steps, self._queries = [f"fill{name}" for name in kept], tuple(written)

    def answer(self, given: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
        """The answers of all queries, by name.

        Parameters
        ----------
        given
            Rows by table, with its columns in any order; a table that is not named has none.
        """
        self._connection.execute("BEGIN")
        try:
            for name, rows in given.items():
                if rows.num_rows:
                    self._given[name].rows = rows.select(self._given[name].names)
                    self._connection.execute(f"EXECUTE {named('in_' + name)}")
            for step in self._steps:
                self._connection.execute(f"EXECUTE {step}")
            return {name: self._asked(name) for name in self._queries}
        finally:
            self._connection.execute("ROLLBACK")
            for name in given:
                self._given[name].rows = self._given[name].rows.slice(0, 0)

    def _asked(self, name: str) -> pa.Table:
        return self._connection.execute(f"EXECUTE {named(name)}").to_arrow_table()
