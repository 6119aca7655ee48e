"""What a lead is worth if it is won: expected value is this times the probability.

Trees on the logarithm of the amounts of won leads, or the median of the lead's segment where trees are not
clearly better on later rows. The mean of a logarithm is not the logarithm of a mean, so a level is learned on
later rows: there the predicted amounts add up to the booked ones (a ratio, in place of the mean of residuals
of Duan 1983, *Smearing estimate*).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from features.errors import ModelError
from models.fitting.blend import Blend, Ensemble
from models.matrix import Encoding, Matrix, encode
from models.metrics import Vector
from models.trees import check_booster
from models.weights import per_row, quantiles

REGRESSION, AS_READ = "objective=regression\n", "objective=binary sigmoid:1\n"
LEAST_SEGMENT_ROWS = 10


@dataclass(frozen=True)
class Amount:
    """Predicted amounts, as data.

    Attributes
    ----------
    booster
        LightGBM text of trees whose sum is a log amount; None: segments.
    column
        Category column of the segments; None if there is none.
    medians
        Median amount of each segment that has enough won leads, above 0.
    median
        Of all won leads, above 0: also for a segment without its own.
    level
        What every amount is multiplied with, above 0.
    metrics
        Figures of the forward test.
    """

    booster: str | None
    column: str | None
    medians: Mapping[str, float]
    median: float
    level: float
    metrics: Mapping[str, Any]

    def predict(self, table: pa.Table, encoding: Encoding, *, matrix: Matrix | None = None) -> Vector:
        """Amount of each row if it is won, in the unit of ``outcomes.amount``, shape (n,).

        Parameters
        ----------
        matrix
            The encoded table, if it is there already.
        """
        if self.booster is None:
            return self.level * self.by_segment(table)
        return self.level * self.by_trees(encode(table, encoding) if matrix is None else matrix)

    def by_segment(self, table: pa.Table) -> Vector:
        """Median of each row's segment, without the level."""
        if self.column is None:
            return np.full(table.num_rows, self.median)
        values = table.column(self.column).to_pylist()
        return np.array([self.medians.get(value, self.median) for value in values], dtype=np.float64)

    def by_trees(self, matrix: Matrix) -> Vector:
        """What the trees say, without the level."""
        return np.exp(self._trees.margin(matrix))

    @cached_property
    def _trees(self) -> Ensemble:
        return Ensemble(Blend.mean([self.booster or ""]))

    def as_json(self) -> dict[str, Any]:
        """All but the trees."""
        return {
            "has_trees": self.booster is not None,
            "column": self.column,
            "medians": dict(self.medians),
            "median": self.median,
            "level": self.level,
            "metrics": dict(self.metrics),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], booster: str | None, encoding: Encoding) -> Amount:
        """The amounts that :meth:`as_json` described.

        Raises
        ------
        ModelError
            A number is not above 0, or the column is none of the model's.
        """
        numbers = np.array([data["median"], data["level"], *data["medians"].values()], np.float64)
        is_known = data["column"] is None or data["column"] in encoding.names
        if not is_known or not (np.isfinite(numbers) & (numbers > 0)).all():
            raise ModelError("the amounts of the model are damaged", hint="train the model again")
        return cls(booster, data["column"], data["medians"], data["median"], data["level"], data["metrics"])

    def check(self, *, features: int) -> None:
        """Refuse unsound trees: see :func:`models.trees.check_booster`."""
        if self.booster is not None and not check_booster(self.booster, features=features):
            raise ModelError("the amounts of the model have no trees", hint="train the model again")


def by_segments(
    table: pa.Table, amounts: Vector, column: str | None, *, weight: Vector | None = None
) -> Amount:
    """Median amounts of won rows.

    Parameters
    ----------
    table
        Their features.
    amounts
        Above 0, shape (n,).
    column
        Category column to tell segments by.
    weight
        How often each row counts, shape (n,); None is once.
    """
    counts = per_row(weight, len(amounts))
    median = float(quantiles(amounts, 0.5, counts))
    medians = {}
    if column is not None:
        values = np.asarray(table.column(column).to_pylist(), dtype=object)
        for value in sorted({value for value in values if value is not None}):
            own = values == value
            if own.sum() >= LEAST_SEGMENT_ROWS:
                medians[value] = float(quantiles(amounts[own], 0.5, counts[own]))
    return Amount(None, column, medians, median, 1.0, {})


def with_trees(
    amount: Amount,
    matrix: Matrix,
    amounts: Vector,
    encoding: Encoding,
    *,
    weight: Vector | None = None,
    seed: int,
) -> Amount:
    """The same with trees on the logarithm of the amounts.

    Parameters
    ----------
    matrix
        Won rows, shape (n, k).
    amounts
        Above 0, shape (n,).
    weight
        How often each row counts, shape (n,); None is once.
    """
    import lightgbm as lgb

    parameters = {
        "objective": "regression",
        "num_leaves": 15,
        "max_depth": 4,
        "learning_rate": 0.05,
        "min_data_in_leaf": max(5, min(40, len(amounts) // 20)),
        "feature_fraction": 0.5,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "lambda_l2": 5.0,
        "cat_smooth": 30.0,
        "cat_l2": 30.0,
        "seed": seed * 1000,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    data = lgb.Dataset(
        matrix,
        np.log(amounts),
        weight=weight,
        categorical_feature=list(encoding.category_places),
        params=parameters,
    )
    booster = lgb.train(parameters, data, num_boost_round=100)
    end = "end of trees\n"
    text = booster.model_to_string()
    text = text[: text.index(end) + len(end)]
    # Only the sum of the leaves is ever read, and that does not depend on the objective; one head is checked.
    return replace(amount, booster=text.replace(REGRESSION, AS_READ, 1))
