"""Grades of a lead: A to D for who it is, 1 to 4 for what it does, each against a frozen population.

Who a lead is: the families fit, source and account. What it does: all others. A half of the margin is graded
by where it stands among the later rows of the training, so that a grade does not move with other leads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from features.errors import ModelError
from models.metrics import Vector
from models.weights import quantiles

GRADES = "grades"
"""Under this name a bundle keeps the reference."""
FIT_FAMILIES = ("fit", "source", "account")
QUANTILES = 101
REFERENCE_ROWS = 5000  # the latest; a percentile needs no more
FIT, ENGAGEMENT = "ABCD", "1234"
"""Best first."""

Letters = npt.NDArray[np.str_]


@dataclass(frozen=True)
class Grades:
    """Two halves of the margin in the reference population, as percentiles from the lowest to the highest.

    Attributes
    ----------
    fit, engagement
        Log-odds, not falling.
    """

    fit: tuple[float, ...]
    engagement: tuple[float, ...]

    def of(self, totals: Mapping[str, Vector], shares: Sequence[float]) -> tuple[Letters, Letters]:
        """The two grades of each lead.

        Parameters
        ----------
        totals
            Contributions by family, each of shape (n,), log-odds.
        shares
            Share of the reference population that has the best grade, the best two, and the best three.

        Returns
        -------
        tuple
            ``A`` to ``D`` and ``1`` to ``4``, each of shape (n,).
        """
        fit, engagement = halves(totals)
        return _graded(fit, self.fit, FIT, shares), _graded(engagement, self.engagement, ENGAGEMENT, shares)

    def as_json(self) -> dict[str, list[float]]:
        """Percentiles as lists."""
        return {"fit": list(self.fit), "engagement": list(self.engagement)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Grades:
        """The grades that :meth:`as_json` described.

        Raises
        ------
        ModelError
            The percentiles fall or are not as many as they should be.
        """
        both = [np.asarray(data.get(half, ()), np.float64) for half in ("fit", "engagement")]
        if any(part.shape != (QUANTILES,) or not (np.diff(part) >= 0).all() for part in both):
            raise ModelError("the grades of the model are damaged", hint="train the model again")
        return cls(*(tuple(part.tolist()) for part in both))


def learned(totals: Mapping[str, Vector], *, weight: Vector | None = None) -> Grades:
    """The reference of a population, from the contributions of its rows by family.

    Each row counts by its weight, shape (n,); None is once.
    """
    found = (quantiles(half, np.linspace(0, 1, QUANTILES), weight) for half in halves(totals))
    return Grades(*(tuple(np.maximum.accumulate(half).tolist()) for half in found))


def kept(extras: Mapping[str, Any]) -> Grades | None:
    """The grades that a bundle's extras hold; None if it has none.

    Raises
    ------
    ModelError
        They are damaged.
    """
    return Grades.from_json(extras[GRADES]) if GRADES in extras else None


def halves(totals: Mapping[str, Vector]) -> tuple[Vector, Vector]:
    """Who the leads are and what they do, in log-odds; together they are the margin without its base."""
    nothing = np.zeros(len(next(iter(totals.values()))))
    fit = sum((total for family, total in totals.items() if family in FIT_FAMILIES), nothing)
    engagement = sum((total for family, total in totals.items() if family not in FIT_FAMILIES), nothing)
    return fit, engagement


def _graded(half: Vector, percentiles: Sequence[float], letters: str, shares: Sequence[float]) -> Letters:
    """By standing in the population; a value that many share stands in their middle."""
    below, upto = (np.searchsorted(percentiles, half, side=side) for side in ("left", "right"))
    standing = ((below + upto - 1) / 2) / (QUANTILES - 1)
    worse = np.sum([standing < 1 - share for share in shares], axis=0)
    found: Letters = np.array(list(letters)).take(worse)
    return found
