"""Clock times, ids and words: how a block's numbers look in a table.

A day's clock keeps the order of the process: leads are created between 6 and 18 h, touches and answers come
until 20 h, moves are written down between 20 and 23 h, and late facts arrive in the small hours of the day
they are recorded on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.demo import world
from pipelines.demo.simulate import Facts
from pipelines.demo.world import Ints

DAY_SECONDS, _HOUR = 86_400, 3_600
_START = int(world.START_AT.timestamp())


@dataclass(frozen=True)
class Ids:
    """How many leads and accounts the blocks before this one hold."""

    leads: int = 0
    accounts: int = 0

    def lead(self, count: int) -> pa.Array:
        """Lead ids of a block with ``count`` leads."""
        return _numbered("L", self.leads, count)

    def account(self, count: int) -> pa.Array:
        """Account ids of a block with ``count`` accounts."""
        return _numbered("A", self.accounts, count)


def _numbered(prefix: str, start: int, count: int) -> pa.Array:
    text = pc.utf8_lpad(pa.array(np.arange(start, start + count)).cast(pa.string()), 7, "0")
    return pc.binary_join_element_wise(prefix, text, "")


def midnight(day: Ints) -> Ints:
    """Seconds since 1970 at the start of a day of the history."""
    return _START + day * DAY_SECONDS


def between(rng: np.random.Generator, day: Ints, opens: int, closes: int) -> Ints:
    """Seconds since 1970 at some time of the day between two full hours."""
    return midnight(day) + rng.integers(opens * _HOUR, closes * _HOUR, len(day))


def by_day(rng: np.random.Generator, facts: Facts, created: Ints) -> Ints:
    """Seconds since 1970 between 6 and 20 h; on its first day after the lead's creation."""
    opens = np.maximum(midnight(facts.day) + 6 * _HOUR, created[facts.lead] + 1)
    closes = midnight(facts.day) + 20 * _HOUR
    return (opens + rng.random(len(opens)) * (closes - opens)).astype(np.int64)


def recorded(rng: np.random.Generator, facts: Facts, occurred: Ints) -> Ints:
    """Seconds since 1970 of the recording: within ten minutes, or in the small hours some days later."""
    at_once = occurred + rng.integers(0, 600, len(occurred))
    return np.where(facts.late > 0, between(rng, facts.day + facts.late, 1, 6), at_once)


def moment(seconds: Ints) -> pa.Array:
    """Seconds since 1970 as UTC timestamps."""
    return pa.array(seconds * 1_000_000, type=pa.timestamp("us", tz="UTC"))


def word(values: Sequence[str], which: Ints) -> pa.Array:
    """The words at the given positions; null where ``which`` is masked."""
    return pa.array(values, type=pa.string()).take(pa.array(which))
