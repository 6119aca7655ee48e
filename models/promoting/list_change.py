"""How much of tonight's list changes with another model: who is called, and why they are said to be there."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from models.metrics import Vector


def churn_share(before: Vector, after: Vector, *, capacity_share: float) -> float:
    """Share of the best leads of one list that are not among the best of the other.

    Parameters
    ----------
    before, after
        Probabilities of the same leads, shape (n,) with n > 0. Ties go to the earlier row.
    capacity_share
        Share of the list that the team can call; at least one lead.

    >>> churn_share(np.array([0.9, 0.8, 0.1, 0.2]), np.array([0.9, 0.1, 0.2, 0.8]), capacity_share=0.5)
    0.5
    """
    most = max(1, math.ceil(capacity_share * len(before)))
    best = [set(np.argsort(-chance, kind="stable")[:most].tolist()) for chance in (before, after)]
    return 1 - len(best[0] & best[1]) / most


def same_family_share(before: Mapping[str, Vector], after: Mapping[str, Vector]) -> float:
    """Share of the leads for which the same family of features speaks most for them.

    Parameters
    ----------
    before, after
        Contributions of each family (log-odds), shape (n,) with n > 0.

    >>> one = {"fit": np.array([1.0, 0.0]), "behaviour": np.array([0.0, 1.0])}
    >>> same_family_share(one, {"behaviour": np.array([0.5, 0.3]), "fit": np.array([0.2, 0.1])})
    0.5
    """
    first = [np.asarray(list(f))[np.argmax(np.asarray(list(f.values())), axis=0)] for f in (before, after)]
    return float((first[0] == first[1]).mean())
