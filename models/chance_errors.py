"""How far chance may have carried each figure of some outcomes: standard errors by formula, not resampling.

For lists of a million leads, where `models.metrics.interval` would sort too often. Each lead is to be there
once: rows are independent.
"""

from __future__ import annotations

import numpy as np

from models.estimating import SURELY_INSIDE
from models.metrics import SHARES, Vector
from models.tied import Tied


def chance_errors(label: Vector, said: Vector) -> dict[str, float]:
    """Standard errors of the figures of `models.metrics.measure`, and of ``precision_10``, ``precision_20``.

    Parameters
    ----------
    label
        0 or 1, shape (n,), both among them.
    said
        What ranks the rows, and as a probability is judged, shape (n,).

    Notes
    -----
    ROC-AUC: DeLong, DeLong and Clarke-Pearson 1988, "Comparing the areas under two or more correlated
    receiver operating characteristic curves", section 2. Lift, capture and precision by the delta method, at
    a cut that stays where it is. Log loss and Brier score are means.
    """
    tied = Tied.of(said)
    y, f = label[tied.order], np.clip(said[tied.order], SURELY_INSIDE, 1 - SURELY_INSIDE)
    loss = -np.where(y == 1, np.log(f), np.log1p(-f))
    found = {
        "roc_auc": _of_area(tied, y),
        "log_loss": _of_mean(loss),
        "brier": _of_mean((f - y) ** 2),
        "wins": float(np.sqrt(len(y)) * y.std()),
    }
    for share in SHARES:
        best, suffix = float(tied.best(share) @ y), f"{round(share * 100)}"
        found[f"capture_{suffix}"] = _of_capture(best, float(y.sum()), share * len(y), len(y))
        found[f"lift_{suffix}"] = found[f"capture_{suffix}"] / share
        found[f"precision_{suffix}"] = float(np.sqrt(_spread(best, share * len(y)))) / (share * len(y))
    return found


def _of_capture(best: float, won: float, places: float, rows: int) -> float:
    """Won leads among the best and among the others are two binomial counts; the first over both."""
    captured = best / won
    above, below = _spread(best, places), _spread(won - best, rows - places)
    return float(np.sqrt((1 - captured) ** 2 * above + captured**2 * below)) / won


def _spread(won: float, rows: float) -> float:
    """Variance of a binomial count."""
    return won * (1 - won / rows)


def _of_area(tied: Tied, y: Vector) -> float:
    above, beside, _ = tied.beside(y)
    _, beside_not, below_not = tied.beside(1 - y)
    beaten = (below_not + beside_not / 2)[y == 1] / (1 - y).sum()
    beating = (above + beside / 2)[y == 0] / y.sum()
    return float(np.sqrt(sum(_of_mean(part) ** 2 for part in (beaten, beating))))


def _of_mean(values: Vector) -> float:
    return float(values.std() / np.sqrt(len(values)))
