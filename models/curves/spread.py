"""How far from the truth a probability may lie: an interval around each.

Five things make it uncertain, and their variances add up in log-odds: another sample of leads would have
given another model; other models of the same leads, the parts of the blend, say something else; the rate of
leads like this one is known from so many outcomes; the curve may miss that rate; and from one period to the
next the level moves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from features.errors import ModelError
from models.calibration import Calibration
from models.curves.periods import pooled
from models.fitting.newton import logit, rising_fit, sigmoid
from models.metrics import Vector
from models.weights import effective

Mask: TypeAlias = npt.NDArray[np.bool_]
Said = TypeVar("Said")

HALVINGS, FEW_ROWS, FEW_HALVINGS = 4, 5000, 1  # many rows average out what one halving leaves to chance
BINS, FEWEST_BINS = 10, 3
BIN_OUTCOMES = 2  # a bin without an outcome leaves its level open to all but anything
NORMAL_90 = 1.6448536269514722  # standard deviations on each side that hold nine tenths
PERIODS, PERIOD_OUTCOMES = 4, 20


@dataclass(frozen=True)
class Spread:
    """Standard deviation of the log-odds at margins, straight between them and level beyond.

    Attributes
    ----------
    margins
        Knots, strictly increasing.
    deviations
        Standard deviations at the knots, in log-odds, above 0.
    """

    margins: tuple[float, ...]
    deviations: tuple[float, ...]

    def interval(self, margin: Vector, calibration: Calibration) -> tuple[Vector, Vector]:
        """Lower and upper end of the 90 % interval around each probability, shape (n,).

        Notes
        -----
        A probability is the mean of what the truth may be. Where that is spread evenly in log-odds, its
        middle lies farther from one half than its mean: by half the variance times ``1 - 2p``, to second
        order. The probability stays inside however wide the interval is.
        """
        mean = calibration.apply(margin)
        deviation = np.interp(margin, self.margins, self.deviations)
        reach = NORMAL_90 * deviation
        middle = logit(mean) - (1 - 2 * mean) * np.minimum(deviation**2 / 2, reach)
        return sigmoid(middle - reach), sigmoid(middle + reach)

    def as_json(self) -> dict[str, list[float]]:
        """Knots as lists."""
        return {"margins": list(self.margins), "deviations": list(self.deviations)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Spread:
        """The spread that :meth:`as_json` described.

        Raises
        ------
        ModelError
            The margins do not rise or a deviation is not above 0.
        """
        x, y = np.asarray(data["margins"], np.float64), np.asarray(data["deviations"], np.float64)
        sound = x.ndim == 1 and x.shape == y.shape and len(x) > 0 and np.isfinite([x, y]).all()
        if not (sound and (np.diff(x) > 0).all() and (y > 0).all()):
            raise ModelError("the interval of the model is damaged", hint="train the model again")
        return cls(tuple(x.tolist()), tuple(y.tolist()))


def fit_spread(
    halves: Sequence[tuple[Vector, Vector]],
    margin: Vector,
    label: Vector,
    calibration: Calibration,
    *,
    disagreement: Vector | float = 0.0,
    rows_per_lead: float = 1.0,
    weight: Vector | None = None,
) -> Spread:
    """The spread on rows that no model has seen.

    Parameters
    ----------
    halves
        Margins of n rows by two models, each learned from one half of the leads, for each halving.
    margin
        Margins of the same rows by the model of all leads, shape (n,), earliest row first.
    label
        0 or 1, shape (n,).
    calibration
        Curve of that model.
    disagreement
        Variance of the parts of that model around its margin, shape (n,).
    rows_per_lead
        By how much the rows overstate the evidence: those of one lead tell the same.
    weight
        How often each row counts, shape (n,); None is once.

    Notes
    -----
    A quarter of the squared difference of two half-sample estimates estimates the variance of the estimate of
    the whole sample (McCarthy 1969, *Pseudo-replication: half samples*).
    """
    of_model = np.mean([(one - other) ** 2 for one, other in halves], axis=0) / 4 + disagreement
    rows = effective(weight, len(label))
    log_odds = logit(calibration.apply(margin))
    count = int(np.clip(min(label.sum(), len(label) - label.sum()) // BIN_OUTCOMES, FEWEST_BINS, BINS))
    bins = [part for part in np.array_split(np.argsort(margin, kind="stable"), count) if len(part)]
    at = np.array([margin[part].mean() for part in bins])
    variance = np.array([of_model[part].mean() for part in bins]) * _slope(calibration, at) ** 2
    missed, sampled = np.array([_level(log_odds[part], label[part], rows[part]) for part in bins]).T
    sampled = sampled * rows_per_lead
    variance += sampled + np.maximum(missed**2 - sampled, 0)
    total = np.sqrt(variance + _between_periods(log_odds, label, rows, rows_per_lead))
    knots, first = np.unique(at, return_index=True)
    return Spread(tuple(knots.tolist()), tuple(total[first].tolist()))


def halved(
    leads: npt.NDArray[np.object_], label: Vector, fit: Callable[[Mask], Said], *, threads: int
) -> list[tuple[Said, Said]]:
    """What models of the two halves of the leads say, for each of a few halvings.

    Parameters
    ----------
    leads
        Lead of each row, shape (n,); all rows of a lead fall into one half.
    label
        0 or 1, shape (n,): the leads with a positive row, and the others, are divided evenly, so that neither
        half is left with one outcome while there are two leads of each.
    fit
        From a mask of rows to what is said by a model that has learned from them.
    threads
        Halvings side by side; changes nothing but the time.
    """
    names, member = np.unique(leads.astype(str), return_inverse=True)
    has_positive = np.bincount(member, weights=label) > 0

    def both(number: int) -> tuple[Said, Said]:
        drawn = np.array([_draw(name, number) for name in names])
        order = np.lexsort((drawn, has_positive))
        is_first = np.empty(len(names), dtype=bool)
        is_first[order] = np.arange(len(names)) % 2 == 0
        return fit(is_first[member]), fit(~is_first[member])

    with ThreadPoolExecutor(max_workers=max(1, threads)) as pool:
        return list(pool.map(both, range(HALVINGS if len(leads) <= FEW_ROWS else FEW_HALVINGS)))


def _draw(lead: str, number: int) -> bytes:
    return hashlib.sha256(f"{number}/{lead}".encode()).digest()


def _slope(calibration: Calibration, at: Vector) -> Vector:
    """How much the log-odds of the probability rise with the margin."""
    step = 0.01
    return (calibration.at(at + step) - calibration.at(at - step)) / (2 * step)


def _between_periods(log_odds: Vector, label: Vector, weight: Vector, rows_per_lead: float) -> float:
    """Variance of the true level from one period to the next."""
    periods = int(np.clip(label.sum() // PERIOD_OUTCOMES, 1, PERIODS))
    parts = zip(*(np.array_split(of, periods) for of in (log_odds, label, weight)), strict=True)
    levels, variances = np.array([_level(*part) for part in parts]).T
    return pooled(levels, variances * rows_per_lead).between


def _level(log_odds: Vector, label: Vector, weight: Vector) -> tuple[float, float]:
    """How far the outcomes of some rows lie above their log-odds, and the variance of that."""
    rows = weight.sum()
    target = (label * rows + 0.5) / (rows + 1)  # half an outcome of each kind more: never none
    nothing = np.empty((0, len(label)))
    _, level = rising_fit(nothing, target, prior=np.empty(0), strength=0.0, offset=log_odds, weight=weight)
    chance = sigmoid(log_odds + level)
    return level, 1 / float((weight * chance * (1 - chance)).sum())
