"""Exact SHAP contributions of weighted boosters: what each feature adds to the margin, in log-odds.

Path-dependent TreeSHAP (Lundberg et al. 2020, "From local explanations to global understanding with
explainable AI for trees"), equal to LightGBM's ``pred_contrib`` and to shap's ``TreeExplainer``. Trees are
shallow, so what a leaf adds is tabulated once for each pattern of met conditions; a row then costs
comparisons and look-ups. Computing once per model what rows have in common is an idea of Yang 2021,
"Fast TreeSHAP: Accelerating SHAP value computation for trees".
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from features.errors import ModelError
from models.matrix import Matrix
from models.treeshap.paths import trees, width

if TYPE_CHECKING:
    from models.treeshap.kernel import Floats, Plan
    from models.treeshap.tables import Part

ROWS_AT_ONCE = 2048  # of one thread: a table that was fetched serves them all, and their sums stay near
KEPT_BYTES = 256 * 2**20  # tables beyond are made anew for each matrix


class Kernel:
    """Boosters ready to be explained.

    Parameters
    ----------
    parts
        Their trees.
    base
        Margin of a lead of which nothing is known, log-odds.
    features
        Columns of the matrix that they read.
    """

    def __init__(self, parts: Sequence[Part], *, base: float, features: int) -> None:
        self.base = base
        self.features = features
        sizes = accumulate(part.table_bytes for part in parts)
        self._parts = [
            (part, part.tables() if size <= KEPT_BYTES else None)
            for part, size in zip(parts, sizes, strict=True)
        ]

    @classmethod
    def of(cls, boosters: Sequence[str], weights: Sequence[float] | None = None) -> Kernel:
        """Tabulate LightGBM texts.

        Parameters
        ----------
        boosters
            At least one, all trained on the same columns in the same order. The texts have passed
            :func:`models.trees.check_booster`: they are not checked here.
        weights
            How much each counts in the margin; None is their mean.

        Raises
        ------
        ModelError
            There is no booster, they read different matrices, or a tree is too deep or lacks row counts.
        """
        from models.treeshap.tables import parts

        widths = {width(text) for text in boosters}
        if len(widths) != 1:
            problem = "the boosters read different matrices" if boosters else "there is no booster to explain"
            raise ModelError(problem, hint="train the model again")
        shares = [1 / len(boosters)] * len(boosters) if weights is None else weights
        weighted = [(t, w) for text, w in zip(boosters, shares, strict=True) for t in trees(text)]
        base = sum(weight * tree.expected() for tree, weight in weighted)
        return cls(list(parts(weighted)), base=base, features=widths.pop())

    def contributions(self, matrix: Matrix, *, threads: int = 0) -> tuple[Matrix, float]:
        """Contributions of each feature.

        Parameters
        ----------
        matrix
            Shape (n, k): encoded features, NaN where null.
        threads
            Threads to use; 0 is one per core. The result is the same to the last bit.

        Returns
        -------
        values
            Shape (n, k), log-odds, float64.
        base
            Margin of a lead of which nothing is known, log-odds: base plus a row's values is its margin.

        Raises
        ------
        ModelError
            The matrix is not as wide as in training.
        """
        if matrix.ndim != 2 or matrix.shape[1] != self.features:  # noqa: PLR2004 - rows and columns
            raise ModelError(
                f"the matrix is not {self.features} columns wide", hint="encode it with the bundle's encoding"
            )
        values = np.zeros(matrix.shape)
        workers = min(threads or os.cpu_count() or 1, -(-len(matrix) // ROWS_AT_ONCE))
        with ExitStack() as stack:
            # One block needs no threads, and a lead alone no time for starting them.
            pool = stack.enter_context(ThreadPoolExecutor(workers)) if workers > 1 else None
            for part, kept in self._parts:
                tables = part.tables() if kept is None else kept
                add = partial(_add, part.plan, tables, matrix, values)
                blocks = _blocks(len(matrix))
                list(pool.map(add, blocks) if pool else map(add, blocks))  # waits, and raises what was raised
        return values, self.base


def _add(plan: Plan, tables: Floats, matrix: Matrix, values: Matrix, rows: slice) -> None:
    from models.treeshap.kernel import add_contributions

    # A copy of one known layout: numba compiles a function again for each other one.
    add_contributions(plan, tables, np.array(matrix[rows], np.float64, order="C"), values[rows])


def _blocks(rows: int) -> Iterator[slice]:
    return (slice(start, start + ROWS_AT_ONCE) for start in range(0, rows, ROWS_AT_ONCE))
