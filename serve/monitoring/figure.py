"""One figure of the monitor: what was measured of what, against which limit, and how bad it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from models.labels import marked

if TYPE_CHECKING:
    import pyarrow as pa

OK, WARNING, ALARM = "ok", "warning", "alarm"
LEVELS = (OK, WARNING, ALARM)
"""From the best to the worst."""
EVERY = ""
"""The slice of all leads."""
TRAINING, LAST_WEEK = "training", "last_week"
LEVEL = dict(zip(LEVELS, (marked("all is well"), marked("warning"), marked("alarm")), strict=True))
AGAINST = {TRAINING: marked("against training"), LAST_WEEK: marked("against last week")}
"""What levels and references are called."""


@dataclass(frozen=True)
class Figure:
    """One row of the table that a monitored run leaves.

    Attributes
    ----------
    kind
        What sort of figure: ``drift``, ``newcomers``, ``score``, ``skew``, ``realised`` and others.
    subject
        A feature, ``score``, or what a figure of quality is about.
    measure
        ``psi``, ``js``, ``null_rise``, ``unseen_rise`` and others.
    value
        The figure; null where it cannot be known.
    slice
        ``field=value`` of the leads that are looked at; empty for all.
    reference
        What it is held against: ``training``, ``last_week`` or others.
    against
        The same figure of the reference, where it has one.
    low, high
        Ends of the 95 % interval of the value.
    rows
        Leads behind it.
    weight
        The feature's share of all contributions, 0 to 1.
    limit
        Beyond which the level is not ``ok``.
    level
        One of `LEVELS`.
    because
        One English sentence without data of a lead; empty while the level is ``ok``.
    retrain
        Whether this is a reason to train again.
    """

    kind: str
    subject: str
    measure: str
    value: float | None
    slice: str = EVERY
    reference: str = ""
    against: float | None = None
    low: float | None = None
    high: float | None = None
    rows: int | None = None
    weight: float | None = None
    limit: float | None = None
    level: str = OK
    because: str = ""
    retrain: bool = False


@dataclass(frozen=True)
class Part:
    """What one part of the monitor found.

    Attributes
    ----------
    figures
        All of them, also those that are ``ok``.
    tables
        Further tables for the page and its pictures, by name.
    """

    figures: tuple[Figure, ...] = ()
    tables: Mapping[str, pa.Table] = field(default_factory=dict)


def worst(levels: Iterable[str]) -> str:
    """The worst of some levels.

    >>> worst(["ok", "alarm", "warning"]), worst([])
    ('alarm', 'ok')
    """
    return max(levels, key=LEVELS.index, default=OK)
