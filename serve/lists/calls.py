"""The call list: for each rep the leads to call next, as many as the day has room for.

Leads find their list (`serve.lists.routing`), a list its calls (`serve.lists.exploring`), and what a pool
gives is dealt to the reps of its territory in turn, the best first.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import duckdb

from serve.lists.call_totals import write_totals
from serve.lists.capacity import Capacity
from serve.lists.exploring import chosen_sql
from serve.lists.holdout import Holdout, choose
from serve.lists.pricing import priced_sql, valued_by
from serve.lists.routing import route
from serve.spreadsheet import write_csv

CALLS = "calls.parquet"
SCRATCH = ("_priced", "_routed", "_reps", "_members", "_lists", "_chosen", "_calls")


def write_calls(
    connection: duckdb.DuckDBPyConnection,
    staged: Path,
    capacity: Capacity,
    *,
    as_of: str,
    seed: int,
    ranked_by: str,
    tables: Mapping[str, Collection[str]],
    holdout: Holdout | None = None,
) -> None:
    """Write ``calls.parquet``, ``calls.csv`` and ``call_totals.parquet`` from the staged ranking.

    Parameters
    ----------
    connection
        Has the loaded tables; of ``leads`` the columns ``owner`` and ``territory`` are used where they are.
    staged
        Folder of tonight's run, with ``ranking.parquet``.
    as_of
        The moment, UTC without a zone, as ISO 8601; its day and ``seed`` are what the draws depend on.
    ranked_by
        ``model`` or ``scorecard``: without a model a call is valued by points and nobody expects wins.
    tables
        Columns of the loaded tables.
    holdout
        The experiment that runs tonight; None: the ranking steers every lead.
    """
    connection.register("_ranking", connection.read_parquet(str(staged / "ranking.parquet")))
    columns = [name for name, *_ in connection.execute("DESCRIBE _ranking").fetchall()]
    by = valued_by(columns, ranked_by)
    _make(connection, "_priced", priced_sql(by))
    route(connection, capacity, as_of=as_of, tables=tables)
    if holdout is None:
        chosen = chosen_sql(capacity.explore_share, seed=seed, day=as_of[:10])
        _make(connection, "_chosen", f"SELECT *, FALSE AS is_control FROM ({chosen})")  # noqa: S608  # ours
    else:
        share, known = capacity.explore_share, tables["leads"]
        choose(connection, holdout, share, seed=seed, day=as_of[:10], columns=known)
    _make(connection, "_calls", _CALLS)
    connection.table("_calls").order("owner, place").write_parquet(str(staged / CALLS))
    write_csv(connection.read_parquet(str(staged / CALLS)).order("owner, place"), staged / "calls.csv")
    write_totals(connection, staged, valued_by=by)
    connection.unregister("_ranking")
    for name in SCRATCH:
        connection.execute(f"DROP TABLE {name}")


def _make(connection: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")


_CALLS = """
    WITH own AS (SELECT owner, count(*) AS calls FROM _chosen WHERE is_called GROUP BY owner),
    pooled AS (
        SELECT *, row_number() OVER (
            PARTITION BY pool ORDER BY worth DESC NULLS LAST, rank) AS turn
        FROM _chosen WHERE is_called AND owner IS NULL
    ), slots AS (  -- round after round, so that no rep of a territory has all of the best
        SELECT owner, territory, row_number() OVER (PARTITION BY territory ORDER BY round, owner) AS turn
        FROM (
            SELECT _reps.owner, _reps.territory,
                   unnest(range(least(_reps.calls - coalesce(own.calls, 0), needed.leads))) AS round
            FROM _reps LEFT JOIN own ON own.owner = _reps.owner
                 JOIN (SELECT pool, count(*) AS leads FROM pooled GROUP BY pool) AS needed
                 ON needed.pool IS NOT DISTINCT FROM _reps.territory
        )
    ), called AS (
        SELECT * FROM _chosen WHERE is_called AND owner IS NOT NULL
        UNION ALL BY NAME
        SELECT pooled.* EXCLUDE (owner, turn), slots.owner
        FROM pooled JOIN slots
             ON slots.territory IS NOT DISTINCT FROM pooled.pool AND slots.turn = pooled.turn
    ), ordered AS (
        SELECT *, row_number() OVER (PARTITION BY owner ORDER BY worth DESC NULLS LAST, rank) AS turn
        FROM (SELECT * EXCLUDE (place) FROM called)
    )
    SELECT owner, territory, turn AS place, lead_id, probability, value,
           CASE WHEN is_control THEN 'control' WHEN is_drawn THEN 'explore'
                WHEN is_recycled THEN 'recycled' ELSE 'best' END AS why,
           selection_probability,
           sum(probability) OVER (PARTITION BY owner ORDER BY turn) AS expected_wins,
           probability_low, probability_high
    FROM ordered
"""
