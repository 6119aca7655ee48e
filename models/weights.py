"""What the weight of a row means: how many moments of the nightly population it stands for.

Of a lead that lasts, at most ``train.max_per_lead`` of many past moments are drawn; of one that is soon won
or lost, all of few. Rows counted as drawn would know how long each lead lasted, which is its future. So each
row counts by the inverse of the share that was drawn of its lead's moments (Horvitz and Thompson 1952, *A
generalization of sampling without replacement from a finite universe*): rates, levels, losses and figures are
those of all moments. Numbers of rows, outcomes and leads stay what they are, and so does every minimum that
asks for them. Explicit rows and a flat start have no weight: each row counts once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from models.metrics import Vector

STANDS_FOR = "stands_for"
"""Column of the weights that come from the draw."""
COLUMNS = ("weight", STANDS_FOR)
"""Columns of weights; the first that there is counts. ``weight`` is that of censored rows, the draw in it."""


def weights_of(table: pa.Table) -> Vector:
    """How often each row of a table counts, shape (n,); 1 where no column says so."""
    name = next((name for name in COLUMNS if name in table.column_names), None)
    if name is None:
        return np.ones(table.num_rows)
    return np.asarray(table.column(name).cast(pa.float64()).to_numpy(), dtype=np.float64)


def mean(values: Vector, weight: Vector | None = None) -> float:
    """Mean of some rows' values over the moments that they stand for.

    >>> mean(np.array([1.0, 0.0]), np.array([1.0, 3.0]))
    0.25
    """
    return float(np.average(values, weights=weight))


def per_row(weight: Vector | None, count: int) -> Vector:
    """Weights with a mean of 1, shape (count,): for losses whose plain mean is taken."""
    return np.ones(count) if weight is None else np.asarray(weight * (count / weight.sum()))


def effective(weight: Vector | None, count: int) -> Vector:
    """Weights that add up to as many rows as would tell as much, shape (count,).

    Notes
    -----
    Kish (1965), *Survey Sampling*, section 8.2: the effective sample size.

    >>> effective(np.array([1.0, 1.0, 4.0]), 3).sum()
    np.float64(2.0)
    """
    return np.ones(count) if weight is None else np.asarray(weight * (weight.sum() / (weight @ weight)))


def evidence_of(leads: float, weight: Vector | None) -> float:
    """How many leads an interval of a rate may rest on: all, or fewer where their rows count too unequally.

    A few rows that stand for many, beside many that stand for one, tell hardly more than the few.

    >>> evidence_of(4, np.array([1.0, 1.0, 1.0, 97.0])), evidence_of(2, np.ones(4))
    (1.062473, 2.0)
    """
    if weight is None or not len(weight):
        return float(leads)
    return float(min(leads, round(float(effective(weight, len(weight)).sum()), 6)))


def quantiles(values: Vector, shares: Any, weight: Vector | None = None) -> Vector:
    """Quantiles over the moments that some rows stand for; between rows only where all count alike."""
    if weight is None or np.ptp(weight) == 0:
        return np.asarray(np.quantile(values, shares))
    return np.asarray(np.quantile(values, shares, weights=weight, method="inverted_cdf"))
