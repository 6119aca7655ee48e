"""The file on who was right: what people said of a lead, where the model had it then, and what became of it.

Of each lead counts what was first said for it (accepted, worked) and what was first said against it (handed
back, not a fit): by the rank and the chance of the ranking that people looked at. A lead may stand on both
sides. What became of it is a win from then on.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from serve.reporting.names import AGAINST, CHANCES, FOR, JUDGED, RANKS
from serve.reporting.plan import FACTS, LEADS, Plan

SAID = "feedback"
"""Table of all that was said: ``lead_id``, ``action``, ``said_at``, ``rank``, ``probability``, ``place``."""
SIDES = {"accept": FOR, "worked": FOR, "return": AGAINST, "not_a_fit": AGAINST}

_NOTHING = """(SELECT NULL::VARCHAR AS lead_id, NULL::VARCHAR AS action, NULL::TIMESTAMP AS said_at,
    NULL::BIGINT AS rank, NULL::DOUBLE AS probability, NULL::BIGINT AS place WHERE FALSE)"""


def write(connection: duckdb.DuckDBPyConnection, folder: Path, plan: Plan) -> None:
    """Write `JUDGED`; no rows where nobody has said anything.

    Parameters
    ----------
    connection
        Has `FACTS` and `LEADS`.
    """
    connection.sql(_sql(plan, SAID if SAID in plan.tables else _NOTHING)).write_parquet(str(folder / JUDGED))


def _sql(plan: Plan, said: str) -> str:
    side = " ".join(f"WHEN '{action}' THEN '{side}'" for action, side in SIDES.items())
    return f"""
        WITH told AS (
            SELECT lead_id, CASE action {side} END AS side, said_at, rank, probability
            FROM {said} AS feedback WHERE said_at < {plan.moment} AND action IN ('{"', '".join(SIDES)}')
            QUALIFY row_number() OVER (PARTITION BY lead_id, side ORDER BY said_at, feedback.place) = 1
        ), became AS (
            SELECT told.lead_id, side, min(occurred_at) AS sold_at
            FROM told JOIN {FACTS} AS facts ON facts.lead_id = told.lead_id AND facts.stage = 'won'
                 AND facts.occurred_at >= told.said_at
            GROUP BY ALL
        )
        SELECT territory, side, {_band("rank", RANKS, "<=")} AS rank_band,
               {_band("probability", CHANCES, ">=")} AS chance_band,
               count(*) AS leads, count(*) FILTER ({plan.is_mature("said_at")}) AS mature,
               count(*) FILTER ({plan.is_mature("said_at")} AND {plan.in_window("said_at", "sold_at")})
                   AS converted,
               count(sold_at) AS won
        FROM told JOIN {LEADS} USING (lead_id) LEFT JOIN became USING (lead_id, side)
        GROUP BY ALL ORDER BY ALL
    """  # noqa: S608  # names and numbers of our own


def _band(column: str, ends: tuple[float, ...], compare: str) -> str:
    """The SQL of the number of the band that a value lies in, 0 the best; null of no value."""
    cases = " ".join(f"WHEN {column} {compare} {end} THEN {number}" for number, end in enumerate(ends))
    return f"CASE WHEN {column} IS NULL THEN NULL {cases} ELSE {len(ends)} END"
