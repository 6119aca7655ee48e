"""Who ranks tonight: the champion, or the points scorecard while no model is in force."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from features.backend import Wide
from features.catalogue import Feature
from features.errors import ModelError, StorageError, UpstreamError
from features.families import by_name
from features.memory import current_features, known_today
from features.vocabulary import Vocabulary
from models import evidence, registry
from models.labels import marked
from pipelines.asked_tonight import asked_tonight
from pipelines.champion import Champion, by_digest, champion
from pipelines.deferring import PATIENCE_SECONDS, keep, kept, within
from pipelines.inputs import Inputs
from pipelines.offering import offered, vocabulary_of
from pipelines.params import Params
from serve import batch, by_scorecard, runs, sorting, spread

Advance: TypeAlias = Callable[[int], None]

ASKED, DEFERRED = "asked", "deferred"
NO_MODEL = marked("no model is registered: none was trained yet, or the history has too few outcomes")
NO_SIGNAL = marked("no version of the model has shown signal on later leads")


@dataclass(frozen=True)
class ByModel:
    """The champion as a ranker.

    Attributes
    ----------
    tracking
        Whether the registry named it tonight (``asked``), or did not answer, so that the champion of the last
        night ranks (``deferred``).
    """

    champion: Champion
    name: str
    ranked_by: str = batch.RANKED_BY
    tracking: str = ASKED

    @property
    def digest(self) -> str:
        """Names this model and no other."""
        return self.champion.digest

    @property
    def vocabulary(self) -> Vocabulary:
        """The words that it was trained with."""
        return vocabulary_of(self.champion.bundle)

    def features(self, params: Params, inputs: Inputs) -> tuple[Feature, ...]:
        """The features of the model, in its order."""
        bundle = self.champion.bundle
        return by_name(
            [spec.name for spec in bundle.specs],
            bundle.kinds,
            known_today(inputs.fields),
            modules=params.features.modules,
        )

    def score(
        self, inputs: Inputs, staged: Path, *, shown: batch.Shown, part_leads: int | None, on_rows: Advance
    ) -> int:
        """Score and explain the staged features; the number of leads."""
        bundle = self.champion.bundle
        asked = asked_tonight(inputs, bundle, inputs.backend.table("snapshots"))
        features, engine = staged / "features.parquet", inputs.engine
        score = partial(spread.score_leads, engine) if isinstance(engine, Wide) else batch.score_leads
        return score(
            bundle, features, staged, shown=shown, asked=asked, part_leads=part_leads, on_rows=on_rows
        )

    def rank(self, inputs: Inputs, staged: Path, *, shown: batch.Shown, part_leads: int | None) -> None:
        """Write the ranking of the staged scores; on the engine's machines, if these lie in parts."""
        engine = inputs.engine
        if part_leads is not None and isinstance(engine, Wide) and (staged / batch.SCORES).is_dir():
            sorting.write_ranking(engine, inputs.connection, staged, shown=shown, part_leads=part_leads)
        else:
            batch.write_ranking(inputs.connection, staged, shown=shown, part_leads=part_leads)

    def told(self) -> dict[str, Any]:
        """For the manifest: ``ranked_by``, ``ranked_because`` and ``model``."""
        bundle = self.champion.bundle
        model = {
            "name": self.name,
            "version": self.champion.version,
            "digest": self.digest,
            "stage": bundle.target.stage,
            "horizon_days": bundle.target.horizon_days,
            "calibration": bundle.target.calibration.as_json(),
            "base_rate": evidence.kept(bundle.extras, columns=len(bundle.specs)).base_rate,
        }
        return {
            "ranked_by": self.ranked_by,
            "ranked_because": "a model is in force",
            "tracking": self.tracking,
            "model": model,
        }


@dataclass(frozen=True)
class ByScorecard:
    """The points scorecard as a ranker.

    Attributes
    ----------
    card
        Its rules.
    chosen
        Features of its rules.
    vocabulary
        The words of the tables.
    because
        Why no model ranks.
    """

    card: by_scorecard.Card
    chosen: tuple[Feature, ...]
    vocabulary: Vocabulary
    because: str
    ranked_by: str = by_scorecard.RANKED_BY

    @property
    def digest(self) -> str:
        """Names these rules and no others."""
        return hashlib.sha256(json.dumps(self._rules()).encode()).hexdigest()

    def features(self, params: Params, inputs: Inputs) -> tuple[Feature, ...]:  # noqa: ARG002  # as ByModel's
        """The features of the rules."""
        return self.chosen

    def score(
        self,
        inputs: Inputs,  # noqa: ARG002  # as ByModel's
        staged: Path,
        *,
        shown: batch.Shown,
        part_leads: int | None,
        on_rows: Advance,
    ) -> int:
        """Give the staged leads their points; the number of leads."""
        return by_scorecard.score_leads(
            self.card,
            staged / "features.parquet",
            staged,
            shown=shown,
            part_leads=part_leads,
            on_rows=on_rows,
        )

    def rank(self, inputs: Inputs, staged: Path, *, shown: batch.Shown, part_leads: int | None) -> None:
        """Write the ranking of the staged points."""
        batch.write_ranking(
            inputs.connection, staged, shown=shown, ranked_by=self.ranked_by, part_leads=part_leads
        )

    def told(self) -> dict[str, Any]:
        """For the manifest: ``ranked_by``, ``ranked_because``, and the card in the place of the model."""
        model = {"name": self.ranked_by, "version": None, "digest": self.digest}
        points = {"mql_points": self.card.mql_points, "rules": self._rules()}
        return {
            "ranked_by": self.ranked_by,
            "ranked_because": self.because,
            "tracking": ASKED,
            "model": {**model, **points},
        }

    def _rules(self) -> list[Mapping[str, Any]]:
        return [rule.as_json() for rule in self.card.rules]


def ranker(params: Params, home: Path, inputs: Inputs) -> ByModel | ByScorecard:
    """The champion; the scorecard if no version is in force and none was when last night was ranked.

    Raises
    ------
    ModelError
        The champion's files do not have the registered digest; the ranking in force is a model's and the
        registry knows no champion; or there is no champion and no rule has its column.
    ParameterError
        A rule of ``scorecard.rules`` names a feature that does not exist.
    UpstreamError, StorageError
        MLflow does not answer, or its database is damaged, and no champion ranked before.
    """
    name = params.tracking.model
    try:
        found, has_versions = within(PATIENCE_SECONDS, partial(_registered, params, home))
    except (UpstreamError, StorageError):
        last = kept(home, name)
        if last is None:
            raise
        return ByModel(last, name, tracking=DEFERRED)
    if found is not None:
        keep(home, name, found)
        return ByModel(found, name)
    _check_no_model_was_in_force(params, home)
    return scorecard(params, inputs, NO_SIGNAL if has_versions else NO_MODEL)


def ranker_of(run: runs.Run, params: Params, home: Path, inputs: Inputs) -> ByModel | ByScorecard:
    """Who ranked a published run.

    Raises
    ------
    ModelError
        Its model is gone, or its points have changed.
    UpstreamError
        MLflow does not answer, and no copy of the model is kept.
    """
    digest = run.manifest["model"]["digest"]
    if run.manifest.get("ranked_by", batch.RANKED_BY) == batch.RANKED_BY:
        return ByModel(by_digest(params, home, digest), params.tracking.model)
    card = scorecard(params, inputs, run.manifest["ranked_because"])
    if card.digest != digest:
        raise ModelError("the points of that ranking were others", hint="put scorecard.rules back")
    return card


def _registered(params: Params, home: Path) -> tuple[Champion | None, bool]:
    """The champion of the registry, and whether it has any version."""
    every = registry.versions(registry.anchored(params.tracking.uri, home), params.tracking.model)
    has_champion = any(registry.CHAMPION in version.aliases for version in every)
    return champion(params, home) if has_champion else None, bool(every)


def _check_no_model_was_in_force(params: Params, home: Path) -> None:
    """A registry that was lost must not turn a model's ranking into a scorecard's overnight."""
    run = runs.current_or_none(home / params.score.runs)
    if run is None or run.manifest.get("ranked_by", batch.RANKED_BY) != batch.RANKED_BY:
        return
    if run.manifest.get("model", {}).get("name") == params.tracking.model:
        raise ModelError(
            f"the ranking in force is by model '{params.tracking.model}', which has no champion any more",
            hint="restore the registry or run `leadrank train`; for the scorecard, set another score.runs",
        )


def scorecard(params: Params, inputs: Inputs, because: str) -> ByScorecard:
    """The points scorecard, as far as the tables have its columns.

    Raises
    ------
    ModelError
        No rule has its column.
    ParameterError
        A rule of ``scorecard.rules`` names a feature that does not exist.
    """
    offer = offered(params, inputs)
    known = {feature.name: feature for feature in (*offer.features, *_current(inputs))}
    rules = params.scorecard.card.usable(list(known))
    if not rules:
        raise ModelError(
            f"{because}, and no default rule of the scorecard has its column",
            hint="write scorecard.rules in params.yaml, or add history and run `leadrank train`",
        )
    chosen = tuple(known[name] for name in dict.fromkeys(name for rule in rules for name in rule.columns))
    specs = {feature.name: feature.spec for feature in chosen}
    card = by_scorecard.Card(tuple(rules), specs, params.scorecard.mql_points)
    return ByScorecard(card, chosen, offer.vocabulary, because)


def _current(inputs: Inputs) -> tuple[Feature, ...]:
    """Fields of which only today's value is known: a rule may read them tonight, no model learns them."""
    return () if inputs.is_flat else current_features(inputs.fields)
