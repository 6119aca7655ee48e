"""What the CRM shows of a block: Arrow tables with canonical names, clock times and ids.

Facts that are not recorded when the history ends are not in the tables.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pipelines.demo import clock, people, world
from pipelines.demo import vocabulary as words
from pipelines.demo.clock import Ids, moment, word
from pipelines.demo.population import Population
from pipelines.demo.simulate import Facts, History
from pipelines.demo.truth import Truth
from pipelines.demo.world import Ints

_PLACES = {
    "email_sent": "email", "email_open": "email", "email_click": "email", "unsubscribe": "email",
    "web_visit": "product", "pricing_visit": "pricing", "content_download": "library", "demo_request": "form",
    "webinar": "online", "call": "phone", "meeting": "office", "event": "trade fair",
}  # fmt: skip
_OUTBOUND = ("email_sent", "call", "meeting")
# Median seconds; kinds without a duration are absent.
_SECONDS = {"web_visit": 70, "pricing_visit": 90, "webinar": 2400, "call": 300, "meeting": 2700}
_REASONS = {
    "lost": words.LOST_REASONS,
    "disqualified": words.DISQUALIFIED_REASONS,
    "returned_at_once": words.RETURNED_REASONS,
    "returned_after_follow_up": words.RETURNED_REASONS,
}


def observed(
    rng: np.random.Generator, population: Population, history: History, ids: Ids
) -> dict[str, pa.Table]:
    """Tables of one block by canonical name.

    Parameters
    ----------
    rng
        Source of clock times, names and amounts; nothing that the process depends on.
    population, history
        The block.
    ids
        Where its ids begin.

    Returns
    -------
    ``leads``, ``accounts``, ``outcomes``, ``touches`` and ``field_history``; moments are UTC timestamps.
    """
    created = clock.between(rng, population.day, 6, 18)
    lead_ids = ids.lead(population.leads)
    moves = _recorded(history.moves)
    return {
        "leads": people.leads(rng, population, history, moves, created, ids),
        "accounts": people.accounts(rng, population, ids),
        "outcomes": _outcomes(rng, population, moves, lead_ids),
        "touches": _touches(rng, _recorded(history.touches), created, lead_ids),
        "field_history": _field_history(rng, history, created, lead_ids),
    }


def truth_table(found: Truth, population: Population, ids: Ids) -> pa.Table:
    """``lead_id``, ``as_of`` and the true ``probability`` of each snapshot."""
    return pa.table(
        {
            "lead_id": ids.lead(population.leads).take(found.lead),
            "as_of": moment(clock.midnight(found.day)),
            "probability": found.probability,
        }
    )


def _recorded(facts: Facts) -> Facts:
    return facts.where(facts.day + facts.late < world.HISTORY_DAYS)


def _outcomes(rng: np.random.Generator, population: Population, moves: Facts, lead_ids: pa.Array) -> pa.Table:
    stages = [move.stage for move in world.MOVES]
    occurred = clock.between(rng, moves.day, 20, 23)
    employees = population.accounts.employees[population.account[moves.lead]]
    amount = np.round(2_000 * np.sqrt(employees) * np.exp(rng.normal(0, 0.5, len(employees))), -2)
    has_amount = np.isin(stages, ["won", "opportunity"])[moves.what]
    return pa.table(
        {
            "lead_id": lead_ids.take(pa.array(moves.lead)),
            "stage": word(stages, moves.what),
            "occurred_at": moment(occurred),
            "recorded_at": moment(clock.recorded(rng, moves, occurred)),
            "amount": pa.array(amount, mask=~has_amount),
            "reason": _reasons(rng, np.asarray(stages)[moves.what]),
        }
    )


def _reasons(rng: np.random.Generator, stage: np.ndarray) -> pa.Array:
    chance = rng.random(len(stage))
    out = np.full(len(stage), None, dtype=object)
    for name, reasons in _REASONS.items():
        mine = stage == name
        out[mine] = np.asarray(reasons, dtype=object)[(chance[mine] * len(reasons)).astype(int)]
    return pa.array(out, type=pa.string())


def _touches(rng: np.random.Generator, touches: Facts, created: Ints, lead_ids: pa.Array) -> pa.Table:
    occurred = clock.by_day(rng, touches, created)
    median = np.asarray([_SECONDS.get(kind, 0) for kind in world.KINDS])[touches.what]
    seconds = np.round(median * np.exp(rng.normal(0, 0.6, len(median))))
    return pa.table(
        {
            "lead_id": lead_ids.take(pa.array(touches.lead)),
            "occurred_at": moment(occurred),
            "recorded_at": moment(clock.recorded(rng, touches, occurred)),
            "kind": word(world.KINDS, touches.what),
            "place": word([_PLACES[kind] for kind in world.KINDS], touches.what),
            "direction": word(["out" if kind in _OUTBOUND else "in" for kind in world.KINDS], touches.what),
            "duration_seconds": pa.array(seconds, mask=median == 0),
        }
    )


def _field_history(rng: np.random.Generator, history: History, created: Ints, lead_ids: pa.Array) -> pa.Table:
    """Every stated timeline: the first on creation, then each change."""
    changes = history.timeline
    lead = np.concatenate([np.arange(len(created)), changes.lead])
    changed_at = np.concatenate([created, clock.by_day(rng, changes, created)])
    new = np.concatenate([history.first_timeline, changes.what])
    order = np.lexsort((changed_at, lead))
    lead, changed_at, new = lead[order], changed_at[order], new[order]
    is_first = np.concatenate([[True], lead[1:] != lead[:-1]])
    old = np.ma.masked_array(np.roll(new, 1), is_first)
    return pa.table(
        {
            "lead_id": lead_ids.take(pa.array(lead)),
            "field": pa.repeat("timeline", len(lead)),
            "changed_at": moment(changed_at),
            "recorded_at": moment(changed_at),
            "old_value": word(world.TIMELINES, old),
            "new_value": word(world.TIMELINES, new),
        }
    )
