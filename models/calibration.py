"""From a margin to a probability that can be read as a rate.

A curve is strictly increasing, so it never changes a ranking, and it is kept as knots: a straight line in
log-odds between them and beyond the last. How one is learned: `models/curves/choice.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.errors import ModelError
from models.fitting.newton import MOST_LOG_ODDS, sigmoid
from models.metrics import Vector
from models.weights import mean

BISECTIONS = 60  # halve 60 log-odds below any use of a probability


@dataclass(frozen=True)
class Calibration:
    """Curve from margin to log-odds of the probability.

    Attributes
    ----------
    margins
        Knots, strictly increasing.
    log_odds
        Values at the knots, strictly increasing.
    """

    margins: tuple[float, ...]
    log_odds: tuple[float, ...]

    def apply(self, margin: Vector) -> Vector:
        """Probability of each margin, shape (n,), strictly inside 0 and 1."""
        return sigmoid(np.clip(self.at(margin), -MOST_LOG_ODDS, MOST_LOG_ODDS))

    def at(self, margin: Vector) -> Vector:
        """Log-odds of the probability of each margin, shape (n,), however far out."""
        x, y = np.asarray(self.margins), np.asarray(self.log_odds)
        place = np.clip(np.searchsorted(x, margin, side="right") - 1, 0, len(x) - 2)
        return np.asarray(y[place] + (np.diff(y) / np.diff(x))[place] * (margin - x[place]))

    def anchored(self, margin: Vector, rate: float, *, weight: Vector | None = None) -> Calibration:
        """The same curve, moved up or down until the mean probability of the margins is the rate.

        Each margin counts by its weight, shape (n,); None is once.
        """
        low, high = -MOST_LOG_ODDS, MOST_LOG_ODDS
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            above = mean(self._moved(middle).apply(margin), weight) > rate
            low, high = (low, middle) if above else (middle, high)
        return self._moved((low + high) / 2)

    def _moved(self, by: float) -> Calibration:
        return Calibration(self.margins, tuple(value + by for value in self.log_odds))

    def as_json(self) -> dict[str, list[float]]:
        """Knots as lists."""
        return {"margins": list(self.margins), "log_odds": list(self.log_odds)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Calibration:
        """The curve that :meth:`as_json` described.

        Raises
        ------
        ModelError
            The knots are not finite and strictly increasing.
        """
        x, y = np.asarray(data["margins"], np.float64), np.asarray(data["log_odds"], np.float64)
        if x.ndim != 1 or x.shape != y.shape or len(x) < 2:  # noqa: PLR2004 - a line needs two points
            raise ModelError("the calibration has no curve", hint="train the model again")
        both = np.stack([x, y])
        if not (np.isfinite(both).all() and (np.diff(both, axis=1) > 0).all()):
            raise ModelError("the calibration curve does not rise", hint="train the model again")
        return cls(tuple(x.tolist()), tuple(y.tolist()))
