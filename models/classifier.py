"""Bagged trees: several LightGBMs on random shares of rows and columns, averaged in log-odds.

Each bag is trained on one thread and the bags side by side, so that the trees do not depend on the number of
threads and busy cores do not stall each other.
A booster is its text without LightGBM's parameters: data, never code.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.errors import ModelError
from models.matrix import Matrix
from models.metrics import Vector

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
    """

    leaves: int
    max_depth: int
    learning_rate: float
    min_leaf_rows: int
    feature_share: float
    row_share: float
    l2: float
    category_smoothing: float


SHALLOW = Shape(15, 4, 0.04, 40, 0.5, 0.7, 5.0, 30.0)
DEEP = Shape(63, 8, 0.08, 20, 0.8, 0.8, 1.0, 10.0)
SHAPES = {"shallow": SHALLOW, "deep": DEEP}


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
    """

    matrix: Matrix
    label: Vector
    category_places: Sequence[int] = ()
    weight: Vector | None = None

    def take(self, places: Any) -> Rows:
        """Some of the rows."""
        weight = None if self.weight is None else self.weight[places]
        return Rows(self.matrix[places], self.label[places], self.category_places, weight)


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


def fit_until(
    rows: Rows,
    later: Rows,
    shape: Shape,
    *,
    most_trees: int,
    patience: int,
    bags: int,
    seed: int,
    threads: int,
) -> Bags:
    """Trees up to the number where the log loss of later rows was best.

    Parameters
    ----------
    later
        Rows after the training rows in time.
    most_trees
        Upper limit.
    patience
        Trees without progress after which a bag stops.
    """

    def one(bag: int) -> tuple[str, int]:
        return _train(rows, _parameters(shape, seed, bag), trees=most_trees, later=later, patience=patience)

    return _side_by_side(one, bags, threads)


class Ensemble:
    """Parsed boosters that give margins.

    Parameters
    ----------
    boosters
        Texts that :func:`models.trees.check_booster` has passed: LightGBM does not check them.
    threads
        Threads for prediction; the margin does not depend on it.
    """

    def __init__(self, boosters: Sequence[str], *, threads: int = 1) -> None:
        import lightgbm as lgb

        self._boosters = [lgb.Booster(model_str=text) for text in boosters]
        self._threads = threads

    def margin(self, matrix: Matrix) -> Vector:
        """Mean log-odds over the bags, shape (rows,).

        Raises
        ------
        ModelError
            The matrix is not as wide as in training.
        """
        width = self._boosters[0].num_feature()
        if matrix.ndim != 2 or matrix.shape[1] != width:  # noqa: PLR2004 - rows and columns
            raise ModelError(
                f"the matrix is not {width} columns wide", hint="encode it with the bundle's encoding"
            )
        total = np.zeros(len(matrix))
        if len(matrix) == 0:
            return total
        for booster in self._boosters:
            total += booster.predict(matrix, raw_score=True, num_threads=self._threads)
        return total / len(self._boosters)


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


def _train(
    rows: Rows, parameters: dict[str, Any], *, trees: int, later: Rows | None = None, patience: int = 0
) -> tuple[str, int]:
    import lightgbm as lgb

    data = lgb.Dataset(
        rows.matrix,
        rows.label,
        weight=rows.weight,
        categorical_feature=list(rows.category_places),
        params=parameters,
    )
    if later is None:
        booster = lgb.train(parameters, data, trees)
    else:
        watched = lgb.Dataset(
            later.matrix, later.label, weight=later.weight, reference=data, params=parameters
        )
        stop = lgb.early_stopping(patience, verbose=False)
        booster = lgb.train(parameters, data, trees, valid_sets=[watched], callbacks=[stop])
    kept = booster.best_iteration if later is not None and booster.best_iteration > 0 else booster.num_trees()
    return _without_parameters(booster.model_to_string(num_iteration=kept)), kept


def _without_parameters(text: str) -> str:
    """The trees alone: what follows them repeats our parameters, among them the number of threads."""
    end = "end of trees\n"
    return text[: text.index(end) + len(end)]


def _side_by_side(train: Any, bags: int, threads: int) -> Bags:
    with ThreadPoolExecutor(max_workers=max(1, threads)) as pool:
        found = list(pool.map(train, range(bags)))
    return Bags(tuple(text for text, _ in found), tuple(count for _, count in found))
