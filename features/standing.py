"""Every lead as it stands today, and how it ended: what the leakage audit compares past nights with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import ibis
import ibis.expr.types as ir

from features.build import feature_table
from features.fit import own_fields
from features.history import MICROSECONDS_PER_DAY
from features.moments import CLOSING
from features.snapshots import tonight
from features.tables import Field

CREATED, WON, CLOSED, OPEN = "|created", "|won", "|closed", "|open"
"""Columns beside the fields; a bar is in no field's name."""

Fields = Mapping[str, Mapping[str, Field]]


def as_of_today(fields: Fields) -> dict[str, dict[str, Field]]:
    """The fields of leads and accounts, all read as they stand in their table today."""
    return {
        table: {name: replace(field, time="static") for name, field in fields.get(table, {}).items()}
        for table in ("leads", "accounts")
    }


def leads_today(
    tables: Mapping[str, ir.Table], fields: Fields, *, stage: str, known_at: datetime
) -> ir.Table:
    """One row per lead: its own fields today, and its end.

    Parameters
    ----------
    tables
        ``leads`` with ``created_at``, ``outcomes``, and ``accounts`` where fields need it.
    stage
        Stage that counts as won.
    known_at
        Today, in UTC.

    Returns
    -------
    ir.Table
        ``lead_id``, each field under its feature name (a date as days ago, negative if still to come),
        ``|created``, ``|won`` and ``|closed`` in days ago (null if it did not happen), and ``|open``.
    """
    moment = ibis.timestamp(known_at.replace(tzinfo=None))
    leads, today = tables["leads"], as_of_today(fields)
    snapshots = leads.select(snapshot_id="row_number", lead_id="lead_id", as_of=moment)
    values = feature_table(snapshots, tables, own_fields(today), today).drop("snapshot_id", "as_of")
    ends = _ends(tables["outcomes"], moment, stage)
    is_open = tonight(leads, tables["outcomes"], known_at).select(
        "lead_id", **{OPEN: ibis.literal(value=True)}
    )
    born = leads.select("lead_id", **{CREATED: _days_ago(leads.created_at, moment)})
    joined = values
    for part in (born, ends, is_open):
        joined = joined.left_join(part, "lead_id").drop("lead_id_right")
    return joined.mutate(**{OPEN: joined[OPEN].notnull()})


def change_times(
    tables: Mapping[str, ir.Table], fields: Fields, *, stage: str, known_at: datetime
) -> ir.Table:
    """When tracked fields of closed leads changed, from the closing on.

    Returns
    -------
    ir.Table
        One row per tracked field that changed: ``field``, ``changes``, ``after_share`` (on or after the
        closing, 0 to 1) and ``median_days`` (after the closing; negative: before it).
    """
    tracked = [name for name, field in fields.get("leads", {}).items() if field.time == "tracked"]
    moment = ibis.timestamp(known_at.replace(tzinfo=None))
    ends = _ends(tables["outcomes"], moment, stage).select("lead_id", CLOSED)
    changes = tables["field_history"].filter(lambda t: t.field.isin(tracked) & (t.changed_at < moment))
    paired = changes.inner_join(ends, "lead_id").filter(lambda t: t[CLOSED].notnull())
    days = paired[CLOSED] - _days_ago(paired.changed_at, moment)
    return (
        paired.mutate(days=days)
        .group_by("field")
        .aggregate(
            changes=lambda t: t.count(),
            after_share=lambda t: (t.days >= 0).ifelse(1.0, 0.0).cast("float64").mean(),
            median_days=lambda t: t.days.median(),
        )
    )


def _ends(outcomes: ir.Table, moment: ir.Value, stage: str) -> ir.Table:
    """``lead_id``, ``|won`` and ``|closed``: days since the stage was first reached, and since the end."""
    known = outcomes.filter(outcomes.recorded_at < moment)
    days = _days_ago(known.occurred_at, moment)
    is_won, is_end = known.stage == stage, known.stage.isin([*CLOSING, stage])
    return known.group_by("lead_id").aggregate(
        **{WON: days.max(where=is_won), CLOSED: days.max(where=is_end)}
    )


def _days_ago(at: ir.Value, moment: ir.Value) -> ir.Value:
    return moment.delta(at, unit="microsecond") / MICROSECONDS_PER_DAY
