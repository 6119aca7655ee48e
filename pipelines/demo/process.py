"""The process by the day as matrices: one day's step of (place, state), and the chance of winning in time."""

from __future__ import annotations

from functools import cache

import numpy as np

from pipelines.demo import world
from pipelines.demo.world import Floats

PLACES, STATES = len(world.PLACES), world.STATES
START = np.asarray([move.start for move in world.MOVES])
END = np.asarray([move.end for move in world.MOVES])
# The last move that leaves each place; -1 where nothing does.
LAST_MOVE = np.asarray([max(moves, default=-1) for moves in world.slots()])
IS_WON = np.asarray([move.stage == world.WON for move in world.MOVES])


@cache
def stay() -> Floats:
    """Chance of no move today: fit class by place by state."""
    out = np.ones((world.FIT_CLASSES, PLACES, STATES))
    for number, start in enumerate(START):
        out[:, start] -= world.hazards()[:, number]
    return out


def landing(number: int) -> Floats:
    """State right after a move, by state before it: only a reopening changes the state."""
    if START[number] == world.LOST:
        return np.tile(world.reopened_states(), (STATES, 1))
    return np.eye(STATES)


def one_day(moves_share: float, step: Floats) -> Floats:
    """One day's passage of (place, state) for each fit class.

    Parameters
    ----------
    moves_share
        Factor on the chance of every move: 1 for a future day; for a past day on which no move is recorded,
        the chance of not being recorded yet.
    step
        Passage of the hidden state, states by states.

    Returns
    -------
    fit class by (place, state) before by (place, state) after, the pairs flattened.
    """
    out = np.zeros((world.FIT_CLASSES, PLACES, STATES, PLACES, STATES))
    for place in range(PLACES):
        out[:, place, :, place, :] += stay()[:, place, :, None] * step
    for number, (start, end) in enumerate(zip(START, END, strict=True)):
        hazard = moves_share * world.hazards()[:, number, :, None]
        out[:, start, :, end, :] += hazard * (landing(number) @ step)
    return out.reshape(world.FIT_CLASSES, PLACES * STATES, PLACES * STATES)


@cache
def winning() -> Floats:
    """Chance of ``won`` within the horizon: size by fit class by (place, state) on the first morning."""
    quiet, lift = world.steps()
    today = np.zeros((world.FIT_CLASSES, PLACES, STATES))
    for number in np.flatnonzero(IS_WON):
        today[:, START[number]] += world.hazards()[:, number]
    today = today.reshape(world.FIT_CLASSES, -1, 1)
    sizes = []
    for rate in world.COLLEAGUES_A_DAY:
        passage = one_day(1.0, (1 - rate) * quiet + rate * lift)
        chance = np.zeros_like(today)
        for _ in range(world.HORIZON_DAYS):
            chance = today + passage @ chance
        sizes.append(chance[:, :, 0])
    return np.asarray(sizes)
