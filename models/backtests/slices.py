"""Groups of rows by which a backtest is looked at: values of a category, thirds of a number, new and old."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.audit.association import Flags
from models.labels import marked
from models.phrases import Phrase

AGE = "lead_age_days"
NEW_DAYS = 30
MOST_GROUPS = 8
UNKNOWN, OTHER, OLD = Phrase("unknown"), Phrase("other"), Phrase("old")
NEW = marked("new (under {days} days)")
GROUPS = (UNKNOWN, OTHER, OLD, NEW)
"""Our own names of groups, as a file that keeps them as text has them."""


def groups(column: pa.ChunkedArray) -> Iterator[tuple[str, Flags]]:
    """Name and rows, shape (n,), of each group of a column; no row is in two, and each is in one.

    Numbers are cut into three groups of about equal counts, categories into their most common values and
    the others.
    """
    missing = np.asarray(column.is_null(nan_is_null=True))
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        yield from _thirds(column.cast(pa.float64()).to_numpy(), ~missing)
    else:
        yield from _values(column.cast(pa.string()))
    if missing.any():
        yield UNKNOWN, missing


def by_age(age_days: pa.ChunkedArray) -> Iterator[tuple[str, Flags]]:
    """New leads (younger than 30 days) and old ones.

    >>> {name: rows.tolist() for name, rows in by_age(pa.chunked_array([[29.9, 30.0]]))}
    {'new (under 30 days)': [True, False], 'old': [False, True]}
    """
    age = age_days.cast(pa.float64()).to_numpy()
    yield Phrase(NEW, days=NEW_DAYS), np.asarray(age < NEW_DAYS)
    yield OLD, np.asarray(age >= NEW_DAYS)
    if np.isnan(age).any():
        yield UNKNOWN, np.isnan(age)


def _thirds(values: np.ndarray, known: Flags) -> Iterator[tuple[str, Flags]]:
    if not known.any():
        return
    low, high = np.quantile(values[known], [1 / 3, 2 / 3])
    with np.errstate(invalid="ignore"):
        cut = [
            (Phrase("up to {high:g}", high=low), values <= low),
            (Phrase("{low:g} to {high:g}", low=low, high=high), (values > low) & (values <= high)),
            (Phrase("over {low:g}", low=high), values > high),
        ]
    yield from ((name, rows & known) for name, rows in cut if (rows & known).any())


def _values(column: pa.ChunkedArray) -> Iterator[tuple[str, Flags]]:
    counted = sorted(
        (
            (row["counts"], row["values"])
            for row in pc.value_counts(column).to_pylist()
            if row["values"] is not None
        ),
        key=lambda pair: (-pair[0], pair[1]),
    )
    shown = [value for _, value in counted[:MOST_GROUPS]]
    for value in shown:
        yield value, _flags(pc.equal(column, value))
    if len(counted) > len(shown):
        yield OTHER, _flags(pc.invert(pc.is_in(column, pa.array(shown)))) & ~np.asarray(column.is_null())


def _flags(column: pa.ChunkedArray) -> Flags:
    return np.asarray(column.fill_null(False), dtype=bool)  # noqa: FBT003  # pyarrow's own name is positional
