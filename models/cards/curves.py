"""The curves of a model on its test rows as numbers: what pictures draw, and what two trainings compare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]

STEPS = 100
"""Points of a curve along the list: each hundredth of it."""


def found(won: npt.ArrayLike, score: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Share of the rows, best first, and of the wins among them; rows of equal score share theirs evenly.

    Parameters
    ----------
    won
        0 or 1 (or a flag), shape (n,); one of them is won.
    score
        Highest first, shape (n,).
    weight
        How often each row counts, shape (n,).

    >>> found([1.0, 0.0], np.array([0.9, 0.1]), np.ones(2))
    (array([0. , 0.5, 1. ]), array([0., 1., 1.]))
    """
    places = np.unique(-score, return_inverse=True)[1]
    hits = np.asarray(won, dtype=np.float64)
    called, caught = (np.cumsum(np.bincount(places, weights=of)) for of in (weight, weight * hits))
    return np.append(0.0, called / called[-1]), np.append(0.0, caught / caught[-1])


def gains(label: Floats, orders: Mapping[str, Floats], weight: Floats) -> list[dict[str, float]]:
    """Share of the wins among the first leads of each order, at each hundredth of the list.

    Returns
    -------
    list of dict
        ``share`` (0 to 1) and one entry an order.
    """
    shares = np.linspace(0, 1, STEPS + 1)
    along = {name: np.interp(shares, *found(label, order, weight)) for name, order in orders.items()}
    return [
        {"share": float(share), **{name: float(caught[place]) for name, caught in along.items()}}
        for place, share in enumerate(shares)
    ]


def precision(label: Floats, orders: Mapping[str, Floats], weight: Floats) -> list[dict[str, float]]:
    """Share of won rows among the first of each order, from one hundredth of the list to the whole.

    Returns
    -------
    list of dict
        As `gains`. At the whole list each is the base rate.
    """
    base = float((weight * label).sum() / weight.sum())
    return [
        {
            "share": row["share"],
            **{name: base * caught / row["share"] for name, caught in row.items() if name != "share"},
        }
        for row in gains(label, orders, weight)[1:]
    ]
