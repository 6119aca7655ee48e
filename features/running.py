"""Running sums: what had come together before a moment, for any number of moments in one sorted pass."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir


def running(events: ir.Table, questions: ir.Table, *, by: str, sums: Sequence[str]) -> ir.Table:
    """Sums of the events of the same key before each question's moment.

    Parameters
    ----------
    events
        ``by``, ``at`` and the numbers of ``sums``; rows with a null key or moment are left out.
    questions
        ``snapshot_id``, ``by``, ``as_of``; rows with a null key have no answer.
    by
        Name of the key.
    sums
        Names of the numbers.

    Returns
    -------
    ir.Table
        ``snapshot_id`` and the sums, one row per question with a key; 0 before the first event.
    """
    facts = events.filter(events[by].notnull() & events.at.notnull()).select(
        by,
        *sums,
        at=events["at"].cast("timestamp"),
        snapshot_id=ibis.null("int64"),
        is_event=ibis.literal(1, "int64"),
    )
    nothing = {name: ibis.literal(0, events[name].type()) for name in sums}
    asked = questions.filter(questions[by].notnull()).select(
        by, **nothing, at=questions.as_of.cast("timestamp"), snapshot_id=questions.snapshot_id.cast("int64"),
        is_event=ibis.literal(0, "int64"),
    )  # fmt: skip
    both = facts.union(asked)
    # An event at the moment itself comes after the question.
    until = ibis.cumulative_window(group_by=by, order_by=[both["at"], both.is_event])
    told = both.mutate(**{name: both[name].sum().over(until) for name in sums})
    return told.filter(told.is_event == 0).select("snapshot_id", *sums)
