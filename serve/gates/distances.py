"""How far two distributions lie apart, from counts of the same bins."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from models.binning import cuts_of
from models.metrics import Vector

BINS = 10
HALF = 0.5  # a row in every bin, so that an empty one is not infinitely far


def psi(before: Vector, now: Vector) -> float:
    """Population stability index of two vectors of counts, shape (bins,): 0 and more.

    Notes
    -----
    ``Σ (p - q) ln(p / q)``, the symmetrised divergence of Kullback and Leibler (1951). Up to .1 is usually
    called stable and .25 a shift (Siddiqi 2006, *Credit Risk Scorecards*). What chance alone gives,
    ``(bins - 1) (1/n + 1/m)`` (Yurdakul and Naranjo 2020), is taken off.

    >>> round(psi(np.array([500.0, 500.0]), np.array([800.0, 200.0])), 2)
    0.41
    """
    is_met = before + now > 0
    p, q = _shares(before[is_met]), _shares(now[is_met])
    by_chance = (len(p) - 1) * (1 / before.sum() + 1 / now.sum())
    return max(0.0, float(((p - q) * np.log(p / q)).sum() - by_chance))


def js(before: Vector, now: Vector) -> float:
    """Jensen-Shannon divergence of two vectors of counts, in bits: 0 (equal) to 1 (nothing in common).

    Source: Lin (1991), *Divergence measures based on the Shannon entropy*.

    >>> round(js(np.array([500.0, 500.0]), np.array([800.0, 200.0])), 2)
    0.07
    """
    p, q = before / before.sum(), now / now.sum()
    middle = (p + q) / 2
    return float((_information(p, middle) + _information(q, middle)) / 2)


def counts(before: pa.ChunkedArray, now: pa.ChunkedArray) -> tuple[Vector, Vector]:
    """Rows of two columns in the bins of the first: tenths of a number, the common values of a category."""
    cuts = cuts_of(before, bins=BINS)
    return cuts.counts(before), cuts.counts(now)


def _shares(counts: Vector) -> Vector:
    filled = counts + HALF
    return np.asarray(filled / filled.sum())


def _information(p: Vector, q: Vector) -> float:
    there = p > 0
    return float((p[there] * np.log2(p[there] / q[there])).sum())
