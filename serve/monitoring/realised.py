"""How good published lists turned out to be, once their outcomes are known, against what they said then.

Each list is judged by what was published then. What its own probabilities made expect is the reference
(`models.estimating`): outcomes that lie surely and far beside it say that what becomes of a lead has changed,
or that the probabilities were wrong from the beginning. A lead that was called because it stood high may have
been won because it was called: that is in the figures, and not taken out of them here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeAlias

import pyarrow as pa
from pydantic import Field

from features.labels import Target
from features.snapshots import known_until
from models.labels import marked
from models.phrases import Phrase
from serve.monitoring import conversions
from serve.monitoring.allowed import Allowed
from serve.monitoring.figure import EVERY, OK, WARNING, Figure, Part
from serve.monitoring.judging import Judged, by_month, judged, means, table_of
from serve.monitoring.matured import matured, weekly

KIND, EXPECTED = "realised", "expected"
SAYS: Mapping[str, str] = {
    "roc_auc": marked(
        "lists that have matured have a ROC-AUC of {value:.3f}, and {against:.3f} was expected"
    ),
    "lift_10": marked(
        "the best 10 % of lists that have matured have a lift of {value:.2f}, and {against:.2f} was expected"
    ),
    "wins": marked(
        "{value:,.0f} leads of a list that has matured were won, and {against:,.0f} were expected"
    ),
    "calibration_slope": marked(
        "outcomes lie {value:.2f} times as far apart as the probabilities of lists that have matured"
    ),
}
"""Why a measure is marked."""
UNREADABLE = marked("past rankings that are damaged, and cannot be judged: {lists}")
Share: TypeAlias = Annotated[float, Field(gt=0, le=1)]
Least: TypeAlias = Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class RealisedLimits:
    """From where on lists that have matured are worth a warning; twice as far is an alarm.

    Attributes
    ----------
    weeks, recent_weeks
        Mature weekly lists that are looked at, and those of them, the latest, whose mean is judged.
    min_outcomes
        Won and not-won leads of a list, or of a slice of it, without which nothing is judged.
    roc_auc_fall_max
        Most that the ROC-AUC may surely lie below what was expected.
    lift_fall_max_share
        Most that the lift of the best 10 % may surely lie below it, as a share of it.
    wins_off_max_share
        Most that the won leads may surely lie beside the expected ones, as a share of these.
    slope_off_max
        Most that the slope of calibration may surely lie beside 1.
    """

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "allow_inf_nan": False}

    weeks: Least = 26
    recent_weeks: Least = 4
    min_outcomes: Least = 30
    roc_auc_fall_max: Share = 0.05
    lift_fall_max_share: Share = 0.25
    wins_off_max_share: Share = 0.25
    slope_off_max: Share = 0.3

    @property
    def allowed(self) -> dict[str, Allowed]:
        """How far each judged measure may lie from what was expected."""
        return {
            "roc_auc": Allowed(self.roc_auc_fall_max, is_fall=True),
            "lift_10": Allowed(self.lift_fall_max_share, is_fall=True, is_share=True),
            "wins": Allowed(self.wins_off_max_share, is_share=True),
            "calibration_slope": Allowed(self.slope_off_max),
        }


def realised(
    backend: Any,
    tables: Mapping[str, Any],
    folder: Path,
    *,
    as_of: datetime,
    stage: str,
    horizon_days: int,
    delay_days: int,
    limits: RealisedLimits = RealisedLimits(),  # frozen
) -> Part:
    """Judge the published lists that have matured.

    Parameters
    ----------
    backend, tables
        As the load has opened them: outcomes of today.
    folder
        The published runs.
    as_of
        Moment at which is looked, and before which an outcome has to be recorded; where the tables end
        earlier, it is their end.
    stage, horizon_days, delay_days
        What the lists predict, and after how many days that is surely recorded.

    Returns
    -------
    Part
        Figures of kind ``realised``: means over the latest ``recent_weeks`` lists, their interval as wide as
        that of one list, for these share most of their leads. Tables: ``realised`` (see `Judged`, with
        ``low``, ``high``, ``expected_low`` and ``expected_high``), ``realised_months`` (means by month),
        ``realised_bands`` (conversion by tens of the score), ``realised_cells`` (for `estimated`), and
        ``realised_lists`` (``mature``, ``immature``, and ``unreadable``: damaged, left out). Empty in a flat
        start and while nothing is mature, but for that last one.

    Raises
    ------
    StorageError
        The list of withdrawn runs is damaged.
    """
    if "outcomes" not in tables:
        return Part(())
    known_at = min(as_of.astimezone(UTC), known_until(tables))
    target = Target(stage, horizon_days)
    weeks = weekly(folder, known_at=known_at, target=target, delay_days=delay_days)
    chosen = weeks.mature[-limits.weeks :]
    recent = {run.run_id for run in chosen[-limits.recent_weeks :]}
    rows: list[Judged] = []
    beside: list[pa.Table] = []
    cells: list[pa.Table] = []
    unreadable: list[str] = []
    for one in matured(chosen, backend, tables, target=target, known_at=known_at, unreadable=unreadable):
        slices = one.slices if one.run.run_id in recent else {EVERY: one.slices[EVERY]}
        for name, flags in slices.items():
            rows.extend(judged(one, name, flags, least=limits.min_outcomes))
            beside.append(conversions.by_score(one, name, flags))
        cells.append(conversions.by_chance(one))
    lists = {"mature": len(weeks.mature), "immature": weeks.immature, "unreadable": len(unreadable)}
    extra = {"realised_lists": pa.Table.from_pylist([lists])}
    if rows:
        extra |= {
            "realised": table_of(rows),
            "realised_months": table_of(by_month(rows)),
            "realised_bands": pa.concat_tables(beside),
            "realised_cells": pa.concat_tables(cells),
        }
    latest = means([row for row in rows if row.run_id in recent])
    return Part((*_damage(len(unreadable), len(chosen)), *_figures(latest, limits)), extra)


def _damage(unreadable: int, chosen: int) -> Iterator[Figure]:
    """A warning for lists that nobody can judge any more."""
    if unreadable:
        yield Figure(
            kind=KIND,
            subject="unreadable",
            measure="lists",
            value=float(unreadable),
            rows=chosen,
            level=WARNING,
            because=Phrase(UNREADABLE, lists=unreadable),
        )


def _figures(pooled: Sequence[Judged], limits: RealisedLimits) -> Iterator[Figure]:
    """A figure of each mean; the more slices are looked at, the surer one has to be."""
    slices = len({row.slice for row in pooled if row.slice != EVERY})
    for row in pooled:
        low, high = row.interval
        allowed = limits.allowed.get(row.measure)
        level = (
            OK if allowed is None else allowed.level(row, looks=1 if row.slice == EVERY else max(1, slices))
        )
        is_worse = level != OK
        yield Figure(
            kind=KIND,
            subject=row.measure,
            measure="value",
            value=row.value,
            slice=row.slice,
            reference="" if row.expected is None else EXPECTED,
            against=row.expected,
            low=low,
            high=high,
            rows=row.rows,
            limit=None if allowed is None else allowed.most,
            level=level,
            because=Phrase(SAYS[row.measure], value=row.value, against=row.expected) if is_worse else "",
            retrain=is_worse,
        )
