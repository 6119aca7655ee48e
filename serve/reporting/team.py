"""The files behind the page of the team: what is on each desk tonight, and the results of two periods.

A row is a territory and an owner as the leads have them tonight: who had a lead before is not told. So the
sums over some territories hold nothing of the others, though a rep may have leads in both.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from serve.batch import LEDGER
from serve.lists.calls import CALLS
from serve.reporting.names import AFTER, AT_ONCE, BEFORE, HOURS, LAST, RESULTS, TEAM
from serve.reporting.plan import FACTS, LEADS, PERIOD_DAYS, Plan, days, exact
from serve.runs import Run

ACCEPTED = ("accepted", "sql")
"""Stages by which sales accepts a lead."""
MOST_HOURS = 24 * 14
"""Slower answers are counted as this: a fortnight."""
SCRATCH = ("_report_clocks", "_report_calls", "_report_moved", "_report_left")


def write(
    connection: duckdb.DuckDBPyConnection, staged: Path, folder: Path, plan: Plan, previous: Run | None
) -> None:
    """Write ``team.parquet``, ``team_results.parquet`` and ``team_hours.parquet``.

    Parameters
    ----------
    connection
        Has `serve.reporting.plan.FACTS`, `serve.reporting.plan.LEADS` and ``_ranking``.
    staged
        Folder of tonight's run, with its ledger and, where there is one, its call list.
    previous
        The run that the ledger compares with; None: nothing is said of movement.
    """
    for name, query in {
        "_report_calls": _calls_sql(staged),
        "_report_moved": _moved_sql(staged),
        "_report_left": _left_sql(previous),
        "_report_clocks": _clocks_sql(connection, plan),
    }.items():
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")
    for name, query in {
        TEAM: _team_sql(has_before=previous is not None),
        RESULTS: _results_sql(plan),
        HOURS: _HOURS,
    }.items():
        connection.sql(query).write_parquet(str(folder / name))
    for name in SCRATCH:
        connection.execute(f"DROP TABLE {name}")


def _calls_sql(staged: Path) -> str:
    """Calls of tonight by rep and by territory of the lead."""
    file = staged / CALLS
    if not file.exists():
        return "SELECT NULL::VARCHAR AS territory, NULL::VARCHAR AS owner, 0 AS calls WHERE FALSE"
    return f"SELECT territory, owner, count(*) AS calls FROM read_parquet('{_quoted(file)}') GROUP BY ALL"  # noqa: S608


def _moved_sql(staged: Path) -> str:
    return f"SELECT lead_id, change FROM read_parquet('{_quoted(staged / LEDGER)}')"  # noqa: S608


def _left_sql(previous: Run | None) -> str:
    """Leads of the run before."""
    if previous is None:
        return "SELECT NULL::VARCHAR AS lead_id WHERE FALSE"
    return f"SELECT lead_id FROM read_parquet('{_quoted(previous.folder / 'ranking.parquet')}')"  # noqa: S608


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _clocks_sql(connection: duckdb.DuckDBPyConnection, plan: Plan) -> str:
    """Since when each lead waits for a touch of ours, and when it got the first one.

    The clock starts when a lead becomes marketing-qualified; where nobody records that, when it is created.
    """
    has_mql = connection.execute(f"SELECT count(mql_at) > 0 FROM {LEADS}").fetchone()  # noqa: S608  # our own
    start = "mql_at" if has_mql and has_mql[0] else "created_at"
    touched = "SELECT NULL::VARCHAR AS lead_id, NULL::TIMESTAMP AS touched_at WHERE FALSE"
    if plan.has("touches", "direction"):
        touched = f"""
            SELECT lead_id, min(touches.occurred_at) AS touched_at
            FROM {plan.touches} AS touches JOIN {LEADS} USING (lead_id)
            WHERE {plan.is_ours("touches")} AND {plan.is_known("touches")} AND touches.occurred_at >= {start}
            GROUP BY lead_id
        """  # noqa: S608  # names of our own
    return f"""
        SELECT territory, owner, {_period("started_at", plan)} AS period, started_at,
               coalesce(touched_at <= due_at, FALSE) AS is_in_time,
               touched_at IS NULL AND due_at >= {plan.moment} AS is_waiting,
               (epoch_us(touched_at) - epoch_us(started_at)) / 3600e6 AS hours
        FROM (
            SELECT territory, owner, lead_id, {start} AS started_at,
                   {start} + {days(plan.sla_hours / 24)} AS due_at
            FROM {LEADS} WHERE {start} IS NOT NULL
        ) LEFT JOIN ({touched}) USING (lead_id)
        WHERE {_period("started_at", plan)} IS NOT NULL AND {plan.has("touches", "direction")}
    """  # noqa: S608  # names of our own


def _period(column: str, plan: Plan) -> str:
    """The SQL of which period a moment lies in; null for neither."""
    return (
        f"CASE WHEN {column} >= {plan.moment} - {days(PERIOD_DAYS)} THEN '{LAST}' "
        f"WHEN {column} >= {plan.moment} - {days(2 * PERIOD_DAYS)} THEN '{BEFORE}' END"
    )


def _team_sql(*, has_before: bool) -> str:
    said = "" if has_before else 'NULL::BIGINT AS "both", NULL::BIGINT AS new, NULL::BIGINT AS departed, '
    moved = (
        'count(*) FILTER (is_now AND was) AS "both", count(*) FILTER (is_now AND NOT was) AS new, '
        "count(*) FILTER (was AND NOT is_now) AS departed, "
    )
    return f"""
        WITH seen AS (
            SELECT {LEADS}.territory, {LEADS}.owner, _ranking.lead_id IS NOT NULL AS is_now,
                   _report_left.lead_id IS NOT NULL AS was, is_there, probability,
                   _report_moved.change
            FROM {LEADS} LEFT JOIN _ranking USING (lead_id) LEFT JOIN _report_left USING (lead_id)
                 LEFT JOIN _report_moved USING (lead_id)
        ), counted AS (
            SELECT territory, owner, count(*) FILTER (is_there) AS leads, count(*) FILTER (is_now) AS open,
                   {exact("probability")} AS expected_wins, {said or moved}
                   {exact("change / 100") if has_before else "NULL::DOUBLE"} AS expected_wins_change
            FROM seen GROUP BY territory, owner
        )
        SELECT coalesce(counted.territory, _report_calls.territory) AS territory,
               coalesce(counted.owner, _report_calls.owner) AS owner,
               coalesce(leads, 0) AS leads, coalesce(open, 0) AS open, coalesce(calls, 0) AS calls,
               expected_wins, "both", new, departed, expected_wins_change
        FROM counted FULL JOIN _report_calls ON _report_calls.territory IS NOT DISTINCT FROM counted.territory
             AND _report_calls.owner IS NOT DISTINCT FROM counted.owner
        ORDER BY territory, owner
    """  # noqa: S608  # names of our own


def _results_sql(plan: Plan) -> str:
    """What happened in each period: leads created, accepted, handed back, won, and answered in time."""
    accepted = ", ".join(f"'{stage}'" for stage in ACCEPTED)
    counts = ", ".join(
        f"count(DISTINCT lead_id) FILTER (what = '{what}') AS {what}"
        for what in ("created", "accepted", AT_ONCE, AFTER, "won")
    )
    return f"""
        WITH happened AS (
            SELECT territory, owner, 'created' AS what, created_at AS happened_at, lead_id, NULL AS amount
            FROM {LEADS}
            UNION ALL
            SELECT territory, owner, 'accepted', min(occurred_at), lead_id, NULL
            FROM {FACTS} JOIN {LEADS} USING (lead_id) WHERE stage IN ({accepted}) GROUP BY ALL
            UNION ALL
            SELECT territory, owner, 'won', won_at, lead_id, amount FROM {LEADS} WHERE won_at IS NOT NULL
            UNION ALL
            SELECT territory, owner, stage, occurred_at, lead_id, NULL
            FROM {FACTS} JOIN {LEADS} USING (lead_id) WHERE stage IN ('{AT_ONCE}', '{AFTER}')
        ), dated AS (SELECT *, {_period("happened_at", plan)} AS period FROM happened),
        counted AS (
            SELECT territory, owner, period, {counts}, {exact("amount")} AS amount_won
            FROM dated WHERE period IS NOT NULL GROUP BY territory, owner, period
        ), clocks AS (
            SELECT territory, owner, period, count(*) AS started, count(*) FILTER (is_in_time) AS in_time,
                   count(*) FILTER (is_waiting) AS waiting
            FROM _report_clocks GROUP BY territory, owner, period
        )
        SELECT coalesce(counted.territory, clocks.territory) AS territory,
               coalesce(counted.owner, clocks.owner) AS owner,
               coalesce(counted.period, clocks.period) AS period,
               coalesce(created, 0) AS created, coalesce(accepted, 0) AS accepted,
               coalesce({AT_ONCE}, 0) AS {AT_ONCE}, coalesce({AFTER}, 0) AS {AFTER}, coalesce(won, 0) AS won,
               amount_won, coalesce(started, 0) AS started, coalesce(in_time, 0) AS in_time,
               coalesce(waiting, 0) AS waiting
        FROM counted FULL JOIN clocks ON clocks.period = counted.period
             AND clocks.territory IS NOT DISTINCT FROM counted.territory
             AND clocks.owner IS NOT DISTINCT FROM counted.owner
        ORDER BY territory, owner, period
    """  # noqa: S608  # names of our own


_HOURS = f"""
    SELECT territory, owner, period, least(round(hours, 1), {MOST_HOURS}) AS hours, count(*) AS leads
    FROM _report_clocks WHERE hours IS NOT NULL GROUP BY ALL ORDER BY ALL
"""  # noqa: S608  # a number of ours
