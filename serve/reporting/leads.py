"""The leads that a report counts, each with the first moment at which it reached every stage.

A merged record is not counted: its facts are its master's. A deleted lead was a lead and stays in the
history, but is in no pool and on no desk.
"""

from __future__ import annotations

import duckdb

from features.funnel import STAGES
from serve.reporting.names import AFTER, AT_ONCE
from serve.reporting.plan import FACTS, LEADS, Plan, days, exact

RETURNED = "returned"
"""The stage of teams that do not tell the two apart: the reports do."""


def make(connection: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    """Make `FACTS` and `LEADS`.

    Notes
    -----
    `FACTS`: ``lead_id``, ``stage`` (``returned`` told apart), ``occurred_at``, ``place`` (order among equal
    moments) and ``amount`` of every outcome known at the moment. `LEADS`: ``number`` (a quick key),
    ``lead_id``, ``created_at``, ``month`` of its creation, ``territory``, ``owner``, ``source``, ``campaign``
    (each null if unknown), ``is_there`` (not deleted), ``is_mature``, ``<stage>_at`` by stage, ``amount`` (of
    its wins).
    """
    plain = connection.execute("SELECT count(*) FROM outcomes WHERE stage = $1", [RETURNED]).fetchone()
    facts = _facts_sql(plan) if plain == (0,) else _returned_sql(plan)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {FACTS} AS {facts}")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {LEADS} AS {_leads_sql(plan)}")


def drop(connection: duckdb.DuckDBPyConnection) -> None:
    """Remove what `make` made."""
    for name in (FACTS, LEADS):
        connection.execute(f"DROP TABLE IF EXISTS {name}")


def counted_sql(plan: Plan) -> str:
    """The SQL of whether a row of ``leads`` is counted: created before the moment, and not merged away."""
    is_merged = (
        "coalesce(leads.merged_into <> leads.lead_id, FALSE)" if plan.has("leads", "merged_into") else "FALSE"
    )
    return f"(leads.created_at < {plan.moment} AND NOT {is_merged})"


def _facts_sql(plan: Plan) -> str:
    """The facts of a team that tells returned leads apart itself."""
    return f"""
        SELECT lead_id, outcomes.stage, outcomes.occurred_at, outcomes.row_number AS place,
               {_amount(plan)} AS amount
        FROM outcomes SEMI JOIN (SELECT lead_id FROM leads WHERE {counted_sql(plan)}) USING (lead_id)
        WHERE {plan.is_known("outcomes")}
    """  # noqa: S608  # names of our own


def _amount(plan: Plan) -> str:
    return "outcomes.amount" if plan.has("outcomes", "amount") else "NULL::DOUBLE"


def _returned_sql(plan: Plan) -> str:
    """The facts, with each plain return as one at once or after follow-up."""
    return f"""
        WITH known AS (
            SELECT lead_id, outcomes.stage, outcomes.occurred_at, outcomes.row_number AS place,
                   {_amount(plan)} AS amount,
                   coalesce(lag(outcomes.occurred_at) OVER stay, leads.created_at) AS before_at
            FROM outcomes JOIN leads USING (lead_id)
            WHERE {plan.is_known("outcomes")} AND {counted_sql(plan)}
            WINDOW stay AS (PARTITION BY lead_id ORDER BY outcomes.occurred_at, outcomes.row_number)
        ), worked AS ({_worked_sql(plan)})
        SELECT known.lead_id,
               CASE WHEN stage <> '{RETURNED}' THEN stage
                    WHEN occurred_at <= before_at + {days(plan.returned_days)} AND worked.place IS NULL
                    THEN '{AT_ONCE}' ELSE '{AFTER}' END AS stage,
               occurred_at, known.place, amount
        FROM known LEFT JOIN worked ON worked.lead_id = known.lead_id AND worked.place = known.place
    """  # noqa: S608  # names of our own


def _worked_sql(plan: Plan) -> str:
    """Leads handed back that the team had touched since the stage before."""
    if "touches" not in plan.tables:
        return "SELECT NULL::VARCHAR AS lead_id, NULL::BIGINT AS place WHERE FALSE"
    return f"""
        SELECT DISTINCT known.lead_id, known.place
        FROM known JOIN {plan.touches} AS touches USING (lead_id)
        WHERE known.stage = '{RETURNED}' AND {plan.is_ours("touches")} AND {plan.is_known("touches")}
          AND touches.occurred_at >= known.before_at AND touches.occurred_at < known.occurred_at
    """  # noqa: S608  # names of our own


def _leads_sql(plan: Plan) -> str:
    own = {
        name: f"leads.{name}" if plan.has("leads", name) else "NULL::VARCHAR"
        for name in ("territory", "owner", "source", "campaign")
    }
    is_deleted = (
        f"coalesce(leads.deleted_at < {plan.moment}, FALSE)" if plan.has("leads", "deleted_at") else "FALSE"
    )
    reached = ", ".join(f"min(occurred_at) FILTER (stage = '{stage}') AS {stage}_at" for stage in STAGES)
    return f"""
        WITH reached AS (
            SELECT lead_id, {reached}, {exact("amount", "stage = 'won'")} AS amount
            FROM {FACTS} GROUP BY lead_id
        )
        SELECT row_number() OVER () AS number, leads.lead_id, leads.created_at,
               date_trunc('month', leads.created_at)::DATE AS month,
               {", ".join(f"{column} AS {name}" for name, column in own.items())},
               NOT {is_deleted} AS is_there, {plan.is_mature("leads.created_at")} AS is_mature,
               reached.* EXCLUDE (lead_id)
        FROM leads LEFT JOIN reached USING (lead_id) WHERE {counted_sql(plan)}
    """  # noqa: S608  # names of our own
