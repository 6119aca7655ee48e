"""The margin of a model: a weighted sum, in log-odds, of boosters and of a linear part.

A sum, so that the contributions of its parts add up exactly. How much each part counts is learned on later
rows (Wolpert 1992, *Stacked generalization*); with few of them all parts count alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from features.errors import ModelError
from models.fitting.linear import Linear
from models.fitting.newton import attainable_loss, is_clearly_greater, rising_fit
from models.matrix import Matrix
from models.metrics import Vector
from models.weights import effective

if TYPE_CHECKING:
    from lightgbm import Booster

PRIOR_ROWS = 80.0  # rows at even odds that speak for equal weights
LEAST_WEIGHT = 0.05  # share of the sum; a part that counts less is left out


@dataclass(frozen=True)
class Blend:
    """What the margin is the sum of.

    Attributes
    ----------
    boosters
        LightGBM texts.
    weights
        How much each of them counts, above 0.
    linear
        The linear part with its weight in its coefficients, or None.
    own
        Models of some category values, of one column, each value once.
    """

    boosters: tuple[str, ...]
    weights: tuple[float, ...]
    linear: Linear | None = None
    own: tuple[Own, ...] = ()

    @classmethod
    def mean(cls, boosters: Sequence[str]) -> Blend:
        """The mean of boosters."""
        return cls(tuple(boosters), (1 / len(boosters),) * len(boosters))


@dataclass(frozen=True)
class Own:
    """A model of the rows with one category value.

    Their margin is ``(1 - share)`` times that of the blend of all rows plus ``share`` times this one's.

    Attributes
    ----------
    column, code
        Place of the category in the matrix, and the value's code there.
    share
        Above 0, at most 1.
    blend
        Learned from these rows alone; it has no ``own``.
    """

    column: int
    code: int
    share: float
    blend: Blend

    def rows(self, matrix: Matrix) -> npt.NDArray[np.bool_]:
        """The rows that it speaks of, shape (rows,)."""
        return np.asarray(matrix[:, self.column] == self.code)


class Ensemble:
    """A blend with its trees parsed, ready to give margins.

    Parameters
    ----------
    blend
        Its texts have passed :func:`models.trees.check_booster`: LightGBM does not check them.
    threads
        Threads for prediction; the margin does not depend on it.
    """

    def __init__(self, blend: Blend, *, threads: int = 1) -> None:
        import lightgbm as lgb

        self._blend = blend
        self._boosters = [lgb.Booster(model_str=text) for text in blend.boosters]
        self._own = [(own, Ensemble(own.blend, threads=threads)) for own in blend.own]
        self._threads = threads

    def margin(self, matrix: Matrix) -> Vector:
        """Log-odds, shape (rows,).

        Raises
        ------
        ModelError
            The matrix is not as wide as in training.
        """
        total = np.zeros(len(matrix))
        for booster, weight in zip(self._boosters, self._blend.weights, strict=True):
            total += weight * self._of_trees(booster, matrix)
        if self._blend.linear is not None:
            total = total + self._blend.linear.margin(matrix)
        for own, ensemble in self._own:
            rows = own.rows(matrix)
            total[rows] = (1 - own.share) * total[rows] + own.share * ensemble.margin(matrix[rows])
        return total

    def disagreement(self, matrix: Matrix) -> Vector:
        """Variance of the parts around the margin, each counted by its weight, shape (rows,).

        Notes
        -----
        What the choice of a model leaves open: Draper (1995), *Assessment and propagation of model
        uncertainty*, section 4, the variance between models.
        """
        parts = [self._of_trees(booster, matrix) for booster in self._boosters]
        weights = list(self._blend.weights)
        if self._blend.linear is not None:
            weights.append(1 - sum(weights))
            parts.append(self._blend.linear.margin(matrix) / weights[-1])
        middle = np.asarray(weights) @ np.stack(parts)
        found = np.asarray(np.asarray(weights) @ (np.stack(parts) - middle) ** 2)
        for own, ensemble in self._own:
            rows = own.rows(matrix)
            within = (1 - own.share) * found[rows] + own.share * ensemble.disagreement(matrix[rows])
            apart = middle[rows] - ensemble.margin(matrix[rows])
            found[rows] = within + own.share * (1 - own.share) * apart**2
        return found

    def _of_trees(self, booster: Booster, matrix: Matrix) -> Vector:
        width = booster.num_feature()
        if matrix.ndim != 2 or matrix.shape[1] != width:  # noqa: PLR2004 - rows and columns
            raise ModelError(
                f"the matrix is not {width} columns wide", hint="encode it with the bundle's encoding"
            )
        if len(matrix) == 0:
            return np.zeros(0)
        return np.asarray(booster.predict(matrix, raw_score=True, num_threads=self._threads))


def learned_weights(margins: Vector, label: Vector, weight: Vector | None = None) -> Vector:
    """How much each part of a margin should count.

    Parameters
    ----------
    margins
        Log-odds by each of k parts, of rows that it has not seen, shape (k, n).
    label
        0 or 1, shape (n,).
    weight
        How often each row counts, shape (n,); None is once.

    Returns
    -------
    Shape (k,), adding up to 1: equal, unless others are clearly better; then a part that would matter too
    little has 0.
    """
    equal = np.full(len(margins), 1 / len(margins))
    rows = effective(weight, len(label))
    weights, _ = rising_fit(margins, label, prior=equal, strength=PRIOR_ROWS, weight=rows)
    weights = np.where(weights < LEAST_WEIGHT * weights.sum(), 0.0, weights)
    if not weights.any():  # the parts say nothing of these rows
        return equal
    learned, plain = (attainable_loss(w @ margins, label, weight) for w in (weights, equal))
    return weights / weights.sum() if is_clearly_greater(plain, learned) else equal
