"""Splits as questions about small whole numbers: a value's rank among the thresholds, or its category.

The rules of LightGBM's ``Tree::NumericalDecision`` and ``Tree::CategoricalDecision`` (tree.h) are settled
here once per split, so that a row only compares: null and zero, where they are missing, go the default way;
null that is not missing is zero; a category that is null, negative or unknown goes right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from features.errors import ModelError
from models.treeshap.kernel import CATEGORIES, NUMBER, NUMBER_OR_ZERO, Codes, Floats, Places, Words
from models.treeshap.paths import CATEGORY, DEFAULT_LEFT, NAN_IS_MISSING, ZERO_IS_MISSING, Tree

WORD = 32
MOST_WORDS = 2047  # of one set, so that the code of a category has 16 bits

Column = tuple[int, int]
"""A feature and one of the kernel's three ways of reading it."""


@dataclass(frozen=True)
class Question:
    """A split: whether a row goes left.

    Attributes
    ----------
    column
        What it reads.
    threshold
        Greatest number that goes left.
    missing_goes_left
        Where the kernel's missing value goes.
    words
        Bits of the categories that go left; empty for numbers.
    """

    column: Column
    threshold: float
    missing_goes_left: bool
    words: Sequence[int]


class Questions(NamedTuple):
    """The plan's columns and nodes."""

    column_feature: Places
    column_kind: Places
    column_words: Places
    cut_start: Places
    cuts: Floats
    node_column: Places
    node_limit: Codes
    node_shift: Codes
    node_words: Places
    words: Words


def question(tree: Tree, node: int) -> Question:
    """What a node asks.

    Raises
    ------
    ModelError
        A set reaches categories beyond 65,000.
    """
    feature, threshold, kind = tree.feature[node], tree.threshold[node], tree.kind[node]
    if kind & CATEGORY:
        words = tree.sets[int(threshold)]
        if len(words) > MOST_WORDS:
            raise ModelError(
                f"a booster knows categories beyond {MOST_WORDS * WORD:,}",
                hint="leave the field out, or join its rare values, and train again",
            )
        return Question((feature, CATEGORIES), threshold, missing_goes_left=False, words=words)
    missing = kind >> 2
    default = bool(kind & DEFAULT_LEFT)
    if missing == ZERO_IS_MISSING:
        return Question((feature, NUMBER_OR_ZERO), threshold, default, ())
    goes_left = default if missing == NAN_IS_MISSING else threshold >= 0.0
    return Question((feature, NUMBER), threshold, goes_left, ())


def questions(asked: Sequence[Question]) -> Questions:
    """Questions as arrays, with ranks in place of thresholds.

    A rank counts the thresholds below a value, so a value is at most the i-th threshold when its rank is at
    most i. The kernel's missing rank is the greatest and goes right; one is added, and it wraps around to
    zero, where it goes left.
    """
    columns: dict[Column, list[Question]] = {}
    for item in asked:
        columns.setdefault(item.column, []).append(item)
    place = {column: number for number, column in enumerate(columns)}
    cuts = [np.unique([item.threshold for item in of if not item.words]) for of in columns.values()]
    rank = [{cut: number for number, cut in enumerate(found.tolist())} for found in cuts]
    width = [1 + max(len(item.words) for item in of) for of in columns.values()]
    words: list[int] = []
    starts, limits, shifts = [], [], []
    for item in asked:
        own = place[item.column]
        starts.append(len(words) if item.words else -1)
        words += [*item.words, *[0] * (width[own] - len(item.words))] if item.words else []
        shifts.append(int(item.missing_goes_left))
        limits.append(0 if item.words else rank[own][item.threshold] + shifts[-1])
    return Questions(
        column_feature=np.array([feature for feature, _ in columns]),
        column_kind=np.array([kind for _, kind in columns]),
        column_words=np.array(width),
        cut_start=np.cumsum([0, *map(len, cuts)]),
        cuts=np.concatenate(cuts),
        node_column=np.array([place[item.column] for item in asked]),
        node_limit=np.array(limits, np.uint16),
        node_shift=np.array(shifts, np.uint16),
        node_words=np.array(starts),
        words=np.array(words, np.uint32),
    )
