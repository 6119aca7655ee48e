"""What became of a snapshot: whether a stage happened within a horizon, and whether that is known yet.

Any stage of ``outcomes`` and any horizons, several at once: the outcomes are read once for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import ibis
import ibis.expr.types as ir

from features.moments import naive_utc


@dataclass(frozen=True)
class Target:
    """A stage to be reached, and the days in which it has to be.

    >>> Target("won", 90).name, Target("won", 90).label
    ('won-90d', 'label[won-90d]')
    """

    stage: str
    horizon_days: int

    @property
    def name(self) -> str:
        """Stage and horizon."""
        return f"{self.stage}-{self.horizon_days}d"

    @property
    def label(self) -> str:
        """Name of the column that says whether it was reached."""
        return f"label[{self.name}]"

    @property
    def is_mature(self) -> str:
        """Name of the column that says whether that is known."""
        return f"is_mature[{self.name}]"


def labels(
    snapshots: ir.Table,
    outcomes: ir.Table,
    targets: Sequence[Target],
    *,
    known_at: datetime,
    reporting_delay_days: int = 0,
) -> ir.Table:
    """Add what became of every snapshot, for each target.

    Parameters
    ----------
    snapshots
        ``snapshot_id``, ``lead_id``, ``as_of``.
    outcomes
        ``lead_id``, ``stage``, ``occurred_at``, ``recorded_at``.
    targets
        Stages and horizons; a window is ``[as_of, as_of + horizon_days)``.
    known_at
        Moment at which the history is looked at: only outcomes recorded before it count.
    reporting_delay_days
        Days that an outcome may take to be recorded.

    Returns
    -------
    ir.Table
        The snapshots, and for each target ``label[<name>]`` (1.0 if the stage happened in the window, else
        0.0) and ``is_mature[<name>]`` (window and delay were over at ``known_at``). The label of an immature
        snapshot is not a negative.
    """
    moment = ibis.timestamp(naive_utc(known_at))
    longest = max(target.horizon_days for target in targets)
    stages = dict.fromkeys(target.stage for target in targets)
    reached = first_reached(snapshots, outcomes, stages, known_at=known_at, within_days=longest)
    columns = {}
    for target in targets:
        end = reached.as_of + ibis.interval(days=target.horizon_days)
        is_reached = reached[f"reached[{target.stage}]"] < end
        columns[target.label] = is_reached.fill_null(False).ifelse(1.0, 0.0)  # noqa: FBT003  # Ibis's own argument
        columns[target.is_mature] = end + ibis.interval(days=reporting_delay_days) <= moment
    return reached.select(*snapshots.columns, **columns)


def labelled(
    snapshots: ir.Table,
    outcomes: ir.Table,
    *,
    stage: str,
    horizon_days: int,
    known_at: datetime,
    reporting_delay_days: int = 0,
) -> ir.Table:
    """As `labels` for one target, whose columns are called ``label`` and ``is_mature``."""
    target = Target(stage, horizon_days)
    found = labels(
        snapshots, outcomes, [target], known_at=known_at, reporting_delay_days=reporting_delay_days
    )
    return found.rename(label=target.label, is_mature=target.is_mature)


def first_reached(
    snapshots: ir.Table,
    outcomes: ir.Table,
    stages: Iterable[str],
    *,
    known_at: datetime,
    within_days: int,
) -> ir.Table:
    """When each snapshot's lead first reached each stage in ``[as_of, as_of + within_days)``.

    Returns
    -------
    ir.Table
        The snapshots with one column ``reached[<stage>]``, null if it was not recorded before ``known_at``.
    """
    known = outcomes.filter(
        outcomes.stage.isin(list(stages)) & (outcomes.recorded_at < ibis.timestamp(naive_utc(known_at)))
    ).select(reached_lead="lead_id", stage="stage", reached_at="occurred_at")
    in_window = [
        snapshots.lead_id == known.reached_lead,
        known.reached_at >= snapshots.as_of,
        known.reached_at < snapshots.as_of + ibis.interval(days=within_days),
    ]
    pairs = snapshots.select("snapshot_id", "lead_id", "as_of").inner_join(known, in_window)
    first = pairs.group_by("snapshot_id").aggregate(
        **{f"reached[{stage}]": pairs.reached_at.min(where=pairs.stage == stage) for stage in stages}
    )
    return snapshots.left_join(first, "snapshot_id").drop("snapshot_id_right")
