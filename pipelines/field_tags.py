"""Tags on a field of leads: which value those without one would state, learned from those with one.

A field that leads state at their creation, or whose past is recorded, is read as of each moment. What only
today's value is known of cannot be judged forward in time and gets no tag.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from features.build import feature_table
from features.errors import TooFewOutcomesError
from features.families import by_name
from features.fit import own_fields
from features.memory import known_today
from features.reading import made_from
from models.audit.association import Flags
from models.bundle import Bundle, Target
from models.fitting.rows import History
from models.further.stated import Texts, fit_values, tag_text, tags_of, tried_values
from models.further.tags import LEAST_TAGGED, Tag
from models.further.targets import LightFit
from models.phrases import Phrase
from pipelines.inputs import Inputs
from pipelines.offering import vocabulary_of
from pipelines.params import Params
from pipelines.tag_rules import TagRule
from pipelines.tagging import placed
from serve.asked import by_target, stated_fields

CURRENT = Phrase("only today's value of the field is known: nothing could be measured forward in time")


@dataclass(frozen=True)
class FieldTags:
    """What became of the tags on fields.

    Attributes
    ----------
    targets
        Models of the fields of which a tag is shown.
    shown
        The tags that held.
    report
        By tag, as `pipelines.further.with_further` reports it; by the name in ``params.yaml`` where nothing
        could be tried.
    stated
        Field and targets by tag: what a bundle keeps under ``STATED``.
    """

    targets: tuple[Target, ...]
    shown: tuple[Tag, ...]
    report: Mapping[str, Any]
    stated: Mapping[str, Any]


def field_tags(params: Params, inputs: Inputs, bundle: Bundle, snapshots: Any, light: LightFit) -> FieldTags:
    """Try every tag on a field.

    Parameters
    ----------
    snapshots
        Table of the workspace with the snapshots of the training.
    light
        Their rows, as light models read them.
    """
    targets: list[Target] = []
    shown: list[Tag] = []
    report: dict[str, Any] = {}
    stated: dict[str, Any] = {}
    for name, rule in params.tags.items():
        if rule.field is None:
            continue
        try:
            found = _tried(params, inputs, bundle, snapshots, light, name, rule)
        except TooFewOutcomesError as error:
            report[name] = {"precision_floor": rule.precision_floor, "left_out": error.reason}
            continue
        report |= found.report
        if found.shown:
            targets += found.targets
            shown += found.shown
            stated |= found.stated
    return FieldTags(tuple(targets), tuple(shown), report, stated)


def silent_tonight(inputs: Inputs, bundle: Bundle, snapshots: Any) -> dict[str, Flags]:
    """Whether each snapshot states nothing, by target of a tag on a field, in the order of ``snapshot_id``.

    Nobody is asked about a field that the tables no longer have.
    """
    silent = {field: _is_silent(inputs, bundle, snapshots, field) for field in stated_fields(bundle)}
    return by_target(bundle, silent)


def _tried(
    params: Params, inputs: Inputs, bundle: Bundle, snapshots: Any, light: LightFit, name: str, rule: TagRule
) -> FieldTags:
    field, floor = rule.field or name, rule.precision_floor
    if inputs.fields["leads"][field].time == "current":
        raise TooFewOutcomesError(CURRENT, hint="say since when it is known: static or tracked")
    history = light.first.history
    made_of = _made_of(params, inputs, bundle, field)
    stated = _stated(inputs, bundle, snapshots, field, history)
    values = fit_values(light, name, stated, made_of=made_of, least=params.train.min_outcomes)
    trials = tried_values(values, history.leads, floor=floor, least_rows=LEAST_TAGGED)
    about = {"precision_floor": floor, "horizon_days": 0.0}
    report = {tag_text(name, value): {**about, **asdict(trial)} for value, trial in trials.items()}
    for value, why in values.left_out.items():
        report[tag_text(name, value)] = {"precision_floor": floor, "left_out": why}
    targets = tuple(fitted.target for fitted in values.fitted.values())
    kept = {"field": field, "targets": [target.name for target in targets]}
    return FieldTags(targets, tags_of(name, values, trials, floor), report, {name: kept})


def _made_of(params: Params, inputs: Inputs, bundle: Bundle, field: str) -> list[str]:
    names = [spec.name for spec in bundle.specs]
    known = known_today(inputs.fields)
    features = by_name(names, bundle.kinds, known, modules=params.features.modules)
    return sorted(made_from(field, features, inputs.tables, known, vocabulary_of(bundle)))


def _stated(inputs: Inputs, bundle: Bundle, snapshots: Any, field: str, history: History) -> Texts:
    """What the lead of each row of a history states, None where nothing."""
    place = placed(_values(inputs, bundle, snapshots, field), history)
    values: Texts = np.array(place.table.column(field).to_pylist(), dtype=object)
    return np.asarray(values[place.rows], dtype=object)


def _is_silent(inputs: Inputs, bundle: Bundle, snapshots: Any, field: str) -> Flags:
    if field not in inputs.fields["leads"]:
        return np.zeros(int(snapshots.count().to_pyarrow().as_py()), dtype=bool)
    values = _values(inputs, bundle, snapshots, field).order_by("snapshot_id").to_pyarrow()
    return np.asarray(values.column(field).is_null().to_numpy(), dtype=bool)


def _values(inputs: Inputs, bundle: Bundle, snapshots: Any, field: str) -> Any:
    """The field of each snapshot, as of its moment."""
    (feature,) = [one for one in own_fields(inputs.fields) if one.name == field]
    return feature_table(snapshots, inputs.tables, [feature], inputs.fields, vocabulary_of(bundle))
