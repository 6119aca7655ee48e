"""The files behind the page of sources: leads by territory, source, campaign and month, and what was spent.

What was spent has no territory: it is the company's. Whoever sees a part of the leads is told no cost.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from features.funnel import STAGES
from serve.reporting.names import SOURCES, SPEND
from serve.reporting.plan import LEADS, Plan, days, exact


def write(connection: duckdb.DuckDBPyConnection, folder: Path, plan: Plan) -> None:
    """Write ``sources.parquet`` and ``spend.parquet``.

    Parameters
    ----------
    connection
        Has `serve.reporting.plan.LEADS`, and ``_ranking``: tonight's.
    """
    connection.sql(_sources_sql(plan)).write_parquet(str(folder / SOURCES))
    connection.sql(_spend_sql(plan)).write_parquet(str(folder / SPEND))


def _sources_sql(plan: Plan) -> str:
    reached = ", ".join(f"count({stage}_at) AS {stage}" for stage in STAGES)
    converted = ", ".join(
        f"count(*) FILTER (is_mature AND {plan.in_window('created_at', f'{stage}_at')}) AS mature_{stage}"
        for stage in STAGES
    )
    return f"""
        SELECT territory, source, campaign, month,
               {plan.is_mature("(month + INTERVAL 1 MONTH)")} AS is_mature,
               count(*) AS leads, count(*) FILTER (is_mature) AS mature, {reached}, {converted},
               {exact("amount")} AS amount_won, count(_ranking.lead_id) AS open,
               {exact("probability")} AS expected_wins, {exact("expected_value")} AS expected_value
        FROM {LEADS} LEFT JOIN _ranking USING (lead_id)
        GROUP BY territory, source, campaign, month ORDER BY territory, source, campaign, month
    """  # noqa: S608  # names of our own


def _spend_sql(plan: Plan) -> str:
    """Spend of a day bought the leads of that day: it is mature when they are."""
    if "spend" not in plan.tables:
        return _NO_SPEND
    source, campaign = (
        name if plan.has("spend", name) else "NULL::VARCHAR" for name in ("source", "campaign")
    )
    day = "date_trunc('day', date)"
    return f"""
        SELECT {source} AS source, {campaign} AS campaign, date_trunc('month', date)::DATE AS month,
               {exact("cost")} AS cost,
               coalesce({exact("cost", plan.is_mature(f"{day} + {days(1)}"))}, 0) AS cost_mature
        FROM spend WHERE date < {plan.moment} GROUP BY ALL ORDER BY ALL
    """  # noqa: S608  # names of our own


_NO_SPEND = """
    SELECT NULL::VARCHAR AS source, NULL::VARCHAR AS campaign, NULL::DATE AS month, NULL::DOUBLE AS cost,
           NULL::DOUBLE AS cost_mature WHERE FALSE
"""
