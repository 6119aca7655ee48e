"""The demo company's process: every constant, and the few arrays that follow from them.

A lead carries a hidden state (its cycle and its intent) that moves once a day. The state sets how often
touches of each kind happen, what timeline the lead states, and how soon it moves along the funnel. A
colleague's arrival in the account lifts intent (the buying committee). Everything is Markov by the day, so
``truth`` can undo it exactly.

A day runs in this order: touches, stated timeline, move in the funnel, move of the hidden state.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

AS_OF = datetime(2026, 6, 30, tzinfo=UTC)
HISTORY_DAYS = 602  # 86 weeks
START_AT = AS_OF - timedelta(days=HISTORY_DAYS)
HORIZON_DAYS = 90
SNAPSHOT_EVERY_DAYS = 7

# Hidden state = 3 · cycle + intent; cycle 0 is fast and 1 slow; intent 0 is cold, 1 interested, 2 hot.
CYCLES, INTENTS = 2, 3
STATES = CYCLES * INTENTS
FAST_SHARE_BY_SIZE = (0.6, 0.45, 0.3)
FUNNEL_SPEED = (1.3, 0.8)
INTENT_SPEED = (1.2, 0.8)
TOUCH_SPEED = (0.80, 0.73)

# Intent a day after: rises from the left, fades to the left.
INTENT_STEP = (
    (0.993, 0.007, 0.0),
    (0.012, 0.979, 0.009),
    (0.0, 0.018, 0.982),
)
FIRST_INTENT = (0.46, 0.38, 0.16)
COLLEAGUE_LIFT = 0.45  # chance that a colleague's arrival lifts intent by one
COMMITTEE_WARMTH = 0.35  # log-odds a level of intent, for each recent colleague (two at most)
COMMITTEE_DAYS = 60
REOPENED_INTENT = (0.3, 0.5, 0.2)
# New accounts come evenly at 1; above it more of them come early (the inflow slows).
INFLOW_BEND = 1.25
# Chance a day that one more person of the account turns up, by size of the company.
COLLEAGUES_A_DAY = (1 / 700, 1 / 350, 1 / 180)

WEEKDAY_PACE = (1.2, 1.25, 1.2, 1.2, 1.1, 0.5, 0.55)  # Monday first

KINDS = (
    "email_sent", "email_open", "email_click", "web_visit", "pricing_visit", "content_download", "webinar",
    "demo_request", "call", "meeting", "event", "unsubscribe",
)  # fmt: skip
RATES_A_DAY = (  # kinds by intent, on an average weekday
    (0.0200, 0.0200, 0.0200),
    (0.0160, 0.0500, 0.0950),
    (0.0020, 0.0150, 0.0450),
    (0.0160, 0.0900, 0.2300),
    (0.0020, 0.0240, 0.0900),
    (0.0030, 0.0160, 0.0350),
    (0.0030, 0.0110, 0.0200),
    (0.0006, 0.0045, 0.0180),
    (0.0060, 0.0140, 0.0280),
    (0.0008, 0.0050, 0.0180),
    (0.0030, 0.0040, 0.0050),
    (0.0020, 0.0008, 0.0003),
)
# People type these in later; the others are recorded at once.
LATE_KINDS = ("call", "meeting", "event")
# Share of facts recorded 0, 1, 2, 3 days after the day they happened; independent of everything else.
LATE_TOUCH_SHARES = (0.85, 0.08, 0.05, 0.02)
LATE_OUTCOME_SHARES = (0.92, 0.04, 0.025, 0.015)
LATE_DAYS = 3

TIMELINES = ("no_plan", "this_year", "this_quarter")
TIMELINE_BY_INTENT = ((0.66, 0.24, 0.10), (0.38, 0.40, 0.22), (0.18, 0.36, 0.46))
TIMELINE_ASKED_A_DAY = 0.02

# Places in the funnel. The last two are closed.
PLACES = ("lead", "mql", "sql", "opportunity", "handed_back_at_once", "handed_back_later", "lost", "gone")
LEAD, MQL, SQL, OPPORTUNITY, AT_ONCE, LATER, LOST, GONE = range(8)


@dataclass(frozen=True)
class Move:
    """One way to leave a place: where to, the stage that is written down, and how soon.

    Attributes
    ----------
    rates
        Chance a day by intent, before fit and cycle.
    fit
        Exponent of the lead's fit (log-odds) in the rate.
    """

    start: int
    end: int
    stage: str
    rates: tuple[float, float, float]
    fit: float


_OPEN_MOVES = tuple(
    move
    for place in (LEAD, MQL, SQL, AT_ONCE, LATER)
    for move in (
        Move(place, LOST, "lost", (0.0050, 0.0034, 0.0022), -0.1),
        Move(place, GONE, "disqualified", (0.0010, 0.0006, 0.0003), -0.5),
    )
)
MOVES = (
    Move(LEAD, MQL, "mql", (0.0019, 0.0077, 0.0195), 0.15),
    Move(MQL, SQL, "sql", (0.036, 0.060, 0.090), 0.10),
    Move(MQL, AT_ONCE, "returned_at_once", (0.060, 0.044, 0.028), -0.1),
    Move(SQL, OPPORTUNITY, "opportunity", (0.026, 0.046, 0.068), 0.10),
    Move(SQL, LATER, "returned_after_follow_up", (0.060, 0.044, 0.028), -0.1),
    Move(OPPORTUNITY, GONE, "won", (0.010, 0.018, 0.030), 0.60),
    Move(OPPORTUNITY, LOST, "lost", (0.065, 0.052, 0.038), -0.5),
    Move(AT_ONCE, MQL, "mql", (0.0012, 0.0046, 0.0122), 0.15),
    Move(LATER, MQL, "mql", (0.0019, 0.0077, 0.0195), 0.15),
    *_OPEN_MOVES,
    Move(LOST, LEAD, "reopened", (0.0006, 0.0006, 0.0006), 0.0),
)
STAGES = tuple(dict.fromkeys(move.stage for move in MOVES))
WON = "won"

# Fit is a sum of tenths, so leads share few values and the truth is a table look-up.
FIT_LOWEST, FIT_HIGHEST = -4.0, 3.0
FIT_CLASSES = round((FIT_HIGHEST - FIT_LOWEST) * 10) + 1


@cache
def steps() -> tuple[Floats, Floats]:
    """Hidden state a day later: matrices without and with a colleague's arrival, states by states."""
    quiet = np.zeros((STATES, STATES))
    for cycle, speed in enumerate(INTENT_SPEED):
        block = np.eye(INTENTS) + speed * (np.asarray(INTENT_STEP) - np.eye(INTENTS))
        quiet[cycle * INTENTS : (cycle + 1) * INTENTS, cycle * INTENTS : (cycle + 1) * INTENTS] = block
    up = np.eye(STATES)
    for state in range(STATES):
        if state % INTENTS < INTENTS - 1:
            up[state, state], up[state, state + 1] = 1 - COLLEAGUE_LIFT, COLLEAGUE_LIFT
    return quiet, up @ quiet


@cache
def first_states(warmth: tuple[float, ...]) -> Floats:
    """First hidden state: source by size by recent colleagues (0, 1, 2 or more) by states.

    Parameters
    ----------
    warmth
        Log-odds a level of intent that each source's leads bring along.
    """
    out = np.zeros((len(warmth), len(FAST_SHARE_BY_SIZE), 3, STATES))
    for source, size, colleagues in np.ndindex(out.shape[:3]):
        tilt = (warmth[source] + COMMITTEE_WARMTH * colleagues) * np.arange(INTENTS)
        intent = np.asarray(FIRST_INTENT) * np.exp(tilt)
        fast = FAST_SHARE_BY_SIZE[size]
        out[source, size, colleagues] = np.outer((fast, 1 - fast), intent / intent.sum()).ravel()
    return out


def reopened_states() -> Floats:
    """Hidden state after a reopening, whatever it was before."""
    return np.outer((0.5, 0.5), REOPENED_INTENT).ravel()


@cache
def touch_rates() -> Floats:
    """Touches a day on an average weekday: kinds by states."""
    return np.concatenate([np.asarray(RATES_A_DAY) * speed for speed in TOUCH_SPEED], axis=1)


@cache
def timelines() -> Floats:
    """Chance of each stated timeline: states by timelines."""
    return np.tile(np.asarray(TIMELINE_BY_INTENT), (CYCLES, 1))


@cache
def pace() -> Floats:
    """Factor on all touch rates by day of the history."""
    first = START_AT.weekday()
    return np.asarray([WEEKDAY_PACE[(first + day) % 7] for day in range(HISTORY_DAYS)])


@cache
def slots() -> tuple[tuple[int, ...], ...]:
    """For each place the moves (numbers in ``MOVES``) that leave it."""
    return tuple(
        tuple(n for n, move in enumerate(MOVES) if move.start == place) for place in range(len(PLACES))
    )


@cache
def hazards() -> Floats:
    """Chance a day of each move: fit class by moves by states."""
    fit = np.linspace(FIT_LOWEST, FIT_HIGHEST, FIT_CLASSES)
    rate = np.asarray(
        [np.concatenate([np.asarray(m.rates) * speed for speed in FUNNEL_SPEED]) for m in MOVES]
    )
    bent = np.exp(np.outer(fit, [m.fit for m in MOVES]))
    chance: Floats = np.minimum(rate[None] * bent[:, :, None], 0.3)
    return chance
