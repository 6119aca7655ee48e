"""What to learn from: labelled snapshots, kept as one table of the workspace.

Every table has ``snapshot_id``, ``lead_id``, ``as_of`` and ``label`` (1.0 or 0.0); a flat one also ``order``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import ibis
import ibis.expr.types as ir

from features.censoring import weighed, with_follow_up
from features.errors import InputError, TooFewOutcomesError
from features.labels import Target, labelled
from features.lifetimes import counted_once
from features.moments import Moments, candidates
from features.objections import may_be_asked, objected_at, tells
from features.sampling import Sample, sampled
from features.snapshots import FLAT_MOMENT, asked, drawn, drawn_for, flat, known_until, open_only, tonight
from features.worked import Calls, standing, worked

Tables = Mapping[str, ir.Table]
Censoring = Literal["leave_out", "weight"]


@dataclass(frozen=True)
class Plan:
    """What is asked of the past, and from which moments; ``train`` in ``params.yaml`` has the same names.

    Attributes
    ----------
    stage, horizon_days
        What has to be reached within how many days.
    moments
        From which moments a lead is looked at.
    max_per_lead
        How many of them one lead may give, all kinds of moments together.
    reporting_delay_days
        Days until an outcome is surely recorded.
    known_at
        Moment from which the history is looked at; None is the midnight after the latest recorded fact.
    censoring
        ``leave_out``: only snapshots whose window is over. ``weight``: also those whose result is decided
        already, all of them weighted (``features/censoring.py``).
    max_rows
        At most so many labelled snapshots (``features/sampling.py``); None is all.
    calls
        From the first of these lists on, only called leads are learned from (``features/worked.py``); None:
        all leads are.
    """

    stage: str
    horizon_days: int
    moments: Moments
    max_per_lead: int
    reporting_delay_days: int
    known_at: datetime | None = None
    censoring: Censoring = "leave_out"
    max_rows: int | None = None
    calls: Calls | None = None


@dataclass(frozen=True)
class Question:
    """Labelled snapshots to learn from.

    Attributes
    ----------
    snapshots
        The table. Of past moments also ``stands_for``, at least 1: how many moments each was drawn for; if
        they are weighted also ``weight`` (above 0, with that in it) and ``is_mature``.
    immature
        Snapshots left out because their label window was not over and recorded: they are not negatives.
    young
        Those snapshots, without a label; None if there are none, or in a flat start.
    early
        Snapshots that are in the table although their window is not over, for their result is decided.
    sample
        What was drawn of more snapshots than ``Plan.max_rows``; None: all are in the table.
    calls
        As the plan's.
    """

    snapshots: ir.Table
    immature: int = 0
    young: ir.Table | None = None
    early: int = 0
    sample: Sample | None = None
    calls: Calls | None = None

    @property
    def mature(self) -> ir.Table:
        """The snapshots whose window is over, each for what it stands for: what can be measured on."""
        rows = self.snapshots
        return rows.filter(rows.is_mature).drop("weight", "is_mature") if "weight" in rows.columns else rows

    @property
    def even(self) -> ir.Table:
        """Those of `mature` among which each had the same chance to be: for what counts rows as they are."""
        rows = self.mature
        return rows if self.sample is None else rows.semi_join(self.sample.even, "snapshot_id")


def past(backend: Any, tables: Tables, plan: Plan) -> Question:
    """Open leads at past moments, and whether each reached the stage within the horizon.

    Parameters
    ----------
    backend
        Ibis backend that keeps the table.

    Raises
    ------
    TooFewOutcomesError
        No moment is mature.
    """
    known_at = plan.known_at or known_until(tables)
    leads, outcomes = tables["leads"], tables["outcomes"]
    every = candidates(leads, outcomes, plan.moments, known_at=known_at)
    if plan.calls is not None:
        every = worked(every, leads, plan.calls, known_at=known_at)
    looked = open_only(every, outcomes)
    followed = with_follow_up(
        looked,
        leads,
        horizon_days=plan.horizon_days,
        known_at=known_at,
        reporting_delay_days=plan.reporting_delay_days,
    )
    kept = backend.create_table("candidates", followed, overwrite=True)
    if not _rows(kept.filter(kept.is_mature)):
        days = plan.horizon_days + plan.reporting_delay_days
        raise TooFewOutcomesError(
            f"no past moment is {days} days old, so no outcome is mature",
            hint="shorten train.horizon_days, or wait",
        )
    own = counted_once(leads, outcomes)
    if plan.censoring == "weight":
        return _weighted(backend, kept, own, plan, known_at)
    return _mature(backend, kept, own, plan, known_at)


def _mature(backend: Any, kept: ir.Table, outcomes: ir.Table, plan: Plan, known_at: datetime) -> Question:
    old, new = (kept.filter(is_old) for is_old in (kept.is_mature, ~kept.is_mature))
    placed = standing(drawn_for(old, max_per_lead=plan.max_per_lead)).drop("followed_until", "is_mature")
    snapshots = backend.create_table("snapshots", placed, overwrite=True)
    rows = labelled(
        snapshots, outcomes, stage=plan.stage, horizon_days=plan.horizon_days, known_at=known_at
    ).drop("is_mature")
    young = drawn(new, max_per_lead=plan.max_per_lead)
    immature = _rows(young)
    table, sample = sampled(backend, _kept(backend, rows), max_rows=plan.max_rows)
    return Question(table, immature, young if immature else None, sample=sample, calls=plan.calls)


def _weighted(backend: Any, kept: ir.Table, outcomes: ir.Table, plan: Plan, known_at: datetime) -> Question:
    followed = backend.create_table(
        "snapshots", standing(drawn_for(kept, max_per_lead=plan.max_per_lead)), overwrite=True
    )
    target = Target(plan.stage, plan.horizon_days)
    rows = backend.create_table(
        "weighed", weighed(followed, outcomes, target, known_at=known_at), overwrite=True
    )
    every = _kept(backend, rows.filter(rows.weight > 0).drop("followed_until"))
    decided, sample = sampled(backend, every, max_rows=plan.max_rows)
    young = rows.filter(rows.weight == 0).select("snapshot_id", "lead_id", "as_of")
    immature, early = _rows(young), _rows(decided.filter(~decided.is_mature))
    return Question(decided, immature, young if immature else None, early, sample, plan.calls)


def explicit(backend: Any, tables: Tables) -> Question:
    """The rows that the user gave, ``lead_id``, ``as_of``, ``label``, without those after an objection.

    Raises
    ------
    InputError
        There is no label, or it is neither 0 nor 1, or a lead is unknown.
    """
    rows = tables["rows"]
    if "label" not in rows.columns:
        raise InputError("the rows have no column 'label'", hint="add it: 1 for converted, 0 for not")
    wrong = _rows(rows.filter(rows.label.isnull() | rows.label.notin([0.0, 1.0])))
    if wrong:
        raise InputError(f"{wrong} rows have a label other than 0 and 1", hint="correct the column 'label'")
    unknown = _rows(rows.anti_join(tables["leads"], "lead_id"))
    if unknown:
        raise InputError(f"{unknown} rows name a lead that 'leads' does not have", hint="correct the ids")
    allowed = _before_objections(rows, tables["leads"])
    labels = allowed.select(snapshot_id="row_number", label="label")
    return Question(_kept(backend, asked(allowed).join(labels, "snapshot_id")))


def _before_objections(rows: ir.Table, leads: ir.Table) -> ir.Table:
    """The rows of leads that have not opted out, or had not at the moment; undated ones never may be used."""
    if not tells(leads):
        return rows
    beginning = ibis.timestamp(FLAT_MOMENT)
    ends = leads.select(objector="lead_id", ends_at=objected_at(leads, beginning))
    after = [rows.lead_id == ends.objector, rows.as_of > ends.ends_at]
    return rows.anti_join(ends, after)


def flat_history(backend: Any, tables: Tables) -> Question:
    """The decided leads of a flat table, in the order of its order column or of the file."""
    leads = may_be_asked(tables["leads"])
    known = leads.filter(leads.outcome.notnull())
    position = known.row_number.cast("float64")
    order = known.order_value.fill_null(float("inf")) if "order_value" in known.columns else position
    beside = known.select(snapshot_id="row_number", label="outcome", order=order)
    return Question(_kept(backend, flat(known).join(beside, "snapshot_id")), _rows(leads) - _rows(known))


def open_now(backend: Any, tables: Tables, *, known_at: datetime | None) -> ir.Table | None:
    """Snapshots of the leads that may still be won; None if there are none."""
    if "outcomes" not in tables:
        leads = may_be_asked(tables["leads"])
        is_open = leads.filter(leads.outcome.isnull())
        snapshots = flat(is_open)
    else:
        moment = known_at or known_until(tables)
        snapshots = tonight(tables["leads"], tables["outcomes"], moment)
    kept = backend.create_table("open_now", snapshots, overwrite=True)
    return kept if _rows(kept) else None


def _kept(backend: Any, rows: ir.Table) -> ir.Table:
    return backend.create_table("question", rows, overwrite=True)


def _rows(table: ir.Table) -> int:
    return int(table.count().to_pyarrow().as_py())
