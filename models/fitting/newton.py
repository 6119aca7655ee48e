"""Logistic fits of a few terms: coefficients of least log loss, pulled toward prior values."""

from __future__ import annotations

import numpy as np

from models.metrics import Vector
from models.weights import effective, per_row

MOST_LOG_ODDS = 30.0  # keeps a probability inside (0, 1) in float64
MOST_STEPS = 50
STEP_SIZES = (1.0, 0.5, 0.25, 0.1, 0.01, 0.001)
PRIOR_SLOPE_ROWS = 4.0  # next to nothing: keeps a slope finite where the margins separate the labels
SMALL = 1e-10  # a step below it changes no use of a probability
FREE = 1e-9  # all but no pull, and the matrix stays invertible


def sigmoid(log_odds: Vector) -> Vector:
    """Probability of log-odds.

    >>> float(sigmoid(np.array([0.0]))[0])
    0.5
    """
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))


def logit(chance: Vector) -> Vector:
    """Log-odds of a probability inside 0 and 1."""
    return np.asarray(np.log(chance) - np.log1p(-chance))


def row_loss(log_odds: Vector, target: Vector) -> Vector:
    """Log loss of each row."""
    return np.asarray(np.logaddexp(0, log_odds) - target * log_odds)


def attainable_loss(margin: Vector, label: Vector, weight: Vector | None = None) -> Vector:
    """Log loss of each row at the best slope and level: what the order of the margins is worth.

    Level and slope are the calibration's to learn; where the base rate drifts, the plain log loss of a later
    slice says little else. Where rows count unequally, each loss is times its weight over the mean weight.
    """
    rows = effective(weight, len(label))
    slopes, level = rising_fit(
        np.stack([margin]), label, prior=np.ones(1), strength=PRIOR_SLOPE_ROWS, weight=rows
    )
    return per_row(weight, len(label)) * row_loss(slopes[0] * margin + level, label)


def is_clearly_greater(one: Vector, other: Vector) -> bool:
    """Whether paired losses differ by more than their standard error."""
    difference = one - other
    return bool(difference.mean() > difference.std() / np.sqrt(len(difference)))


def rising_fit(
    terms: Vector,
    target: Vector,
    *,
    prior: Vector,
    strength: float,
    floor: float = 0.0,
    offset: Vector | float = 0.0,
    weight: Vector | float = 1.0,
) -> tuple[Vector, float]:
    """Coefficients, none below the floor, and the intercept of least log loss.

    Parameters
    ----------
    terms
        Shape (k, n).
    target
        Chances, 0 to 1, shape (n,).
    prior
        Coefficients that a small sample starts from, shape (k,).
    strength
        Rows at even odds that speak for the prior.
    floor
        Least coefficient; a term that would fall below it is held there and the others are fitted again.
    offset
        Log-odds that are given, shape (n,).
    weight
        How often each row counts, shape (n,).
    """
    found = np.full(len(terms), floor)
    free = np.ones(len(terms), dtype=bool)
    while True:
        held = offset + (0.0 if free.all() else floor * terms[~free].sum(axis=0))
        steep, intercept = _fit(terms[free], target, held, prior[free], strength, weight)
        found[free] = np.maximum(steep, floor)
        falling = np.flatnonzero(free)[steep < floor]
        if len(falling) == 0:
            return found, intercept
        free[falling] = False


def _fit(
    slopes: Vector,
    target: Vector,
    offset: Vector | float,
    prior: Vector,
    strength: float,
    weight: Vector | float,
) -> tuple[Vector, float]:
    """Damped Newton steps."""
    terms = np.vstack([slopes, np.ones(len(target))])
    start = np.append(prior, 0.0)
    pull = np.diag([strength / 4 + FREE] * len(slopes) + [FREE])  # a row at even odds curves the loss by 1/4

    def loss(weights: Vector) -> float:
        away = weights - start
        return float((weight * row_loss(weights @ terms + offset, target)).sum() + away @ pull @ away / 2)

    weights = start
    for _ in range(MOST_STEPS):
        chance = sigmoid(np.clip(weights @ terms + offset, -MOST_LOG_ODDS, MOST_LOG_ODDS))
        gradient = terms @ (weight * (chance - target)) + pull @ (weights - start)
        step = np.linalg.solve((terms * (weight * chance * (1 - chance))) @ terms.T + pull, gradient)
        size = next((s for s in STEP_SIZES if loss(weights - s * step) < loss(weights)), 0.0)
        weights = weights - size * step
        if size == 0 or np.abs(step).max() < SMALL:
            break
    return weights[:-1], float(weights[-1])
