"""The feature table of plain rows on any engine, and when two of them are equal."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from math import inf
from typing import Any

import ibis
import pytest

from features.build import feature_table
from features.catalogue import Feature
from features.families import Most, candidates
from tests.features.drawn import fetched, install
from tests.features.oracle.fit import FIELDS
from tests.features.random_history import WORDS, Rows, arrow, history, stacked

Columns = dict[str, list[Any]]


@cache
def every() -> tuple[Feature, ...]:
    """Every feature that is offered for the tables of random histories."""
    held = install(ibis.duckdb.connect(), **arrow(stacked([history(seed) for seed in range(3)])))
    return candidates(held, FIELDS, vocabulary=WORDS, most=Most(kinds=3, places=2, generic=1)).features


def one_of_each() -> tuple[Feature, ...]:
    """One feature of each function, over its longest window; every function that there is.

    For engines on which each window costs seconds.
    """
    longest = {}
    for feature in sorted(every(), key=lambda f: inf if f.days is None else f.days):
        longest[feature.compute] = feature
    return tuple(longest.values())


def built(engine: Any, tables: dict[str, Rows], chosen: Iterable[Feature] | None = None) -> Columns:
    """Features of every snapshot by column, in the order of the snapshots; None builds all."""
    held = install(engine, **arrow(tables))
    table = feature_table(held["snapshots"], held, chosen or every(), FIELDS, WORDS)
    return fetched(engine, table.order_by("snapshot_id"))


def differences(ours: Columns, theirs: Columns) -> list[tuple[str, int, Any, Any]]:
    """Where two engines differ: whole numbers and text at all, others by more than one in 10⁹."""
    assert set(ours) == set(theirs)
    return [
        (name, place, mine, other)
        for name, column in ours.items()
        if name != "as_of"
        for place, (mine, other) in enumerate(zip(column, theirs[name], strict=True))
        if not is_equal(mine, other)
    ]


def is_equal(mine: Any, other: Any) -> bool:
    """Null is equal to null only."""
    if isinstance(mine, float) and not mine.is_integer() and other is not None:
        return bool(other == pytest.approx(mine, rel=1e-9, abs=1e-9))
    return bool(mine == other)
