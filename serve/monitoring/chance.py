"""What chance gives: whether counts may come from one distribution, and which of many such answers stand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.metrics import Vector

FEWEST_EXPECTED = 5.0


def probability(before: Vector, now: Vector) -> float:
    """How likely two populations of one distribution lie at least so far apart, 0 to 1.

    Parameters
    ----------
    before, now
        Counts of the same bins, shape (bins,).

    Notes
    -----
    Pearson's test of homogeneity. Bins in which fewer than 5 are expected on either side are taken together
    (Cochran 1954, *Some methods for strengthening the common χ² tests*).

    >>> probability(np.array([50.0, 50.0]), np.array([50.0, 50.0]))
    1.0
    >>> probability(np.array([500.0, 500.0]), np.array([80.0, 20.0])) < 1e-6
    True
    """
    table = _pooled(np.vstack([before, now]))
    if table.shape[1] < 2:  # noqa: PLR2004 - with one bin nothing can differ
        return 1.0
    from scipy.special import chdtrc

    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    return float(chdtrc(table.shape[1] - 1, float(((table - expected) ** 2 / expected).sum())))


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


def _pooled(table: Vector) -> Vector:
    """Columns with enough on both sides, and all others as one."""
    table = table[:, table.sum(axis=0) > 0]
    if not table.size or not (table.sum(axis=1) > 0).all():
        return np.empty((2, 0))
    expected = table.sum(axis=0) * table.sum(axis=1).min() / table.sum()
    is_rare = expected < FEWEST_EXPECTED
    kept, rare = table[:, ~is_rare], table[:, is_rare].sum(axis=1, keepdims=True)
    return np.hstack([kept, rare]) if is_rare.any() else kept
