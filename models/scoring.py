"""From feature rows to margin, probability and score, in pieces that bound memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from features.errors import ModelError
from models.bundle import Bundle, Target
from models.fitting.blend import Ensemble
from models.further.horizons import within
from models.matrix import Matrix, encode
from models.metrics import Vector

ROWS_AT_ONCE = 50_000


@dataclass(frozen=True)
class Scores:
    """What a model says of each row, in the table's order.

    Attributes
    ----------
    margin
        Log-odds.
    probability, low, high
        Calibrated, with the ends of its 90 % interval.
    score
        0 to 100.
    within
        Probability within each of several horizons by days, shortest first; empty if there is one only.
    """

    margin: Vector
    probability: Vector
    low: Vector
    high: Vector
    score: Vector
    within: Mapping[float, Vector] = field(default_factory=dict)

    def take(self, places: Any) -> Scores:
        """Some of the rows."""
        within = {days: chance[places] for days, chance in self.within.items()}
        return Scores(
            self.margin[places],
            self.probability[places],
            self.low[places],
            self.high[places],
            self.score[places],
            within,
        )


class Scorer:
    """A bundle ready to score; parses the trees once.

    Parameters
    ----------
    bundle
        As :func:`models.store.load` returned it.
    target
        Name of the target; None is the one that ranks.
    threads
        Threads for prediction; the result does not depend on it.
    """

    def __init__(self, bundle: Bundle, *, target: str | None = None, threads: int = 1) -> None:
        self.bundle = bundle
        self.target = _named(bundle, target)
        self._ensemble = Ensemble(self.target.blend, threads=threads)

    def margin(self, table: pa.Table) -> Vector:
        """Log-odds of each row, shape (rows,).

        Parameters
        ----------
        table
            Feature rows: at least the encoding's columns, in any order.

        Raises
        ------
        ModelError
            Columns differ from the training's, or a margin is not finite.
        """
        pieces = [
            self._ensemble.margin(encode(table.slice(first, ROWS_AT_ONCE), self.bundle.encoding))
            for first in range(0, max(1, table.num_rows), ROWS_AT_ONCE)
        ]
        return _finite(np.concatenate(pieces))

    def score(self, table: pa.Table) -> Scores:
        """Margin, probability and score of each row."""
        return self._scores(self.margin(table))

    def score_matrix(self, matrix: Matrix) -> Scores:
        """As `score`, of rows that are encoded already."""
        return self._scores(_finite(self._ensemble.margin(matrix)))

    def _scores(self, margin: Vector) -> Scores:
        chance = _finite(self.target.calibration.apply(margin))
        low, high = self.target.spread.interval(margin, self.target.calibration)
        others = within(margin, self.target.horizons, self.target.calibration, self.target.horizon_days)
        return Scores(margin, chance, low, high, standing(chance, self.target.reference), others)


def margin(bundle: Bundle, table: pa.Table) -> Vector:
    """Log-odds of each row under the ranking target."""
    return Scorer(bundle).margin(table)


def probability(bundle: Bundle, table: pa.Table) -> Vector:
    """Calibrated probability of each row, strictly between 0 and 1."""
    return Scorer(bundle).score(table).probability


def score(bundle: Bundle, table: pa.Table) -> Vector:
    """Standing of each row in the frozen reference population, 0 to 100."""
    return Scorer(bundle).score(table).score


def standing(chance: Vector, reference: tuple[float, ...]) -> Vector:
    """Percentile of probabilities in evenly spaced quantiles; a tied quantile counts half.

    >>> standing(np.array([0.05, 0.2, 0.9]), (0.1, 0.2, 0.3)).tolist()
    [0.0, 50.0, 100.0]
    """
    values, first, count = np.unique(np.asarray(reference), return_index=True, return_counts=True)
    level = (first + (count - 1) / 2) / (len(reference) - 1) * 100
    return np.interp(chance, values, level, left=0.0, right=100.0)


def _named(bundle: Bundle, name: str | None) -> Target:
    if name is None:
        return bundle.target
    found = [target for target in bundle.targets if target.name == name]
    if not found:
        raise ModelError(f"the model has no target '{name}'", hint="train it, or choose another target")
    return found[0]


def _finite(values: Vector) -> Vector:
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise ModelError(
            f"{bad} rows got a value that is not finite", hint="roll the model back and train again"
        )
    return values
