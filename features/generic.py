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
from features.wording import Sentence, ago

FAMILY = "generic"
WINDOWS = (7, 30, 90, None)
NUMBERS = ("weight",)
"""Number columns of the contract without features of their own; own fields of ``touches`` come on top."""
CATEGORIES = ("campaign",)
"""Category columns of the contract without features of their own."""
_TOUCHES = Sentence(
    "{label} “{each}”: {value} touches {window}",
    one="{label} “{each}”: {value} touch {window}",
    none="{label} “{each}”: no touch {window}",
)
_SINCE = ago("{label} “{each}”: last touch")
_DIFFERENT = Sentence(
    "{label}: {value} different values {window}",
    one="{label}: {value} value {window}",
    none="{label}: no value {window}",
)
_LATEST = Sentence("{label}, latest: {value}")
_AGGREGATES: Mapping[str, Sentence] = {
    "sum": Sentence("{label}, total {window}: {value}"),
    "mean": Sentence("{label}, average {window}: {value}"),
    "max": Sentence("{label}, highest {window}: {value}"),
    "min": Sentence("{label}, lowest {window}: {value}"),
}


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
    for each in values:
        counts = _feature(f"touches[{column}={each}]", column, _count, _TOUCHES)
        counts = replace(counts, per=column, each=each, empty=0)
        yield from (_in_window(counts, days) for days in WINDOWS)
        since = _feature(f"days_since[{column}={each}]", column, _youngest, _SINCE)
        yield replace(since, per=column, each=each)
    different = replace(_feature(f"distinct[{column}]", column, _distinct(column), _DIFFERENT), empty=0)
    yield from (_in_window(different, days) for days in (30, 90, None))
    yield replace(_feature(f"last[{column}]", column, _last(column), _LATEST), kind="category")


def _of_number(column: str) -> Iterator[Feature]:
    for name, said in _AGGREGATES.items():
        aggregate = _feature(f"{name}[{column}]", column, _aggregate(column, name), said)
        yield from (_in_window(aggregate, days) for days in WINDOWS)
    yield _feature(f"last[{column}]", column, _last(column), _LATEST)


def _feature(stem: str, column: str, compute: Compute, said: Sentence) -> Feature:
    return Feature(
        stem,
        stem,
        FAMILY,
        "number",
        said.many,
        doc=f"Generic aggregate '{stem}' of the touches; null or 0 without one, see the manual.",
        one=said.one,
        none=said.none,
        label=column.replace("_", " "),
        on="touches",
        compute=compute,
    )


def _in_window(feature: Feature, days: int | None) -> Feature:
    return replace(feature, name=feature.stem if days is None else f"{feature.stem}_{days}d", days=days)


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
