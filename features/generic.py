"""Features of columns and values of ``touches`` that nobody described: the same aggregates for each of them.

Every category column gets counts of its common values, every number column its sum, mean, extremes and last
value, in each window. Training keeps those that help on later rows (``features.generic_max``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import ibis.expr.types as ir

from features.catalogue import Compute, Feature
from features.tables import Field

FAMILY = "generic"
WINDOWS = (7, 30, 90, None)
NUMBERS = ("weight",)
"""Number columns of the contract without features of their own; own fields of ``touches`` come on top."""
CATEGORIES = ("campaign",)
"""Category columns of the contract without features of their own."""


def generic_features(fields: Mapping[str, Field], values: Mapping[str, Sequence[str]]) -> tuple[Feature, ...]:
    """All generic features of ``touches``.

    Parameters
    ----------
    fields
        Declared fields of ``touches``.
    values
        The common values of each category column, as training found them.
    """
    own_categories = [name for name, field in fields.items() if field.kind == "category"]
    own_numbers = [name for name, field in fields.items() if field.kind in ("number", "flag")]
    return (
        *(f for name in (*CATEGORIES, *own_categories) for f in _of_category(name, values.get(name, ()))),
        *(f for name in (*NUMBERS, *own_numbers) for f in _of_number(name)),
    )


def category_columns(fields: Mapping[str, Field]) -> tuple[str, ...]:
    """Columns whose common values are asked for."""
    return (*CATEGORIES, *(name for name, field in fields.items() if field.kind == "category"))


def _of_category(column: str, values: Sequence[str]) -> Iterator[Feature]:
    words = _words(column)
    for each in values:
        counted = replace(_feature(f"touches[{column}={each}]", _count), per=column, each=each, empty=0)
        for days in WINDOWS:
            says = words + " {each}: {value:.0f} touches " + _span(days)
            yield _in_window(counted, says, days)
        since = replace(_feature(f"days_since[{column}={each}]", _youngest), per=column, each=each)
        yield replace(since, says=words + " {each}: last {value:.0f} days ago")
    different = replace(_feature(f"distinct[{column}]", _distinct(column)), empty=0)
    for days in (30, 90, None):
        yield _in_window(different, words + ": {value:.0f} different ones " + _span(days), days)
    yield replace(_feature(f"last[{column}]", _last(column)), says=words + ": {value} last", kind="category")


def _of_number(column: str) -> Iterator[Feature]:
    words = _words(column)
    for name in ("sum", "mean", "max", "min"):
        aggregate = _feature(f"{name}[{column}]", _aggregate(column, name))
        for days in WINDOWS:
            yield _in_window(aggregate, f"{words}, {name} {_span(days)}: " + "{value:.4g}", days)
    yield replace(_feature(f"last[{column}]", _last(column)), says=words + ", last: {value:.4g}")


def _feature(stem: str, compute: Compute) -> Feature:
    doc = f"Generic aggregate '{stem}' of the touches; null or 0 without one, see the manual."
    return Feature(stem, stem, FAMILY, "number", "", doc=doc, on="touches", compute=compute)


def _in_window(feature: Feature, says: str, days: int | None) -> Feature:
    name = feature.stem if days is None else f"{feature.stem}_{days}d"
    return replace(feature, name=name, says=says, days=days)


def _count(touch: ir.Table) -> ir.Scalar:
    return touch.count()


def _youngest(touch: ir.Table) -> ir.Scalar:
    return touch.age_days.min()


def _distinct(column: str) -> Compute:
    return lambda touch: touch[column].nunique()


def _last(column: str) -> Compute:
    return lambda touch: touch[column].argmax(touch.latest, where=touch[column].notnull())


def _aggregate(column: str, name: str) -> Compute:
    aggregates: Mapping[str, Callable[[ir.NumericColumn], ir.Scalar]] = {
        "sum": lambda values: values.sum(),
        "mean": lambda values: values.mean(),
        "max": lambda values: values.max(),
        "min": lambda values: values.min(),
    }
    return lambda touch: aggregates[name](touch[column])


def _words(column: str) -> str:
    return column.replace("_", " ").replace("{", "{{").replace("}", "}}")


def _span(days: int | None) -> str:
    return "so far" if days is None else "in {days} days"
