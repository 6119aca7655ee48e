"""How the contribution of a feature goes with its value: groups of values, and the rows behind them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.matrix import Encoding
from models.metrics import Vector
from models.weights import mean

GROUPS = 10  # of a number, of about equal size
OTHER, UNKNOWN = "other values", "unknown"


@dataclass(frozen=True)
class Group:
    """Rows whose values are near each other.

    Attributes
    ----------
    rows
        Their places.
    contribution
        Their mean, log-odds.
    word
        Of a category and of unknown values; None for a number.
    low, high
        Least and greatest number; None for a category and for unknown values.
    """

    rows: npt.NDArray[np.intp]
    contribution: float
    word: str | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Dependence:
    """One feature on n rows.

    Attributes
    ----------
    name, kind
        Of the feature.
    values
        Encoded, shape (n,); NaN is unknown.
    contributions
        Shape (n,), log-odds.
    weight
        How often each row counts, shape (n,).
    words
        Of a category: its values, by code; empty for a number.
    """

    name: str
    kind: str
    values: Vector
    contributions: Vector
    weight: Vector
    words: tuple[str, ...] = ()

    @property
    def is_known(self) -> npt.NDArray[np.bool_]:
        """Whether a row has a value, shape (n,)."""
        return np.asarray(~np.isnan(self.values))

    @property
    def groups(self) -> tuple[Group, ...]:
        """The rows with a value: about ten groups of a number, lowest first, or the values of a category."""
        return tuple(self._numbers() if self.kind == "number" else self._categories())

    @property
    def unknown(self) -> Group | None:
        """The rows without a value; None if there are none."""
        rows = np.flatnonzero(~self.is_known)
        return Group(rows, self._mean(rows), word=UNKNOWN) if len(rows) else None

    def as_json(self) -> list[dict[str, Any]]:
        """One row per group: ``feature``, ``value``, ``from``, ``to``, ``contribution`` and ``rows``."""
        every = self.groups if self.unknown is None else (*self.groups, self.unknown)
        return [
            {
                "feature": self.name,
                "value": group.word,
                "from": group.low,
                "to": group.high,
                "contribution": group.contribution,
                "rows": len(group.rows),
            }
            for group in every
        ]

    def _numbers(self) -> Iterator[Group]:
        known = self.values[self.is_known]
        if not len(known):
            return
        shares = np.arange(1, GROUPS) / GROUPS
        cuts = np.unique(np.quantile(known, shares, method="inverted_cdf"))
        group = np.searchsorted(cuts, self.values, side="left")  # a value on a cut belongs below it
        for number in range(len(cuts) + 1):
            rows = np.flatnonzero(self.is_known & (group == number))
            if len(rows):
                low, high = float(self.values[rows].min()), float(self.values[rows].max())
                yield Group(rows, self._mean(rows), low=low, high=high)

    def _categories(self) -> Iterator[Group]:
        for code in np.unique(self.values[self.is_known]).astype(int):
            rows = np.flatnonzero(self.values == code)
            word = self.words[code] if code < len(self.words) else OTHER
            yield Group(rows, self._mean(rows), word=word)

    def _mean(self, rows: npt.NDArray[np.intp]) -> float:
        return mean(self.contributions[rows], self.weight[rows])


def dependence(values: Any, matrix: Any, encoding: Encoding, place: int, weight: Vector) -> Dependence:
    """One feature of explained rows.

    Parameters
    ----------
    values, matrix
        Contributions (log-odds) and encoded features, shape (n, k) each.
    encoding
        What the columns are.
    place
        Column of the feature.
    weight
        How often each row counts, shape (n,).
    """
    name = encoding.names[place]
    return Dependence(
        name,
        encoding.kinds[place],
        matrix[:, place],
        values[:, place],
        weight,
        encoding.categories.get(name, ()),
    )
