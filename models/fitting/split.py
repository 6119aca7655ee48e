"""Slices in time: train, stop (how many trees), calibrate, test, each later than the one before.

Between slices lies a gap as long as the horizon, so that every label of a slice is known before the next one
begins; rows in a gap belong to no slice. Where history is too short for that (``most_gap_share``, and half of
what stays for training), the gaps give way in this order: before stop, before calibrate, before test.

With a full gap a lead may appear on both sides, as it does in use: its earlier label window had ended. Where
a gap is shorter than the horizon, such a lead keeps the rows of one side, chosen by a hash of its id, so
that neither side is left with only new or only closed leads. Rows of one moment (flat start) are split by
their order.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from features.errors import ModelError

Places = npt.NDArray[np.intp]

SLICES = ("train", "stop", "calibrate", "test")
MICROSECONDS_PER_DAY = 86_400_000_000


@dataclass(frozen=True)
class Shares:
    """Share of the rows that each later slice takes; train keeps the rest."""

    stop: float = 0.15
    calibrate: float = 0.15
    test: float = 0.2


@dataclass(frozen=True)
class Split:
    """Row numbers of each slice, earliest first, and the gaps before stop, calibrate and test.

    ``gap_days`` holds what was used, ``asked_gap_days`` what was wanted; ``purged`` counts rows in gaps and
    rows of leads that kept another side.
    """

    places: dict[str, Places]
    gap_days: tuple[float, float, float]
    asked_gap_days: float
    purged: int

    def __getitem__(self, name: str) -> Places:
        return self.places[name]

    def as_json(self) -> dict[str, Any]:
        """Counts and gaps for the report."""
        return {
            "rows": {name: len(places) for name, places in self.places.items()},
            "gap_days": dict(zip(SLICES[1:], self.gap_days, strict=True)),
            "asked_gap_days": self.asked_gap_days,
            "purged_rows": self.purged,
        }


def split_by_time(
    at: npt.NDArray[np.int64],
    leads: npt.NDArray[np.object_],
    *,
    gap_days: float,
    shares: Shares | None = None,
    most_gap_share: float = 0.4,
) -> Split:
    """Slices of dated rows.

    Parameters
    ----------
    at
        Moment of each row in microseconds, shape (n,), **ascending**; equal moments stay together.
    leads
        Lead of each row, shape (n,).
    gap_days
        Length of the label window.
    shares
        Sizes of the later slices.
    most_gap_share
        Share of the rows that gaps may take.

    Raises
    ------
    ModelError
        A slice would be empty.
    """
    shares = shares or Shares()
    for gaps in _gaps(gap_days):
        places = _cut(at, [int(g * MICROSECONDS_PER_DAY) for g in gaps], shares)
        lost = len(at) - sum(len(p) for p in places.values())
        if lost <= most_gap_share * len(at) and 2 * len(places["train"]) >= (len(at) - lost) * _left(shares):
            break
    needed = gap_days * MICROSECONDS_PER_DAY
    close = [(a, b) for a, b in combinations(SLICES, 2) if _between(at, places[a], places[b]) < needed]
    return _checked(_one_side_each(places, leads, close), gaps, gap_days, len(at))


def split_by_order(leads: npt.NDArray[np.object_], *, shares: Shares | None = None) -> Split:
    """Slices of rows that are in order but have no dates; a lead keeps one side.

    Raises
    ------
    ModelError
        A slice would be empty.
    """
    places = _cut(np.arange(len(leads)), [0, 0, 0], shares or Shares())
    places = _one_side_each(places, leads, list(combinations(SLICES, 2)))
    return _checked(places, (0.0, 0.0, 0.0), 0.0, len(leads))


def _gaps(days: float) -> Iterator[tuple[float, float, float]]:
    """Gaps to try, the most honest first."""
    yield days, days, days
    yield 0.0, days, days
    for part in (2, 4):
        yield 0.0, days / part, days
    for part in (1, 2, 4, 8):
        yield 0.0, 0.0, days / part
    yield 0.0, 0.0, 0.0


def _cut(at: npt.NDArray[np.int64], gaps: list[int], shares: Shares) -> dict[str, Places]:
    """Slices from the latest back: each takes its share of all rows that are left outside the gaps."""
    places, end, taken = {}, len(at), 0.0
    sizes = (shares.stop, shares.calibrate, shares.test)
    for name, gap, share in reversed(list(zip(SLICES[1:], gaps, sizes, strict=True))):
        if end == 0:
            places[name] = np.arange(0)
            continue
        first = at[int(end * (1 - share / (1 - taken)))]
        start = int(np.searchsorted(at, first))
        places[name] = np.arange(start, end)
        end = int(np.searchsorted(at, first - gap, side="right")) if gap else start
        taken += share
    places["train"] = np.arange(0, end)
    return {name: places[name] for name in SLICES}


def _left(shares: Shares) -> float:
    return 1 - shares.stop - shares.calibrate - shares.test


def _between(at: npt.NDArray[np.int64], earlier: Places, later: Places) -> float:
    if len(earlier) == 0 or len(later) == 0:
        return np.inf
    return float(at[later[0]] - at[earlier[-1]])


def _one_side_each(
    places: dict[str, Places], leads: npt.NDArray[np.object_], close: list[tuple[str, str]]
) -> dict[str, Places]:
    """Let each lead keep one slice of every pair that is too close."""
    kept = dict(places)
    for earlier, later in close:
        both = np.intersect1d(leads[kept[earlier]], leads[kept[later]])
        stays_early = np.fromiter((zlib.crc32(str(x).encode()) % 2 == 0 for x in both), bool, len(both))
        kept[earlier] = kept[earlier][~np.isin(leads[kept[earlier]], both[~stays_early])]
        kept[later] = kept[later][~np.isin(leads[kept[later]], both[stays_early])]
    return kept


def _checked(places: dict[str, Places], gaps: tuple[float, float, float], asked: float, rows: int) -> Split:
    empty = [name for name in SLICES if len(places[name]) == 0]
    if empty:
        raise ModelError(
            f"no rows are left for the {' and '.join(empty)} slice",
            hint="give rows over a longer period, or shorten horizon_days",
        )
    return Split(places, gaps, asked, rows - sum(len(p) for p in places.values()))
