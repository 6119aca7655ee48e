"""The generic family: the same aggregates for each column of touches that nobody described."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.features.oracle.behaviour import count
from tests.features.oracle.world import Seen, mean, present

CATEGORIES = {"campaign": ("news",), "resource": ("guide",)}
"""Columns, and their values that get features of their own."""
NUMBERS = ("weight", "score")


def generic(seen: Seen) -> Iterator[tuple[str, Any]]:
    """Name and value of each feature."""
    for column, values in CATEGORIES.items():
        yield from of_category(seen, column, values)
    for column in NUMBERS:
        yield from of_number(seen, column)


def of_category(seen: Seen, column: str, values: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for value in values:
        for span, days in (("_7d", 7), ("_30d", 30), ("_90d", 90), ("", None)):
            yield f"touches[{column}={value}]{span}", count(seen.last(days, seen.touches), column, value)
        ages = [seen.age(touch) for touch in seen.touches if touch[column] == value]
        yield f"days_since[{column}={value}]", min(ages, default=None)
    for span, days in (("_30d", 30), ("_90d", 90), ("", None)):
        yield f"distinct[{column}]{span}", len(set(present(seen.last(days, seen.touches), column)))
    there = present(seen.touches, column)
    yield f"last[{column}]", there[-1] if there else None


def of_number(seen: Seen, column: str) -> Iterator[tuple[str, Any]]:
    for span, days in (("_7d", 7), ("_30d", 30), ("_90d", 90), ("", None)):
        numbers = present(seen.last(days, seen.touches), column)
        yield f"sum[{column}]{span}", sum(numbers) if numbers else None
        yield f"mean[{column}]{span}", mean(numbers)
        yield f"max[{column}]{span}", max(numbers, default=None)
        yield f"min[{column}]{span}", min(numbers, default=None)
    there = present(seen.touches, column)
    yield f"last[{column}]", there[-1] if there else None
