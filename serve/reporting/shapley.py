"""Data-driven attribution: a win is shared among the channels of its lead by what they add to the rate.

Dalessandro, Perlich, Stitelman and Provost (2012), "Causally motivated attribution for online advertising",
section 3: the Shapley value of a game whose coalitions are sets of channels, worth the conversion rate of the
leads that had exactly this set. The rate of a lead without any channel is the base: nobody earned it.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Counts: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]

DRAWN = 10.0
"""Leads that a set is drawn to the sets below it with: a rate of few leads says little."""


def worth(leads: Counts, wins: Counts) -> Floats:
    """What each set of channels is worth, as a rate of wins.

    Parameters
    ----------
    leads, wins
        Shape (2**k,): leads that had exactly the set of channels whose bits the place has, and their wins.

    Returns
    -------
    ndarray
        Shape (2**k,), 0 to 1. Drawn to the mean of the sets with one channel less (the empty set: to all
        leads) and never below any of them: a channel does not undo what the others did.
    """
    found = np.zeros(len(leads))
    overall = wins.sum() / max(leads.sum(), 1)
    for chosen in sorted(range(len(leads)), key=int.bit_count):
        below = [found[chosen & ~bit] for bit in _bits(chosen)]
        prior = float(np.mean(below)) if below else overall
        rate = (wins[chosen] + DRAWN * prior) / (leads[chosen] + DRAWN)
        found[chosen] = max(rate, *below) if below else rate
    return found


def shares(value: Floats) -> Floats:
    """How the win of a lead is shared among the channels of its set.

    Parameters
    ----------
    value
        Shape (2**k,): what each set is worth; never less than a set within it.

    Returns
    -------
    ndarray
        Shape (2**k, k + 1): each channel's share by set, 0 to 1, and last what is nobody's. Rows add up to 1.

    Notes
    -----
    A Shapley value is the sum of the dividends of the sets that a player is in, each divided by their size
    (Harsanyi 1963, "A simplified bargaining model for the n-person cooperative game").
    """
    channels = len(value).bit_length() - 1
    sizes = np.array([chosen.bit_count() for chosen in range(len(value))])
    dividends = _over_subsets(value, sign=-1) / np.maximum(sizes, 1)
    earned = np.stack(
        [
            _over_subsets(np.where(np.arange(len(value)) >> place & 1, dividends, 0.0), sign=1)
            for place in range(channels)
        ]
        + [np.full(len(value), value[0])],
        axis=1,
    ).clip(min=0)
    whole = earned.sum(axis=1, keepdims=True)
    nobody = np.eye(channels + 1)[-1]
    return np.where(whole > 0, earned / np.where(whole > 0, whole, 1), nobody)


def _over_subsets(value: Floats, *, sign: int) -> Floats:
    """Sum over the subsets of each set; with ``sign`` -1 its inverse (Möbius)."""
    found = value.copy()
    bit = 1
    while bit < len(value):
        has = (np.arange(len(value)) & bit) > 0
        found[has] += sign * found[~has]
        bit <<= 1
    return found


def _bits(chosen: int) -> list[int]:
    return [1 << place for place in range(chosen.bit_length()) if chosen >> place & 1]
