"""A source that turns bad: from some week on its leads are not what they were. For tests of the monitor only.

Think of a form that robots have found: the leads keep coming, most leave a free e-mail address, and hardly
any means it. The truth knows it; nothing in the tables says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.errors import ParameterError
from pipelines.demo import vocabulary as words
from pipelines.demo import world
from pipelines.demo.world import Ints

DAYS_OF_WEEK = 7


@dataclass(frozen=True)
class TurnsBad:
    """Which source, and from which day of the history on."""

    source: str
    day: int

    def leads(self, source: Ints, day: Ints) -> npt.NDArray[np.bool_]:
        """Whose leads are bad, from the position of their source in the vocabulary and the day they came."""
        return np.asarray((source == words.SOURCES.values.index(self.source)) & (day >= self.day))


def asked(text: str | None) -> TurnsBad | None:
    """What ``SOURCE:WEEK`` means; None stays None.

    Raises
    ------
    ParameterError
        There is no such source, or the history has no such week.

    >>> asked("webinar:30")
    TurnsBad(source='webinar', day=210)
    """
    if text is None:
        return None
    source, _, week = text.rpartition(":")
    if source not in words.SOURCES.values:
        raise ParameterError(
            "--turns-bad names no source of the demo", hint=f"sources: {', '.join(words.SOURCES.values)}"
        )
    weeks = world.HISTORY_DAYS // DAYS_OF_WEEK
    if not (week.isascii() and week.isdigit() and int(week) < weeks):
        raise ParameterError(
            "--turns-bad names no week of the demo", hint=f"write SOURCE:WEEK, week 0 to {weeks - 1}"
        )
    return TurnsBad(source, DAYS_OF_WEEK * int(week))
