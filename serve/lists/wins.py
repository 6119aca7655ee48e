"""How many of some calls end in a win: the interval that chance leaves around their sum."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from models.metrics import Vector

EXACT = 500
"""Most calls whose distribution is convolved; of more the normal approximation is as good."""


def wins_interval(chances: Vector, *, level: float = 0.9) -> tuple[Vector, Vector]:
    """Ends of the interval of the number of wins, for each row of calls.

    Parameters
    ----------
    chances
        Shape (lists, calls): probabilities, 0 where a list is shorter than the longest.
    level
        Share of the distribution between the ends.

    Returns
    -------
    tuple
        Shape (lists,) each: the smallest whole numbers that reach the lower and the upper quantile of the
        Poisson-binomial distribution, for wins that are independent given their probabilities.

    Notes
    -----
    Exact by convolution, one call after the other; with more than `EXACT` calls by the normal approximation
    with continuity correction (Hong 2013, "On computing the distribution function for the Poisson binomial
    distribution", sections 2.2 and 2.4).

    >>> low, high = wins_interval(np.full((1, 10), 0.5))
    >>> float(low[0]), float(high[0])
    (2.0, 8.0)
    """
    ends = (1 - level) / 2, (1 + level) / 2
    find = _exact if chances.shape[1] <= EXACT else _normal
    low, high = find(chances, ends)
    return low, high


def _exact(chances: Vector, ends: tuple[float, float]) -> list[Vector]:
    lists, calls = chances.shape
    weights = np.zeros((lists, calls + 1))
    weights[:, 0] = 1
    for call in range(calls):  # columns, not rows: at most EXACT steps
        chance = chances[:, call : call + 1]
        won = weights[:, : call + 1] * chance
        weights[:, : call + 1] *= 1 - chance
        weights[:, 1 : call + 2] += won
    reached = np.minimum(weights.cumsum(axis=1), 1)
    reached[:, -1] = 1
    return [(reached >= end).argmax(axis=1).astype(float) for end in ends]


def _normal(chances: Vector, ends: tuple[float, float]) -> list[Vector]:
    mean, spread = chances.sum(axis=1), np.sqrt((chances * (1 - chances)).sum(axis=1))
    most = (chances > 0).sum(axis=1)
    return [
        np.clip(np.ceil(mean + NormalDist().inv_cdf(end) * spread - 0.5), 0, most).astype(float)
        for end in ends
    ]
