"""The linear part: a penalised logistic regression on terms that outliers and nulls cannot upset.

A number is one term, its signed logarithm, and where it is ever null a second one, a flag; a category is one
flag for each of its values. Terms are standardised and clipped, and a null number stands at the mean.
A number that may only raise or only lower the margin loses its term where that would do the opposite.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from features.errors import ModelError
from models.audit.association import Flags
from models.fitting.classifier import Rows
from models.fitting.newton import logit
from models.matrix import Matrix
from models.metrics import Vector

CLIP = 5.0  # standard deviations
MOST_ROWS = 50_000  # the latest; more change nothing but the time
ROWS_AT_ONCE = 1_024  # whose terms are in memory together
VALUE, NULL = -2, -1
"""What a term reads of its column, where it is not the code of a category."""
CONSTANT = 1e-9  # spread of a constant term after rounding

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Linear:
    """Coefficients of standardised terms, as data.

    Attributes
    ----------
    column
        Column of the matrix that each term reads, shape (t,).
    reads
        ``VALUE``, ``NULL``, or the code of the category that the term is a flag of, shape (t,).
    mean, spread
        Mean and standard deviation of each term over the training rows, shape (t,).
    coefficient
        Log-odds per standard deviation, shape (t,).
    intercept
        Margin of a row whose terms are all at their mean.
    """

    column: Codes
    reads: Codes
    mean: Vector
    spread: Vector
    coefficient: Vector
    intercept: float

    def margin(self, matrix: Matrix) -> Vector:
        """Log-odds, shape (rows,)."""
        margin = np.full(len(matrix), self.intercept)
        for rows in _blocks(len(matrix)):
            for term in self._terms(matrix[rows]).T:  # in their order: another one gives other last digits
                margin[rows] += term
        return margin

    def contributions(self, matrix: Matrix) -> Matrix:
        """What each column adds to ``intercept``, shape (rows, columns), log-odds."""
        values = np.zeros(matrix.shape)
        for rows in _blocks(len(matrix)):
            for column, term in zip(self.column, self._terms(matrix[rows]).T, strict=True):
                values[rows, column] += term
        return values

    def _terms(self, matrix: Matrix) -> Matrix:
        """What each term adds, shape (rows, terms): all at once, as a lead alone has few rows."""
        values = matrix[:, self.column]
        raw = np.where(self.reads == NULL, np.isnan(values), values == self.reads).astype(np.float64)
        of_numbers = np.flatnonzero(self.reads == VALUE)
        raw[:, of_numbers] = _term(values[:, of_numbers], VALUE)
        standard = np.clip((raw - self.mean) / self.spread, -CLIP, CLIP)
        return np.where(np.isnan(standard), 0.0, standard) * self.coefficient

    def times(self, weight: float) -> Linear:
        """The same part with every log-odds multiplied."""
        return replace(self, coefficient=self.coefficient * weight, intercept=self.intercept * weight)

    def as_json(self) -> dict[str, Any]:
        """Lists and numbers; :meth:`from_json` brings the part back."""
        return {
            "column": self.column.tolist(),
            "reads": self.reads.tolist(),
            "mean": self.mean.tolist(),
            "spread": self.spread.tolist(),
            "coefficient": self.coefficient.tolist(),
            "intercept": self.intercept,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], *, columns: int) -> Linear:
        """The part that :meth:`as_json` described.

        Raises
        ------
        ModelError
            Its terms do not belong together, or read other than the ``columns`` of the matrix.
        """
        column, reads = (np.asarray(data[name], np.int64) for name in ("column", "reads"))
        mean, spread, coefficient = (
            np.asarray(data[name], np.float64) for name in ("mean", "spread", "coefficient")
        )
        shapes = {part.shape for part in (column, reads, mean, spread, coefficient)}
        numbers = np.concatenate([mean, spread, coefficient, [float(data["intercept"])]])
        if (
            shapes != {(len(column),)}
            or not np.isfinite(numbers).all()
            or not (spread > 0).all()
            or not ((column >= 0) & (column < columns)).all()
            or not (reads >= VALUE).all()
        ):
            raise ModelError("the linear part of the model is damaged", hint="train the model again")
        return cls(column, reads, mean, spread, coefficient, float(data["intercept"]))

    def standardised(self, matrix: Matrix) -> Iterator[Vector]:
        """Each term in turn, so that memory does not grow with their number."""
        for column, reads, mean, spread in zip(self.column, self.reads, self.mean, self.spread, strict=True):
            raw = _term(matrix[:, column], int(reads))
            yield np.nan_to_num(np.clip((raw - mean) / spread, -CLIP, CLIP))


def _blocks(rows: int) -> Iterator[slice]:
    """Rows that are worked on at once, so that memory does not grow with their number."""
    return (slice(first, first + ROWS_AT_ONCE) for first in range(0, rows, ROWS_AT_ONCE))


def fit_linear(rows: Rows, *, strength: float) -> Linear:
    """Fit the part on the latest rows.

    Parameters
    ----------
    rows
        Earliest first; both labels must occur.
    strength
        Inverse of the penalty on standardised terms (scikit-learn's ``C``).
    """
    recent = rows.take(slice(-MOST_ROWS, None))
    weight = np.ones(len(recent.label)) if recent.weight is None else recent.weight
    fitted = _fitted(_unfitted(recent, weight), recent, weight, strength)
    while (wrong := _against(fitted, rows.directions)).any():
        fitted = _fitted(_without(fitted, wrong), recent, weight, strength)
    return fitted


def _fitted(part: Linear, rows: Rows, weight: Vector, strength: float) -> Linear:
    """The part with coefficients for its terms."""
    from sklearn.linear_model import LogisticRegression

    if len(part.column) == 0:
        rate = np.average(rows.label, weights=weight)
        return replace(part, intercept=float(logit(np.asarray(rate))))
    terms = np.column_stack(list(part.standardised(rows.matrix)))
    model = LogisticRegression(C=strength, solver="newton-cholesky")
    model.fit(terms, rows.label, sample_weight=weight)
    return replace(part, coefficient=model.coef_[0], intercept=float(model.intercept_[0]))


def _against(part: Linear, directions: Sequence[int]) -> Flags:
    """Whether each term is of a number and moves the margin the way that it may not."""
    if not directions:
        return np.zeros(len(part.column), dtype=bool)
    wanted = np.asarray(directions)[part.column]
    return np.asarray((part.reads == VALUE) & (part.coefficient * wanted < 0))


def _without(part: Linear, terms: Flags) -> Linear:
    """The part without some of its terms."""
    kept = ~terms
    return Linear(
        part.column[kept],
        part.reads[kept],
        part.mean[kept],
        part.spread[kept],
        part.coefficient[kept],
        part.intercept,
    )


def _unfitted(rows: Rows, weight: Vector) -> Linear:
    """The terms that vary, with coefficients of zero."""
    column, reads, mean, spread = [], [], [], []
    for place in range(rows.matrix.shape[1]):
        values = rows.matrix[:, place]
        for what in _readings(values, is_category=place in set(rows.category_places)):
            term = _term(values, what)
            known = ~np.isnan(term)
            middle = np.average(term[known], weights=weight[known])
            width = float(np.sqrt(np.average((term[known] - middle) ** 2, weights=weight[known])))
            if width > CONSTANT:
                column.append(place)
                reads.append(what)
                mean.append(middle)
                spread.append(width)
    zeros = np.zeros(len(column))
    return Linear(
        np.array(column, np.int64), np.array(reads, np.int64), np.array(mean), np.array(spread), zeros, 0.0
    )


def _readings(values: Vector, *, is_category: bool) -> list[int]:
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return []
    flags = [NULL] if len(known) < len(values) else []
    return [*(int(code) for code in np.unique(known)), *flags] if is_category else [VALUE, *flags]


def _term(values: Vector, reads: int) -> Vector:
    """A term before it is standardised; NaN where a number is null."""
    if reads == NULL:
        return np.isnan(values).astype(np.float64)
    if reads == VALUE:
        return np.asarray(np.sign(values) * np.log1p(np.abs(values)))
    return np.asarray(values == reads, dtype=np.float64)
