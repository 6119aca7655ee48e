"""What the reports are told to count by, and the samples below which nothing is judged."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from features.history import MICROSECONDS_PER_DAY

LEAST_LEADS, LEAST_CONVERSIONS = 30, 5
"""Mature leads, and conversions among them, without which a row is marked and never ranked."""
PERIOD_DAYS = 90
"""Days of the two periods that a team's results are told for."""
FAST_DAYS = 30
"""A win of a lead younger than this is fast; of an older one, nurture's."""
LEADS = "_report_leads"
"""Temporary table of `serve.reporting.leads.make`."""
FACTS = "_report_facts"


@dataclass(frozen=True)
class Plan:
    """How the reports count.

    Attributes
    ----------
    as_of
        The moment, UTC without a zone, as ISO 8601: only what happened and was recorded before it counts.
    window_days
        Days that a lead has for a conversion.
    delay_days
        Days until an outcome is surely recorded.
    sla_hours
        Hours in which a lead has to be touched.
    returned_days
        A lead that is handed back within so many days, and without a touch of ours, was returned at once.
    half_life_days
        Days after which a touch gets half the credit, where credit fades.
    tables
        Columns of the loaded tables.
    touches
        Name of the table of touches with the leads that visitors became.
    holdout_share
        Part of the leads that is in the control group of tonight's experiment; None: none runs.
    """

    as_of: str
    window_days: int
    delay_days: int
    sla_hours: float
    returned_days: int
    half_life_days: float
    tables: Mapping[str, Collection[str]]
    touches: str = "touches"
    holdout_share: float | None = None

    @property
    def moment(self) -> str:
        """The SQL of the moment."""
        return f"TIMESTAMP '{self.as_of}'"

    @property
    def is_dated(self) -> bool:
        """Whether there is a history to report on."""
        return "created_at" in self.tables["leads"] and "outcomes" in self.tables

    def has(self, table: str, column: str) -> bool:
        """Whether a table was loaded with a column."""
        return column in self.tables.get(table, ())

    def is_mature(self, column: str) -> str:
        """The SQL of whether window and delay after a moment are over."""
        return f"({column} + {days(self.window_days + self.delay_days)} <= {self.moment})"

    def in_window(self, start: str, end: str) -> str:
        """The SQL of whether ``end`` lies in the window that begins at ``start``; never null."""
        return f"coalesce({end} >= {start} AND {end} < {start} + {days(self.window_days)}, FALSE)"

    def is_known(self, table: str) -> str:
        """The SQL of whether a fact happened and was recorded before the moment."""
        return f"({table}.occurred_at < {self.moment} AND {table}.recorded_at < {self.moment})"

    def is_ours(self, table: str) -> str:
        """The SQL of whether a touch is the team's own; every touch is, where no direction is known."""
        return f"({table}.direction = 'out')" if self.has("touches", "direction") else "TRUE"


def days(number: float) -> str:
    """The SQL of an interval of exact days, whatever the calendar does.

    >>> days(0.5)
    'to_microseconds(43200000000::BIGINT)'
    """
    return f"to_microseconds({round(number * MICROSECONDS_PER_DAY)}::BIGINT)"


def exact(expression: str, where: str = "TRUE") -> str:
    """The SQL of a sum that is the same in whatever order its rows come; null of no value.

    A sum of floats depends on the order, and threads change it: a night made again would have other digests.

    Parameters
    ----------
    where
        The SQL of which rows are summed.
    """
    return f"(sum(TRY_CAST({expression} AS DECIMAL(38, 12))) FILTER ({where}))::DOUBLE"
