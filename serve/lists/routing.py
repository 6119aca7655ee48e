"""Which list each ranked lead stands on: its owner's, the next rep's, or the pool of its territory.

Every lead stands on one list. A list of a rep takes his leads; the pool of a territory takes those without an
owner, and its calls are what the territory's reps have left.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import duckdb
import pyarrow as pa

from features.errors import ParameterError
from features.history import MICROSECONDS_PER_DAY
from serve.lists.capacity import Capacity

WORK = ("touches", "outcomes", "field_history")
"""Tables that say when a lead was last worked."""


def check(tables: Mapping[str, Collection[str]], capacity: Capacity) -> None:
    """Refuse to recycle leads where nobody can know what was worked.

    Parameters
    ----------
    tables
        Columns by table.

    Raises
    ------
    ParameterError
        ``recycle_days`` is set, and touches have no ``direction``.
    """
    if capacity.recycle_days is not None and "direction" not in tables.get("touches", ()):
        raise ParameterError(
            "capacity.recycle_days needs the column 'direction' of 'touches', which is not there",
            hint="map it under tables.touches.mapping, or set capacity.recycle_days to null",
        )


def route(
    connection: duckdb.DuckDBPyConnection,
    capacity: Capacity,
    *,
    as_of: str,
    tables: Mapping[str, Collection[str]],
) -> None:
    """Make the tables ``_reps``, ``_members`` and ``_lists``.

    Parameters
    ----------
    connection
        Has ``_priced`` (`serve.lists.pricing.priced_sql`) and the loaded tables.
    as_of
        The moment, UTC without a zone, as ISO 8601.
    tables
        Columns of the loaded tables.

    Notes
    -----
    ``_reps``: ``owner``, ``calls``, ``territory``. ``_members``: ``list``, ``owner`` (null on the list of a
    pool), ``territory`` of the lead, ``pool`` (the territory whose reps it may go to), ``is_recycled``, and
    the columns of ``_priced``. ``_lists``: ``list``, ``calls`` (at most so many are chosen), ``members``.
    """
    schema = pa.schema({"owner": pa.string(), "calls": pa.int64()})
    named = pa.table({"owner": [*capacity.owners], "calls": [*capacity.owners.values()]}, schema)
    schema = pa.schema({"owner": pa.string(), "territory": pa.string()})
    at = capacity.territories
    placed = pa.table({"owner": [*at], "territory": [*at.values()]}, schema)
    connection.register("_named", named)
    connection.register("_placed", placed)
    for name, query in {
        "_routed": _leads_sql(tables, capacity.recycle_days, as_of),
        "_reps": _reps_sql(capacity.calls_per_owner),
        "_members": _MEMBERS,
        "_lists": _LISTS,
    }.items():
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")
    connection.unregister("_named")
    connection.unregister("_placed")


def _leads_sql(tables: Mapping[str, Collection[str]], recycle_days: float | None, as_of: str) -> str:
    """The priced leads with owner, territory and ``turns``: how often each has been handed on."""
    owner, territory = (
        f"leads.{name}" if name in tables["leads"] else "NULL::VARCHAR" for name in ("owner", "territory")
    )
    if recycle_days is None:
        return f"""
            SELECT _priced.*, {owner} AS owner, {territory} AS territory, 0 AS turns
            FROM _priced LEFT JOIN leads USING (lead_id)
        """  # noqa: S608  # names of our own
    moment, recycle_us = f"TIMESTAMP '{as_of}'", recycle_days * MICROSECONDS_PER_DAY
    idle_us = f"epoch_us({moment}) - epoch_us(greatest(leads.created_at, worked.worked_at))"
    return f"""
        SELECT _priced.*, {owner} AS owner, {territory} AS territory,
               coalesce(floor(({idle_us}) / {recycle_us}), 0)::BIGINT AS turns
        FROM _priced LEFT JOIN leads USING (lead_id) LEFT JOIN (
            SELECT lead_id, max(occurred_at) AS worked_at
            FROM ({_worked_sql(tables, moment)}) GROUP BY lead_id
        ) AS worked USING (lead_id)
    """  # noqa: S608  # names of our own


def _worked_sql(tables: Mapping[str, Collection[str]], moment: str) -> str:
    """Moments at which somebody of the team touched a lead, moved it, or gave it another owner."""
    of_table = {
        "touches": "SELECT lead_id, occurred_at, recorded_at FROM touches WHERE direction = 'out'",
        "outcomes": "SELECT lead_id, occurred_at, recorded_at FROM outcomes",
        "field_history": "SELECT lead_id, changed_at AS occurred_at, recorded_at FROM field_history "
        "WHERE field = 'owner'",
    }
    facts = " UNION ALL ".join(of_table[name] for name in WORK if name in tables)
    is_known = f"occurred_at < {moment} AND recorded_at < {moment}"
    return f"SELECT lead_id, occurred_at FROM ({facts}) WHERE {is_known}"  # noqa: S608  # names of our own


def _reps_sql(calls_per_owner: int | None) -> str:
    """Owners of ranked leads and those that were named, with calls and territory.

    Where nobody is named anywhere, one rep without a name calls everybody's leads.
    """
    usual = "NULL::BIGINT" if calls_per_owner is None else str(calls_per_owner)
    return f"""
        WITH found AS (
            SELECT owner FROM _routed WHERE owner IS NOT NULL
            UNION SELECT owner FROM _named UNION SELECT owner FROM _placed
        ), counted AS (
            SELECT owner, territory, count(*) AS leads FROM _routed
            WHERE owner IS NOT NULL AND territory IS NOT NULL GROUP BY owner, territory
        ), most AS (
            SELECT owner, first(territory ORDER BY leads DESC, territory) AS territory
            FROM counted GROUP BY owner
        ), reps AS (
            SELECT owner, coalesce(_named.calls, {usual}) AS calls, _placed.territory AS stated,
                   coalesce(_placed.territory, most.territory) AS territory
            FROM found LEFT JOIN _named USING (owner) LEFT JOIN _placed USING (owner)
                 LEFT JOIN most USING (owner)
        )
        SELECT * FROM reps WHERE calls IS NOT NULL
        UNION ALL SELECT NULL, {usual}, NULL, NULL
        WHERE NOT EXISTS (FROM found) AND {usual} IS NOT NULL
    """  # noqa: S608  # a number of ours


_MEMBERS = """
    WITH known AS (  -- leads of an owner without a list are his own affair
        SELECT _routed.*,
               CASE WHEN EXISTS (FROM _reps WHERE owner IS NOT NULL) THEN _routed.territory END AS pool,
               _routed.owner IS NULL OR _reps.calls = 0
                   OR (_reps.stated IS NOT NULL AND _routed.territory IS DISTINCT FROM _reps.stated)
                   AS is_pooled
        FROM _routed LEFT JOIN _reps ON _reps.owner = _routed.owner
        WHERE _routed.owner IS NULL OR _reps.owner IS NOT NULL
    ), turned AS (  -- null: it stays; a condition of one side in a join would compare every pair
        SELECT *, CASE WHEN turns > 0 AND NOT is_pooled THEN owner END AS handed_by FROM known
    ), circle AS (
        SELECT owner, territory, row_number() OVER (PARTITION BY territory ORDER BY owner) - 1 AS place
        FROM _reps WHERE calls > 0 AND owner IS NOT NULL
    ), handed AS (  -- from whom, and how many reps there are to go round
        SELECT handed_by, pairs.territory, count(*) AS reps,
               count(*) FILTER (circle.owner <= handed_by) - 1 AS place
        FROM (SELECT DISTINCT handed_by, territory FROM turned WHERE handed_by IS NOT NULL) AS pairs
             JOIN circle ON circle.territory IS NOT DISTINCT FROM pairs.territory
        GROUP BY handed_by, pairs.territory
    ), called AS (
        SELECT turned.* EXCLUDE (owner),
               CASE WHEN is_pooled THEN NULL ELSE coalesce(circle.owner, turned.owner) END AS owner,
               coalesce(circle.owner <> turned.owner, FALSE) AS is_recycled
        FROM turned
             LEFT JOIN handed ON handed.handed_by = turned.handed_by
                 AND handed.territory IS NOT DISTINCT FROM turned.territory
             LEFT JOIN circle ON circle.territory IS NOT DISTINCT FROM handed.territory
                 AND circle.place = (handed.place + turns) % handed.reps
    )
    SELECT CASE WHEN owner IS NULL THEN 'pool:' || coalesce(pool, '') ELSE 'rep:' || owner END AS list,
           owner, territory, pool, is_recycled, lead_id, rank, probability, probability_low, probability_high,
           value, worth
    FROM called
"""
_LISTS = """
    WITH counted AS (
        SELECT list, any_value(owner) AS owner, count(*) AS members FROM _members GROUP BY list
    ), of_reps AS (
        SELECT 'rep:' || _reps.owner AS list, _reps.calls, coalesce(counted.members, 0) AS members,
               _reps.territory
        FROM _reps LEFT JOIN counted ON counted.owner = _reps.owner
    ), of_pools AS (
        SELECT 'pool:' || coalesce(territory, '') AS list, sum(greatest(calls - members, 0)) AS calls
        FROM of_reps GROUP BY territory
    )
    SELECT list, calls, members FROM of_reps WHERE list IS NOT NULL
    UNION ALL
    SELECT counted.list, coalesce(of_pools.calls, 0)::BIGINT, counted.members
    FROM counted LEFT JOIN of_pools USING (list) WHERE counted.owner IS NULL
"""
