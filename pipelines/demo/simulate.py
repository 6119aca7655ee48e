"""Live through the history: the day-by-day process of one block of leads, and the facts it leaves.

Facts carry the day they happened and how many days later they were recorded; ``clock`` adds the time of day.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

import numpy as np

from pipelines.demo import process, world
from pipelines.demo.population import Population
from pipelines.demo.world import Floats, Ints

_MOST_TOUCHES_A_DAY = 20  # at the busiest rate more happen less than once in 1e20 lead-days


@dataclass(frozen=True)
class Facts:
    """Facts of one sort, in the order of their days.

    Attributes
    ----------
    lead
        Position of the lead in its block.
    day
        Day of the history on which it happened.
    what
        Kind of touch, number of the move, or new timeline.
    late
        Days until it was recorded; 0 is the same day.
    """

    lead: Ints
    day: Ints
    what: Ints
    late: Ints

    def where(self, chosen: np.ndarray | slice) -> Facts:
        """The chosen facts (a mask, positions or a slice)."""
        return Facts(self.lead[chosen], self.day[chosen], self.what[chosen], self.late[chosen])

    def by_day(self) -> list[Facts]:
        """One entry per day of the history."""
        edges = np.searchsorted(self.day, np.arange(world.HISTORY_DAYS + 1))
        return [self.where(slice(a, b)) for a, b in pairwise(edges)]


@dataclass(frozen=True)
class History:
    """All that happened to a block of leads, without the hidden state.

    Attributes
    ----------
    first_timeline
        Timeline stated on creation.
    timeline
        Changes of the stated timeline (only real changes).
    """

    touches: Facts
    moves: Facts
    timeline: Facts
    first_timeline: Ints


@dataclass
class _Trace:
    """What one sort of fact collects day by day."""

    lead: list[Ints] = field(default_factory=list)
    day: list[Ints] = field(default_factory=list)
    what: list[Ints] = field(default_factory=list)

    def add(self, day: int, lead: Ints, what: Ints) -> None:
        self.lead.append(lead)
        self.day.append(np.full(len(lead), day))
        self.what.append(what)

    def facts(self) -> Facts:
        lead, day, what = (np.concatenate(part) for part in (self.lead, self.day, self.what))
        return Facts(lead, day, what, np.zeros(len(lead), dtype=np.int64))


@dataclass
class _Now:
    """State of every lead of the block this evening."""

    place: Ints
    state: Ints
    timeline: Ints


def simulate(rng: np.random.Generator, population: Population) -> History:
    """Run the process from the first day to the last.

    Parameters
    ----------
    rng
        Source of all chance.
    population
        Leads of the block.
    """
    now = _start(rng, population)
    first_timeline = now.timeline.copy()
    born, lifted = births_by_day(population), arrivals_by_day(population)
    touches, moves, timeline = _Trace(), _Trace(), _Trace()
    alive = np.empty(0, dtype=np.int64)
    for day in range(world.HISTORY_DAYS):
        alive = np.concatenate([alive[now.place[alive] != world.GONE], born[day]])
        open_leads = alive[now.place[alive] != world.LOST]
        touches.add(day, *_touch(rng, now, open_leads, day))
        timeline.add(day, *_ask(rng, now, open_leads))
        moves.add(day, *_move(rng, now, alive, population.fit))
        _step(rng, now, alive, lifted[day])
    kinds = _kinds(rng, touches.facts())
    return History(kinds, _delayed_moves(rng, moves.facts()), timeline.facts(), first_timeline)


def births_by_day(population: Population) -> list[Ints]:
    """Leads created on each day."""
    return _days_of(np.arange(population.leads), population.day)


def arrivals_by_day(population: Population) -> list[Ints]:
    """Leads that a new colleague joins on each day."""
    return _days_of(*population.arrivals())


def _start(rng: np.random.Generator, population: Population) -> _Now:
    state = _choose(rng, population.first_states())
    timeline = _choose(rng, world.timelines()[state])
    return _Now(np.full(population.leads, world.LEAD), state, timeline)


def _choose(rng: np.random.Generator, chances: Floats) -> Ints:
    """One column per row, by the row's chances."""
    edges = np.cumsum(chances, axis=1)
    edges[:, -1] = 1.0
    column: Ints = (rng.random(len(chances))[:, None] >= edges).sum(axis=1)
    return column


def _days_of(lead: Ints, day: Ints) -> list[Ints]:
    """Leads by day."""
    order = np.argsort(day, kind="stable")
    lead, edges = lead[order], np.searchsorted(day[order], np.arange(world.HISTORY_DAYS + 1))
    return [lead[a:b] for a, b in pairwise(edges)]


def _touch(rng: np.random.Generator, now: _Now, leads: Ints, day: int) -> tuple[Ints, Ints]:
    """Touches of the day, with the hidden state in place of the kind (kinds are drawn in one go later)."""
    edges = _touch_edges(float(world.pace()[day]))
    chance, state = rng.random(len(leads)), now.state[leads]
    is_touched = chance >= edges[0].take(state)
    leads, state, chance = leads[is_touched], state[is_touched], chance[is_touched]
    count = (chance >= edges[:, state]).sum(axis=0)
    return np.repeat(leads, count), np.repeat(state, count)


@cache
def _touch_edges(pace: float) -> Floats:
    """Chance of at most 0, 1, 2 … touches a day (Poisson): counts by states."""
    rate = pace * world.touch_rates().sum(axis=0)
    count = np.arange(_MOST_TOUCHES_A_DAY)
    factorial = np.cumprod(np.maximum(count, 1))
    return np.cumsum(np.exp(-rate) * rate ** count[:, None] / factorial[:, None], axis=0)


def _kinds(rng: np.random.Generator, touches: Facts) -> Facts:
    rates = world.touch_rates()
    edges = np.cumsum(rates / rates.sum(axis=0), axis=0).T
    edges[:, -1] = 1.0
    kind = np.empty(len(touches.lead), dtype=np.int64)
    for state in range(world.STATES):
        mine = np.flatnonzero(touches.what == state)
        kind[mine] = np.searchsorted(edges[state], rng.random(len(mine)), side="right")
    late = _delay(rng, world.LATE_TOUCH_SHARES, len(kind))
    slow = np.isin(kind, [world.KINDS.index(name) for name in world.LATE_KINDS])
    return Facts(touches.lead, touches.day, kind, np.where(slow, late, 0))


def _delayed_moves(rng: np.random.Generator, moves: Facts) -> Facts:
    return Facts(moves.lead, moves.day, moves.what, _delay(rng, world.LATE_OUTCOME_SHARES, len(moves.lead)))


def _delay(rng: np.random.Generator, shares: tuple[float, ...], count: int) -> Ints:
    return rng.choice(len(shares), count, p=shares)


def _ask(rng: np.random.Generator, now: _Now, leads: Ints) -> tuple[Ints, Ints]:
    """Ask some leads for their timeline; only a changed answer is a fact."""
    asked = leads[rng.random(len(leads)) < world.TIMELINE_ASKED_A_DAY]
    answer = _choose(rng, world.timelines()[now.state[asked]])
    changed = answer != now.timeline[asked]
    now.timeline[asked] = answer
    return asked[changed], answer[changed]


def _move(rng: np.random.Generator, now: _Now, leads: Ints, fit: Ints) -> tuple[Ints, Ints]:
    """Move some leads along the funnel; returns them with the number of their move."""
    chance = 1 - rng.random(len(leads))
    cell = (fit[leads] * process.PLACES + now.place[leads]) * process.STATES + now.state[leads]
    is_moved = chance > process.stay().ravel().take(cell)
    leads, chance = leads[is_moved], chance[is_moved]
    hazard = np.where(
        now.place[leads, None] == process.START, world.hazards()[fit[leads], :, now.state[leads]], 0.0
    )
    number = (np.cumsum(hazard, axis=1) <= (1 - chance)[:, None]).sum(axis=1)
    number = np.minimum(number, process.LAST_MOVE[now.place[leads]])  # rounding at the last edge
    now.place[leads] = process.END[number]
    back = leads[process.START[number] == world.LOST]
    now.state[back] = _choose(rng, np.tile(world.reopened_states(), (len(back), 1)))
    return leads, number


def _step(rng: np.random.Generator, now: _Now, alive: Ints, lifted: Ints) -> None:
    """Move the hidden state to the next day; a colleague's arrival today lifts it."""
    quiet, lift = world.steps()
    lifted_state = _choose(rng, lift[now.state[lifted]])
    chance, state = rng.random(len(alive)), now.state[alive]
    changes = alive[chance < (1 - np.diag(quiet)).take(state)]
    now.state[changes] = _choose(rng, _elsewhere(quiet)[now.state[changes]])
    now.state[lifted] = lifted_state


def _elsewhere(step: Floats) -> Floats:
    """Where a state goes, given that it changes."""
    away = step - np.diag(np.diag(step))
    share: Floats = away / away.sum(axis=1, keepdims=True)
    return share
