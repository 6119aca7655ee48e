"""How leads move from stage to stage, for reports: only leads that had the whole window count.

A lead that entered a stage too short a time ago is undecided, not lost: it is counted apart. Every table
looks at the history as it was known at one moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import ibis
import ibis.expr.types as ir

from features.history import MICROSECONDS_PER_DAY

LEAD = "lead"  # the first stage of all: the lead's creation
STEPS = ((LEAD, "mql"), ("mql", "sql"), ("mql", "opportunity"), ("mql", "won"))
STAGES = ("mql", "sql", "opportunity", "won")


@dataclass(frozen=True)
class Window:
    """How long a lead has for a step, and from when that is judged.

    Attributes
    ----------
    days
        Days from entering one stage in which the other has to be reached.
    reporting_delay_days
        Days until an outcome is surely recorded.
    known_at
        Moment from which the history is looked at (naive or UTC).
    """

    days: int
    reporting_delay_days: int
    known_at: datetime

    @property
    def moment(self) -> ir.TimestampScalar:
        """``known_at`` as an engine has it: UTC without a zone."""
        return ibis.timestamp(self.known_at.replace(tzinfo=None))

    def is_over(self, entered_at: ir.TimestampColumn) -> ir.BooleanColumn:
        """Whether a lead that entered then has had the whole window and the delay."""
        return entered_at + ibis.interval(days=self.days + self.reporting_delay_days) <= self.moment


def conversions(
    leads: ir.Table, outcomes: ir.Table, window: Window, *, steps: Sequence[tuple[str, str]] = STEPS
) -> ir.Table:
    """How many leads that entered one stage reached another within the window, and how fast.

    Parameters
    ----------
    leads, outcomes
        Loaded tables.
    steps
        Pairs of stages; ``lead`` is the creation.

    Returns
    -------
    ir.Table
        One row per step, in their order: ``step`` (from 0), ``from_stage``, ``to_stage``, ``mature`` (leads
        that entered and had the whole window), ``converted`` (of those), ``immature`` (entered too late to
        tell), and the quartiles ``days_q1``, ``days_median``, ``days_q3`` of the converted; null if none.
    """
    rows = [_step(leads, outcomes, window, number, *step) for number, step in enumerate(steps)]
    return ibis.union(*rows).order_by("step") if len(rows) > 1 else rows[0]


def by_source(leads: ir.Table, outcomes: ir.Table, window: Window) -> ir.Table:
    """What became of the leads of each source within the window after their creation.

    Returns
    -------
    ir.Table
        One row per source, most leads first: ``source`` (null: unknown), ``leads`` (mature ones),
        ``immature``, and the mature leads that reached each stage: ``mql, sql, opportunity, won``.
    """
    known = leads.filter(leads.created_at < window.moment)
    born = known.select("lead_id", "source", entered_at="created_at")
    marked = born.mutate(is_mature=window.is_over(born.entered_at))
    for stage in STAGES:
        reached = _entered(leads, outcomes, window, stage).select(
            reached_lead="lead_id", **{f"{stage}_at": "entered_at"}
        )
        marked = marked.left_join(reached, marked.lead_id == reached.reached_lead).drop("reached_lead")
    counted = marked.group_by("source").aggregate(
        leads=marked.is_mature.sum(),
        immature=(~marked.is_mature).sum(),
        **{
            stage: _in_window(marked.entered_at, marked[f"{stage}_at"], window, marked.is_mature).sum()
            for stage in STAGES
        },
    )
    return counted.order_by([ibis.desc("leads"), "source"])


def cost_by_source(spend: ir.Table, window: Window) -> ir.Table:
    """What the mature leads of each source cost: ``source``, ``cost`` (of the days whose leads are mature).

    Divide it by the counts of `by_source` for the cost per lead and per stage.
    """
    spent = spend.filter(window.is_over(spend.date))
    return spent.group_by("source").aggregate(cost=spent.cost.sum()).order_by("source")


def touches_before(
    touches: ir.Table, outcomes: ir.Table, *, days: int, stages: Sequence[str] = ("won", "lost")
) -> ir.Table:
    """Touches in the days before leads closed, by kind and by how it ended.

    Returns
    -------
    ir.Table
        ``stage``, ``kind``, ``leads`` (that closed so), ``leads_with`` (with at least one such touch in
        ``[closing - days, closing)``) and ``touches`` (all of them); kinds nobody had are absent.
    """
    closings = (
        outcomes.filter(outcomes.stage.isin(stages))
        .group_by("lead_id", "stage")
        .aggregate(closed_at=lambda t: t.occurred_at.min())
        .rename(closed_lead="lead_id")
    )
    before = [
        touches.lead_id == closings.closed_lead,
        touches.occurred_at < closings.closed_at,
        touches.occurred_at >= closings.closed_at - ibis.interval(days=days),
    ]
    counted = (
        touches.inner_join(closings, before)
        .group_by("stage", "kind")
        .aggregate(leads_with=lambda t: t.closed_lead.nunique(), touches=lambda t: t.count())
    )
    everybody = closings.group_by("stage").aggregate(leads=lambda t: t.count())
    table = counted.join(everybody, "stage").select("stage", "kind", "leads", "leads_with", "touches")
    return table.order_by(["stage", ibis.desc("leads_with"), "kind"])


def _step(
    leads: ir.Table, outcomes: ir.Table, window: Window, number: int, first: str, then: str
) -> ir.Table:
    entered = _entered(leads, outcomes, window, first)
    reached = _entered(leads, outcomes, window, then).rename(reached_lead="lead_id", reached_at="entered_at")
    pairs = entered.left_join(reached, entered.lead_id == reached.reached_lead)
    pairs = pairs.mutate(is_mature=window.is_over(pairs.entered_at))
    pairs = pairs.mutate(
        is_converted=_in_window(pairs.entered_at, pairs.reached_at, window, pairs.is_mature),
        days=pairs.reached_at.delta(pairs.entered_at, unit="microsecond") / MICROSECONDS_PER_DAY,
    )
    quartiles = {"days_q1": 0.25, "days_median": 0.5, "days_q3": 0.75}
    return pairs.aggregate(
        mature=pairs.is_mature.sum().fill_null(0),
        converted=pairs.is_converted.sum().fill_null(0),
        immature=(~pairs.is_mature).sum().fill_null(0),
        **{name: pairs.days.quantile(at, where=pairs.is_converted) for name, at in quartiles.items()},
    ).select(
        ibis.literal(number).name("step"),
        ibis.literal(first).name("from_stage"),
        ibis.literal(then).name("to_stage"),
        "mature",
        "converted",
        "immature",
        *quartiles,
    )


def _entered(leads: ir.Table, outcomes: ir.Table, window: Window, stage: str) -> ir.Table:
    """``lead_id`` and ``entered_at``: when each lead first reached the stage, as known at the moment."""
    if stage == LEAD:
        return leads.filter(leads.created_at < window.moment).select("lead_id", entered_at="created_at")
    known = outcomes.filter((outcomes.stage == stage) & (outcomes.recorded_at < window.moment))
    return known.group_by("lead_id").aggregate(entered_at=lambda t: t.occurred_at.min())


def _in_window(
    entered_at: ir.TimestampColumn,
    reached_at: ir.TimestampColumn,
    window: Window,
    is_mature: ir.BooleanColumn,
) -> ir.BooleanColumn:
    """Whether a mature lead reached the stage in ``[entered, entered + days)``; never null."""
    in_time = (reached_at >= entered_at) & (reached_at < entered_at + ibis.interval(days=window.days))
    return is_mature & in_time.fill_null(False)  # noqa: FBT003  # Ibis's own argument is positional
