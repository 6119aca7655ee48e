"""Whose probability is withheld, as a step of training: the floor of outcomes that each segment needs."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from features.catalogue import FeatureSpec
from features.errors import ParameterError
from models.segments.floor import FLOOR, Floor, counted
from models.training import Trained
from pipelines.sections import Train


def check(given: Train, specs: Sequence[FeatureSpec]) -> None:
    """Refuse a ``train.segment_by`` that names no category; the default may be absent.

    Raises
    ------
    ParameterError
        With the nearest name.
    """
    name = given.segment_by
    if name is not None and name != Train.model_fields["segment_by"].default:
        check_category("train.segment_by", name, specs)


def check_category(key: str, name: str, specs: Sequence[FeatureSpec]) -> None:
    """Refuse a key of the parameters that names no category of the leads.

    Raises
    ------
    ParameterError
        With the nearest name.
    """
    known = [spec.name for spec in specs if spec.kind == "category"]
    if name in known:
        return
    near = get_close_matches(name, known, n=1)
    raise ParameterError(
        f"{key} names '{name}', which is no category of the leads",
        hint=f"did you mean '{near[0]}'?" if near else "name a field of kind category, or null",
    )


def with_floor(trained: Trained, given: Train) -> tuple[Trained, Floor | None]:
    """The training with the floor in its bundle; None where the model does not read ``train.segment_by``."""
    name, values = given.segment_by, trained.bundle.encoding.categories
    if name is None or name not in values:
        return trained, None
    history = trained.first.history
    later = trained.first.later
    floor = counted(
        name,
        history.table.column(name).take(later),
        history.label[later],
        history.leads[later],
        values=values[name],
        least_outcomes=given.segment_outcomes,
    )
    return trained.with_extras({FLOOR: floor.as_json()}), floor
