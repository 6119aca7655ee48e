"""From a margin to a probability that can be read as a rate.

A curve is strictly increasing, so it never changes a ranking, and it is kept as knots: a straight line in
log-odds between them and beyond the last. Platt's line and the beta curve compete on later rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.errors import ModelError
from models.metrics import Vector

KNOTS = 33
REACH = 12.0  # log-odds beyond which a curve is a straight line
MOST_LOG_ODDS = 30.0  # keeps a probability inside (0, 1) in float64
FLATTEST = 0.05  # a flatter curve would all but erase the ranking
PRIOR_ROWS = 20.0  # evidence for slope 1 that a small sample starts from
MOST_STEPS = 50
BISECTIONS = 60  # halve 60 log-odds below any use of a probability
STEP_SIZES = (1.0, 0.5, 0.25, 0.1, 0.01, 0.001)
GAIN = 0.002  # log loss a row by which the beta curve must beat the line


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
        x, y = np.asarray(self.margins), np.asarray(self.log_odds)
        place = np.clip(np.searchsorted(x, margin, side="right") - 1, 0, len(x) - 2)
        slope = np.diff(y) / np.diff(x)
        return sigmoid(np.clip(y[place] + slope[place] * (margin - x[place]), -MOST_LOG_ODDS, MOST_LOG_ODDS))

    def anchored(self, margin: Vector, rate: float) -> Calibration:
        """The same curve, moved up or down until the mean probability of the margins is the rate."""
        low, high = -MOST_LOG_ODDS, MOST_LOG_ODDS
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            above = self._moved(middle).apply(margin).mean() > rate
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


def fit_calibration(margin: Vector, label: Vector) -> Calibration:
    """The better of Platt's line and the beta curve, judged on the later half of the rows.

    Parameters
    ----------
    margin
        Log-odds from trees that have not seen these rows, shape (n,), **earliest first**.
    label
        0 or 1, shape (n,).

    Notes
    -----
    Platt (1999), with his smoothed targets, which keep a small or one-sided sample from extreme slopes; Kull,
    Silva Filho and Flach (2017), *Beta calibration*, equation 5, written in log-odds.
    """
    half = len(label) // 2
    losses = {
        name: _loss(fit(margin[:half], label[:half]).apply(margin[half:]), label[half:])
        for name, fit in (("platt", platt), ("beta", beta))
    }
    best = beta if losses["beta"] < losses["platt"] - GAIN else platt
    return best(margin, label)


def platt(margin: Vector, label: Vector) -> Calibration:
    """A line in log-odds: slope and intercept of least log loss."""
    slope, intercept = _rising(np.stack([margin]), label)
    ends = np.array([-REACH, REACH])
    return _curve(ends, slope * ends + intercept)


def beta(margin: Vector, label: Vector) -> Calibration:
    """The beta curve: its own slope for low and for high margins."""
    low, high, intercept = _rising(_two_sided(margin), label)
    knots = np.linspace(-REACH, REACH, KNOTS)
    return _curve(knots, np.array([low, high]) @ _two_sided(knots) + intercept)


def sigmoid(log_odds: Vector) -> Vector:
    """Probability of log-odds.

    >>> float(sigmoid(np.array([0.0]))[0])
    0.5
    """
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))


def _curve(margins: Vector, log_odds: Vector) -> Calibration:
    return Calibration(tuple(margins.tolist()), tuple(log_odds.tolist()))


def _two_sided(margin: Vector) -> Vector:
    """Margins as -log(1 + e^-m) and log(1 + e^m), which add up to the margin."""
    return np.stack([-np.logaddexp(0, -margin), np.logaddexp(0, margin)])


def _rising(slopes: Vector, label: Vector) -> Vector:
    """Slopes, none below the flattest, and the intercept of least log loss."""
    found = np.full(len(slopes), FLATTEST)
    free = np.ones(len(slopes), dtype=bool)
    while True:
        *steep, intercept = _newton(slopes[free], label, FLATTEST * slopes[~free].sum(axis=0))
        found[free] = np.maximum(steep, FLATTEST)
        falling = np.flatnonzero(free)[np.asarray(steep) < FLATTEST]
        if len(falling) == 0:
            return np.append(found, intercept)
        free[falling] = False


def _newton(slopes: Vector, label: Vector, offset: Vector) -> Vector:
    """Slopes and intercept of least log loss against Platt's targets, by damped Newton steps."""
    terms = np.vstack([slopes, np.ones(len(label))])
    prior = np.array([1.0] * len(slopes) + [0.0])
    strength = np.diag([PRIOR_ROWS / 4] * len(slopes) + [1e-9])  # a row at even odds curves the loss by 1/4
    target = _platt_targets(label)

    def loss(weights: Vector) -> float:
        log_odds, away = weights @ terms + offset, weights - prior
        return float((np.logaddexp(0, log_odds) - target * log_odds).sum() + away @ strength @ away / 2)

    weights = prior
    for _ in range(MOST_STEPS):
        chance = sigmoid(np.clip(weights @ terms + offset, -MOST_LOG_ODDS, MOST_LOG_ODDS))
        gradient = terms @ (chance - target) + strength @ (weights - prior)
        step = np.linalg.solve((terms * (chance * (1 - chance))) @ terms.T + strength, gradient)
        size = next((s for s in STEP_SIZES if loss(weights - s * step) < loss(weights)), 0.0)
        weights = weights - size * step
        if size == 0 or np.abs(step).max() < 1e-10:  # noqa: PLR2004 - far below any use of a probability
            break
    return weights


def _platt_targets(label: Vector) -> Vector:
    positives = float(label.sum())
    high, low = (positives + 1) / (positives + 2), 1 / (len(label) - positives + 2)
    return np.where(label == 1, high, low)


def _loss(probability: Vector, label: Vector) -> float:
    return float(-np.log(np.where(label == 1, probability, 1 - probability)).mean())
