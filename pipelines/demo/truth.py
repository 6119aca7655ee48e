"""The true chance that a lead is won within the horizon, given exactly what was recorded before the moment.

The hidden state is integrated out by a forward filter (Rabiner 1989, "A Tutorial on Hidden Markov Models",
section III.A) over days. Late recording is part of the likelihood: the last ``LATE_DAYS`` days before a
moment are replayed with the place in the funnel unknown, touches thinned by the chance of being recorded
already, and moves that may have happened unrecorded. Nothing is approximated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from pipelines.demo import process, world
from pipelines.demo.population import Population
from pipelines.demo.simulate import Facts, History, arrivals_by_day, births_by_day
from pipelines.demo.world import Floats, Ints

_IS_OPEN = np.asarray([place not in (world.LOST, world.GONE) for place in range(process.PLACES)])


@dataclass(frozen=True)
class Truth:
    """Snapshots of a block: one entry per open lead and weekly moment.

    Attributes
    ----------
    lead
        Position of the lead in its block.
    day
        The moment, in days after the start of the history.
    probability
        Chance of ``won`` in ``[moment, moment + HORIZON_DAYS)``, from 0 to 1.
    """

    lead: Ints
    day: Ints
    probability: Floats


@dataclass
class _Belief:
    """What is believed on a morning, given all recorded facts before it.

    ``chance`` is leads by states in the filter, where the place is known; leads by places by states in the
    replay.
    """

    chance: Floats
    place: Ints
    timeline: Ints


@dataclass(frozen=True)
class _Day:
    """The facts of one day that are recorded at the moment, and how long ago it was.

    Attributes
    ----------
    age
        Days from the end of this day to the moment, ``LATE_DAYS`` or more if everything is recorded.
    """

    number: int
    touches: Facts
    moves: Facts
    timeline: Facts
    age: int = world.LATE_DAYS

    def known_at(self, moment: int) -> _Day:
        """The same day with the facts recorded before ``moment`` only."""
        touches, moves = (f.where(f.day + f.late < moment) for f in (self.touches, self.moves))
        return _Day(self.number, touches, moves, self.timeline, moment - 1 - self.number)


def moments() -> list[int]:
    """Snapshot moments in days after the start, oldest first, the end of the history included."""
    return sorted(range(world.HISTORY_DAYS, world.LATE_DAYS - 1, -world.SNAPSHOT_EVERY_DAYS))


def truth(population: Population, history: History) -> Truth:
    """True probability of every open lead at every weekly moment.

    Parameters
    ----------
    population
        Leads of the block.
    history
        Their facts; at a moment nothing is used of a fact recorded at or after it.
    """
    none = np.empty(0, dtype=np.int64)
    parts = [(none, none, np.empty(0)), *_moments(population, history)]
    lead, day, probability = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Truth(lead, day, probability)


def _moments(population: Population, history: History) -> Iterator[tuple[Ints, Ints, Floats]]:
    """Filter day by day; LATE_DAYS before each moment, replay the days up to it."""
    sorts = (history.touches.by_day(), history.moves.by_day(), history.timeline.by_day())
    days = [_Day(number, *facts) for number, facts in enumerate(zip(*sorts, strict=True))]
    born, lifted = births_by_day(population), arrivals_by_day(population)
    wanted = set(moments())
    belief = _first(population, history)
    alive = np.empty(0, dtype=np.int64)
    for day in days[: world.HISTORY_DAYS - world.LATE_DAYS + 1]:
        moment = day.number + world.LATE_DAYS
        leads = open_leads(population, history.moves, moment) if moment in wanted else alive[:0]
        if len(leads):
            chance = _replay(population, belief, leads, days[day.number : moment], lifted)
            yield leads, np.full(len(leads), moment), chance
        alive = np.concatenate([alive[belief.place[alive] != world.GONE], born[day.number]])
        _advance(population, belief, day, alive, lifted[day.number])


def _first(population: Population, history: History) -> _Belief:
    """Belief on creation, once the first timeline is stated."""
    stated = world.timelines().T[history.first_timeline]
    place = np.full(population.leads, world.LEAD)
    return _Belief(population.first_states() * stated, place, history.first_timeline.copy())


def open_leads(population: Population, moves: Facts, moment: int) -> Ints:
    """Leads that exist and are not known to be won, lost or disqualified at the moment."""
    known = moves.where(moves.day + moves.late < moment)
    is_open = population.day < moment
    relevant = known.where(~_IS_OPEN[process.END[known.what]] | (process.START[known.what] == world.LOST))
    is_open[relevant.lead] = _IS_OPEN[process.END[relevant.what]]  # in time order, the last one stays
    return np.flatnonzero(is_open)


def _advance(population: Population, belief: _Belief, day: _Day, alive: Ints, lifted: Ints) -> None:
    """Carry the belief over a day of which everything is recorded."""
    place = belief.place[alive]
    weight, _ = _evidence(day, alive, belief.timeline)
    weight[~_IS_OPEN[place]] = 1.0
    belief.timeline[day.timeline.lead] = day.timeline.what
    chance = belief.chance[alive] * weight
    hazard = process.stay()[population.fit[alive], place]
    row = _rows(alive, population.leads)[day.moves.lead]
    hazard[row] = world.hazards()[population.fit[day.moves.lead], day.moves.what]
    chance *= hazard
    back = row[process.START[day.moves.what] == world.LOST]
    chance[back] = chance[back].sum(axis=1, keepdims=True) * world.reopened_states()
    belief.chance[alive] = _stepped(chance, np.isin(alive, lifted))
    belief.place[day.moves.lead] = process.END[day.moves.what]


def _rows(leads: Ints, count: int) -> Ints:
    """Row of each lead of the block in a selection; -1 for leads outside it."""
    row = np.full(count, -1)
    row[leads] = np.arange(len(leads))
    return row


def _stepped(chance: Floats, is_lifted: np.ndarray) -> Floats:
    """The hidden state a day later, scaled to add up to 1."""
    quiet, lift = world.steps()
    out = chance @ quiet
    out[is_lifted] = chance[is_lifted] @ lift
    scaled: Floats = out / out.sum(axis=1, keepdims=True)
    return scaled


def _evidence(day: _Day, leads: Ints, timeline: Ints) -> tuple[Floats, np.ndarray]:
    """Weight of the day's recorded touches and answers for an open lead, and who gave any.

    Returns
    -------
    leads by states, and a mask of the leads that must be open because something came from them.
    """
    row = _rows(leads, len(timeline))
    asked, stated = world.TIMELINE_ASKED_A_DAY, world.timelines().T
    weight = _silence(day) * ((1 - asked) + asked * stated)[timeline[leads]]
    seen = np.zeros(len(leads), dtype=bool)
    changed = day.timeline.where(row[day.timeline.lead] >= 0)
    weight[row[changed.lead]] = _silence(day) * asked * stated[changed.what]
    touched = day.touches.where(row[day.touches.lead] >= 0)
    np.multiply.at(weight, row[touched.lead], world.touch_rates()[touched.what] * 10)
    seen[row[touched.lead]] = True
    seen[row[changed.lead]] = True
    return weight, seen


def _silence(day: _Day) -> Floats:
    """Chance of no recorded touch on the day, by state."""
    silence: Floats = _silences(day.age) ** world.pace()[day.number]
    return silence


@cache
def _silences(age: int) -> Floats:
    """Chance of no recorded touch on an average day, by state, ``age`` days later."""
    known = np.ones(len(world.KINDS))
    late = [world.KINDS.index(kind) for kind in world.LATE_KINDS]
    known[late] = sum(world.LATE_TOUCH_SHARES[: age + 1])
    return np.exp(-known @ world.touch_rates())


def _replay(
    population: Population, belief: _Belief, leads: Ints, days: list[_Day], lifted: list[Ints]
) -> Floats:
    """Chance of winning, from the belief LATE_DAYS ago and what is recorded since."""
    moment = days[-1].number + 1
    chance = np.zeros((len(leads), process.PLACES, world.STATES))
    chance[np.arange(len(leads)), belief.place[leads]] = belief.chance[leads]
    now = _Belief(chance, belief.place, belief.timeline.copy())
    for day in days:
        _replay_day(population, now, day.known_at(moment), leads, lifted[day.number])
    flat = now.chance.reshape(len(leads), -1)
    won = process.winning()[population.size[leads], population.fit[leads]]
    chance_won: Floats = (flat * won).sum(axis=1) / flat.sum(axis=1)
    return chance_won


def _replay_day(population: Population, now: _Belief, day: _Day, leads: Ints, lifted: Ints) -> None:
    before = now.chance.copy()
    weight, seen = _evidence(day, leads, now.timeline)
    now.chance[:, _IS_OPEN] *= weight[:, None, :]
    now.chance[np.ix_(seen, ~_IS_OPEN)] = 0.0
    is_lifted = np.isin(leads, lifted)
    row = _rows(leads, population.leads)
    moves = day.moves.where(row[day.moves.lead] >= 0)
    moved = _moved(population, now, moves, row, is_lifted)
    now.chance = _unmoved(population, now, leads, day.age, is_lifted)
    now.chance[row[moves.lead]] = moved
    now.timeline[day.timeline.lead] = day.timeline.what
    unborn = population.day[leads] > day.number
    now.chance[unborn] = before[unborn]


def _moved(population: Population, now: _Belief, moves: Facts, row: Ints, is_lifted: np.ndarray) -> Floats:
    """Belief about the leads with a recorded move this day."""
    out = np.zeros((len(moves.lead), process.PLACES, world.STATES))
    for at, (lead, number) in enumerate(zip(moves.lead, moves.what, strict=True)):
        chance = now.chance[row[lead], process.START[number]] * world.hazards()[population.fit[lead], number]
        out[at, process.END[number]] = (
            chance @ process.landing(number) @ world.steps()[int(is_lifted[row[lead]])]
        )
    return out


def _unmoved(population: Population, now: _Belief, leads: Ints, age: int, is_lifted: np.ndarray) -> Floats:
    """Belief about the leads without a recorded move: they stayed, or moved and it is not recorded yet."""
    flat = now.chance.reshape(len(leads), -1)
    out = np.empty_like(flat)
    key = population.fit[leads] * 2 + is_lifted
    order = np.argsort(key, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(key[order])) + 1):
        fit, is_lift = divmod(int(key[rows[0]]), 2)
        out[rows] = flat[rows] @ _passages(age)[is_lift][fit]
    return out.reshape(now.chance.shape)


@cache
def _passages(age: int) -> tuple[Floats, Floats]:
    """A past day without a recorded move, ``age`` days later: without and with a colleague's arrival."""
    unrecorded = sum(world.LATE_OUTCOME_SHARES[age + 1 :])
    quiet, lift = world.steps()
    return process.one_day(unrecorded, quiet), process.one_day(unrecorded, lift)
