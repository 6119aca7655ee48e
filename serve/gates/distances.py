"""How far two distributions lie apart, from counts of the same bins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from models.metrics import Vector

BINS = 10
MOST_VALUES = 50  # of a category; the rest is one bin
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


def number_counts(before: Vector, now: Vector) -> tuple[Vector, Vector]:
    """Counts between and at the tenths of the first, and of what is missing (NaN), as the last bin.

    At them too: a value that most leads share has a bin of its own.

    Parameters
    ----------
    before, now
        Any lengths.
    """
    known = before[~np.isnan(before)]
    inner = np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]) if len(known) else np.empty(0)
    edges = np.unique(inner)
    return _counted(before, edges), _counted(now, edges)


def category_counts(before: pa.ChunkedArray, now: pa.ChunkedArray) -> tuple[Vector, Vector]:
    """Counts of the most common values of the first, of all others, and of what is missing (null)."""
    one, other = _by_value(before), _by_value(now)
    known = sorted((value for value in one if value is not None), key=lambda value: (-one[value], value))
    kept = known[:MOST_VALUES]
    return _of_values(one, kept), _of_values(other, kept)


def _shares(counts: Vector) -> Vector:
    filled = counts + HALF
    return np.asarray(filled / filled.sum())


def _information(p: Vector, q: Vector) -> float:
    there = p > 0
    return float((p[there] * np.log2(p[there] / q[there])).sum())


def _counted(values: Vector, edges: Vector) -> Vector:
    missing = np.isnan(values)
    below, upto = (np.searchsorted(edges, values[~missing], side=side) for side in ("left", "right"))
    return np.append(np.bincount(below + upto, minlength=2 * len(edges) + 1), missing.sum()).astype(
        np.float64
    )


def _by_value(column: pa.ChunkedArray) -> dict[str | None, int]:
    found = column.value_counts()
    return dict(zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True))


def _of_values(counts: dict[str | None, int], kept: Sequence[str]) -> Vector:
    named, missing = [counts.get(value, 0) for value in kept], counts.get(None, 0)
    return np.array([*named, sum(counts.values()) - sum(named) - missing, missing], dtype=np.float64)
