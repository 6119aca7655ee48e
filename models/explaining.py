"""Scores and contributions of the same rows, checked against each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from features.errors import ModelError
from models import evidence, grades
from models.blend_contributions import BlendKernel
from models.bundle import Bundle
from models.matrix import Matrix, encode
from models.metrics import Vector
from models.scoring import Scorer, Scores

TOLERANCE = 1e-9  # log-odds; sums in another order than LightGBM's differ by about 1e-14


@dataclass(frozen=True)
class Explained:
    """What the model says of n rows, and why.

    Attributes
    ----------
    scores
        Margin, probability and score, each of shape (n,).
    contributions
        Shape (n, k), log-odds, in the order of the bundle's ``specs``.
    base
        Margin of a lead of which nothing is known; base plus a row's contributions is its margin.
    matrix
        The encoded features, shape (n, k).
    """

    scores: Scores
    contributions: Matrix
    base: float
    matrix: Matrix

    def take(self, places: Any) -> Explained:
        """Some of the rows."""
        scores = self.scores.take(places)
        return Explained(scores, self.contributions[places], self.base, self.matrix[places])

    def of_features(self, places: Any) -> Explained:
        """Some of the features: what all others add goes unsaid."""
        return Explained(self.scores, self.contributions[:, places], self.base, self.matrix[:, places])


class Explainer:
    """A bundle ready to score and explain; parses and tabulates the trees once.

    Parameters
    ----------
    bundle
        As :func:`models.store.load` returned it.
    threads
        Threads to use; the result does not depend on it. 0 means one per core.
    """

    def __init__(self, bundle: Bundle, *, threads: int = 0) -> None:
        self.bundle = bundle
        self.evidence = evidence.kept(bundle.extras, columns=len(bundle.specs))
        self.grades = grades.kept(bundle.extras)
        self._scorer = Scorer(bundle, threads=max(threads, 1))
        self._kernel = BlendKernel(bundle.target.blend, threads=threads)

    def calibrate(self, margin: Vector) -> Vector:
        """Probabilities of margins (log-odds), shape (m,)."""
        return self.bundle.target.calibration.apply(margin)

    def explain(self, table: pa.Table) -> Explained:
        """Score and explain feature rows.

        Raises
        ------
        ModelError
            Columns differ from the training's, or contributions do not add up to the margin.
        """
        matrix = encode(table, self.bundle.encoding)
        scores = self._scorer.score_matrix(matrix)
        values, base = self._kernel.contributions(matrix)
        worst = float(np.max(np.abs(base + values.sum(axis=1) - scores.margin), initial=0.0))
        if not worst <= TOLERANCE:
            raise ModelError(
                f"contributions miss the margin by {worst:.2g}, {TOLERANCE:g} is allowed",
                hint="roll the model back and train again",
            )
        return Explained(scores, values, base, matrix)
