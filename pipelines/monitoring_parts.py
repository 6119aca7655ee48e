"""What the monitor measures of a published run: what has moved, what past rankings were worth, the night."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from features.catalogue import Feature
from features.labels import Target
from features.memory import current_features
from features.snapshots import known_until
from models import populations
from models.populations import Population
from pipelines.gating import REBUILT_LEADS, SHARED, rebuilt
from pipelines.inputs import Inputs
from pipelines.params import Params
from pipelines.progress import Progress
from pipelines.rankers import ByModel, ByScorecard
from serve import runs
from serve.monitoring import alarms, drift, skew
from serve.monitoring.bins import bins
from serve.monitoring.drift import Features
from serve.monitoring.estimated import estimated
from serve.monitoring.figure import LAST_WEEK, TRAINING, Figure, Part
from serve.monitoring.listed import moment_of
from serve.monitoring.matured import is_for
from serve.monitoring.newcomers import Asked, newcomers
from serve.monitoring.pace import pace
from serve.monitoring.packages import packages
from serve.monitoring.realised import realised
from serve.monitoring.unbiased import unbiased
from serve.monitoring.views import View

WEEK, LONGEST = timedelta(days=7), timedelta(days=35)
"""Last week's run is the latest that is so old at least; an older one than the second is no last week."""
EARLIER_RUNS = 10
OF_COMPANY = ("account_leads", "account_outcomes", "account_touches")
"""What features are made of that the leads of one company share, and that grows with the history."""


@dataclass(frozen=True)
class Night:
    """A published run that is measured, and what it is held against.

    Attributes
    ----------
    folder
        The published runs.
    by
        Who ranked it.
    earlier
        Runs of earlier moments that were not withdrawn, the latest first.
    """

    params: Params
    inputs: Inputs
    folder: Path
    run: runs.Run
    by: ByModel | ByScorecard
    earlier: Sequence[runs.Run]

    @classmethod
    def of(
        cls, params: Params, home: Path, inputs: Inputs, run: runs.Run, by: ByModel | ByScorecard
    ) -> Night:
        """The night of a run among those that are published below ``home``."""
        folder = home / params.score.runs
        gone = runs.withdrawn(folder)
        others = (other for other in runs.published(folder) if other.as_of < run.as_of)
        return cls(params, inputs, folder, run, by, [one for one in others if one.run_id not in gone])

    @property
    def at(self) -> datetime:
        """The moment that it ranks."""
        return datetime.fromisoformat(self.run.as_of)

    @cached_property
    def population(self) -> Population | None:
        """The leads of the training; None where the model does not keep them."""
        return populations.kept(self.by.champion.bundle.extras) if isinstance(self.by, ByModel) else None

    @cached_property
    def last_week(self) -> runs.Run | None:
        """The latest whole run that is a week older at least, and five at most."""
        for other in self.earlier:
            age = self.at - datetime.fromisoformat(other.as_of)
            if age > LONGEST:
                return None
            if age >= WEEK and not runs.damaged_files(other):
                return other
        return None


def measured(night: Night, progress: Progress) -> Part:
    """Every figure of a run, judged, and the tables of its page.

    Raises
    ------
    StorageError
        A file of a run cannot be read.
    """
    with progress.stage("comparing with training and last week"):
        moves = tuple(_moved(night))
    with progress.stage("judging past rankings"):
        worth = _quality(night)
    with progress.stage("looking at the night itself"):
        before = next(iter(night.earlier), None)
        itself = (
            *pace(night.run, night.earlier[:EARLIER_RUNS]).figures,
            *packages(night.run, before).figures,
        )
    figures = alarms.levelled((*moves, *worth.figures, *itself), night.params.monitor.limits)
    tables = dict(worth.tables)
    if (population := night.population) is not None:
        tables["bins"] = bins(View(night.run), population, alarms.ordered(figures))
    return Part(figures, tables)


def _moved(night: Night) -> Iterator[Figure]:
    every = night.by.features(night.params, night.inputs)
    own, names, view = own_of_leads(every), _known(night, night.run), View(night.run)
    features = Features([name for name in names if name in own], view.importance([f.name for f in every]))
    if (population := night.population) is not None:
        limits = night.params.monitor.limits
        found = list(drift.against_training(view, population, features))
        yield from (*found, *drift.whole(found, TRAINING))
        apart = Features(without_colleagues(every, features.names), features.weights)
        asked = Asked(limits.min_leads, limits.false_alarms, limits.least_share)
        yield from newcomers(view, population, apart, asked)
    if (last_week := night.last_week) is not None:
        then = _known(night, last_week)
        both = [name for name in features.names if name in then]
        found = list(drift.against_last_week(view, View(last_week), Features(both, features.weights)))
        yield from (*found, *drift.whole(found, LAST_WEEK))
        if last_week.manifest["model"]["digest"] == night.by.digest:
            shares = rebuilt(night.params, last_week, night.inputs, night.by)
            yield from skew.figures(shares, features.weights, rows=REBUILT_LEADS)


def own_of_leads(features: Sequence[Feature]) -> list[str]:
    """Features that each lead has for itself: the rate of its whole source is one number for all of them."""
    return [feature.name for feature in features if feature.on not in SHARED]


def without_colleagues(features: Sequence[Feature], names: Sequence[str]) -> list[str]:
    """Those that say nothing of a lead's colleagues: chance is judged by counting independent leads."""
    shared = {feature.name for feature in features if feature.on in OF_COMPANY}
    return [name for name in names if name not in shared]


def _known(night: Night, run: runs.Run) -> list[str]:
    """Features whose value on the night of a run was known then: not all that only today knows."""
    present_only = {feature.name for feature in current_features(night.inputs.fields)}
    unknown = present_only - set(run.manifest.get("current_fields", ()))
    every = night.by.features(night.params, night.inputs)
    return [feature.name for feature in every if feature.name not in unknown]


def _quality(night: Night) -> Part:
    """What became of past rankings, over all leads and over those that were called, and what will of this."""
    if night.inputs.is_flat:
        return Part()
    given, inputs = night.params.train, night.inputs
    target, limits = Target(given.stage, given.horizon_days), night.params.monitor.realised
    asked: dict[str, Any] = {
        "as_of": min(night.at.astimezone(UTC), known_until(inputs.tables)),
        "stage": target.stage,
        "horizon_days": target.horizon_days,
        "delay_days": given.reporting_delay_days,
    }
    past = realised(inputs.backend, inputs.tables, night.folder, **asked, limits=limits)
    oldest = asked["as_of"] - timedelta(
        days=target.horizon_days + given.reporting_delay_days, weeks=limits.weeks
    )
    nights = [one for one in night.earlier if is_for(one, target) and moment_of(one) >= oldest]
    called = unbiased(inputs.connection, nights, **asked)
    bundle = night.by.champion.bundle if isinstance(night.by, ByModel) else None
    ahead = estimated(night.run, bundle=bundle, past=past.tables, limits=night.params.monitor.estimated)
    parts = (past, called, ahead)
    tables = {name: table for part in parts for name, table in part.tables.items()}
    return Part(tuple(figure for part in parts for figure in part.figures), tables)
