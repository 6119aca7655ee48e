"""Probabilities within several horizons from one margin: never lower for a longer horizon.

The curve of the ranking target stays as it is. The others stand on shared knots and are held below it if they
are shorter, above it if they are longer; beyond the knots all run parallel to it, so the order holds for
every margin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from features.errors import ModelError
from models.calibration import Calibration
from models.metrics import Vector

GRID = np.linspace(-12.0, 12.0, 97)  # log-odds; curves that cross between two of these are held at both
DECIMALS = 6  # of a knot
SAME = 1e-6  # log-odds by which a rounded knot may miss the ranking curve

Horizons = tuple[tuple[float, Calibration], ...]


def joined(curves: Mapping[float, Calibration], ranking: Calibration, ranking_days: float) -> Horizons:
    """Curves that never fall with the horizon.

    Parameters
    ----------
    curves
        By days, without the ranking target's own.
    ranking
        Curve of the ranking target.
    ranking_days
        Its horizon.

    Returns
    -------
    Days and curve, shortest horizon first.
    """
    every = [ranking, *curves.values()]
    knots = np.unique(np.round(np.concatenate([GRID, *(curve.margins for curve in every)]), DECIMALS))
    limit = ranking.at(knots)
    values: dict[float, Vector] = {}
    for days in sorted((d for d in curves if d < ranking_days), reverse=True):
        values[days] = limit = np.minimum(limit, curves[days].at(knots))
    limit = ranking.at(knots)
    for days in sorted(d for d in curves if d > ranking_days):
        values[days] = limit = np.maximum(limit, curves[days].at(knots))
    slopes = _end_slopes(ranking)
    return tuple((days, _with_ends(knots, values[days], slopes)) for days in sorted(values))


def within(
    margin: Vector, horizons: Horizons, ranking: Calibration, ranking_days: float | None
) -> dict[float, Vector]:
    """Probability of each margin within each horizon, the ranking target's among them, shortest first.

    Nothing where there are no horizons. Never falls with the horizon: not by a last digit either.
    """
    if not horizons or ranking_days is None:
        return {}
    found = {ranking_days: ranking.apply(margin)}
    limit = found[ranking_days]
    for days, curve in reversed([pair for pair in horizons if pair[0] < ranking_days]):
        found[days] = limit = np.minimum(limit, curve.apply(margin))
    limit = found[ranking_days]
    for days, curve in (pair for pair in horizons if pair[0] > ranking_days):
        found[days] = limit = np.maximum(limit, curve.apply(margin))
    return dict(sorted(found.items()))


def check_horizons(horizons: Horizons, ranking: Calibration, ranking_days: float | None) -> None:
    """Refuse curves that fall with the horizon.

    Raises
    ------
    ModelError
        The days do not rise or are those of the ranking target, the curves have other knots, or one of them
        lies on the wrong side of another.
    """
    if not horizons:
        return
    days = [number for number, _ in horizons]
    if ranking_days is None or ranking_days in days or not all(a < b for a, b in pairwise([0.0, *days])):
        raise _refusal("are not rising days beside the ranking target's")
    knots = horizons[0][1].margins
    if any(curve.margins != knots for _, curve in horizons):
        raise _refusal("do not share their knots")
    own = ranking.at(np.asarray(knots))
    shorter = [np.asarray(curve.log_odds) for number, curve in horizons if number < ranking_days]
    longer = [np.asarray(curve.log_odds) for number, curve in horizons if number > ranking_days]
    if not (_rise(shorter) and _rise(longer) and _rise([*shorter[-1:], own, *longer[:1]], slack=SAME)):
        raise _refusal("fall where the days rise")


def _rise(curves: Sequence[Vector], *, slack: float = 0.0) -> bool:
    return all((lower <= upper + slack).all() for lower, upper in pairwise(curves))


def _end_slopes(curve: Calibration) -> tuple[float, float]:
    slopes = np.diff(curve.log_odds) / np.diff(curve.margins)
    return float(slopes[0]), float(slopes[-1])


def _with_ends(knots: Vector, log_odds: Vector, slopes: tuple[float, float]) -> Calibration:
    """The curve with one more knot at each end, parallel to all others there."""
    x = np.concatenate([[knots[0] - 1], knots, [knots[-1] + 1]])
    y = np.concatenate([[log_odds[0] - slopes[0]], log_odds, [log_odds[-1] + slopes[1]]])
    return Calibration(tuple(x.tolist()), tuple(y.tolist()))


def _refusal(why: str) -> ModelError:
    return ModelError(f"the horizons of the model {why}", hint="restore it from the registry, or train again")
