"""Bins of a feature: how values fall into few counts that can be kept and compared later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.metrics import Vector
from models.weights import quantiles

MOST_VALUES = 50  # of a category; the rest is one bin


@dataclass(frozen=True)
class Cuts:
    """Where the bins of one feature lie; what is missing has a bin of its own, the last.

    Attributes
    ----------
    edges
        Numbers between the bins, rising: below, at and between them lies one bin each, for a value that
        many leads share has one to itself. None for a category.
    values
        Values of a category that have a bin each; all others share the one behind them. None for a number.
    """

    edges: tuple[float, ...] | None
    values: tuple[str, ...] | None

    @property
    def bins(self) -> int:
        """How many bins there are."""
        return 2 * len(self.edges) + 2 if self.edges is not None else len(self.values or ()) + 2

    def counts(self, column: pa.ChunkedArray, weight: Vector | None = None) -> Vector:
        """Rows in each bin, shape (bins,).

        Parameters
        ----------
        column
            Numbers, or texts of a category; null (and NaN) is missing.
        weight
            How often each row counts; None is once.
        """
        places = self._of_numbers(column) if self.edges is not None else self._of_values(column)
        return np.bincount(places, weights=weight, minlength=self.bins).astype(np.float64)

    def _of_numbers(self, column: pa.ChunkedArray) -> np.ndarray:
        found = numbers(column)
        below, upto = (np.searchsorted(self.edges or (), found, side=side) for side in ("left", "right"))
        return np.where(np.isnan(found), self.bins - 1, below + upto)

    def _of_values(self, column: pa.ChunkedArray) -> np.ndarray:
        texts = column.cast(pa.string())
        place = pc.index_in(texts, value_set=pa.array(self.values or (), pa.string()))
        placed = pc.if_else(texts.is_null(), self.bins - 1, place.fill_null(self.bins - 2))
        return np.asarray(placed.to_numpy(), dtype=np.int64)


def numbers(column: pa.ChunkedArray) -> Vector:
    """A column of numbers or flags as floats, NaN where it is null."""
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def is_text(column_type: pa.DataType) -> bool:
    """Whether a column is a category."""
    return bool(pa.types.is_string(column_type) or pa.types.is_large_string(column_type))


def cuts_of(column: pa.ChunkedArray, *, bins: int, weight: Vector | None = None) -> Cuts:
    """Bins of about equal counts of a number, at its quantiles; of a category its most common values."""
    if is_text(column.type):
        return Cuts(None, _common(column, weight))
    found = numbers(column)
    known = ~np.isnan(found)
    if not known.any():
        return Cuts((), None)
    counts = np.ones(len(found)) if weight is None else weight
    inner = quantiles(found[known], np.linspace(0, 1, bins + 1)[1:-1], counts[known])
    return Cuts(tuple(np.unique(inner).tolist()), None)


def _common(column: pa.ChunkedArray, weight: Vector | None) -> tuple[str, ...]:
    counts = np.ones(len(column)) if weight is None else weight
    summed = pa.table({"value": column, "count": counts}).group_by("value").aggregate([("count", "sum")])
    pairs = zip(summed["value"].to_pylist(), summed["count_sum"].to_pylist(), strict=True)
    known = sorted(((-count, value) for value, count in pairs if value is not None))
    return tuple(value for _, value in known[:MOST_VALUES])
