"""How good a probability is, each figure with an interval.

Intervals resample leads, not rows: several snapshots of one lead are one piece of evidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from features.errors import ModelError

Vector = npt.NDArray[np.float64]

SHARES = (0.1, 0.2)
BINS = 10
CHANCE = 0.5


@dataclass(frozen=True)
class Metrics:
    """Figures of one set of predictions; lift and capture are those of the best 10 % and 20 %.

    Attributes
    ----------
    roc_auc, average_precision
        Ranking; the second is the area under the precision-recall curve.
    log_loss, brier
        Probability, smaller is better.
    calibration_error
        Mean distance of forecast and rate over ten bins of equal count.
    lift_10, lift_20
        Rate among the best share over the base rate.
    capture_10, capture_20
        Share of all outcomes found among the best share.
    """

    roc_auc: float
    average_precision: float
    log_loss: float
    brier: float
    calibration_error: float
    lift_10: float
    lift_20: float
    capture_10: float
    capture_20: float

    def as_json(self) -> dict[str, float]:
        """Figures by name."""
        return asdict(self)


def measure(label: Vector, probability: Vector, *, weight: Vector | None = None) -> Metrics:
    """Figures of the given predictions.

    Parameters
    ----------
    label
        0 or 1, shape (n,).
    probability
        Forecast between 0 and 1, shape (n,). Ties share their rank.
    weight
        How often each row counts, shape (n,); None is once.

    Raises
    ------
    ModelError
        The rows hold one class only.

    Notes
    -----
    Average precision is the step-wise sum of scikit-learn; lift and capture spread a tied group that
    the cut divides evenly.
    """
    return Ranked.of(label, probability).measure(np.ones_like(probability) if weight is None else weight)


def interval(
    label: Vector,
    probability: Vector,
    groups: npt.ArrayLike,
    *,
    weight: Vector | None = None,
    resamples: int = 200,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, tuple[float, float]]:
    """Bootstrap percentile interval of every figure, resampling groups.

    Parameters
    ----------
    groups
        Lead of each row, shape (n,).
    weight
        How often each row counts, shape (n,); None is once.
    resamples
        Number of resamples; those with one class only are left out.
    level
        Share of resamples inside the interval.

    Returns
    -------
    Lower and upper end by name of the figure.
    """
    random = np.random.default_rng(seed)
    _, member = np.unique(np.asarray(groups), return_inverse=True)
    ranked = Ranked.of(label, probability)
    found = [
        list(ranked.measure(times).as_json().values())
        for times in (resampled(random, member, weight) for _ in range(resamples))
        if ranked.has_both(times)
    ]
    if not found:
        raise ModelError("no resample holds both outcomes", hint="measure on more rows")
    tail = (1 - level) / 2
    ends = np.quantile(np.asarray(found), [tail, 1 - tail], axis=0)
    return {name: (float(ends[0, i]), float(ends[1, i])) for i, name in enumerate(Metrics.__annotations__)}


def has_no_signal(figures: Mapping[str, Any]) -> bool:
    """Whether a model ranks no better than chance: the interval of its ROC-AUC reaches down to 0.5.

    >>> has_no_signal({"roc_auc": {"value": 0.52, "low": 0.48, "high": 0.55}})
    True
    """
    return float(figures["roc_auc"]["low"]) <= CHANCE


def resampled(
    random: np.random.Generator, member: npt.NDArray[np.intp], weight: Vector | None = None
) -> Vector:
    """How often each row counts when its groups are drawn with replacement, times its weight."""
    count = int(member.max()) + 1
    times = np.bincount(random.integers(0, count, count), minlength=count)
    found = times[member].astype(np.float64)
    return found if weight is None else found * weight


@dataclass(frozen=True)
class Ranked:
    """Rows from the highest probability down, sorted once for all resamples; weights count rows as given."""

    order: npt.NDArray[np.intp]
    label: Vector
    probability: Vector
    last_of_tie: npt.NDArray[np.intp]

    @classmethod
    def of(cls, label: Vector, probability: Vector) -> Ranked:
        """The rows, sorted; ties share their rank."""
        order = np.argsort(-probability, kind="stable")
        ranked = probability[order]
        last = np.flatnonzero(np.append(np.diff(ranked) != 0, True))
        return cls(order, np.asarray(label, np.float64)[order], ranked, last)

    def has_both(self, weight: Vector) -> bool:
        """Whether both outcomes are among the rows that count."""
        positives = float(weight[self.order] @ self.label)
        return 0 < positives < float(weight.sum())

    def measure(self, weight: Vector) -> Metrics:
        """Figures of the rows, each counted ``weight`` times, shape (n,) in the order given."""
        if not self.has_both(weight):
            raise ModelError(
                "the measured rows hold one outcome only", hint="choose a period with won and lost leads"
            )
        rows, hits = self._gained(weight)
        captures = [_captured(rows, hits, share) for share in SHARES]
        lifts = [capture / share for capture, share in zip(captures, SHARES, strict=True)]
        return Metrics(
            _roc_auc(rows, hits),
            _average_precision(rows, hits),
            self.log_loss(weight),
            float(weight[self.order] @ (self.probability - self.label) ** 2 / weight.sum()),
            self.calibration_error(weight),
            *lifts,
            *captures,
        )

    def capture(self, weight: Vector, share: float) -> float:
        """Share of all outcomes among the best ``share`` (0 to 1) of the rows."""
        return _captured(*self._gained(weight), share)

    def log_loss(self, weight: Vector) -> float:
        """Mean negative log-likelihood, in nats."""
        weight = weight[self.order]
        chance = np.clip(np.where(self.label == 1, self.probability, 1 - self.probability), 1e-15, 1)
        return float(-(weight @ np.log(chance)) / weight.sum())

    def calibration_error(self, weight: Vector) -> float:
        """Mean distance of forecast and rate over ten bins of equal count."""
        weight = weight[self.order]
        middle = np.cumsum(weight) - weight / 2
        bins = np.minimum((middle / weight.sum() * BINS).astype(np.intp), BINS - 1)
        gap = np.bincount(bins, weight * (self.probability - self.label), minlength=BINS)
        return float(np.abs(gap).sum() / weight.sum())

    def _gained(self, weight: Vector) -> tuple[Vector, Vector]:
        """Rows and outcomes among the best, up to the end of each tied group, from none to all."""
        weight = weight[self.order]
        rows = np.append(0.0, np.cumsum(weight)[self.last_of_tie])
        return rows, np.append(0.0, np.cumsum(weight * self.label)[self.last_of_tie])


def _captured(rows: Vector, hits: Vector, share: float) -> float:
    return float(np.interp(share * rows[-1], rows, hits) / hits[-1])


def _roc_auc(rows: Vector, hits: Vector) -> float:
    """Trapezoids under the ROC curve: a tied pair counts one half."""
    misses = rows - hits
    return float(np.trapezoid(hits, misses) / (hits[-1] * misses[-1]))


def _average_precision(rows: Vector, hits: Vector) -> float:
    gained, precision = np.diff(hits), hits[1:] / np.maximum(rows[1:], 1e-12)
    return float(gained @ precision / hits[-1])
