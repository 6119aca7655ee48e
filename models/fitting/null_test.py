"""Shuffled labels must teach nothing: a model trained on them may rank the judged rows no better than chance.

A pipeline that looks at the labels it is judged on (features or encodings fitted on all rows, a judged row
among the training rows, a number of trees chosen on the test) still ranks them when the labels are noise. A
leak in the data does not show here, as shuffling cuts its tie with the outcome: the leakage audit looks for
those.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.errors import ModelError
from models.audit.association import Flags
from models.metrics import Vector

SHUFFLES, LEVEL = 5, 0.99
DRAWS = 2_000  # of the null distribution; the ends of 99 % rest on ten of them each


@dataclass(frozen=True)
class NullTest:
    """What models trained on shuffled labels reached.

    Attributes
    ----------
    aucs
        ROC-AUC of each shuffle, on the judged rows.
    mean
        Their mean.
    low, high
        Between them lies 99 % of such means if the models know nothing of the labels.
    """

    aucs: tuple[float, ...]
    mean: float
    low: float
    high: float

    @property
    def is_passed(self) -> bool:
        """Whether the mean lies inside the interval."""
        return self.low <= self.mean <= self.high


def check_null(
    fit_and_score: Callable[[Vector], Vector],
    label: Vector,
    leads: npt.ArrayLike,
    is_judged: Flags,
    *,
    shuffles: int = SHUFFLES,
    seed: int = 0,
) -> NullTest:
    """Refuse a pipeline that ranks the judged rows although their labels are noise.

    Parameters
    ----------
    fit_and_score
        Takes shuffled labels of all n rows, fits on those that are not judged exactly as training does, and
        returns a score of each judged row, in order. It is called ``shuffles`` times, so it should fit few
        trees on some thousand rows.
    label
        0 or 1, shape (n,).
    leads
        Lead of each row, shape (n,): its rows are shuffled together.
    is_judged
        Rows on which the model is judged, shape (n,); the others are learned from.

    Raises
    ------
    ModelError
        The mean ROC-AUC lies outside the 99 % null interval, and so does that of as many other shuffles (an
        honest pipeline: once in ten thousand times); or the judged rows hold one outcome only.
    """
    found = null_test(fit_and_score, label, leads, is_judged, shuffles=shuffles, seed=seed)
    if not found.is_passed:
        found = null_test(fit_and_score, label, leads, is_judged, shuffles=shuffles, seed=seed + 1)
    if not found.is_passed:
        raise ModelError(
            f"trained on shuffled labels the model reaches a ROC-AUC of {found.mean:.3f}, outside of "
            f"{found.low:.3f} to {found.high:.3f}",
            hint="something in training sees the rows that it is judged on: please report it",
        )
    return found


def null_test(
    fit_and_score: Callable[[Vector], Vector],
    label: Vector,
    leads: npt.ArrayLike,
    is_judged: Flags,
    *,
    shuffles: int = SHUFFLES,
    seed: int = 0,
) -> NullTest:
    """As `check_null`, without refusing.

    Notes
    -----
    A permutation test (Ojala and Garriga, Permutation tests for studying classifier performance, JMLR 11,
    2010, test 1) of the mean over the shuffles, so that five looks keep one level. Whole leads are permuted,
    on either side by themselves, and the rows of a lead among themselves: the counts of each side and the
    likeness of a lead's labels stay, and the null interval comes from further such permutations against the
    same scores. With one row per lead it is that of the Mann-Whitney statistic with ties.
    """
    random = np.random.default_rng(seed)
    groups = np.unique(np.asarray(leads), return_inverse=True)[1]
    judged, learned = np.flatnonzero(is_judged), np.flatnonzero(~is_judged)
    if not 0 < label[judged].sum() < len(judged):
        raise ModelError("the judged rows hold one outcome only", hint="add history")
    aucs, ranks = [], []
    for _ in range(shuffles):
        shuffled = np.empty_like(label)
        for side in (learned, judged):
            shuffled[side] = reshuffled(label[side], groups[side], random)
        ranks.append(_ranks(np.asarray(fit_and_score(shuffled), dtype=np.float64)))
        aucs.append(float(_auc(ranks[-1], shuffled[judged])))
    noise = np.stack([reshuffled(label[judged], groups[judged], random) for _ in range(DRAWS)], axis=1)
    # Each shuffle's scores meet the draws in another order, as its own labels were drawn anew.
    drawn = [np.roll(_auc(rank, noise), place * (DRAWS // shuffles)) for place, rank in enumerate(ranks)]
    low, high = np.quantile(np.mean(drawn, axis=0), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return NullTest(tuple(aucs), float(np.mean(aucs)), float(low), float(high))


def reshuffled(label: Vector, groups: npt.NDArray[np.intp], random: np.random.Generator) -> Vector:
    """Labels that moved from lead to lead, those of one lead together as far as its new place has rows.

    Parameters
    ----------
    label
        Shape (n,).
    groups
        Lead of each row as a small number, shape (n,).

    Returns
    -------
    ndarray
        The same labels in another order, shape (n,).
    """
    new_place = random.permutation(int(groups.max()) + 1)
    # By lead, and by chance within: numbers in [0, 1) beside whole ones need one sort, not two.
    taken_from = np.argsort(new_place[groups] + random.random(len(label)))
    put_to = np.argsort(groups + random.random(len(label)))
    moved = np.empty_like(label)
    moved[put_to] = label[taken_from]
    return moved


def _ranks(score: Vector) -> Vector:
    """Place of each score from 1 up; equal scores share the middle of theirs."""
    _, inverse, count = np.unique(score, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - (count - 1) / 2)[inverse])


def _auc(ranks: Vector, label: Vector) -> Vector:
    """ROC-AUC of each column of labels, from the rank sum (Mann and Whitney, 1947)."""
    positives = label.sum(axis=0)
    above = ranks @ label - positives * (positives + 1) / 2
    return np.asarray(above / (positives * (len(label) - positives)))
