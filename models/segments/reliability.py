"""Whether the mean probability of some rows lies where the rate that came true surely is."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from models.audit.association import wilson
from models.metrics import Vector
from models.weights import evidence_of, mean

Z_95 = 1.96  # standard deviations around the mean between which 95 % lie


def reliability(
    label: Vector, probability: Vector, leads: npt.ArrayLike, *, weight: Vector | None = None
) -> dict[str, Any]:
    """Counts, mean probability and observed rate of some rows.

    Parameters
    ----------
    label
        0 or 1, shape (n,), at least one row.
    probability
        Forecast between 0 and 1, shape (n,).
    leads
        Lead of each row, shape (n,).
    weight
        How often each row counts in a mean, shape (n,); None is once.

    Returns
    -------
    dict
        ``rows``, ``leads``, ``positives``, ``forecast`` (mean probability), ``rate``, ``rate_low`` and
        ``rate_high`` (95 % Wilson interval), ``is_inside`` (whether the forecast lies in it, ends included).

    Notes
    -----
    The interval counts leads, not rows: several nights of one lead are one piece of evidence. Where the rows
    count too unequally it counts fewer (`models.weights.evidence_of`).

    Examples
    --------
    >>> once = reliability(np.array([1.0, 0.0]), np.array([0.4, 0.2]), ["a", "b"])
    >>> twice = reliability(np.array([1.0, 1.0, 0.0, 0.0]), np.array([0.4, 0.4, 0.2, 0.2]), list("aabb"))
    >>> once["rate_low"] == twice["rate_low"], round(twice["forecast"], 2)
    (True, 0.3)
    """
    rate, count = mean(label, weight), len(np.unique(np.asarray(leads)))
    told = evidence_of(count, weight)
    low, high = (float(end) for end in wilson(np.array(rate * told), np.array(told), z=Z_95))
    forecast = mean(probability, weight)
    return {
        "rows": len(label),
        "leads": count,
        "positives": int(label.sum()),
        "forecast": forecast,
        "rate": rate,
        "rate_low": low,
        "rate_high": high,
        "is_inside": low <= forecast <= high,
    }
