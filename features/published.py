"""What became of the leads of lists that were published on past nights: the label of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa

from features.labels import Target, labelled
from features.lifetimes import counted_once
from features.moments import as_moments
from features.snapshots import numbered

REACHED, SNAPSHOTS = "_reached", "_published"
"""Tables of the workspace."""


def reached(
    backend: Any,
    tables: Mapping[str, ir.Table],
    nights: Sequence[datetime],
    *,
    target: Target,
    known_at: datetime,
) -> pa.Table:
    """The leads whose label at some nights is 1, whether they were on a list or not.

    Parameters
    ----------
    backend
        Ibis backend that keeps the tables of the work.
    tables
        ``leads`` and ``outcomes`` as they were loaded.
    nights
        Moments in UTC, at least one, each once.
    known_at
        Moment at which the history is looked at: only outcomes recorded before it count.

    Returns
    -------
    pa.Table
        ``as_of`` and ``lead_id``, by both: the lead reached the stage in ``[as_of, as_of + horizon)``. Few
        rows, however long the lists are.
    """
    outcomes = counted_once(tables["leads"], tables["outcomes"])
    kept = backend.create_table(REACHED, outcomes.filter(outcomes.stage == target.stage), overwrite=True)
    pairs = kept.select("lead_id").distinct().cross_join(as_moments(nights))
    snapshots = backend.create_table(SNAPSHOTS, numbered(pairs), overwrite=True)
    days = target.horizon_days
    rows = labelled(snapshots, kept, stage=target.stage, horizon_days=days, known_at=known_at)
    won = rows.filter(rows.label == 1).order_by("snapshot_id")
    return won.select("as_of", "lead_id").to_pyarrow()
