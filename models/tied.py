"""Rows from the highest down, in groups of equal values: what stands below, above and beside each of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.audit.association import Codes
from models.metrics import Vector


@dataclass(frozen=True)
class Tied:
    """n rows, sorted once.

    Attributes
    ----------
    order
        Places of the rows from the highest value down, shape (n,).
    sizes
        Rows in each group of equal values, shape (groups,), the highest first.
    """

    order: Codes
    sizes: Codes

    @classmethod
    def of(cls, values: Vector) -> Tied:
        """The rows of some values, shape (n,), n at least 1."""
        order = np.argsort(-values, kind="stable")
        starts = np.flatnonzero(np.append(True, np.diff(values[order]) != 0))
        return cls(order, np.diff(np.append(starts, len(values))))

    def beside(self, counts: Vector) -> tuple[Vector, Vector, Vector]:
        """Sums of ``counts``, shape (n,) in sorted order, over the rows above, tied with and below each row.

        A row is tied with itself.
        """
        starts = np.cumsum(self.sizes) - self.sizes
        tied = np.add.reduceat(counts, starts)
        above = np.cumsum(tied) - tied
        below = tied.sum() - above - tied
        return np.repeat(above, self.sizes), np.repeat(tied, self.sizes), np.repeat(below, self.sizes)

    def best(self, share: float) -> Vector:
        """How much of each row, in sorted order, is among the best share: 1, 0, or part of a divided tie.

        >>> Tied.of(np.array([0.2, 0.9, 0.2, 0.1])).best(0.5).tolist()
        [1.0, 0.5, 0.5, 0.0]
        """
        ends = np.cumsum(self.sizes)
        within = np.clip((share * len(self.order) - ends) / self.sizes + 1, 0, 1)
        return np.repeat(within, self.sizes)
