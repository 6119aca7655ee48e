"""Call lists of the past: what is found among the first leads of each, by whatever order they are called in.

A list holds the leads that were open on one night. Figures are sums over lists, so that a list with few won
leads weighs little. A lead stands on many lists, and lists of one origin share a model: intervals resample
origins and leads at once, both with replacement, and a row counts as often as its origin times its lead was
drawn (Owen 2007, "The pigeonhole bootstrap", *Annals of Applied Statistics* 1, section 4: on average the
spread is not too small). All orders are counted on the same resamples, so their differences are paired.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from models.audit.association import Codes, Flags
from models.metrics import Vector

LEVEL = 0.95
_NUMBERS_AT_ONCE = 50_000  # weights of one list in one step: they stay in the processor's cache


@dataclass(frozen=True)
class Lists:
    """The rows of all lists, shape (n,) each.

    Attributes
    ----------
    origin, night, lead
        Numbers: the origin whose model is asked, the list, and the lead.
    won
        1.0 if the lead reached the stage within the horizon, else 0.0.
    amount
        What the won leads brought; 0 where nothing is known.
    orders
        By name of the contender: the highest is called first, equal values share their places.
    """

    origin: Codes
    night: Codes
    lead: Codes
    won: Vector
    amount: Vector
    orders: Mapping[str, Vector]

    def where(self, chosen: Flags) -> Lists:
        """Some of the rows."""
        return Lists(
            self.origin[chosen],
            self.night[chosen],
            self.lead[chosen],
            self.won[chosen],
            self.amount[chosen],
            {name: order[chosen] for name, order in self.orders.items()},
        )

    def with_orders(self, orders: Mapping[str, Vector]) -> Lists:
        """The same rows in other orders."""
        return replace(self, orders=orders)

    @property
    def won_leads(self) -> int:
        """Different leads that were won."""
        return len(np.unique(self.lead[self.won > 0]))


@dataclass(frozen=True)
class Cuts:
    """Where lists are cut: at shares of their length (0 to 1), and after a number of calls."""

    shares: tuple[float, ...]
    calls: int

    def places(self, rows: Vector) -> Vector:
        """Rows above each cut of lists of these lengths (b,), the calls last: shape (b, cuts)."""
        return np.column_stack([np.outer(rows, self.shares), np.minimum(float(self.calls), rows)])


@dataclass(frozen=True)
class Found:
    """Sums over all lists: as they were (place 0), then for each of b resamples.

    Attributes
    ----------
    names
        The contenders, k of them.
    won, amount
        Shape (1 + b, k, cuts): what is found above each cut.
    rows, all_won, all_amount, called, lists
        Shape (1 + b,): length of the lists, what is in them, rows above the cut of calls, number of lists.
    """

    names: tuple[str, ...]
    cuts: Cuts
    won: Vector
    amount: Vector
    rows: Vector
    all_won: Vector
    all_amount: Vector
    called: Vector
    lists: Vector

    def of(self, sums: Vector, name: str, cut: float | None) -> Vector:
        """One contender's sums above a share, or above the calls (None): shape (1 + b,)."""
        place = len(self.cuts.shares) if cut is None else self.cuts.shares.index(cut)
        return np.asarray(sums[:, self.names.index(name), place])


def count(lists: Lists, cuts: Cuts, *, resamples: int, seed: int) -> Found:
    """Count what is found above each cut, in the lists as they were and in resamples of origins and leads."""
    names = tuple(lists.orders)
    shape = (resamples + 1, len(names), len(cuts.shares) + 1)
    found = Found(names, cuts, np.zeros(shape), np.zeros(shape), *np.zeros((5, resamples + 1)))
    origins, lead = (np.unique(codes, return_inverse=True)[1] for codes in (lists.origin, lists.lead))
    nights = list(_nights(lists, origins, lead))
    leads, size = int(lead.max(initial=-1)) + 1, int(origins.max(initial=-1)) + 1
    step = max(1, _NUMBERS_AT_ONCE // max((len(night.lead) for night in nights), default=1))
    for first in range(0, resamples + 1, step):
        numbers = range(first, min(first + step, resamples + 1))
        weights = np.stack([_draw(seed, 0, number, leads) for number in numbers])
        times = np.stack([_draw(seed, 1, number, size) for number in numbers])
        for night in nights:
            _add(found, slice(first, numbers.stop), night, weights, times[:, night.origin])
    return found


def interval(values: Vector) -> dict[str, float | None]:
    """``value``, ``low`` and ``high`` (95 %, percentiles) of a figure: as it was, then of the resamples."""
    known = values[1:][np.isfinite(values[1:])]
    if not np.isfinite(values[0]) or not len(known):
        return {"value": None, "low": None, "high": None}
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return {"value": float(values[0]), "low": float(low), "high": float(high)}


def ratio(above: Vector, below: Vector) -> Vector:
    """Quotients; not a number where nothing is below."""
    return np.asarray(np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0))


@dataclass(frozen=True)
class _Order:
    """One contender's order of one list, sorted once for all resamples.

    Leads from the first call on, the last place of each tie, the places of won leads, what they brought, and
    how many of them stand before and in each tie.
    """

    lead: Codes
    last: Codes
    won_at: Codes
    amount: Vector
    won_until: Codes

    @classmethod
    def of(cls, values: Vector, lead: Codes, won: Vector, amount: Vector) -> _Order:
        order = np.argsort(-values, kind="stable")
        last = np.flatnonzero(np.append(np.diff(values[order]) != 0, True))
        won_at = np.flatnonzero(won[order])
        until = np.searchsorted(won_at, last, side="right")
        return cls(lead[order], last, won_at, amount[order][won_at], until)


@dataclass(frozen=True)
class _Night:
    """One list: its origin, its leads, those won and their amounts, and each contender's order."""

    origin: int
    lead: Codes
    won: Vector
    amount: Vector
    orders: tuple[_Order, ...]


def _nights(lists: Lists, origins: Codes, lead: Codes) -> Iterator[_Night]:
    by_night = np.argsort(lists.night, kind="stable")
    starts = np.flatnonzero(np.diff(lists.night[by_night])) + 1
    for rows in np.split(by_night, starts) if len(by_night) else ():
        own = lead[rows], lists.won[rows], lists.amount[rows] * lists.won[rows]
        orders = tuple(_Order.of(values[rows], *own) for values in lists.orders.values())
        yield _Night(int(origins[rows[0]]), *own, orders)


def _draw(seed: int, kind: int, number: int, size: int) -> Vector:
    """How often each of ``size`` counts in a resample; in the first, the lists themselves, once."""
    if number == 0:
        return np.ones(size)
    random = np.random.default_rng([seed, kind, number])
    return np.bincount(random.integers(0, size, size), minlength=size).astype(np.float64)


def _add(found: Found, places: slice, night: _Night, weights: Vector, times: Vector) -> None:
    """Add one list, which counts ``times`` (resamples,); its leads count ``weights`` (resamples, leads)."""
    own = weights[:, night.lead]
    length = own.sum(axis=1)
    cuts = found.cuts.places(length)
    found.rows[places] += times * length
    found.called[places] += times * cuts[:, -1]
    found.lists[places] += times
    found.all_won[places] += times * (own @ night.won)
    found.all_amount[places] += times * (own @ night.amount)
    if not night.won.any():
        return
    for contender, order in enumerate(night.orders):
        won, amount = _above(weights[:, order.lead], order, cuts)
        found.won[places, contender] += times[:, None] * won
        found.amount[places, contender] += times[:, None] * amount


def _above(weights: Vector, order: _Order, cuts: Vector) -> Iterator[Vector]:
    """Won leads and amount above each cut, (resamples, cuts); a tie that a cut divides is shared evenly."""
    rows = np.append(np.zeros((len(weights), 1)), np.cumsum(weights, axis=1)[:, order.last], axis=1)
    place = _places(rows, cuts)
    start, end = (np.take_along_axis(rows, at, axis=1) for at in (place - 1, place))
    share = np.divide(cuts - start, end - start, out=np.zeros_like(cuts), where=end > start)
    until = np.append(0, order.won_until)
    won = weights[:, order.won_at]
    for gain in (won, won * order.amount):
        gained = np.append(np.zeros((len(weights), 1)), np.cumsum(gain, axis=1), axis=1)
        before, after = (np.take_along_axis(gained, until[at], axis=1) for at in (place - 1, place))
        yield before + share * (after - before)


def _places(rows: Vector, cuts: Vector) -> Codes:
    """The first tie (from 1) that reaches each cut, (resamples, cuts); one search for all resamples."""
    apart = (rows[:, -1].max() + 1) * np.arange(len(rows))[:, None]
    found = np.searchsorted((rows + apart).ravel(), (cuts + apart).ravel()).reshape(cuts.shape)
    return np.asarray(np.clip(found - rows.shape[1] * np.arange(len(rows))[:, None], 1, rows.shape[1] - 1))
