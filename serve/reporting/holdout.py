"""The file on the holdout: leads of both groups by territory, and what became of them.

By intention to treat: a lead counts in the group that it was drawn into, from the first night that ranked it,
whether or not anybody called it. It converts if it is won in the window that begins with that night.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from serve.lists.holdout import GROUPS
from serve.reporting.names import HOLDOUT
from serve.reporting.plan import FACTS, LEADS, Plan, exact


def write(connection: duckdb.DuckDBPyConnection, staged: Path, folder: Path, plan: Plan) -> None:
    """Write `HOLDOUT`, if an experiment runs: ``territory``, ``group``, counts, and sums of amounts.

    Parameters
    ----------
    connection
        Has `FACTS` and `LEADS`.
    staged
        Folder of tonight's run, with its groups.
    """
    if not (staged / GROUPS).is_file():
        return
    found = connection.execute(_sql(plan), [str(staged / GROUPS)]).to_arrow_table()
    connection.from_arrow(found).write_parquet(str(folder / HOLDOUT))


def _sql(plan: Plan) -> str:
    return f"""
        WITH became AS (
            SELECT drawn.lead_id, any_value("group") AS "group", any_value(experiment) AS experiment,
                   any_value(since) AS since,
                   bool_or({plan.in_window("since", "occurred_at")}) AS is_converted,
                   {exact("amount", plan.in_window("since", "occurred_at"))} AS amount
            FROM read_parquet($1) AS drawn
                 LEFT JOIN {FACTS} AS facts ON facts.lead_id = drawn.lead_id AND facts.stage = 'won'
            GROUP BY drawn.lead_id
        ), judged AS (
            SELECT territory, became.*, {plan.is_mature("since")} AS is_mature
            FROM became JOIN {LEADS} USING (lead_id)
        )
        SELECT territory, "group", any_value(experiment) AS experiment, min(since) AS since,
               count(*) AS leads, count(*) FILTER (is_mature) AS mature,
               count(*) FILTER (is_mature AND is_converted) AS converted,
               {exact("coalesce(amount, 0)", "is_mature")} AS amount,
               {exact("coalesce(amount, 0) * coalesce(amount, 0)", "is_mature")} AS amount_squared
        FROM judged GROUP BY territory, "group" ORDER BY ALL
    """  # noqa: S608  # names of our own
