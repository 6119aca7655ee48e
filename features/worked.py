"""Who was worked: where only the best of a ranking are called, the others' outcome says little of them.

A lead that nobody calls is seldom won, and a model that reads this as "would not have bought" learns to leave
alone whom it left alone before. So from the first call list on, training may look at called leads only. They
are not like the others, but the list says with which chance each was to be on it, above nought for every lead
below the cut, since a slice is drawn (``serve/lists/exploring.py``): a called lead stands for the inverse of
that chance (Horvitz and Thompson 1952, *A generalization of sampling without replacement from a finite
universe*; for learning: Swaminathan and Joachims 2015, *Counterfactual risk minimization*, section 3).

Few drawn leads with large weights would decide everything, so no weight exceeds a bound: a little bias for
much less variance (Ionides 2008, *Truncated importance sampling*; Cole and Hernán 2008, *Constructing inverse
probability weights for marginal structural models*).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import ibis
import ibis.expr.types as ir

from features.lifetimes import still_there
from features.moments import naive_utc

CHANCE, STANDS_FOR = "selection_probability", "stands_for"
IMPORTANCE = "importance"
"""Column of how many leads of its list a called one stands for, at least 1."""


@dataclass(frozen=True)
class Calls:
    """Leads that were called.

    Attributes
    ----------
    rows
        ``lead_id``, ``as_of`` (moment of the list, UTC without a zone) and ``selection_probability`` (above
        0, at most 1); no pair twice.
    since
        Moment of the first list: from then on, who was on none was not worked.
    most_weight
        What no called lead stands for more than, at least 1.
    """

    rows: ir.Table
    since: datetime
    most_weight: float


def worked(candidates: ir.Table, leads: ir.Table, calls: Calls, *, known_at: datetime) -> ir.Table:
    """The candidates before the first list, and after it the called leads in their place.

    Parameters
    ----------
    candidates
        ``lead_id``, ``as_of``.
    leads
        The leads as they are loaded: who is gone or has opted out by the moment of the list is left out.
    known_at
        Moment from which the history is looked at: later lists do not count.

    Returns
    -------
    ir.Table
        ``lead_id``, ``as_of`` and ``importance``: 1 before the first list, then the inverse of
        ``selection_probability``, at most ``calls.most_weight``.
    """
    before = candidates.filter(candidates.as_of < ibis.timestamp(naive_utc(calls.since)))
    called = calls.rows.filter(calls.rows.as_of <= ibis.timestamp(naive_utc(known_at)))
    there = still_there(leads, called.select("lead_id", "as_of")).inner_join(called, ["lead_id", "as_of"])
    moment = there.as_of.cast(candidates.as_of.type())  # of a file it has a precision of its own
    after = there.select("lead_id", as_of=moment, importance=importance(there[CHANCE], calls.most_weight))
    return before.select("lead_id", "as_of", importance=ibis.literal(1.0)).union(after)


def importance(chance: Any, most_weight: float) -> Any:
    """The inverse of a chance, at most ``most_weight``: a column."""
    return ibis.least(1 / chance, ibis.literal(float(most_weight)))


def standing(rows: ir.Table) -> ir.Table:
    """The rows with their importance in what they stand for, if they have one."""
    if IMPORTANCE not in rows.columns:
        return rows
    return rows.mutate(**{STANDS_FOR: rows[STANDS_FOR] * rows[IMPORTANCE]}).drop(IMPORTANCE)
