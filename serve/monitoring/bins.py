"""What a feature was and what it is, bin by bin: the picture behind an alarm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.binning import Cuts
from models.metrics import Vector
from models.populations import EVERY, NEW_DAYS, SCORE, Population, Seen
from serve.monitoring.drift import PSI, SCORES
from serve.monitoring.figure import TRAINING, Figure
from serve.monitoring.newcomers import NEWCOMERS
from serve.monitoring.views import View

MISSING, OTHER = "|missing", "|other"
MOST_PICTURES = 6
SCHEMA = pa.schema(
    {
        "subject": pa.string(),
        "slice": pa.string(),
        "bin": pa.string(),
        "before": pa.float64(),
        "now": pa.float64(),
    }
)
"""Shares of the leads (0 to 1) in each bin, in the training's population and tonight."""


def bins(view: View, population: Population, figures: Iterable[Figure]) -> pa.Table:
    """The bins of the figures that moved most away from training, in the order that they are given in."""
    asked = [f for f in figures if f.measure == PSI and f.reference == TRAINING]
    rows = [row for figure in asked[:MOST_PICTURES] for row in _rows(view, population, figure)]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _rows(view: View, population: Population, figure: Figure) -> Iterator[dict[str, object]]:
    found = _found(view, population, figure)
    if found is None:
        return
    seen, column = found
    for name, before, now in merged(seen.cuts, seen.counts, seen.cuts.counts(column)):
        yield {"subject": figure.subject, "slice": figure.slice, "bin": name, "before": before, "now": now}


def _found(view: View, population: Population, figure: Figure) -> tuple[Seen, pa.ChunkedArray] | None:
    """The population's bins, and tonight's values."""
    name = SCORE if figure.kind == SCORES else figure.subject
    if figure.kind != NEWCOMERS:
        column = view.scores() if name == SCORE else view.column(name)
        seen = population.every.get(name)
        return None if seen is None or column is None else (seen, column)
    segment = figure.slice.partition("=")[2] or EVERY
    rows = view.new_leads([name], population.segment_by, NEW_DAYS)
    if segment != EVERY:
        rows = rows.filter(pc.equal(rows["|segment"], segment))
    return population.new[segment][name], rows[name]


def merged(cuts: Cuts, before: Vector, now: Vector) -> list[tuple[str, float, float]]:
    """Name and shares of each bin that any lead is in."""
    one, other = (counts / max(counts.sum(), 1.0) for counts in (before, now))
    return [
        (name, float(one[place]), float(other[place]))
        for place, name in enumerate(_names(cuts))
        if one[place] + other[place] > 0
    ]


def _names(cuts: Cuts) -> Sequence[str]:
    if cuts.values is not None:
        return [*cuts.values, OTHER, MISSING]
    if not cuts.edges:
        return ["", MISSING]
    edges = [f"{np.float64(f'{edge:.4g}'):g}" for edge in cuts.edges]
    between = [name for low, high in pairwise(edges) for name in (low, f"{low} - {high}")]
    return [f"< {edges[0]}", *between, edges[-1], f"> {edges[-1]}", MISSING]
