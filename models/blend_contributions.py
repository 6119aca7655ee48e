"""Contributions of a whole blend: trees, linear part, and the models that category values have of their own.

What a value's own model says on average, above or below the blend of all rows, is a contribution of that
category: the base stays one number for all leads, and base plus contributions stays the margin.
"""

from __future__ import annotations

import numpy as np

from models.contributions import Kernel
from models.fitting.blend import Blend
from models.matrix import Matrix


class BlendKernel:
    """A blend ready to be explained; tabulates its trees once.

    Parameters
    ----------
    blend
        Its texts have passed :func:`models.trees.check_booster`.
    threads
        Threads to use, 0 is one per core; the result does not depend on it.
    """

    def __init__(self, blend: Blend, *, threads: int = 0) -> None:
        self._kernel = Kernel.of(blend.boosters, blend.weights) if blend.boosters else None
        self._linear = blend.linear
        self._own = [(own, BlendKernel(own.blend, threads=threads)) for own in blend.own]
        self._threads = threads

    def contributions(self, matrix: Matrix) -> tuple[Matrix, float]:
        """What each column adds, shape (n, k), and the margin of an unknown lead; both log-odds."""
        values, base = np.zeros(matrix.shape), 0.0
        if self._kernel is not None:
            values, base = self._kernel.contributions(matrix, threads=self._threads)
        if self._linear is not None:
            values += self._linear.contributions(matrix)
            base += self._linear.intercept
        for own, kernel in self._own:
            rows = own.rows(matrix)
            found, own_base = kernel.contributions(matrix[rows])
            found[:, own.column] += own_base - base
            values[rows] = (1 - own.share) * values[rows] + own.share * found
        return values, base
