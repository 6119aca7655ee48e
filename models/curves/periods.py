"""One figure from those of several periods, and how far the periods disagree."""

from __future__ import annotations

from typing import NamedTuple

from models.metrics import Vector


class Pooled(NamedTuple):
    """Mean over the periods, its variance, and the variance of the true figures between periods."""

    mean: float
    variance: float
    between: float


def pooled(figures: Vector, variances: Vector) -> Pooled:
    """Random effects of periods, by the method of moments.

    Parameters
    ----------
    figures, variances
        The estimate of each period and its sampling variance, shape (k,).

    Notes
    -----
    DerSimonian and Laird (1986), *Meta-analysis in clinical trials*, section 2.
    """
    weights = 1 / variances
    freedom = weights.sum() - weights @ weights / weights.sum()
    excess = weights @ (figures - weights @ figures / weights.sum()) ** 2 - (len(figures) - 1)
    between = max(0.0, float(excess / freedom)) if len(figures) > 1 else 0.0
    total = 1 / (variances + between)
    return Pooled(float(total @ figures / total.sum()), float(1 / total.sum()), between)
