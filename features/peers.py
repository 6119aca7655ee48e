"""What became of earlier leads with the same value, as known at the moment: only mature ones count.

A lead is mature after the moment at which the horizon after its creation and the reporting delay end; from
then on it counts as converted or not, for ever. So a rate at a moment uses no outcome that was not known
before it, and every category, however many values it has, becomes one honest number (ordered target
statistics; Prokhorenkova et al. 2018, "CatBoost: unbiased boosting with categorical features", section 3.2,
with time as the order).
"""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from features.running import running
from features.vocabulary import Vocabulary

ACCOUNT = "account."
MAGNITUDES = 13
_ALL = "everybody"
_SUMS = ("mature", "converted")


def peers(
    snapshots: ir.Table, tables: Mapping[str, ir.Table], vocabulary: Vocabulary, column: str
) -> ir.Table:
    """Mature leads that share the lead's value of a column, and how many of them converted.

    Parameters
    ----------
    snapshots
        ``snapshot_id``, ``lead_id``, ``as_of``.
    column
        A column of ``leads`` that does not change, or ``account.`` and a column of ``accounts``: a trait of
        the company, numbers by their order of magnitude.

    Returns
    -------
    ir.Table
        ``snapshot_id``, ``mature`` and ``converted`` (leads with the same value), ``all_mature`` and
        ``all_converted`` (any value). A lead without a value has no row.
    """
    values = _values(tables, column)
    asked = (
        snapshots.join(values, "lead_id")
        .select("snapshot_id", "as_of", "value")
        .mutate(key=ibis.literal(_ALL))
    )
    matured = _matured(tables, vocabulary)
    events = matured.left_join(values, "lead_id").mutate(key=ibis.literal(_ALL))
    same = running(events, asked, by="value", sums=_SUMS)
    everybody = running(events, asked, by="key", sums=_SUMS).rename(
        all_mature="mature", all_converted="converted"
    )
    return same.join(everybody, "snapshot_id")


def _values(tables: Mapping[str, ir.Table], column: str) -> ir.Table:
    """``lead_id`` and its ``value``; leads without an account have no row for a trait of it."""
    leads = tables["leads"]
    if not column.startswith(ACCOUNT):
        return leads.select("lead_id", value=column)
    accounts = tables["accounts"]
    trait = accounts[column.removeprefix(ACCOUNT)]
    value = _magnitude(trait) if trait.type().is_numeric() else trait
    named = accounts.select(of_account="account_id", value=value)
    return leads.join(named, leads.account_id == named.of_account).select("lead_id", "value")


def _magnitude(number: ir.NumericValue) -> ir.StringValue:
    """How many of 1, 10, 100 … a number reaches; compared, for engines differ in the last digit of a log."""
    reached = [(number >= 10.0**power).ifelse(1, 0) for power in range(MAGNITUDES)]
    return number.notnull().ifelse(sum(reached[1:], reached[0]).cast("string"), ibis.null("string"))


def _matured(tables: Mapping[str, ir.Table], vocabulary: Vocabulary) -> ir.Table:
    """``lead_id``, ``at`` (when it became mature), ``mature`` (1) and ``converted`` (1 or 0)."""
    horizon = ibis.interval(days=vocabulary.horizon_days)
    whole = ibis.interval(days=vocabulary.horizon_days + vocabulary.reporting_delay_days)
    leads = tables["leads"].select("lead_id", "created_at")
    reached = (
        tables["outcomes"]
        .filter(lambda t: t.stage == vocabulary.stage)
        .select("occurred_at", "recorded_at", reached_lead="lead_id")
    )
    in_time = [
        leads.lead_id == reached.reached_lead,
        reached.occurred_at >= leads.created_at,
        reached.occurred_at < leads.created_at + horizon,
        reached.recorded_at < leads.created_at + whole,
    ]
    hits = leads.semi_join(reached, in_time).select(hit="lead_id")
    told = leads.left_join(hits, leads.lead_id == hits.hit)
    return told.select(
        "lead_id",
        at=told.created_at + whole,
        mature=ibis.literal(1, "int64"),
        converted=told.hit.notnull().ifelse(1, 0).cast("int64"),
    )
