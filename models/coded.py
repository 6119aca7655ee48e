"""A column as codes: the place of each row's value among the column's values, in their order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.audit.association import Codes, Flags


@dataclass(frozen=True)
class Coded:
    """One column of n rows.

    Attributes
    ----------
    codes
        Shape (n,). Numbers: the order of the values; categories: any order. Null has the last code.
    missing
        The code of null, also the number of distinct values.
    """

    codes: Codes
    missing: int

    @property
    def known(self) -> Flags:
        """Whether the value is not null, shape (n,)."""
        return np.asarray(self.codes != self.missing, dtype=bool)

    @property
    def nulls_first(self) -> Codes:
        """The codes with null below all values instead of above."""
        return np.where(self.known, self.codes, -1) + 1

    def binned(self, bins: int, of: Flags | None = None) -> Codes:
        """Codes in about ``bins`` groups of equal size, cut on the rows ``of`` (None: all); null is last."""
        known = self.known if of is None else self.known & of
        if not known.any():
            return np.where(self.known, 0, 1).astype(np.int64)
        cuts = np.unique(np.quantile(self.codes[known], np.linspace(0, 1, bins + 1)[1:-1]))
        groups = np.searchsorted(cuts, self.codes, side="left")
        return np.where(self.known, groups, len(cuts) + 1).astype(np.int64)


def coded(column: pa.ChunkedArray, kind: str) -> Coded:
    """The codes of a feature column; NaN counts as null.

    >>> coded(pa.chunked_array([[5.0, None, 2.0]]), "number").codes.tolist()
    [1, 2, 0]
    """
    if kind == "number":
        values = column.cast(pa.float64()).to_numpy()
        distinct, codes = np.unique(values, return_inverse=True)  # all NaN become one, the last
        return Coded(codes.astype(np.int64), len(distinct) - int(np.isnan(values).any()))
    words = column.combine_chunks().dictionary_encode()
    missing = len(words.dictionary)
    return Coded(words.indices.fill_null(missing).to_numpy(zero_copy_only=False).astype(np.int64), missing)


def lead_numbers(rows: pa.Table) -> Codes:
    """A number for each row's lead; each row is its own lead without a column ``lead_id``."""
    if "lead_id" not in rows.column_names:
        return np.arange(rows.num_rows)
    return coded(rows.column("lead_id"), "category").codes


def filled(column: pa.ChunkedArray, *, beside: object) -> Flags:
    """Whether a value was entered: not null, and not ``beside``, the value that most rows have."""
    known = pc.invert(column.is_null(nan_is_null=True))
    if beside is not None:
        known = pc.and_(
            known, pc.not_equal(column, pa.scalar(beside, column.type)).fill_null(fill_value=False)
        )
    return np.asarray(known.to_numpy(), dtype=bool)


def most_common(column: pa.ChunkedArray) -> object:
    """The value that most rows have; None if that is null or there are no rows."""
    counts = pc.value_counts(column)
    if not len(counts):
        return None
    return counts.field("values")[int(np.argmax(counts.field("counts").to_numpy()))].as_py()
