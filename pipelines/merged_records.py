"""Which records of the table ``leads`` are one person's: those that the CRM has merged, over others too."""

# ruff: noqa: S608  # names go through named()

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from features.backend import engine, environment, workspace
from features.errors import ParameterError
from features.ingest import load
from features.ingest.sql import named
from pipelines.inputs import exporter, with_clicks
from pipelines.params import Params

_ALONE = "CREATE OR REPLACE TEMP TABLE _same AS FROM _asked"
_PAIRS = """
    CREATE OR REPLACE TEMP TABLE _pairs AS
    SELECT lead_id AS one, merged_into AS other FROM leads WHERE merged_into IS NOT NULL
    UNION ALL SELECT merged_into, lead_id FROM leads WHERE merged_into IS NOT NULL
"""
_MERGED = """
    CREATE OR REPLACE TEMP TABLE _same AS
    WITH RECURSIVE same(lead_id) AS (
        SELECT lead_id FROM _asked
        UNION SELECT _pairs.other FROM _pairs JOIN same ON _pairs.one = same.lead_id
    )
    SELECT lead_id FROM same
"""


@dataclass(frozen=True)
class Records:
    """What the table ``leads`` says of the leads.

    Attributes
    ----------
    ids
        Theirs, and those of all records that were merged with them.
    clicks
        Their click ids.
    there
        How many of ``ids`` the table has.
    """

    ids: frozenset[str]
    clicks: frozenset[str]
    there: int


def records_of(params: Params, home: Path, ids: frozenset[str]) -> Records:
    """Look leads up in their table, which is read without any tombstone.

    Raises
    ------
    ParameterError
        The table has no ids: its leads are called by their row.
    InputError, UpstreamError
        The table cannot be read.
    """
    leads = with_clicks(params)["leads"]
    clicks = {name: leads.fields[name] for name in sorted(set(params.ads.click_id.values()))}
    source = replace(leads, fields=clicks, outcome_column=None, order_column=None)
    with workspace(home) as backend, engine(params.engine.asked(home), backend, home) as computing:
        loaded = load(
            backend.con,
            {"leads": source},
            folder=home,
            generate_ids=True,
            environment=environment(),
            exporter=exporter(computing),
        )
        if "lead_id" in loaded.missing["leads"]:
            raise ParameterError(
                "the table 'leads' has no ids, and a row number names nobody",
                hint="declare its column lead_id; to erase here, remove the row and the folder of runs",
            )
        backend.con.execute("CREATE TEMP TABLE _asked AS SELECT unnest($1) AS lead_id", [sorted(ids)])
        same = _family(backend.con, has_merges="merged_into" in loaded.columns["leads"])
        return Records(
            ids | same,
            frozenset(value for name in clicks for value in _values(backend.con, name)),
            _rows(backend.con),
        )


def _family(connection: Any, *, has_merges: bool) -> frozenset[str]:
    """Ids of all records that became one another: the CRM says that they are the same person.

    The pairs are a table of their own because DuckDB 1.5 loses rows, three times in a hundred, where the
    recursive part of a query joins with a UNION.
    """
    if has_merges:
        connection.execute(_PAIRS)
    connection.execute(_MERGED if has_merges else _ALONE)
    return frozenset(lead_id for (lead_id,) in connection.execute("FROM _same").fetchall())


def _values(connection: Any, column: str) -> list[str]:
    found = connection.execute(
        f"SELECT DISTINCT {named(column)} FROM leads SEMI JOIN _same USING (lead_id) "
        f"WHERE {named(column)} IS NOT NULL"
    ).fetchall()
    return [str(value) for (value,) in found]


def _rows(connection: Any) -> int:
    return int(connection.execute("SELECT count(*) FROM leads SEMI JOIN _same USING (lead_id)").fetchone()[0])
