"""Facts about a file and its columns, from which ``propose`` decides; ``look`` counts them.

No fact but the few most frequent values and the smallest and largest number is a value of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from features.propose.dialect import Dialect


@dataclass(frozen=True)
class ColumnFacts:
    """What was counted in one column; empty cells and null tokens are not counted as filled.

    Attributes
    ----------
    name
        Header.
    filled, distinct
        Cells with a value, and different values among them.
    values
        The values, most frequent first, if there are at most twelve; else empty.
    numbers
        Values that read as a number with a decimal point.
    whole
        Values that are whole numbers.
    comma_numbers, dot_groups, comma_groups
        Values such as 3,5 · 1.234 or 1.234,5 · 1,234 or 1,234.5.
    iso, local_dates
        Values such as 2026-01-31 (with or without a time), and such as 31.1.2026 or 1/31/26.
    emails, phones
        Values such as a@b.co, and such as +49 (30) 901820 or any seven digits.
    date_shape, year_digits
        The most frequent way the local dates are written, each number as 0 ("0.0.0 0:0"), and the
        digits of their year.
    first_max, second_max
        Largest first and second part of the local dates: above 12 it is a day.
    smallest, largest
        Range of the numbers; None without any.
    mean_length
        Mean characters of a value; None if nothing is filled.
    is_growing
        Whether the numbers or ISO dates never fall, or never rise, down the file.
    nulls, maybe_nulls
        Null tokens met, and the tokens that could be; ``maybe_null_cells`` counts the latter.
    filled_by_outcome
        Filled cells by the text of the outcome column; empty without one.
    """

    name: str
    filled: int
    distinct: int
    values: tuple[str, ...] = ()
    numbers: int = 0
    whole: int = 0
    comma_numbers: int = 0
    dot_groups: int = 0
    comma_groups: int = 0
    iso: int = 0
    local_dates: int = 0
    emails: int = 0
    phones: int = 0
    date_shape: str | None = None
    year_digits: int | None = None
    first_max: int | None = None
    second_max: int | None = None
    smallest: float | None = None
    largest: float | None = None
    mean_length: float | None = None
    is_growing: bool = False
    nulls: tuple[str, ...] = ()
    maybe_nulls: tuple[str, ...] = ()
    maybe_null_cells: int = 0
    filled_by_outcome: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class FileFacts:
    """One file: how it is written, and its columns.

    Attributes
    ----------
    path
        The file.
    dialect
        None for Parquet, which declares itself.
    rows
        Rows looked at, at most ``look.ROWS``.
    columns
        Facts by header, in the order of the file.
    rows_by_outcome
        Rows by the text of the outcome column; empty without one.
    """

    path: Path
    dialect: Dialect | None
    rows: int
    columns: Mapping[str, ColumnFacts]
    rows_by_outcome: Mapping[str, int] = field(default_factory=dict)
