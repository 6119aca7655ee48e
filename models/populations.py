"""What the leads of a training looked like: counts by bins, which the monitor holds later leads against.

Kept with the model, a few kilobytes: of all leads (the later slices, on which the model was measured, so that
scores count too) and of those that had just come (every slice), whole and by the segments of the leads. The
counts add up to leads and not to rows, for the rows of one lead are one piece of evidence. The scores are not
those of the rows: the model that measured is another than the one that ranks. What a score is made of, the
standing among the later rows, says itself how they lie.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import ModelError
from models.binning import Cuts, cuts_of, numbers
from models.metrics import Vector
from models.references import Later
from models.scoring import standing
from models.training import Trained

POPULATION = "population"
"""Under this name a bundle keeps it."""
SCORE = "|score"
"""The score among the features: a bar is in no feature's name."""
NEW_DAYS = 14
"""A lead is new for so many days."""
EVERY = ""
"""The segment of all leads."""
AGE = "lead_age_days"
BINS, NEW_BINS = 10, 5  # newcomers of one segment are few
MOST_SEGMENTS = 12  # those with most new leads


@dataclass(frozen=True)
class Seen:
    """One feature of a population: shape of its bins, and leads in each."""

    cuts: Cuts
    counts: Vector


@dataclass(frozen=True)
class Population:
    """The leads of a training.

    Attributes
    ----------
    segment_by
        Category by whose values ``new`` is told apart; None: by none.
    every
        All leads, by feature, and `SCORE`.
    new
        Leads of at most `NEW_DAYS`, by segment (`EVERY` is all of them), then by feature. Without scores.
    """

    segment_by: str | None
    every: Mapping[str, Seen]
    new: Mapping[str, Mapping[str, Seen]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain data; :meth:`from_json` brings it back."""
        return {
            "segment_by": self.segment_by,
            "every": {name: _seen_as_json(seen) for name, seen in self.every.items()},
            "new": {
                segment: {name: _seen_as_json(seen) for name, seen in group.items()}
                for segment, group in self.new.items()
            },
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Population:
        """The population that :meth:`as_json` described.

        Raises
        ------
        ModelError
            Its parts do not belong together.
        """
        try:
            every = {name: _seen(part) for name, part in data["every"].items()}
            new = {
                segment: {name: _seen(part) for name, part in group.items()}
                for segment, group in data["new"].items()
            }
            found = cls(data["segment_by"], every, new)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise _damaged() from None
        parts = [*every.values(), *(seen for group in new.values() for seen in group.values())]
        if not all(len(seen.counts) == seen.cuts.bins and (seen.counts >= 0).all() for seen in parts):
            raise _damaged()
        return found


def kept(extras: Mapping[str, Any]) -> Population | None:
    """The population that a bundle's extras hold; None for a model from before it was kept.

    Raises
    ------
    ModelError
        It is damaged.
    """
    return Population.from_json(extras[POPULATION]) if POPULATION in extras else None


def with_population(trained: Trained, later: Later, segment_by: str | None) -> Trained:
    """The training with its population in the bundle."""
    names = [spec.name for spec in trained.bundle.specs]
    of_later = _Rows(later.table, later.leads, later.weight)
    history = trained.first.history
    every = _Rows(history.table, history.leads, history.weight)
    known = segment_by if segment_by in history.table.column_names else None
    new = dict(_newcomers(every, names, known))
    scores = _scores(trained.bundle.target.reference, len(set(later.leads.tolist())))
    found = Population(known, {**_population(of_later, names, BINS), SCORE: scores}, new)
    return trained.with_extras({POPULATION: found.as_json()})


@dataclass(frozen=True)
class _Rows:
    """Some rows of a training, with their lead and how often they count."""

    table: pa.Table
    leads: npt.NDArray[Any]
    weight: Vector

    def where(self, kept: npt.NDArray[np.bool_]) -> _Rows:
        return _Rows(self.table.filter(pa.array(kept)), self.leads[kept], self.weight[kept])

    def new(self) -> _Rows:
        return self.where(numbers(self.table[AGE]) <= NEW_DAYS)

    def of(self, column: str, value: str) -> _Rows:
        chosen = pc.equal(self.table[column].cast(pa.string()), value).fill_null(fill_value=False)
        return self.where(np.asarray(chosen.to_numpy(), dtype=bool))

    def counted(self, cuts: Cuts, column: pa.ChunkedArray) -> Vector:
        """Leads in each bin: weighted rows, brought to as many as there are leads."""
        counts = cuts.counts(column, self.weight)
        total, leads = float(counts.sum()), len(set(self.leads.tolist()))
        return counts * (leads / total) if total else counts

    def columns(self, names: Iterable[str]) -> Iterable[tuple[str, pa.ChunkedArray]]:
        yield from ((name, self.table[name]) for name in names)


def _population(rows: _Rows, names: Sequence[str], bins: int) -> dict[str, Seen]:
    cuts = {name: cuts_of(column, bins=bins, weight=rows.weight) for name, column in rows.columns(names)}
    return {name: Seen(cuts[name], rows.counted(cuts[name], column)) for name, column in rows.columns(names)}


def _scores(reference: Sequence[float], leads: int) -> Seen:
    """Scores of so many leads that are spread as the probabilities that a score is the standing among."""
    scores = pa.chunked_array([pa.array(standing(np.asarray(reference), tuple(reference)))])
    cuts = cuts_of(scores, bins=BINS)
    return Seen(cuts, cuts.counts(scores) * (leads / len(scores)))


def _newcomers(
    rows: _Rows, names: Sequence[str], segment_by: str | None
) -> Iterable[tuple[str, dict[str, Seen]]]:
    """By segment; the bins are those of all newcomers, so that segments can be read side by side."""
    if AGE not in rows.table.column_names:
        return
    new = rows.new()
    if not len(new.leads):
        return
    whole = _population(new, names, NEW_BINS)
    yield EVERY, whole
    for value in () if segment_by is None else _segments(new.table[segment_by]):
        part = new.of(str(segment_by), value)
        yield (
            value,
            {
                name: Seen(whole[name].cuts, part.counted(whole[name].cuts, column))
                for name, column in part.columns(names)
            },
        )


def _segments(column: pa.ChunkedArray) -> tuple[str, ...]:
    return (cuts_of(column.cast(pa.string()), bins=1).values or ())[:MOST_SEGMENTS]


def _seen_as_json(seen: Seen) -> dict[str, Any]:
    """Counts as one text: a model's JSON has a line per number."""
    cuts = seen.cuts
    return {
        "edges": None if cuts.edges is None else " ".join(map(repr, cuts.edges)),
        "values": None if cuts.values is None else list(cuts.values),
        "counts": " ".join(f"{count:.1f}".removesuffix(".0") for count in seen.counts),
    }


def _seen(data: Mapping[str, Any]) -> Seen:
    edges = None if data["edges"] is None else tuple(float(edge) for edge in data["edges"].split())
    values = None if data["values"] is None else tuple(str(value) for value in data["values"])
    counts = np.asarray([float(count) for count in data["counts"].split()])
    if (edges is None) == (values is None) or not np.isfinite([*counts, *(edges or ())]).all():
        raise ValueError
    return Seen(Cuts(edges, values), counts)


def _damaged() -> ModelError:
    return ModelError("the population of the model is damaged", hint="train the model again")
