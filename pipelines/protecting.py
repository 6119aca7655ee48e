"""Protected fields as a step of training: they are no features, and what stands in for them is looked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from itertools import chain
from typing import Any

import pyarrow as pa

from features.build import feature_table
from features.catalogue import Feature
from features.errors import ParameterError
from features.fit import field_column, own_fields
from features.memory import known_today
from features.reading import made_from
from features.tables import Field
from features.vocabulary import Vocabulary
from models.audit.column_figures import in_place
from pipelines.inputs import Inputs
from pipelines.params import Params


def allowed(
    params: Params, inputs: Inputs, chosen: Sequence[Feature], vocabulary: Vocabulary
) -> tuple[Feature, ...]:
    """The features that no field of ``train.protected_fields`` goes into, in their order."""
    names, known = params.train.protected_fields, known_today(inputs.fields)
    hidden = [made_from(name, chosen, inputs.tables, known, vocabulary) for name in names]
    return tuple(feature for feature in chosen if feature.name not in {*names, *chain(*hidden)})


def check(names: Sequence[str], fields: Mapping[str, Mapping[str, Field]]) -> None:
    """Refuse a name that is no declared field.

    Raises
    ------
    ParameterError
        With the nearest name.
    """
    known = [field_column(table, name) for table in ("leads", "accounts") for name in fields.get(table, {})]
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            raise ParameterError(
                f"train.protected_fields names '{name}', which is no field"
                + (f" — did you mean '{near[0]}'" if near else ""),
                hint="declare it under tables.leads.fields: only a field that is loaded can be looked at",
            )


def values(params: Params, inputs: Inputs, snapshots: Any, history: pa.Table) -> dict[str, pa.ChunkedArray]:
    """Each protected field at the rows of a history; of a ``current`` one, today's value.

    Parameters
    ----------
    snapshots
        Table of the workspace with the snapshots of the training.
    history
        Arrow, with ``snapshot_id``.
    """
    names, known = params.train.protected_fields, known_today(inputs.fields)
    wanted = [feature for feature in own_fields(known) if feature.name in names]
    if not wanted:
        return {}
    found = feature_table(snapshots, inputs.tables, wanted, known).to_pyarrow()
    places = (found.column("snapshot_id"), history.column("snapshot_id"))
    return {feature.name: in_place(found.column(feature.name), *places) for feature in wanted}
