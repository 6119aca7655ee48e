"""Random histories with ties, nulls, late records and facts on every boundary; plain Python rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

Rows = list[dict[str, Any]]
TONIGHT = datetime(2026, 3, 31)  # noqa: DTZ001  # stamps inside an engine are naive UTC
KINDS = ("call", "email_open", "web_visit")
_MOMENT, _TEXT, _NUMBER, _WHOLE = pa.timestamp("us"), pa.string(), pa.float64(), pa.int64()
COLUMNS = {
    "leads": {
        "lead_id": _TEXT, "created_at": _MOMENT, "account_id": _TEXT, "industry": _TEXT, "seats": _NUMBER,
        "is_vip": _NUMBER, "asked_at": _MOMENT, "status": _TEXT, "size": _NUMBER, "agreed": _NUMBER,
        "due_at": _MOMENT, "row_number": _WHOLE,
    },
    "accounts": {
        "account_id": _TEXT, "sector": _TEXT, "employees": _NUMBER, "founded_at": _MOMENT,
        "row_number": _WHOLE,
    },
    "touches": {
        "lead_id": _TEXT, "kind": _TEXT, "place": _TEXT, "direction": _TEXT, "duration_seconds": _NUMBER,
        "occurred_at": _MOMENT, "recorded_at": _MOMENT, "row_number": _WHOLE,
    },
    "outcomes": {
        "lead_id": _TEXT, "stage": _TEXT, "occurred_at": _MOMENT, "recorded_at": _MOMENT,
        "row_number": _WHOLE,
    },
    "field_history": {
        "lead_id": _TEXT, "field": _TEXT, "changed_at": _MOMENT, "recorded_at": _MOMENT, "old_value": _TEXT,
        "new_value": _TEXT, "row_number": _WHOLE,
    },
    "snapshots": {"snapshot_id": _WHOLE, "lead_id": _TEXT, "as_of": _MOMENT},
}  # fmt: skip
TRACKED = {
    "status": ("new", "warm", "hot", None),
    "size": ("1", "2.5", "not a number", None),
    "agreed": ("yes", "No", "true", None),
    "due_at": ("2026-01-05 00:00:00", "2026-02-01 12:30:00", None),
}


def history(seed: int, *, leads: int = 40, touches: int = 10) -> dict[str, Rows]:
    """Rows by table; two snapshots a lead, ``TONIGHT`` and a moment up to 40 days before it."""
    random = np.random.default_rng(seed)
    names = [f"lead{number:03d}" for number in range(leads)]
    tables = {
        "leads": [_lead(random, name) for name in names],
        "accounts": [_account(random, number) for number in range(leads // 3)],
        "touches": [_touch(random, name) for name in names for _ in range(random.integers(0, 2 * touches))],
        "outcomes": [_outcome(random, name) for name in names for _ in range(random.integers(0, 5))],
        "field_history": [row for name in names for row in _changes(random, name)],
        "snapshots": [
            {"lead_id": name, "as_of": moment}
            for name in names
            for moment in (TONIGHT, TONIGHT - timedelta(days=int(random.integers(1, 40))))
        ],
    }
    for name, rows in tables.items():
        for number, row in enumerate(rows):
            row["snapshot_id" if name == "snapshots" else "row_number"] = number
    return tables


def stacked(worlds: Sequence[dict[str, Rows]]) -> dict[str, Rows]:
    """Histories side by side in one set of tables, which is as good as apart and faster: no id is shared.

    Snapshots are numbered on; the rows of a world keep their numbers.
    """
    tables: dict[str, Rows] = {name: [] for name in worlds[0]}
    for number, world in enumerate(worlds):
        for name, rows in world.items():
            tables[name] += [_apart(row, number) for row in rows]
    for number, row in enumerate(tables["snapshots"]):
        row["snapshot_id"] = number
    return tables


def _apart(row: dict[str, Any], world: int) -> dict[str, Any]:
    ids = {name: row[name] for name in ("lead_id", "account_id") if row.get(name) is not None}
    return {**row, **{name: f"{world}/{value}" for name, value in ids.items()}}


def arrow(tables: dict[str, Rows]) -> dict[str, pa.Table]:
    """The rows as Arrow tables, as ingest leaves them."""
    return {
        name: pa.table(
            {column: pa.array([row[column] for row in rows], kind) for column, kind in COLUMNS[name].items()}
        )
        for name, rows in tables.items()
    }


def _one(random: np.random.Generator, values: Any) -> Any:
    return values[int(random.integers(len(values)))]


def _moment(random: np.random.Generator, first: int = -130, last: int = 8) -> datetime:
    """Whole days half of the time, so that edges of windows are met, and ties."""
    day = TONIGHT + timedelta(days=int(random.integers(first, last)))
    aside = _one(random, (0, 0, 0, 1, -1, 43_200_000_000, 30_000_000_007))
    return day + timedelta(microseconds=aside)


def _recorded(random: np.random.Generator, occurred: datetime) -> datetime:
    return occurred + timedelta(days=_one(random, (0, 0, 0, 1, 9)))


def _lead(random: np.random.Generator, name: str) -> dict[str, Any]:
    return {
        "lead_id": name,
        "created_at": _moment(random, -200, -1),
        "account_id": _one(random, ("a0", "a1", "a2", "a3", None)),
        "industry": _one(random, ("metal", "wood", "", None)),
        "seats": _one(random, (0.0, 7.0, 1e6, 1 / 3, None)),
        "is_vip": _one(random, (0.0, 1.0, None)),
        "asked_at": _one(random, (TONIGHT - timedelta(days=3), _moment(random), None)),
        "status": _one(random, ("new", "gone", None)),
        "size": _one(random, (3.0, None)),
        "agreed": _one(random, (0.0, 1.0, None)),
        "due_at": _one(random, (TONIGHT - timedelta(days=1), None)),
    }


def _account(random: np.random.Generator, number: int) -> dict[str, Any]:
    return {
        "account_id": f"a{number}",
        "sector": _one(random, ("public", None)),
        "employees": _one(random, (12.0, None)),
        "founded_at": _one(random, (datetime(1999, 1, 1), None)),  # noqa: DTZ001  # likewise
    }


def _touch(random: np.random.Generator, name: str) -> dict[str, Any]:
    occurred = _moment(random)
    return {
        "lead_id": name,
        "kind": _one(random, KINDS),
        "place": _one(random, ("pricing", "blog", None)),
        "direction": _one(random, ("in", "out", None)),
        "duration_seconds": _one(random, (0.0, 60.0, 0.1, None)),
        "occurred_at": occurred,
        "recorded_at": _recorded(random, occurred),
    }


def _outcome(random: np.random.Generator, name: str) -> dict[str, Any]:
    occurred = _moment(random, -90, 30)
    stage = _one(random, ("mql", "sql", "won", "lost", "disqualified", "reopened", "reopened"))
    return {
        "lead_id": name,
        "stage": stage,
        "occurred_at": occurred,
        "recorded_at": _recorded(random, occurred),
    }


def _changes(random: np.random.Generator, name: str) -> Rows:
    """A few changes of each tracked field at different moments, oldest first."""
    rows: Rows = []
    for field, values in TRACKED.items():
        days = sorted(
            random.choice(60, size=int(random.integers(0, 4)), replace=False).tolist(), reverse=True
        )
        value = _one(random, values)
        for day in days:
            changed, old = TONIGHT - timedelta(days=day - 3), value
            value = _one(random, values)
            recorded = _recorded(random, changed)
            rows.append(
                {"lead_id": name, "field": field, "changed_at": changed, "recorded_at": recorded,
                 "old_value": old, "new_value": value}
            )  # fmt: skip
    return rows
