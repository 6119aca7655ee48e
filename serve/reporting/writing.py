"""Write the reports of a night: small tables by territory, which a reader sums over what he may see."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

from features.funnel import STAGES
from serve.reporting import attribution, funnel, holdout, judged, leads, sources, team
from serve.reporting.names import ABOUT, FOLDER, RULES
from serve.reporting.plan import LEAST_CONVERSIONS, LEAST_LEADS, PERIOD_DAYS, Plan
from serve.runs import Run


def write(connection: duckdb.DuckDBPyConnection, staged: Path, plan: Plan, *, previous: Run | None) -> None:
    """Write the folder ``reports`` of a staged run.

    Parameters
    ----------
    connection
        Has the loaded tables. Where no lead has a moment of creation, or there are no outcomes, only
        ``about.json`` is written.
    staged
        Folder of tonight's run, with its ranking, its ledger and its lists.
    previous
        The run that the ledger compares with; None without one.
    """
    folder = staged / FOLDER
    folder.mkdir(exist_ok=True)
    if plan.is_dated:
        _make_ranking(connection, staged)
        leads.make(connection, plan)
        sources.write(connection, folder, plan)
        attribution.write(connection, folder, plan)
        funnel.write(connection, folder, plan)
        team.write(connection, staged, folder, plan, previous)
        judged.write(connection, folder, plan)
        holdout.write(connection, staged, folder, plan)
        leads.drop(connection)
        connection.execute("DROP TABLE _ranking")
    about = json.dumps(_about(plan), indent=2, sort_keys=True)
    (folder / ABOUT).write_text(about, encoding="utf-8")


def _make_ranking(connection: duckdb.DuckDBPyConnection, staged: Path) -> None:
    """Make ``_ranking``: tonight's leads with probability and expected value, null where there is none."""
    ranking = connection.read_parquet(str(staged / "ranking.parquet"))
    columns = ", ".join(
        name if name in ranking.columns else f"NULL::DOUBLE AS {name}"
        for name in ("lead_id", "probability", "expected_value")
    )
    connection.register("_published", ranking.project(columns))
    connection.execute("CREATE OR REPLACE TEMP TABLE _ranking AS FROM _published")
    connection.unregister("_published")


def _about(plan: Plan) -> dict[str, object]:
    """By what was counted: a reader says it beside the figures."""
    experiment = {} if plan.holdout_share is None else {"holdout_share": plan.holdout_share}
    return {
        **experiment,
        "as_of": plan.as_of,
        "is_dated": plan.is_dated,
        "stages": list(STAGES),
        "window_days": plan.window_days,
        "reporting_delay_days": plan.delay_days,
        "sla_hours": plan.sla_hours,
        "returned_days": plan.returned_days,
        "half_life_days": plan.half_life_days,
        "period_days": PERIOD_DAYS,
        "least_leads": LEAST_LEADS,
        "least_conversions": LEAST_CONVERSIONS,
        "has_spend": "spend" in plan.tables,
        "has_direction": plan.has("touches", "direction"),
        "channels": list(attribution.channels_of(plan)),
        "rules": list(RULES),
    }
