"""Bagged trees: several LightGBMs on random shares of rows and columns.

Each bag is trained on one thread and the bags side by side, so that the trees do not depend on the number of
threads and busy cores do not stall each other.
A booster is its text without LightGBM's parameters: data, never code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from features.errors import ModelError
from models.fitting import monotone
from models.matrix import Matrix
from models.metrics import Vector

if TYPE_CHECKING:
    from lightgbm import Booster

FIRST_STEP = 20  # trees
MOST_DEPTH = 8  # contributions keep a table per leaf whose size doubles with each level


@dataclass(frozen=True)
class Shape:
    """How closely a tree may follow the rows.

    Attributes
    ----------
    leaves, max_depth
        Size of a tree; depth at most 8.
    learning_rate
        Share of each tree that is kept.
    min_leaf_rows
        Rows that a leaf needs.
    feature_share, row_share
        Random share of columns and rows that each tree sees.
    l2
        Penalty on leaf values.
    category_smoothing
        Rows at the base rate that each category is mixed with before categories are ordered.
    is_random
        Whether each split tries one random threshold a feature: extremely randomised trees (Geurts, Ernst and
        Wehenkel 2006), which follow the rows less closely and bear drift better.
    """

    leaves: int
    max_depth: int
    learning_rate: float
    min_leaf_rows: int
    feature_share: float
    row_share: float
    l2: float
    category_smoothing: float
    is_random: bool = False


SHALLOW = Shape(15, 4, 0.04, 40, 0.5, 0.7, 5.0, 30.0)
DEEP = Shape(63, 8, 0.06, 20, 0.8, 0.8, 1.0, 10.0)
RANDOM = Shape(63, 8, 0.06, 20, 0.8, 0.8, 1.0, 10.0, is_random=True)
_CONSTRAINTS = re.compile(r"\nmonotone_constraints=[-0-9 ]*\n", re.ASCII)
SHAPES = {"shallow": SHALLOW, "deep": DEEP, "random": RANDOM}


@dataclass(frozen=True)
class Rows:
    """What trees learn from.

    Attributes
    ----------
    matrix, label
        Shapes (n, k) and (n,), labels 0 and 1.
    category_places
        Columns that are categories.
    weight
        How often each row counts, shape (n,); None is once.
    directions
        Whether each column may only raise the margin (1), only lower it (-1), or is free (0), shape (k,);
        empty if all are free.
    """

    matrix: Matrix
    label: Vector
    category_places: Sequence[int] = ()
    weight: Vector | None = None
    directions: Sequence[int] = ()

    def take(self, places: Any) -> Rows:
        """Some of the rows."""
        weight = None if self.weight is None else self.weight[places]
        return replace(self, matrix=self.matrix[places], label=self.label[places], weight=weight)


@dataclass(frozen=True)
class Bags:
    """Boosters as LightGBM text, and the trees in each."""

    boosters: tuple[str, ...]
    trees: tuple[int, ...]


def fit(rows: Rows, shape: Shape, *, trees: int, bags: int, seed: int, threads: int) -> Bags:
    """Trees of a known number in each bag.

    Parameters
    ----------
    trees
        Trees in each bag.
    seed
        The same seed and rows give the same text, whatever ``threads`` is.
    threads
        Bags trained side by side.
    """

    def one(bag: int) -> tuple[str, int]:
        return _train(rows, _parameters(shape, seed, bag), trees=trees)

    return _side_by_side(one, bags, threads)


@dataclass(frozen=True)
class Growth:
    """What trees of a growing number said of later rows.

    Attributes
    ----------
    trees
        Numbers of trees, rising.
    margins
        Log-odds of the later rows after so many trees, shape (numbers, rows).
    """

    trees: tuple[int, ...]
    margins: Vector


def grow(
    rows: Rows,
    later: Matrix,
    shape: Shape,
    *,
    goes_on: Callable[[Growth], bool],
    bags: int,
    seed: int,
) -> Growth:
    """Add trees to all bags, a step at a time, for as long as it is worth it; on the thread that calls.

    Parameters
    ----------
    later
        Rows to judge on, shape (m, k).
    goes_on
        Whether another step is worth it.
    """
    boosters = [_empty(rows, _parameters(shape, seed, bag)) for bag in range(bags)]
    found = Growth((), np.empty((0, len(later))))
    margin = np.zeros(len(later))
    while not found.trees or goes_on(found):
        before = found.trees[-1] if found.trees else 0
        more = max(FIRST_STEP, before // 4)
        margin = margin + np.mean([_extended(booster, later, before, more) for booster in boosters], axis=0)
        found = Growth((*found.trees, before + more), np.vstack([found.margins, margin]))
    return found


def _parameters(shape: Shape, seed: int, bag: int) -> dict[str, Any]:
    if not 1 <= shape.max_depth <= MOST_DEPTH:
        raise ModelError(f"max_depth is {shape.max_depth}", hint=f"choose a depth between 1 and {MOST_DEPTH}")
    return {
        "objective": "binary",
        "num_leaves": shape.leaves,
        "max_depth": shape.max_depth,
        "learning_rate": shape.learning_rate,
        "min_data_in_leaf": shape.min_leaf_rows,
        "feature_fraction": shape.feature_share,
        "bagging_fraction": shape.row_share,
        "bagging_freq": 1,
        "lambda_l2": shape.l2,
        "extra_trees": shape.is_random,
        "cat_smooth": shape.category_smoothing,
        "cat_l2": shape.category_smoothing,
        "min_data_per_group": 50,
        "max_cat_to_onehot": 4,
        "seed": seed * 1000 + bag,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "feature_pre_filter": False,
        "verbosity": -1,
    }


def _empty(rows: Rows, parameters: dict[str, Any]) -> Booster:
    """A booster without trees, on the rows."""
    import lightgbm as lgb

    parameters = {**parameters, **monotone.parameters(rows.directions)}
    data = lgb.Dataset(
        rows.matrix,
        rows.label,
        weight=rows.weight,
        categorical_feature=list(rows.category_places),
        params=parameters,
    )
    return lgb.Booster(parameters, data)


def _extended(booster: Booster, later: Matrix, before: int, more: int) -> Vector:
    """What the trees after the first ``before``, added now, say of later rows."""
    _add(booster, more)
    added = booster.num_trees() - before  # fewer where no split gains any more
    if added <= 0:
        return np.zeros(len(later))
    return np.asarray(
        booster.predict(later, raw_score=True, start_iteration=before, num_iteration=added, num_threads=1)
    )


def _add(booster: Booster, trees: int) -> None:
    for _ in range(trees):
        if booster.update():  # no split gains any more
            return


def _train(rows: Rows, parameters: dict[str, Any], *, trees: int) -> tuple[str, int]:
    booster = _empty(rows, parameters)
    _add(booster, trees)
    return _without_parameters(booster.model_to_string()), booster.num_trees()


def _without_parameters(text: str) -> str:
    """The trees alone: what follows them, and one line of their header, repeats our parameters."""
    end = "end of trees\n"
    return _CONSTRAINTS.sub("\n", text[: text.index(end) + len(end)], count=1)


def _side_by_side(train: Any, bags: int, threads: int) -> Bags:
    with ThreadPoolExecutor(max_workers=max(1, threads)) as pool:
        found = list(pool.map(train, range(bags)))
    return Bags(tuple(text for text, _ in found), tuple(count for _, count in found))
