"""What training makes beside the ranking target: curves for horizons, light models, tags, amounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from features.errors import TooFewOutcomesError
from models.bundle import Bundle
from models.calibration import Calibration
from models.curves.horizon_curves import Learned, learned, with_horizons
from models.fitting.options import TrainOptions
from models.fitting.split import Places
from models.further.answers import Answers
from models.further.expected_value import with_amount
from models.further.first_pass import FirstPass
from models.further.stated import STATED
from models.further.tags import LEAST_TAGGED, TAGS, Said, Tag, shown, tried
from models.further.targets import Fitted, LightFit
from models.metrics import Vector
from models.phrases import Phrase
from models.training import Trained
from models.weights import quantiles
from pipelines.field_tags import FieldTags, field_tags
from pipelines.inputs import Inputs
from pipelines.params import Params
from pipelines.tag_rules import TagRule
from pipelines.tagging import Plan, answers, horizon, plan
from serve.asked import AIMS
from serve.predicted import STAGES

HIGH = 0.75  # quantile of the amounts of won leads
NOTHING: Mapping[str, Any] = {"horizons": {}, "stages": {}, "tags": {}, "expected_value": None}


def with_further(
    trained: Trained, params: Params, inputs: Inputs, snapshots: Any, options: TrainOptions
) -> tuple[Trained, dict[str, Any]]:
    """The training with its further targets, and their report.

    Parameters
    ----------
    snapshots
        Table of the workspace with the snapshots of the training.

    Returns
    -------
    Trained and report
        The report has ``horizons``, ``stages`` and ``tags`` by name, each with figures on the test slice or
        ``left_out`` with the reason, and ``expected_value`` likewise.
    """
    asked_for = plan(params, inputs)
    found, amounts = answers(params, inputs, snapshots, asked_for, trained.first.history)
    within = {float(days): found[horizon(days)] for days in asked_for.horizons}
    curves = learned(trained.bundle, trained.first, within, least=options.min_outcomes)
    published = {float(days) for days in params.train.horizons_days}
    bundle, horizons = with_horizons(trained.bundle, trained.first, curves, published)
    work = _Work(bundle, trained.first, curves, LightFit(bundle, trained.first, options), found, amounts)
    stages = {stage: work.stage(stage, name, asked_for) for stage, name in asked_for.stages.items()}
    tags = {name: work.tag(name, params.tags[name], aim, asked_for) for name, aim in asked_for.tags.items()}
    of_fields = field_tags(params, inputs, trained.bundle, snapshots, work.light)
    tags |= of_fields.report
    bundle = _with_targets(bundle, work, asked_for, tags, of_fields)
    bundle, value = _with_amount(bundle, trained.first, amounts, options)
    for name, why in asked_for.left_out.items():
        if name in params.tags:
            tags[name] = _left_out(params.tags[name], why)
        else:
            stages[name] = {"left_out": why}
    report = {"horizons": horizons, "stages": stages, "tags": tags, "expected_value": value}
    return replace(trained, bundle=bundle), report


class _Work:
    """Fits each further target once, whoever needs it."""

    def __init__(
        self,
        bundle: Bundle,
        first: FirstPass,
        curves: Learned,
        light: LightFit,
        answers: Mapping[str, Answers],
        amounts: Vector | None,
    ) -> None:
        self.bundle, self.first, self.curves, self.light = bundle, first, curves, light
        self.answers, self.amounts = answers, amounts
        self.fitted: dict[str, Fitted] = {}
        self.shown: list[Tag] = []

    def stage(self, stage: str, name: str, asked_for: Plan) -> dict[str, Any]:
        """Figures of a stage, or why it has none."""
        days = asked_for.aims[name].horizon_days
        try:
            return self._fit(name, stage, days, self.answers[name]).report
        except TooFewOutcomesError as error:
            return {"left_out": error.reason}

    def tag(self, name: str, rule: TagRule, aim: str | None, asked_for: Plan) -> dict[str, Any]:
        """Figures of a tag and whether it is shown."""
        try:
            source = self._source(name, rule, aim, asked_for)
        except TooFewOutcomesError as error:
            return _left_out(rule, error.reason)
        floor = rule.precision_floor
        trial = tried(source.calibrate, source.test, floor=floor, least_rows=LEAST_TAGGED)
        if trial.why_not is None:
            self.shown.append(shown(name, source.target, source.curve, source.days, floor, trial))
        return {"precision_floor": floor, "horizon_days": source.days, **asdict(trial)}

    def _source(self, name: str, rule: TagRule, aim: str | None, asked_for: Plan) -> _Source:
        """Where the probabilities of a tag come from."""
        if aim is not None:
            wanted = asked_for.aims[aim]
            fitted = self._fit(
                aim, " or ".join(wanted.stages) or name, wanted.horizon_days, self.answers[aim]
            )
        elif rule.rule == "high_amount":
            days = float(self.bundle.target.horizon_days or 0.0)
            fitted = self._fit(f"{name}-{days:g}d", name, days, self._high_amounts())
        else:
            return self._of_ranking(float(rule.horizon_days or self.bundle.target.horizon_days or 0.0))
        leads = self.first.history.leads
        slices = [
            Said(part.label, part.probability, leads[part.places], part.weight)
            for part in (fitted.calibrate, fitted.test)
        ]
        target = fitted.target
        return _Source(target.name, target.calibration, float(target.horizon_days or 0.0), *slices)

    def _of_ranking(self, days: float) -> _Source:
        target = self.bundle.target
        ranking_days = float(target.horizon_days or 0.0)
        slices: Mapping[str, Places]
        if days == ranking_days:
            label, slices, curve = self.first.history.label, self.first.split.places, target.calibration
        elif days in self.curves.refused:
            raise TooFewOutcomesError(self.curves.refused[days])
        else:
            label, slices = self.curves.answers[days].label, self.curves.slices[days]
            curve = dict(self.curves.final)[days]
        pairs = [
            Said(
                label[at],
                self.curves.probability(self.first, days, ranking_days, at),
                self.first.history.leads[at],
                self.first.history.weight[at],
            )
            for at in (slices["calibrate"], slices["test"])
        ]
        return _Source(target.name, curve, days, *pairs)

    def _high_amounts(self) -> Answers:
        """Of won rows with an amount: whether it is above the quantile of those of the earlier slices."""
        amounts = np.nan_to_num(self.amounts) if self.amounts is not None else np.zeros(0)
        is_known = (self.first.history.label == 1) & (amounts > 0)
        seen = np.concatenate([self.first.split["train"], self.first.split["stop"]])
        earlier = seen[is_known[seen]]
        weight = self.first.history.weight
        limit = float(quantiles(amounts[earlier], HIGH, weight[earlier])) if len(earlier) else np.inf
        return Answers((amounts >= limit).astype(np.float64), is_known, weight=weight)

    def _fit(self, name: str, stage: str, days: float, answers: Answers) -> Fitted:
        if name not in self.fitted:
            self.fitted[name] = self.light.fit(name, stage, float(days), answers)
        return self.fitted[name]


def _left_out(rule: TagRule, why: str) -> dict[str, Any]:
    return {"precision_floor": rule.precision_floor, "left_out": why}


@dataclass(frozen=True)
class _Source:
    """The target of a tag, its curve, and labels and probabilities of the later slices."""

    target: str
    curve: Calibration
    days: float
    calibrate: Said
    test: Said


def _with_targets(
    bundle: Bundle, work: _Work, asked_for: Plan, tags: Mapping[str, Any], of_fields: FieldTags
) -> Bundle:
    """The bundle with the targets that are published, and what scoring has to know of them."""
    kept = {stage: name for stage, name in asked_for.stages.items() if name in work.fitted}
    used = {*kept.values(), *(tag.target for tag in work.shown)}
    targets = [fitted.target for name, fitted in work.fitted.items() if name in used]
    aims = {name: asdict(asked_for.aims[name]) for name in used if name in asked_for.aims}
    extras = {
        **bundle.extras,
        **({STATED: dict(of_fields.stated)} if of_fields.stated else {}),
        STAGES: kept,
        AIMS: {
            name: {key: list(v) if isinstance(v, tuple) else v for key, v in aim.items() if key != "name"}
            for name, aim in aims.items()
        },
        TAGS: {
            "shown": [tag.as_json() for tag in (*work.shown, *of_fields.shown)],
            "not_shown": {
                name: said for name, said in tags.items() if said.get("why_not") or "left_out" in said
            },
        },
    }
    return replace(bundle, targets=(*bundle.targets, *targets, *of_fields.targets), extras=extras)


def _with_amount(
    bundle: Bundle, first: FirstPass, amounts: Vector | None, options: TrainOptions
) -> tuple[Bundle, dict[str, Any]]:
    if amounts is None:
        return bundle, {"left_out": Phrase("the outcomes carry no amount")}
    try:
        return with_amount(bundle, first, amounts, options)
    except TooFewOutcomesError as error:
        return bundle, {"left_out": error.reason}
