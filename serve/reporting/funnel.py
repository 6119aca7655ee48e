"""The files behind the page of the funnel: steps, the days they took, what happened by month, and the pool.

Days are kept as counts by tenths of a day: quartiles of a part of the leads can be told from them, which no
sum of quartiles could.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from features.funnel import LEAD, STEPS
from serve.reporting.names import AFTER, AT_ONCE, DAYS, FUNNEL, MONTHS, POOL
from serve.reporting.plan import FACTS, FAST_DAYS, LEADS, Plan, days

EVERY_STEP = (*STEPS, ("sql", "opportunity"), ("opportunity", "won"))


def write(connection: duckdb.DuckDBPyConnection, folder: Path, plan: Plan) -> None:
    """Write ``funnel.parquet``, ``funnel_days.parquet``, ``months.parquet`` and ``pool.parquet``.

    Parameters
    ----------
    connection
        Has `serve.reporting.plan.FACTS` and `serve.reporting.plan.LEADS`.
    """
    connection.execute(f"CREATE OR REPLACE TEMP TABLE _report_steps AS {_steps_sql(plan)}")
    for name, query in {FUNNEL: _FUNNEL, DAYS: _DAYS, MONTHS: _months_sql(), POOL: _POOL}.items():
        connection.sql(query).write_parquet(str(folder / name))
    connection.execute("DROP TABLE _report_steps")


def _steps_sql(plan: Plan) -> str:
    """Every lead that entered a step: ``is_mature``, ``is_converted``, and ``days`` if it is."""
    return " UNION ALL ".join(_step_sql(plan, place, *step) for place, step in enumerate(EVERY_STEP))


def _step_sql(plan: Plan, place: int, first: str, then: str) -> str:
    start, end = ("created_at" if stage == LEAD else f"{stage}_at" for stage in (first, then))
    is_converted = f"({plan.is_mature(start)} AND {plan.in_window(start, end)})"
    took = f"(epoch_us({end}) - epoch_us({start})) / 86400e6"
    return f"""
        SELECT {place} AS step, '{first}' AS from_stage, '{then}' AS to_stage, territory,
               {plan.is_mature(start)} AS is_mature, {is_converted} AS is_converted,
               CASE WHEN {is_converted} THEN round({took}, 1) END AS days
        FROM {LEADS} WHERE {start} IS NOT NULL
    """  # noqa: S608  # names of our own


def _months_sql() -> str:
    """What happened in each month: leads created, stages first reached, leads handed back."""
    reached = " UNION ALL ".join(
        f"SELECT territory, created_at, '{stage}' AS what, {stage}_at AS happened_at FROM {LEADS} "  # noqa: S608
        f"WHERE {stage}_at IS NOT NULL"
        for stage in ("mql", "sql", "opportunity", "won")
    )
    counts = ", ".join(
        f"count(*) FILTER (what = '{what}') AS {name}"
        for what, name in {
            "lead": "leads", **{name: name for name in ("mql", "sql", "opportunity", "won")},
            AT_ONCE: AT_ONCE, AFTER: AFTER,
        }.items()
    )  # fmt: skip
    return f"""
        WITH happened AS (
            SELECT territory, created_at, 'lead' AS what, created_at AS happened_at FROM {LEADS}
            UNION ALL {reached}
            UNION ALL
            SELECT territory, created_at, stage, occurred_at FROM {FACTS} JOIN {LEADS} USING (lead_id)
            WHERE stage IN ('{AT_ONCE}', '{AFTER}')
        )
        SELECT territory, date_trunc('month', happened_at)::DATE AS month, {counts},
               count(*) FILTER (what = 'won' AND happened_at < created_at + {days(FAST_DAYS)}) AS won_fast
        FROM happened GROUP BY ALL ORDER BY ALL
    """  # noqa: S608  # names of our own


_FUNNEL = """
    SELECT territory, step, from_stage, to_stage, count(*) AS entered,
           count(*) FILTER (is_mature) AS mature, count(*) FILTER (is_converted) AS converted
    FROM _report_steps GROUP BY ALL ORDER BY territory, step
"""
_DAYS = """
    SELECT territory, step, days, count(*) AS leads
    FROM _report_steps WHERE is_converted GROUP BY ALL ORDER BY ALL
"""
_POOL = f"""
    WITH latest AS (
        SELECT lead_id, last(stage ORDER BY occurred_at, place) AS status FROM {FACTS} GROUP BY lead_id
    )
    SELECT territory, coalesce(status, '{LEAD}') AS status, count(*) AS leads
    FROM {LEADS} LEFT JOIN latest USING (lead_id) WHERE is_there GROUP BY ALL ORDER BY ALL
"""  # noqa: S608  # names of our own
