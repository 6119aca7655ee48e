"""The same columns in pandas, vectorised: ``python -m tests.benches.by_pandas FOLDER``.

Kinds are categories, which is faster than text; making them so counts as reading.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from tests.benches.plain import COLUMNS, KINDS, WINDOWS
from tests.benches.stopwatch import Way, timed

DAY = pd.Timedelta(days=1)


def features(touches: pd.DataFrame, snapshots: pd.DataFrame) -> pd.DataFrame:
    """One row per snapshot, indexed by ``snapshot_id``."""
    past = _past(touches, snapshots)
    made = _ever(past)
    for days in WINDOWS:
        made |= _window(past[past.age <= days * DAY], days)
    table = pd.DataFrame(made).reindex(snapshots.snapshot_id)
    counts = [name for name in table if "touches" in name or "active" in name or "distinct" in name]
    table[counts] = table[counts].fillna(0)
    table["burst_share_90d"] = table.touches_7d / table.touches_90d  # 0 / 0 is null
    return table[list(COLUMNS)]


def _past(touches: pd.DataFrame, snapshots: pd.DataFrame) -> pd.DataFrame:
    both = touches[["lead_id", "kind", "direction", "duration_seconds", "occurred_at", "recorded_at"]].merge(
        snapshots, on="lead_id"
    )
    known = both[(both.occurred_at < both.as_of) & (both.recorded_at < both.as_of)]
    age = known.as_of - known.occurred_at
    return known[["snapshot_id", "kind", "direction", "duration_seconds"]].assign(age=age, day=-(-age // DAY))


def _ever(past: pd.DataFrame) -> dict[str, pd.Series]:
    by_lead = past.groupby("snapshot_id")
    touches, age = by_lead.size(), by_lead.age.agg(["min", "max"]) / DAY
    by_kind = past.groupby(["snapshot_id", "kind"], observed=True)
    kinds, youngest = by_kind.size().unstack(), by_kind.age.min().unstack() / DAY  # noqa: PD010  # faster
    return {
        "touches_ever": touches,
        "days_since_last_touch": age["min"],
        "days_since_first_touch": age["max"],
        "mean_gap_days": (age["max"] - age["min"]) / (touches - 1).where(touches > 1),
        **{f"kind_touches_ever[{kind}]": kinds[kind] for kind in KINDS},
        **{f"days_since[{kind}]": youngest[kind] for kind in KINDS},
    }


def _window(past: pd.DataFrame, days: int) -> dict[str, pd.Series]:
    by_lead = past.groupby("snapshot_id")
    kinds = past.groupby(["snapshot_id", "kind"], observed=True).size().unstack()  # noqa: PD010  # faster
    made = {
        f"touches_{days}d": by_lead.size(),
        f"active_days_{days}d": past[["snapshot_id", "day"]].drop_duplicates().groupby("snapshot_id").size(),
        **{f"kind_touches[{kind}]_{days}d": kinds[kind] for kind in KINDS},
    }
    if f"distinct_kinds_{days}d" in COLUMNS:
        made[f"distinct_kinds_{days}d"] = kinds.notna().sum(axis="columns")
        made[f"duration_seconds_{days}d"] = by_lead.duration_seconds.sum(min_count=1)
    if f"inbound_share_{days}d" in COLUMNS:
        made[f"inbound_share_{days}d"] = (past.direction == "in").groupby(past.snapshot_id).mean()
    return made


@contextmanager
def way(folder: Path) -> Iterator[Way]:
    """With the tables as data frames."""
    touches, snapshots = (pd.read_parquet(folder / f"{name}.parquet") for name in ("touches", "snapshots"))
    touches = touches.astype({"kind": "category", "direction": "category"})
    last: list[pd.DataFrame] = []

    def run() -> None:
        last[:] = [features(touches, snapshots)]

    yield Way(
        run=run,
        save=lambda file: last[0].reset_index().to_parquet(file),
        columns=len(COLUMNS),
        version=f"pandas {pd.__version__}",
    )


if __name__ == "__main__":
    timed(way)
