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
from features.values import by_word, with_value
from features.vocabulary import Vocabulary

_ALL = "everybody"
SUMS = ("mature", "converted")
"""What is counted of leads with the same value."""


def peers(
    snapshots: ir.Table, tables: Mapping[str, ir.Table], vocabulary: Vocabulary, column: str
) -> ir.Table:
    """Mature leads that share the lead's value of a column, and how many of them converted.

    Parameters
    ----------
    snapshots
        ``snapshot_id``, ``lead_id``, ``as_of``.
    column
        What is compared, as `features.values.with_value` reads it.

    Returns
    -------
    ir.Table
        ``snapshot_id``, ``mature`` and ``converted`` (leads with the same value), ``all_mature`` and
        ``all_converted`` (any value). A lead without a value has no row.
    """
    return _compared("peers", snapshots, tables, vocabulary, column)


def word_peers(
    snapshots: ir.Table, tables: Mapping[str, ir.Table], vocabulary: Vocabulary, column: str
) -> ir.Table:
    """The same for each word of a text: a row for each different word that the lead's text has."""
    return _compared("words", snapshots, tables, vocabulary, column)


def valued(
    on: str,
    rows: ir.Table,
    tables: Mapping[str, ir.Table],
    vocabulary: Vocabulary,
    column: str,
    *,
    at: str,
) -> ir.Table:
    """Rows of leads with what they are compared by: the value of a column, or each different word of it.

    Parameters
    ----------
    on
        ``peers`` or ``words``.
    rows, column, at
        As for `features.values.with_value`.
    """
    whole = with_value(rows, tables, vocabulary, column, at=at)
    return by_word(whole) if on == "words" else whole


def _compared(
    on: str,
    snapshots: ir.Table,
    tables: Mapping[str, ir.Table],
    vocabulary: Vocabulary,
    column: str,
) -> ir.Table:
    asked = snapshots.select("snapshot_id", "lead_id", "as_of")
    ended = matured(tables, vocabulary)
    before = valued(on, ended, tables, vocabulary, column, at="at")
    own = valued(on, asked, tables, vocabulary, column, at="as_of")
    same = running(before, own, by="value", sums=SUMS)
    anybody = [rows.mutate(key=ibis.literal(_ALL)) for rows in (ended, asked)]
    everybody = running(*anybody, by="key", sums=SUMS).rename(all_mature="mature", all_converted="converted")
    return same.join(everybody, "snapshot_id")


def matured(tables: Mapping[str, ir.Table], vocabulary: Vocabulary) -> ir.Table:
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
