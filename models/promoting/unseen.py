"""What a version may be asked about honestly: rows of which it could not have learned what became of them.

There are three such sources, the best first:

1. the bundle itself, of rows from one horizon after its last training row on, when all its label windows
   are over;
2. the model of its first pass, where that was kept, of rows later than its own label windows;
3. what its first pass said of the rows of its forward test, kept by lead and moment.

The refit on all rows has seen the second and third kind, so it is never asked about them. A first pass has
learned from fewer rows than the model that is shipped: what it says understates its version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models.bundle import Bundle
from models.cards.forward_test import ForwardTest, lead_numbers
from models.metrics import Vector
from models.promoting.paired import Numbers, Pair

DAY = 86_400_000_000  # microseconds
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Keys:
    """Lead number and moment (microseconds) of n rows."""

    lead: Numbers
    at: Numbers

    @classmethod
    def of(cls, rows: pa.Table) -> Keys:
        """Those of rows with ``lead_id`` and ``as_of``."""
        return cls(lead_numbers(rows.column("lead_id")), micros(rows.column("as_of")))

    def take(self, places: npt.NDArray[np.intp]) -> Keys:
        """Those of some rows."""
        return Keys(self.lead[places], self.at[places])

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self.lead.tolist(), self.at.tolist(), strict=True)


@dataclass(frozen=True)
class Voice:
    """One version: its bundle, and the forward test of its training."""

    bundle: Bundle
    test: ForwardTest

    @property
    def models(self) -> list[tuple[Bundle, int]]:
        """Bundles that may be asked, each with the moment (microseconds) from which on."""
        first = [] if self.test.first is None else [self.test.first]
        found = [(bundle, unseen_from(bundle)) for bundle in (self.bundle, *first)]
        return [(bundle, start) for bundle, start in found if start is not None]

    @property
    def keys(self) -> Keys:
        """The rows of the forward test."""
        rows = self.test.rows
        return Keys(np.asarray(rows.column("lead").to_numpy(), np.int64), micros(rows.column("as_of")))

    def kept(self, keys: Keys) -> Vector:
        """What the forward test said of some rows, shape (n,); NaN where it said nothing."""
        said = dict(zip(self.keys, self.test.probability.tolist(), strict=True))
        return np.asarray([said.get(key, np.nan) for key in keys], dtype=np.float64)

    def may_say(self, keys: Keys) -> Flags:
        """Whether it has an opinion on each row that it did not learn, shape (n,)."""
        starts = [start for _, start in self.models]
        later = keys.at >= min(starts) if starts else np.zeros(len(keys.at), dtype=bool)
        return np.asarray(later | ~np.isnan(self.kept(keys)))

    def probability(self, keys: Keys, ask: Callable[[Bundle], Vector]) -> Vector:
        """Its opinion on rows of which it may say something, shape (n,).

        Parameters
        ----------
        ask
            Probabilities of all rows by a bundle.
        """
        said = np.full(len(keys.at), np.nan)
        for bundle, start in self.models:
            wanted = np.isnan(said) & (keys.at >= start)
            if wanted.any():
                said[wanted] = ask(bundle)[wanted]
        return np.where(np.isnan(said), self.kept(keys), said)


def unseen_from(bundle: Bundle) -> int | None:
    """First moment (microseconds) whose label window no training row's overlaps; None without dates."""
    if bundle.window.last_as_of is None or bundle.target.horizon_days is None:
        return None
    last = np.datetime64(bundle.window.last_as_of, "us").astype(np.int64)
    return int(last + round(bundle.target.horizon_days * DAY))


def common_tests(champion: Voice, challenger: Voice) -> Pair:
    """The rows that stand in the forward tests of both; labels, slices and weights are the challenger's."""
    keys = challenger.keys
    theirs = champion.kept(keys)
    places = np.flatnonzero(~np.isnan(theirs))
    return Pair(
        label=challenger.test.label[places],
        champion=theirs[places],
        challenger=challenger.test.probability[places],
        leads=keys.lead[places],
        segments={name: values[places] for name, values in challenger.test.slices.items()},
        weight=challenger.test.weight[places],
    )


def joined(one: Pair, other: Pair) -> Pair:
    """The rows of both; a slice that one of them lacks is left out."""
    if not len(one.label) or not len(other.label):
        return one if len(one.label) else other
    return Pair(
        label=np.concatenate([one.label, other.label]),
        champion=np.concatenate([one.champion, other.champion]),
        challenger=np.concatenate([one.challenger, other.challenger]),
        leads=np.concatenate([one.leads, other.leads]),
        segments={
            name: np.concatenate([values, other.segments[name]])
            for name, values in one.segments.items()
            if name in other.segments
        },
        weight=np.concatenate(
            [np.ones(len(part.label)) if part.weight is None else part.weight for part in (one, other)]
        ),
    )


def micros(column: pa.ChunkedArray) -> Numbers:
    """Moments in microseconds since 1970."""
    moments = pc.cast(column, pa.timestamp("us"), safe=False).to_numpy()
    return np.asarray(moments.astype("datetime64[us]").astype(np.int64))
