"""What moves the ranking: the mean absolute contribution of each feature, and each family's share of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from features.catalogue import FeatureSpec
from models.matrix import Matrix
from models.metrics import Vector

RESAMPLES = 200
TOP = 10  # features whose place at the top is watched
ENDS = (2.5, 97.5)


@dataclass(frozen=True)
class Importance:
    """How much each of k features moves the margin.

    Attributes
    ----------
    specs
        The features.
    strength
        Mean absolute contribution, shape (k,), log-odds.
    low, high
        Its 95 % interval over the leads that were looked at, the model being what it is, shape (k,).
    stays
        Share of the resamples in which the feature is among the ``TOP`` strongest, shape (k,).
    """

    specs: Sequence[FeatureSpec]
    strength: Vector
    low: Vector
    high: Vector
    stays: Vector

    @property
    def shares(self) -> Vector:
        """Each feature's share of all contributions, shape (k,): they add up to 1."""
        return self.strength / (self.strength.sum() or 1.0)

    @property
    def families(self) -> dict[str, float]:
        """Each family's share of all contributions, the greatest first: they add up to 1."""
        found: dict[str, float] = {}
        for spec, share in zip(self.specs, self.shares, strict=True):
            found[spec.family] = found.get(spec.family, 0.0) + float(share)
        return dict(sorted(found.items(), key=lambda pair: -pair[1]))

    @property
    def order(self) -> npt.NDArray[np.intp]:
        """Places of the features, the strongest first; ties by place."""
        return np.argsort(-self.strength, kind="stable")

    @property
    def same_top(self) -> float:
        """Mean share of the ``TOP`` strongest features that are among those of a resample."""
        top = self.order[:TOP]
        return float(self.stays[top].mean()) if len(top) else 1.0

    def as_json(self) -> list[dict[str, Any]]:
        """One row per feature, the strongest first."""
        return [
            {
                "feature": self.specs[place].name,
                "family": self.specs[place].family,
                "mean_absolute_contribution": float(self.strength[place]),
                "low": float(self.low[place]),
                "high": float(self.high[place]),
                "share": float(self.shares[place]),
                "stays_in_top_share": float(self.stays[place]),
            }
            for place in self.order
        ]

    def share_of(self) -> Mapping[str, float]:
        """Each feature's share of all contributions, by name."""
        return {spec.name: float(share) for spec, share in zip(self.specs, self.shares, strict=True)}


def importance(
    values: Matrix,
    specs: Sequence[FeatureSpec],
    leads: npt.NDArray[Any],
    weight: Vector,
    *,
    seed: int = 0,
) -> Importance:
    """Measure it.

    Parameters
    ----------
    values
        Contributions, shape (n, k), log-odds, n > 0.
    specs
        The k features, in the order of the columns.
    leads
        Lead of each row, shape (n,): resamples draw leads, with all their rows (Efron 1979, *Bootstrap
        methods: another look at the jackknife*).
    weight
        How often each row counts, shape (n,).
    """
    size = np.abs(values)
    strength = weight @ size / weight.sum()
    names, lead = np.unique(leads.astype(str), return_inverse=True)
    random = np.random.default_rng(seed)
    drawn = random.multinomial(len(names), np.full(len(names), 1 / len(names)), size=RESAMPLES)
    counts = drawn[:, lead] * weight
    again = counts @ size / counts.sum(axis=1, keepdims=True)
    low, high = np.percentile(again, ENDS, axis=0)
    first = np.argsort(-again, axis=1, kind="stable")[:, :TOP]
    stays = np.bincount(first.ravel(), minlength=len(specs)) / RESAMPLES
    return Importance(tuple(specs), strength, low, high, stays)
