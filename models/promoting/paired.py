"""Challenger against champion on the same rows: what changes, each difference with an interval over leads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from models.metrics import Ranked, Vector, resampled
from models.segments.cut import Texts
from models.weights import mean, per_row

Numbers = npt.NDArray[np.int64]
LEVEL = 0.95


@dataclass(frozen=True)
class Pair:
    """Rows of which both models said something without having learned what became of them, shape (n,) each.

    Attributes
    ----------
    label
        0 or 1.
    champion, challenger
        Probabilities.
    leads
        Lead of each row.
    segments
        Slice of each row, by name.
    weight
        How often each row counts; None is once.
    """

    label: Vector
    champion: Vector
    challenger: Vector
    leads: Numbers
    segments: Mapping[str, Texts]
    weight: Vector | None = None

    @property
    def positives(self) -> int:
        """Rows that reached the stage."""
        return int(self.label.sum())

    @property
    def fewest(self) -> int:
        """Rows of the rarer outcome."""
        return min(self.positives, len(self.label) - self.positives)


def differences(
    pair: Pair, *, capacity_share: float, resamples: int = 200, seed: int = 0
) -> dict[str, dict[str, float]]:
    """Figures of both models and challenger minus champion, with a 95 % bootstrap interval over leads.

    Parameters
    ----------
    pair
        Rows with both outcomes.
    capacity_share
        Share of the list that the team can call.

    Returns
    -------
    dict
        ``champion``, ``challenger``, ``difference``, ``low`` and ``high`` by ``log_loss``, ``capture`` (at
        capacity), ``calibration_error`` and ``roc_auc``.

    Notes
    -----
    Percentile intervals of the paired bootstrap: each resample draws leads and measures both models on them
    (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, ch. 13).
    """
    both = [Ranked.of(pair.label, chance) for chance in (pair.champion, pair.challenger)]
    once = np.ones_like(pair.label) if pair.weight is None else pair.weight
    values = np.asarray([list(_figures(ranked, once, capacity_share).values()) for ranked in both])
    random = np.random.default_rng(seed)
    member = np.unique(pair.leads, return_inverse=True)[1]
    drawn = []
    for weight in (resampled(random, member, pair.weight) for _ in range(resamples)):
        if both[0].has_both(weight):
            found = [list(_figures(ranked, weight, capacity_share).values()) for ranked in both]
            drawn.append(np.subtract(found[1], found[0]))
    low, high = np.quantile(np.asarray(drawn), [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    names = _figures(both[0], once, capacity_share)
    return {
        name: {
            "champion": float(values[0, place]),
            "challenger": float(values[1, place]),
            "difference": float(values[1, place] - values[0, place]),
            "low": float(low[place]),
            "high": float(high[place]),
        }
        for place, name in enumerate(names)
    }


def segment_differences(pair: Pair, *, least_outcomes: int) -> list[dict[str, Any]]:
    """Log loss of both models in each slice, the slice in which the challenger is most surely worse first.

    Parameters
    ----------
    least_outcomes
        Rows of the rarer outcome without which a slice is not judged.

    Returns
    -------
    list of dict
        ``segment``, ``value``, ``rows``, ``positives``, ``is_judged``, and of judged ones ``champion``,
        ``difference``, ``low`` and ``high``. Together the intervals hold with 95 % (Bonferroni).

    Notes
    -----
    Standard errors of a mean over rows whose errors hang together within a lead (Liang and Zeger,
    Longitudinal data analysis using generalized linear models, Biometrika 73, 1986).
    """
    losses = [_losses(pair.label, chance) for chance in (pair.champion, pair.challenger)]
    parts = [
        (name, str(value), values == value)
        for name, values in pair.segments.items()
        for value in sorted(set(values))
    ]
    judged = [_rarer(pair.label[rows]) >= least_outcomes for _, _, rows in parts]
    quantile = NormalDist().inv_cdf(1 - (1 - LEVEL) / 2 / max(sum(judged), 1))
    found = []
    for (name, value, rows), is_judged in zip(parts, judged, strict=True):
        told: dict[str, Any] = {
            "segment": name,
            "value": value,
            "rows": int(rows.sum()),
            "positives": int(pair.label[rows].sum()),
            "is_judged": is_judged,
        }
        if is_judged:
            weight = None if pair.weight is None else pair.weight[rows]
            difference, error = _mean(losses[1][rows] - losses[0][rows], pair.leads[rows], weight)
            told |= {
                "champion": mean(losses[0][rows], weight),
                "difference": difference,
                "low": difference - quantile * error,
                "high": difference + quantile * error,
            }
        found.append(told)
    return sorted(found, key=lambda told: -told["low"] if told["is_judged"] else np.inf)


def _figures(ranked: Ranked, weight: Vector, capacity_share: float) -> dict[str, float]:
    return {
        "log_loss": ranked.log_loss(weight),
        "capture": ranked.capture(weight, capacity_share),
        "calibration_error": ranked.calibration_error(weight),
        "roc_auc": ranked.measure(weight).roc_auc,
    }


def _losses(label: Vector, chance: Vector) -> Vector:
    return np.asarray(-np.log(np.clip(np.where(label == 1, chance, 1 - chance), 1e-15, 1)))


def _rarer(label: Vector) -> int:
    positives = int(label.sum())
    return min(positives, len(label) - positives)


def _mean(values: Vector, leads: Numbers, weight: Vector | None) -> tuple[float, float]:
    """Mean, and its standard error where the values of a lead hang together."""
    member = np.unique(leads, return_inverse=True)[1]
    middle, count = mean(values, weight), int(member.max()) + 1
    if count == 1:
        return middle, float("inf")
    sums = np.bincount(member, weights=per_row(weight, len(values)) * (values - middle))
    return middle, float(np.sqrt((sums @ sums) * count / (count - 1)) / len(values))
