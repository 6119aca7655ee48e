"""A share with its interval, and whether there is enough behind it to be judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.audit.association import wilson

Z_95 = 1.96
IMMATURE, FEW = "immature", "few"
"""Why a row is marked: its leads are too young, or there are too few of them or of their conversions."""


def rate(converted: int, of: int) -> dict[str, Any] | None:
    """A share with its 95 % interval (Wilson): ``value``, ``low``, ``high``, ``n``; None of nothing.

    >>> rate(0, 0) is None, round(rate(5, 10)["low"], 3)
    (True, 0.237)
    """
    if of == 0:
        return None
    low, high = wilson(np.array([float(converted)]), np.array([float(of)]), z=Z_95)
    return {"value": converted / of, "low": float(low[0]), "high": float(high[0]), "n": of}


def mark(leads: int, mature: int, conversions: int, about: Mapping[str, Any]) -> str | None:
    """Why a row must not be ranked; None if it may.

    Parameters
    ----------
    leads, mature
        All of them, and those whose window is over.
    conversions
        Of the mature ones.

    Examples
    --------
    >>> enough = {"least_leads": 30, "least_conversions": 5}
    >>> mark(40, 29, 5, enough), mark(29, 29, 5, enough), mark(30, 30, 4, enough), mark(30, 30, 5, enough)
    ('immature', 'few', 'few', None)
    """
    if mature < about["least_leads"]:
        return IMMATURE if leads >= about["least_leads"] else FEW
    return FEW if conversions < about["least_conversions"] else None


def over(total: float | None, count: float) -> float | None:
    """What one costs; None if nothing is known or there is none."""
    return total / count if total is not None and count else None
