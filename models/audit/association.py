"""How strongly a column goes with the label: the statistics behind the leakage audit.

A column is given as codes: the place of each row's value among the column's distinct values.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Codes: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Floats: TypeAlias = npt.NDArray[np.float64]


def auc(codes: Codes, label: Flags) -> float:
    """ROC-AUC of codes as a score, ties counted half; 0.5 when only one label occurs.

    Hanley and McNeil (1982), "The meaning and use of the area under a ROC curve", section II.

    >>> auc(np.array([0, 1, 1, 2]), np.array([False, False, True, True]))
    0.875
    """
    size = int(codes.max(initial=0)) + 1
    won = np.bincount(codes[label], minlength=size).astype(float)
    lost = np.bincount(codes[~label], minlength=size).astype(float)
    pairs = won.sum() * lost.sum()
    if pairs == 0:
        return 0.5
    lost_below = np.cumsum(lost) - lost
    return float((won * (lost_below + lost / 2)).sum() / pairs)


def target_auc(codes: Codes, label: Flags, half: Flags) -> float:
    """ROC-AUC of each value's win rate, learned on one half of the rows and judged on the other.

    The rate is drawn to the base rate with the weight of ten rows, so that rare values say little.
    """
    size = int(codes.max(initial=0)) + 1
    count = np.bincount(codes[half], minlength=size)
    won = np.bincount(codes[half & label], minlength=size)
    base = label[half].mean() if half.any() else 0.0
    rate = (won + 10 * base) / (count + 10)
    order = np.unique(rate, return_inverse=True)[1]
    return auc(order[codes[~half]], label[~half])


def cramers_v(codes: Codes, label: Flags) -> float:
    """Association with the label, 0 to 1, without the bias of many values.

    Bergsma (2013), "A bias-correction for Cramér's V and Tschuprow's T", section 3; for two values it is
    close to the absolute phi coefficient.
    """
    rows, columns = len(codes), int(codes.max(initial=0)) + 1
    table = np.stack([np.bincount(codes[part], minlength=columns) for part in (label, ~label)]).astype(float)
    table = table[:, table.sum(axis=0) > 0]
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / max(rows, 1)
    if rows < 2 or table.shape[1] < 2 or not expected.all():  # noqa: PLR2004  # one row or value has no association
        return 0.0
    phi_squared = ((table - expected) ** 2 / expected).sum() / rows
    chance = (table.shape[1] - 1) / (rows - 1)
    values = table.shape[1] - (table.shape[1] - 1) ** 2 / (rows - 1)
    labels = 2 - 1 / (rows - 1)
    return float(np.sqrt(max(0.0, phi_squared - chance) / max(min(values, labels) - 1, 1e-9)).clip(0, 1))


def divergence(one: Codes, other: Codes) -> float:
    """Jensen-Shannon divergence of two columns of the same codes, 0 (alike) to 1 (no value in common).

    Lin (1991), "Divergence measures based on the Shannon entropy", section IV, with logarithms to base 2.

    >>> divergence(np.array([0, 1]), np.array([1, 0])), divergence(np.array([0, 0]), np.array([1, 1]))
    (0.0, 1.0)
    """
    size = int(max(one.max(initial=0), other.max(initial=0))) + 1
    shares = [np.bincount(codes, minlength=size) / max(len(codes), 1) for codes in (one, other)]
    middle = (shares[0] + shares[1]) / 2
    return float(sum(_relative_entropy(share, middle) for share in shares) / 2)


def _relative_entropy(share: Floats, of: Floats) -> float:
    seen = share > 0
    return float((share[seen] * np.log2(share[seen] / of[seen])).sum())


def rank_correlation(one: Floats, other: Floats) -> float:
    """Spearman's rho of two columns without nulls, shape (n,); 0 where one of them is constant.

    >>> round(rank_correlation(np.array([1.0, 2.0, 9.0]), np.array([3.0, 5.0, 6.0])), 6)
    1.0
    """
    ranks = [_ranks(values) for values in (one, other)]
    if len(one) < 2 or any(np.ptp(rank) == 0 for rank in ranks):  # noqa: PLR2004  # one row has no order
        return 0.0
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _ranks(values: Floats) -> Floats:
    """Mean rank of each value, ties sharing theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    mean: Floats = np.cumsum(count) - (count - 1) / 2
    return mean[place]


def wilson(won: Floats, count: Floats, z: float = 3.0) -> tuple[Floats, Floats]:
    """Bounds of a rate, shape as given; 0 and 1 without rows.

    Wilson (1927), "Probable inference, the law of succession, and statistical inference". The default
    z of 3 leaves one in 370 outside, as hundreds of values are looked at.

    >>> [round(float(bound), 3) for bound in wilson(np.array(5.0), np.array(10.0), z=1.96)]
    [0.237, 0.763]
    """
    rate = np.divide(won, count, out=np.full(np.shape(count), 0.5), where=count > 0)
    n = np.maximum(count, 1e-9)
    middle = (rate + z**2 / (2 * n)) / (1 + z**2 / n)
    spread = z / (1 + z**2 / n) * np.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2))
    return np.clip(middle - spread, 0, 1), np.clip(middle + spread, 0, 1)
