"""The features that a registered model asks for, of given snapshots."""

from __future__ import annotations

from typing import Any

from features.families import by_name
from features.memory import known_today, scored
from models.bundle import Bundle
from pipelines.inputs import Inputs
from pipelines.offering import vocabulary_of
from pipelines.params import Params


def features_of(params: Params, inputs: Inputs, bundle: Bundle, snapshots: Any, *, is_now: bool) -> Any:
    """Arrow table of the model's features, in the order of ``snapshot_id``.

    Parameters
    ----------
    snapshots
        Table of the workspace: ``snapshot_id``, ``lead_id``, ``as_of``.
    is_now
        Whether their moment is the present, so that ``current`` fields have their value.
    """
    names = [spec.name for spec in bundle.specs]
    chosen = by_name(names, bundle.kinds, known_today(inputs.fields), modules=params.features.modules)
    words = vocabulary_of(bundle)
    built = scored(snapshots, inputs.tables, chosen, inputs.fields, words, is_now=is_now)
    return built.order_by("snapshot_id").to_pyarrow()
