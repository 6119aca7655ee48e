"""What chance gives: whether counts may come from one distribution, and which of many such answers stand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.metrics import Vector

FEWEST_EXPECTED = 5.0
SLACK = 1e-7  # outcomes that are equally likely differ by rounding


def probability(before: Vector, now: Vector) -> float:
    """How likely two populations of one distribution lie at least so far apart, 0 to 1.

    Parameters
    ----------
    before, now
        Counts of the same bins, shape (bins,).

    Notes
    -----
    Pearson's test of homogeneity, of the bins in which at least 5 are expected on either side (Cochran 1954,
    *Some methods for strengthening the common χ² tests*). Rarer bins are taken together; where that is still
    too few for it, they are held against all others by Fisher's exact test, and the surer of the two answers
    counts half.

    >>> probability(np.array([50.0, 50.0]), np.array([50.0, 50.0]))
    1.0
    >>> probability(np.array([500.0, 500.0]), np.array([80.0, 20.0])) < 1e-6
    True
    """
    table = np.vstack([before, now])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2 or not (table.sum(axis=1) > 0).all():  # noqa: PLR2004 - with one bin nothing can differ
        return 1.0
    expected = table.sum(axis=0) * (table.sum(axis=1).min() / table.sum())
    is_rare = expected < FEWEST_EXPECTED
    is_rare[expected.argmax()] = False
    common, rare = table[:, ~is_rare], table[:, is_rare].sum(axis=1)
    if common.shape[1] + is_rare.any() < 2:  # noqa: PLR2004
        return 1.0
    enough = min(expected[~is_rare].min(), expected[is_rare].sum()) >= FEWEST_EXPECTED
    if enough:
        return _pearson(np.column_stack([common, rare]))
    chances = [_pearson(common)] if common.shape[1] > 1 else []
    if is_rare.any():
        chances.append(_exact(rare, common.sum(axis=1)))
    return min(1.0, len(chances) * min(chances))


def _pearson(table: Vector) -> float:
    from scipy.special import chdtrc

    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    return float(chdtrc(table.shape[1] - 1, float(((table - expected) ** 2 / expected).sum())))


def _exact(rare: Vector, others: Vector) -> float:
    """Fisher's test, two-sided, of whole counts before and now: as likely as this or less, all together."""
    from scipy.special import gammaln

    (was, now), (rest_was, rest_now) = np.round(rare), np.round(others)
    many, before, tonight = was + now, was + rest_was, now + rest_now
    at = np.arange(max(0.0, many - before), min(many, tonight) + 1)
    weight = -sum(gammaln(part + 1) for part in (at, many - at, tonight - at, before - many + at))
    weight = np.exp(weight - weight.max())
    likely = weight / weight.sum()
    here = likely[int(now - at[0])]
    return float(min(1.0, likely[likely <= here * (1 + SLACK)].sum()))


def discoveries(chances: Vector, rate: float) -> npt.NDArray[np.bool_]:
    """Which of many hypotheses are refused so that among these at most ``rate`` are true, on average.

    Source: Benjamini and Hochberg (1995), *Controlling the false discovery rate*, which holds under positive
    dependence as well (Benjamini and Yekutieli 2001).

    >>> discoveries(np.array([0.001, 0.02, 0.5]), 0.05).tolist()
    [True, True, False]
    """
    order = np.argsort(chances, kind="stable")
    below = np.flatnonzero(chances[order] <= rate * np.arange(1, len(chances) + 1) / max(len(chances), 1))
    found = np.zeros(len(chances), dtype=bool)
    if len(below):
        found[order[: below[-1] + 1]] = True
    return found
