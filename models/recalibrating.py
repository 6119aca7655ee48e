"""What published probabilities turned out to mean: a line in log-odds from what was said to what came true.

Learned on lists whose outcomes have matured, and used on a list whose have not: a model that says too much or
too little says so again. That is the calibration on a reference period of NannyML's performance estimation,
by a line (Platt 1999, "Probabilistic outputs for support vector machines", section 2.1) in place of isotonic
regression: two numbers can be learned from the few outcomes of one quarter, and never change an order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.estimating import Estimate, estimates
from models.fitting.newton import MOST_LOG_ODDS, logit, rising_fit, sigmoid
from models.metrics import Vector

WIDTH = 0.05
"""Log-odds between which probabilities share a cell: no line tells them apart."""
PRIOR_ROWS = 20.0  # evidence for slope 1 that a small sample starts from, as in `models.curves.choice`
FLATTEST = 0.05  # as there


@dataclass(frozen=True)
class Cells:
    """Counts of leads by what was said of them, shape (cells,) each.

    Attributes
    ----------
    log_odds
        Mean of what was said.
    rows, won
        Leads, and those that were won.
    """

    log_odds: Vector
    rows: Vector
    won: Vector

    @classmethod
    def of(cls, said: Vector, label: Vector) -> Cells:
        """The cells of some rows: probabilities strictly between 0 and 1, and outcomes of 0 or 1.

        >>> Cells.of(np.array([0.1, 0.1, 0.5]), np.array([0.0, 1.0, 1.0])).won.tolist()
        [1.0, 1.0]
        """
        log_odds = logit(said)
        _, place = np.unique(np.floor(log_odds / WIDTH), return_inverse=True)
        rows = np.bincount(place).astype(np.float64)
        won = np.bincount(place, label).astype(np.float64)
        return cls(np.bincount(place, log_odds) / rows, rows, won)


@dataclass(frozen=True)
class Line:
    """Log-odds of what came true, from those of what was said.

    Attributes
    ----------
    slope
        1: as spread as was said; above 1 the outcomes lay further apart, below 1 nearer.
    level
        What is added.
    root
        A root of the covariance of both, shape (2, 2): its columns are independent deviations.
    """

    slope: float
    level: float
    root: Vector

    @classmethod
    def of(cls, cells: Cells, *, times: float = 1.0) -> Line:
        """The line of least log loss.

        Parameters
        ----------
        cells
            Of all lists that it is learned on, with both outcomes among them.
        times
            How often each lead is counted: the lists of following weeks hold mostly the same leads, and ten
            of them are no more evidence than one.
        """
        weight = cells.rows / times
        terms = np.stack([cells.log_odds])
        slopes, level = rising_fit(
            terms,
            cells.won / cells.rows,
            prior=np.ones(1),
            strength=PRIOR_ROWS,
            floor=FLATTEST,
            weight=weight,
        )
        chance = sigmoid(slopes[0] * cells.log_odds + level)
        both = np.vstack([terms, np.ones(len(weight))])
        curvature = (both * (weight * chance * (1 - chance))) @ both.T + np.diag([PRIOR_ROWS / 4, 0.0])
        return cls(float(slopes[0]), level, np.linalg.cholesky(np.linalg.inv(curvature)))

    def apply(self, said: Vector) -> Vector:
        """What the probabilities mean, strictly between 0 and 1."""
        return sigmoid(np.clip(self.slope * logit(said) + self.level, -MOST_LOG_ODDS, MOST_LOG_ODDS))

    def deviations(self) -> list[tuple[Line, Line]]:
        """Lines one standard deviation to both sides, for each of two independent directions."""
        return [(self._moved(*(-self.root[:, side])), self._moved(*self.root[:, side])) for side in range(2)]

    def _moved(self, slope: float, level: float) -> Line:
        return Line(max(FLATTEST, self.slope + slope), self.level + level, self.root)


def estimates_by(line: Line, said: Vector) -> dict[str, Estimate]:
    """Expected figures of a ranking if its probabilities mean what the line says.

    Parameters
    ----------
    said
        Published probabilities, strictly between 0 and 1, shape (n,), n at least 2.

    Returns
    -------
    dict
        As `estimates`; the error also holds what is not known of the line.
    """
    found = estimates(line.apply(said), said=said)
    sides = [[estimates(side.apply(said), said=said) for side in pair] for pair in line.deviations()]
    return {
        name: _wider(own, [[side[name].value for side in pair] for pair in sides])
        for name, own in found.items()
    }


def _wider(own: Estimate, sides: list[list[float]]) -> Estimate:
    """The estimate with what the line's deviations would change of it, half the way from side to side."""
    unsure = sum(((high - low) / 2) ** 2 for low, high in sides)
    return Estimate(own.value, float(np.sqrt(own.error**2 + unsure)))
