"""Who has just come, by segment: where a source that turns bad is seen first.

Among all open leads the new ones of one source are few, and months pass until they are many. So the leads of
the last two weeks are held against those that were as young in training, segment by segment: other leads on
either side, so chance is what the χ² test says, and of the many questions only the answers stand that the
false discovery rate allows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.populations import EVERY, NEW_DAYS, Population, Seen
from serve.monitoring.chance import discoveries, probability
from serve.monitoring.drift import Features, compared
from serve.monitoring.figure import TRAINING, Figure
from serve.monitoring.views import View

NEWCOMERS = "newcomers"
CHANCE = "chance"
"""Measure: how likely such a distance is by chance alone."""


@dataclass(frozen=True)
class Asked:
    """How new leads are looked at.

    Attributes
    ----------
    min_leads
        Fewest of them in a segment.
    false_alarms
        Share of the discoveries that is wrong, at most.
    least_share
        Of all contributions: of features with less nothing is asked, for each question makes all answers
        less sure.
    """

    min_leads: int
    false_alarms: float
    least_share: float = 0.0


def newcomers(view: View, population: Population, features: Features, asked: Asked) -> Iterator[Figure]:
    """Every feature of the new leads of every segment with enough of them.

    Yields
    ------
    Figure
        Measures as in `drift`, and `CHANCE`: low is whether it stands among the discoveries (1) or not (0).
    """
    names = [name for name in features.names if features.weight(name) >= asked.least_share]
    rows = view.new_leads(names, population.segment_by, NEW_DAYS)
    found: list[Figure] = []
    for segment, group in population.new.items():
        part = rows if segment == EVERY else rows.filter(pc.equal(rows["|segment"], segment))
        if part.num_rows >= asked.min_leads:
            slice_ = "" if segment == EVERY else f"{population.segment_by}={segment}"
            found += _of_group(part, group, features, slice_)
    yield from _judged(found, asked.false_alarms)


def _of_group(rows: pa.Table, group: Mapping[str, Seen], features: Features, slice_: str) -> Iterator[Figure]:
    for name, seen in group.items():
        if name not in rows.column_names or seen.counts.sum() < 1:
            continue
        column = rows[name]
        for figure in compared(name, seen.cuts, seen.counts, column, features, TRAINING):
            yield replace(figure, kind=NEWCOMERS, slice=slice_)
        now = seen.cuts.counts(column)
        yield Figure(
            NEWCOMERS,
            name,
            CHANCE,
            probability(seen.counts, now),
            slice=slice_,
            reference=TRAINING,
            rows=rows.num_rows,
            weight=features.weight(name),
        )


def _judged(figures: Sequence[Figure], rate: float) -> Iterator[Figure]:
    chances = [place for place, figure in enumerate(figures) if figure.measure == CHANCE]
    stands = discoveries(np.asarray([figures[place].value for place in chances]), rate)
    told = dict(zip(chances, stands.tolist(), strict=True))
    for place, figure in enumerate(figures):
        yield replace(figure, low=float(told[place])) if place in told else figure
