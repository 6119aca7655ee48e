"""The places of calls within a scope: a rep's third call may be the first of those that somebody sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from serve.views.arrays import Rows
from serve.views.index import Index
from serve.views.scope import Scope


@dataclass(frozen=True)
class CallPlaces:
    """Where the calls of a scope stand on the lists of those who make them.

    Attributes
    ----------
    rows
        Leads to call, the best ranked first.
    places
        The place of each, counted within the scope; of all leads, as published.
    """

    rows: Rows
    places: Rows

    def of(self, row: int) -> int | None:
        """The place of a lead; None if it is on no list."""
        at = int(np.searchsorted(self.rows, np.int32(row)))
        is_there = at < len(self.rows) and int(self.rows[at]) == row
        return int(self.places[at]) if is_there else None

    def standing(self, rows: Rows) -> Rows:
        """The place of each of some rows; those on no list stand behind all others."""
        last = int(self.places.max(initial=0)) + 1
        found = np.full(int(max(rows.max(initial=0), self.rows.max(initial=0))) + 1, last, np.int32)
        found[self.rows] = self.places
        standing: Rows = found[rows]
        return standing


def call_places(index: Index, scope: Scope) -> CallPlaces:
    """The places of calls within a scope; remembered."""
    return index.remember("places of calls", scope, lambda: _made(index, scope))


def _made(index: Index, scope: Scope) -> CallPlaces:
    seen = index.places(scope).rows
    published = index.arrays.values("call")[seen]
    is_called = ~np.isnan(published)
    rows, standing = seen[is_called], published[is_called].astype(np.int32)
    if scope.is_everything:
        return CallPlaces(rows, standing)
    callers = index.arrays.codes("caller")[rows]
    order = np.lexsort((standing, callers))
    ordered = callers[order]
    starts = np.searchsorted(ordered, ordered)  # of each one's own calls
    places = np.empty(len(rows), np.int32)
    places[order] = np.arange(len(rows)) - starts + 1
    return CallPlaces(rows, places)
