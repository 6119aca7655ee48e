"""What Ibis writes for warehouses that nobody here has, with names and types bound; and how to try one."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import count
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import sqlglot
from ibis.common.exceptions import IbisError
from sqlglot import exp
from sqlglot.errors import ErrorLevel
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from features.build import feature_table
from features.catalogue import Feature
from features.labels import Target, labels
from features.memory import current_features, scored
from features.snapshots import drawn_for, objecting, open_only, past_nights, tonight
from features.tables import CONTRACT, PERSONAL, Field
from tests.features.drawn import install
from tests.features.oracle.engines import Columns, built, differences, every
from tests.features.oracle.fit import FIELDS
from tests.features.random_history import COLUMNS, TONIGHT, WORDS, Rows, arrow, history

WAREHOUSES = ("bigquery", "snowflake", "databricks")
KINDS = {"text": pa.string(), "number": pa.float64(), "flag": pa.float64(), "timestamp": pa.timestamp("us")}
OWN = {**FIELDS, "leads": {**FIELDS["leads"], "opinion": Field("number", time="current")}}
"""With a field that only tonight's run reads."""


@cache
def chosen() -> tuple[Feature, ...]:
    """Every feature of a night."""
    return (*every(), *current_features(OWN))


@cache
def names() -> frozenset[str]:
    """What they are called."""
    return frozenset(feature.name for feature in chosen())


def unbound() -> dict[str, ir.Table]:
    """All tables with all columns that a load can leave, in no engine."""
    columns = {name: dict(of_history) for name, of_history in COLUMNS.items()}
    columns["leads"]["opinion"] = pa.float64()
    for name, table in CONTRACT.items():
        dropped = PERSONAL.get(name, ())
        known = {c: KINDS[kind.type] for c, kind in table.columns.items() if c not in dropped}
        columns[name] = {**known, **columns.get(name, {})}
    schemas = {name: ibis.Schema.from_pyarrow(pa.schema(list(of.items()))) for name, of in columns.items()}
    return {name: ibis.table(schema, name=name) for name, schema in schemas.items()}


@cache
def asked() -> dict[str, ir.Table]:
    """Every query of a night and of a training by name, each after those that it reads."""
    tables, queries = unbound(), {}

    def keep(table: ir.Table) -> ir.Table:
        name = f"kept_{len(queries)}"
        queries[name] = table
        return ibis.table(table.schema(), name=name)

    leads, outcomes, snapshots = (tables[name] for name in ("leads", "outcomes", "snapshots"))
    nights = [TONIGHT - timedelta(days=days) for days in (14, 7, 0)]
    targets = [Target("won", 90), Target("mql", 30)]
    features = scored(snapshots, tables, chosen(), OWN, WORDS, is_now=True, keep=keep)
    return {
        **queries,
        "features": features,
        "tonight": tonight(leads, outcomes, TONIGHT),
        "objecting": objecting(leads, outcomes, TONIGHT),
        "past_nights": past_nights(leads, outcomes, nights, max_per_lead=4),
        "drawn_for": drawn_for(open_only(snapshots.select("lead_id", "as_of"), outcomes), max_per_lead=4),
        "labels": labels(snapshots, outcomes, targets, known_at=TONIGHT, reporting_delay_days=3),
    }


@dataclass(frozen=True)
class Read:
    """A query as it was written for a warehouse, and as it was read back.

    Attributes
    ----------
    columns
        The names of its columns in the SQL by ours: BigQuery takes no brackets, so Ibis writes others.
    tree
        With each name bound to a column, and with types.
    """

    name: str
    columns: Mapping[str, str]
    tree: exp.Expression

    def told_by(self, node: exp.Expression) -> frozenset[str]:
        """The features whose column a part of the query computes; all of the query if it is none of theirs.

        A query without features stands for itself.
        """
        alias = node.find_ancestor(exp.Alias)
        ours = {ours for ours, theirs in self.columns.items() if alias and theirs == alias.alias}
        return names() & ours or names() & set(self.columns) or frozenset({self.name})


@dataclass(frozen=True)
class Written:
    """What became of all queries.

    Attributes
    ----------
    queries
        Those that could be written and read back.
    unwritten
        The reason by name, for the others.
    warnings
        What sqlglot said while it wrote: it warns where a dialect has no such thing.
    """

    queries: tuple[Read, ...]
    unwritten: Mapping[str, str]
    warnings: tuple[str, ...]


@contextmanager
def heard() -> Iterator[list[str]]:
    """What sqlglot logs meanwhile."""
    lines: list[str] = []
    log, handler = logging.getLogger("sqlglot"), logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    log.addHandler(handler)
    try:
        yield lines
    finally:
        log.removeHandler(handler)


def types(table: ir.Table, warehouse: str) -> list[str]:
    """What the warehouse calls the types of the columns."""
    return [column.kind.sql(warehouse) for column in table.schema().to_sqlglot_column_defs(warehouse)]


def read_back(name: str, query: ir.Table, warehouse: str, schema: MappingSchema) -> Read:
    """Write a query, parse it in the warehouse's dialect, bind its names and find out its types.

    The schema learns the columns of the query: later ones read them.
    """
    sql = str(ibis.to_sql(query, dialect=warehouse, pretty=False))
    (tree,) = sqlglot.parse(sql, read=warehouse, error_level=ErrorLevel.RAISE)
    bound = qualify(tree, schema=schema, dialect=warehouse, infer_schema=False)
    columns = dict(zip(query.columns, bound.named_selects, strict=True))
    schema.add_table(name, dict(zip(columns.values(), types(query, warehouse), strict=True)))
    return Read(name, columns, annotate_types(bound, schema=schema, dialect=warehouse))


@cache
def written(warehouse: str) -> Written:
    """All queries for one warehouse."""
    schema = MappingSchema(dialect=warehouse, normalize=False)
    for name, table in unbound().items():
        schema.add_table(name, dict(zip(table.columns, types(table, warehouse), strict=True)))
    queries, unwritten = [], {}
    with heard() as warnings:
        for name, query in asked().items():
            try:
                queries.append(read_back(name, query, warehouse, schema))
            except IbisError as error:
                unwritten[name] = str(error)
    return Written(tuple(queries), unwritten, tuple(warnings))


def found(warehouse: str, *kinds: type[exp.Expression]) -> Iterator[tuple[exp.Expression, frozenset[str]]]:
    """Each part of such a kind of all queries, and the features that it computes."""
    for query in written(warehouse).queries:
        for node in query.tree.find_all(*kinds):
            yield node, query.told_by(node)


def spelled(name: str, warehouse: str) -> str:
    """What a column is called there: a name on BigQuery has no brackets and no dot."""
    return re.sub(r"[\[.\]]+", "_", name.rstrip("]")) if warehouse == "bigquery" else name


def in_steps(
    rows: dict[str, Rows],
    asked_for: Collection[Feature],
    make: Callable[[str, ir.Table], object],
    fetch: Callable[[ir.Table], Columns],
) -> Columns:
    """The feature table of rows that stand in an engine, where Ibis itself can keep nothing.

    Parameters
    ----------
    make
        Makes a table of that name from a query.
    fetch
        The rows of a query, by column.
    """
    numbers = count()

    def keep(table: ir.Table) -> ir.Table:
        name = f"of_warehouse_{next(numbers)}"
        make(name, table)
        return ibis.table(table.schema(), name=name)  # as we call its columns, and not as the engine does

    schemas = {name: ibis.Schema.from_pyarrow(table.schema) for name, table in arrow(rows).items()}
    tables = {name: ibis.table(schema, name=name) for name, schema in schemas.items()}
    table = feature_table(tables["snapshots"], tables, asked_for, FIELDS, WORDS, keep=keep)
    return fetch(table.order_by("snapshot_id"))


def differing(engine: Any, *, leave_out: Collection[str] = ()) -> list[tuple[str, int, Any, Any]]:
    """Where an Ibis backend and DuckDB differ on a random history: feature, row, here, there.

    It leaves its tables behind, and replaces those that are called like them.

    Parameters
    ----------
    leave_out
        Names of features that are not asked for.
    """
    rows, asked_for = history(5), [feature for feature in every() if feature.name not in leave_out]
    install(engine, **arrow(rows))
    theirs = in_steps(
        rows,
        asked_for,
        make=lambda name, table: engine.create_table(name, table, overwrite=True),
        fetch=lambda table: engine.to_pyarrow(table).to_pydict(),
    )
    return differences(built(ibis.duckdb.connect(), rows, asked_for), theirs)
