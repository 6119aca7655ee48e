"""How good a ranking is going to be, from its probabilities alone: no outcome is looked at.

If a probability is the chance that its lead is won, each outcome is a draw of a known coin, and a figure of
outcomes is a random number whose mean and spread follow from the probabilities (confidence-based performance
estimation: Kivimäki, Białek, Kuberski and Nurminen 2025, "Performance Estimation in Binary Classification
Using Calibrated Confidence", arXiv 2505.05295; for the area under the ROC curve the documentation of NannyML,
"Estimation of Performance of the Monitored Model", ratio of expected rates at every threshold).

That is right if the probabilities are calibrated on the leads that are asked about, and outcomes are
independent given them. It sees a change of *which* leads there are (covariate shift). It cannot see a change
of what becomes of a lead (concept drift): the estimate stays as it was and is wrong, until outcomes tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from features.errors import ModelError
from models.metrics import SHARES, Vector
from models.tied import Tied

SURELY_INSIDE = 1e-15  # as in `models.metrics`: the log of a probability stays finite


@dataclass(frozen=True)
class Estimate:
    """A figure that is not known yet.

    Attributes
    ----------
    value
        Its expectation.
    error
        Standard deviation of what it may turn out to be.
    """

    value: float
    error: float

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Ends between which the figure will lie with a probability of ``level``; normal.

        >>> [round(end, 3) for end in Estimate(0.7, 0.01).interval()]
        [0.68, 0.72]
        """
        reach = NormalDist().inv_cdf((1 + level) / 2) * self.error
        return self.value - reach, self.value + reach


def estimates(chance: Vector, *, said: Vector | None = None) -> dict[str, Estimate]:
    """Expected figures of a ranking.

    Parameters
    ----------
    chance
        Probability of each row's outcome as it is believed now, strictly between 0 and 1, shape (n,).
    said
        Probability that ranks the rows and is judged, shape (n,); None: ``chance``. The two differ where what
        was published has been calibrated anew since.

    Returns
    -------
    dict
        By the names of `models.metrics.Metrics`: ``roc_auc``, ``log_loss``, ``brier``, ``lift_10``,
        ``lift_20``, ``capture_10``, ``capture_20``; and ``precision_10``, ``precision_20`` (share that is won
        of the best 10 % and 20 %), ``wins``.

    Raises
    ------
    ModelError
        There are fewer than two rows, or a probability is not strictly between 0 and 1.

    Notes
    -----
    A ratio is estimated by the ratio of expectations: for the ROC-AUC the expected number of pairs in the
    right order, ties counted half, over the expected number of pairs, both over pairs of different rows. The
    error is that of a first-order expansion in the outcomes (delta method): with the derivative ``d`` of a
    figure by each outcome, its variance is the sum of ``chance (1 - chance) d²``. All in one sort.

    >>> round(estimates(np.array([0.9, 0.5, 0.1]))["wins"].value, 1)
    1.5
    """
    said = chance if said is None else said
    _check(chance, said)
    tied = Tied.of(said)
    sure, p, f = len(chance), chance[tied.order], np.clip(said[tied.order], SURELY_INSIDE, 1 - SURELY_INSIDE)
    auc, by_outcome = _roc_auc(tied, p)
    loss, other = -np.log(f), -np.log1p(-f)
    found = {
        "roc_auc": _estimate(auc, p, by_outcome),
        "log_loss": _estimate(p @ loss + (1 - p) @ other, p, loss - other, rows=sure),
        "brier": _estimate(p @ (1 - f) ** 2 + (1 - p) @ f**2, p, 1 - 2 * f, rows=sure),
        "wins": _estimate(p.sum(), p, np.ones(sure)),
    }
    for share in SHARES:
        found |= _of_best(tied, p, share)
    return found


def _check(chance: Vector, said: Vector) -> None:
    if len(chance) < 2:  # noqa: PLR2004  # a ranking of one has no order
        raise ModelError("fewer than two leads have a probability", hint="estimate a longer list")
    if not (np.all((chance > 0) & (chance < 1)) and np.isfinite(said).all()):
        raise ModelError(
            "a probability is not strictly between 0 and 1",
            hint="leave out leads whose probability is withheld",
        )


def _estimate(total: Any, p: Vector, by_outcome: Vector, *, rows: int = 1) -> Estimate:
    """A sum over rows, or a mean over ``rows``, whose derivative by each outcome is known."""
    spread = float(np.sqrt((p * (1 - p)) @ by_outcome**2))
    return Estimate(float(total) / rows, spread / rows)


def _roc_auc(tied: Tied, p: Vector) -> tuple[float, Vector]:
    """The area, and its derivative by each outcome."""
    count, won = len(p), p.sum()
    above, beside, _ = tied.beside(p)
    _, beside_not, below_not = tied.beside(1 - p)
    beaten = below_not + (beside_not - (1 - p)) / 2  # not-won rows that this one stands above
    beating = above + (beside - p) / 2  # won rows that stand above this one
    pairs = won * (count - won) - p @ (1 - p)
    area = float(p @ beaten / pairs)
    by_outcome = (beaten - beating - area * (count - 1 - 2 * (won - p))) / pairs
    return area, np.asarray(by_outcome)


def _of_best(tied: Tied, p: Vector, share: float) -> dict[str, Estimate]:
    within, won = tied.best(share), p.sum()
    found, places = within @ p, share * len(p)
    captured = found / won
    by_outcome = (within - captured) / won
    suffix = f"{round(share * 100)}"
    return {
        f"lift_{suffix}": _estimate(captured / share, p, by_outcome / share),
        f"capture_{suffix}": _estimate(captured, p, by_outcome),
        f"precision_{suffix}": _estimate(found / places, p, within / places),
    }
