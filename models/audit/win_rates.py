"""Whether the values of a column are the win rates of the very leads that have them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from models.audit.association import Flags, Floats
from models.audit.leads import Leads
from models.coded import Coded

FEWEST_GROUPS, ROWS_PER_GROUP, MOST_EXACT, ONCE_IN_1000 = 3, 10, 0.35, -3.09
ROUNDINGS = (0.01, 0.001, 0.0001)


def is_win_rate(values: pa.ChunkedArray, codes: Coded, leads: Leads) -> bool:
    """Whether each value is the share of won leads among those that have it, too exactly for chance.

    A rate from elsewhere or from earlier misses the rate of these leads by about a standard error, so the
    squared misses add up to a chi-square of as many degrees of freedom as there are values. True means that
    they add up to less than such a sum does once in a thousand.

    Parameters
    ----------
    values
        A number for each lead; shares (0 to 1) or percent.
    codes
        The same column, coded.
    """
    if not FEWEST_GROUPS <= codes.missing <= codes.known.sum() / ROWS_PER_GROUP:
        return False
    rates = np.unique(values.cast(pa.float64()).to_numpy()[codes.known])
    parts = (np.ones_like(leads.won), leads.won | leads.lost, leads.won | ~np.isnan(leads.closed))
    return any(_is_rate_of(rates / scale, codes, leads.won, part) for part in parts for scale in (1.0, 100.0))


def _is_rate_of(rate: Floats, codes: Coded, won: Flags, part: Flags) -> bool:
    if rate.min() < 0 or rate.max() > 1 or np.ptp(rate) == 0:
        return False
    rows = part & codes.known
    count = np.bincount(codes.codes[rows], minlength=len(rate)).astype(float)
    wins = np.bincount(codes.codes[rows & won], minlength=len(rate)).astype(float)
    seen, base = count > 0, wins.sum() / max(count.sum(), 1)
    if seen.sum() < FEWEST_GROUPS or not 0 < base < 1:
        return False
    weight = count[seen] / (base * (1 - base))  # one over the squared standard error
    misses, spread = (wins[seen] / count[seen] - rate[seen]) ** 2 * weight, (rate[seen] - base) ** 2 * weight
    rounding = 1.5 * _unit(rate) ** 2 / 12 * weight.sum()
    most = min(_unlikely(int(seen.sum())) + rounding, MOST_EXACT * len(misses))
    return bool(misses.sum() < most and misses.sum() < MOST_EXACT * spread.sum())


def _unlikely(freedom: int) -> float:
    """The value below which a chi-square falls once in a thousand: Wilson and Hilferty (1931)."""
    part = 2 / (9 * freedom)
    return float(freedom * max(0.0, 1 - part + ONCE_IN_1000 * np.sqrt(part)) ** 3)


def _unit(rate: Floats) -> float:
    """The step to which rates were rounded; 0 if they were not."""
    return next(
        (step for step in ROUNDINGS if np.allclose(rate, np.round(rate / step) * step, atol=1e-9)), 0.0
    )
