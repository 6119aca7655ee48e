"""The same columns by featuretools, with a cutoff time for each lead.

``python -m tests.benches.by_featuretools FOLDER``. A call has one ``training_window``: there are four calls,
for 7, 30 and 90 days and ever, and only the columns of that window in each. Not timed: leaving out touches
recorded too late (the library has one time a row) and the day of a touch, counted back from the moment.
Its ``Sum`` is 0 where nothing was measured; ours is null.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import featuretools as ft
import pandas as pd
from featuretools import primitives as of

from tests.benches.plain import COLUMNS, KINDS, WINDOWS
from tests.benches.stopwatch import Way, timed

DAY, DAY_SECONDS = pd.Timedelta(days=1), 86_400


def features(leads: Any, snapshots: pd.DataFrame) -> pd.DataFrame:
    """One row per snapshot, indexed by ``snapshot_id``."""
    asked = snapshots[["lead_id", "as_of"]].rename(columns={"lead_id": "instance_id", "as_of": "time"})
    made: dict[str, pd.Series] = {}
    for days in (*WINDOWS, None):
        columns = _of_window(leads, days)
        values = ft.calculate_feature_matrix(
            list(columns.values()),
            leads,
            cutoff_time=asked,
            training_window=None if days is None else f"{days} days",
            include_cutoff_time=False,
        )
        made |= dict(zip(columns, (values[feature.get_name()] for feature in columns.values()), strict=True))
    made["burst_share_90d"] = made["touches_7d"] / made["touches_90d"].where(made["touches_90d"] > 0)
    made["mean_gap_days"] = made["mean_gap_days"] / DAY_SECONDS
    table = pd.DataFrame(made)[list(COLUMNS)].astype("float64").loc[snapshots.lead_id]
    different = [name for name in table if name.startswith(("active_days", "distinct_kinds"))]
    table[different] = table[different].fillna(0)
    return table.set_axis(snapshots.snapshot_id)


def _of_window(leads: Any, days: int | None) -> dict[str, Any]:
    def value(primitive: Any, column: str, kind: str | None = None) -> Any:
        where = None if kind is None else ft.Feature(leads["touches"].ww["kind"]) == kind
        base = ft.Feature(leads["touches"].ww[column])
        return ft.Feature(base, parent_dataframe_name="leads", primitive=primitive, where=where)

    window = "_ever" if days is None else f"_{days}d"
    made = {f"touches{window}": value(of.Count, "touch_id")}
    for kind in KINDS:
        name = f"kind_touches_ever[{kind}]" if days is None else f"kind_touches[{kind}]_{days}d"
        made[name] = value(of.Count, "touch_id", kind)
    if days is None:
        made["days_since_last_touch"] = value(of.TimeSinceLast(unit="days"), "occurred_at")
        made["days_since_first_touch"] = value(of.TimeSinceFirst(unit="days"), "occurred_at")
        made["mean_gap_days"] = value(of.AvgTimeBetween, "occurred_at")
        for kind in KINDS:
            made[f"days_since[{kind}]"] = value(of.TimeSinceLast(unit="days"), "occurred_at", kind)
    others: Mapping[str, tuple[Any, str]] = {
        f"active_days{window}": (of.NumUnique, "day"),
        f"distinct_kinds{window}": (of.NumUnique, "kind"),
        f"duration_seconds{window}": (of.Sum, "duration_seconds"),
        f"inbound_share{window}": (of.PercentTrue, "is_in"),
    }
    return made | {name: value(*asked) for name, asked in others.items() if name in COLUMNS}


def _entities(touches: pd.DataFrame, snapshots: pd.DataFrame) -> Any:
    both = touches.merge(snapshots, on="lead_id")
    known = both[both.recorded_at < both.as_of]
    facts = pd.DataFrame({
        "touch_id": known.row_number,
        "lead_id": known.lead_id,
        "occurred_at": known.occurred_at,
        "kind": known.kind.astype("category"),
        "day": (-(-(known.as_of - known.occurred_at) // DAY)).astype("category"),
        "duration_seconds": known.duration_seconds,
        "is_in": known.direction == "in",
    })  # fmt: skip
    leads = ft.EntitySet("history")
    leads.add_dataframe(dataframe_name="leads", dataframe=snapshots[["lead_id"]], index="lead_id")
    leads.add_dataframe(
        dataframe_name="touches", dataframe=facts, index="touch_id", time_index="occurred_at",
        logical_types={"kind": "Categorical", "day": "Categorical", "is_in": "Boolean"},
    )  # fmt: skip
    return leads.add_relationship("leads", "lead_id", "touches", "lead_id")


@contextmanager
def way(folder: Path) -> Iterator[Way]:
    """With the tables as an entity set; in one process, as is its default."""
    warnings.simplefilter("ignore")  # of its own dependencies
    touches, snapshots = (pd.read_parquet(folder / f"{name}.parquet") for name in ("touches", "snapshots"))
    leads = _entities(touches, snapshots)
    last: list[pd.DataFrame] = []

    def run() -> None:
        last[:] = [features(leads, snapshots)]

    yield Way(
        run=run,
        save=lambda file: last[0].reset_index().to_parquet(file),
        columns=len(COLUMNS),
        version=f"featuretools {ft.__version__}, pandas {pd.__version__}",
    )


if __name__ == "__main__":
    timed(way)
