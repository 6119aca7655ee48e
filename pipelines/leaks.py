"""The leakage audit as a step: what it looks at, read from the tables, and which features it leaves."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc

from features.build import feature_table
from features.catalogue import Feature
from features.errors import ParameterError, StorageError
from features.fit import field_column
from features.memory import current_features, known_today
from features.questions import open_now
from features.snapshots import known_until
from features.standing import CLOSED, CREATED, OPEN, WON, change_times, leads_today
from features.tables import Field
from models.audit.audit import Audit, Changes, Material, audit
from models.audit.column_figures import in_place
from models.audit.leads import Leads
from models.audit.page import page
from models.labels import labels
from pipelines.inputs import Inputs
from pipelines.params import Params

Fields = Mapping[str, Mapping[str, Field]]


def audited(
    params: Params,
    inputs: Inputs,
    table: Any,
    chosen: Sequence[Feature],
    snapshots: Any,
    *,
    is_strict: bool = False,
) -> Audit:
    """Audit the feature table of labelled snapshots.

    Parameters
    ----------
    table
        Features of ``chosen`` and ``label`` as Arrow.
    chosen
        The features that training would use.
    snapshots
        The same snapshots as a table of the workspace: fields of time class ``current`` are looked at, too.
    is_strict
        Whether only fields with a declared time class are used.

    Raises
    ------
    ParameterError
        ``audit.allow`` names a column that does not exist, or nothing is left to learn from.
    """
    beside = _beside(inputs.fields, chosen)
    features = [*chosen, *beside]
    named = dict(_named(inputs.fields))
    _check_names(params, features)
    material = Material(
        rows=_with_columns(table, _values(inputs, snapshots, beside), beside),
        specs=[feature.spec for feature in features],
        times={name: field.time for name, field in named.items()},
        beside=frozenset(feature.name for feature in beside),
        dates=frozenset(name for name, field in named.items() if field.kind == "timestamp"),
        tonight=_tonight(params, inputs, features),
        leads=_flat_leads(table) if inputs.is_flat else _leads(params, inputs),
        changes={} if inputs.is_flat else _changes(params, inputs),
    )
    found = audit(material, allow=params.audit.allow, is_strict=is_strict)
    if is_strict and not any(f.family == "fit" or not inputs.is_flat for f in kept(chosen, found)):
        raise ParameterError(
            "no field has a declared time class, so a strict training has nothing to learn from",
            hint="declare the `time:` of fields that you know (`leadrank audit` says of which first)",
        )
    return found


def kept(chosen: Sequence[Feature], found: Audit) -> list[Feature]:
    """The features that training may use, in their order."""
    return [feature for feature in chosen if feature.name not in found.left_out]


def write_page(path: Path, found: Audit, language: str) -> None:
    """Write the page of an audit in a language.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    try:
        path.write_text(page(found, labels(language)), encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"the report '{path.name}' cannot be written", hint=os.strerror(error.errno or 0)
        ) from error


def _beside(fields: Fields, chosen: Sequence[Feature]) -> list[Feature]:
    """Fields of which only today's value is known: not for training, but somebody should declare them."""
    taken = {feature.name for feature in chosen}
    return [feature for feature in current_features(fields) if feature.name not in taken]


def _named(fields: Fields) -> Iterator[tuple[str, Field]]:
    """Each field of leads and accounts under its feature name."""
    for table in ("leads", "accounts"):
        for name, field in fields.get(table, {}).items():
            yield field_column(table, name), field


def _values(inputs: Inputs, snapshots: Any, features: Sequence[Feature]) -> Any:
    """Arrow table of some fields at the snapshots; those without a past are read as they stand today."""
    return feature_table(snapshots, inputs.tables, features, known_today(inputs.fields)).to_pyarrow()


def _with_columns(table: Any, values: Any, features: Sequence[Feature]) -> Any:
    """The feature table with further columns, in the order of its rows."""
    for feature in features:
        column = in_place(
            values.column(feature.name), values.column("snapshot_id"), table.column("snapshot_id")
        )
        table = table.append_column(feature.name, column)
    return table


def _tonight(params: Params, inputs: Inputs, features: Sequence[Feature]) -> Any:
    """The user's own fields of the leads that are open now; None if nobody is."""
    own = [feature for feature in features if feature.family == "fit"]
    snapshots = open_now(inputs.backend, inputs.tables, known_at=params.train.as_of)
    return None if snapshots is None or not own else _values(inputs, snapshots, own)


def _leads(params: Params, inputs: Inputs) -> Leads:
    """Every lead with its end, as it stands at the moment that training looks back from."""
    known_at = params.train.as_of or known_until(inputs.tables)
    found = leads_today(
        inputs.tables, inputs.fields, stage=params.train.stage, known_at=known_at
    ).to_pyarrow()
    won = np.asarray(pc.is_valid(found.column(WON)))
    is_open = np.asarray(found.column(OPEN))
    return Leads(
        table=found.drop_columns([WON, OPEN, CREATED, CLOSED]),
        won=won,
        lost=~won & ~is_open & np.asarray(pc.is_valid(found.column(CLOSED))),
        created=_days(found.column(CREATED)),
        closed=_days(found.column(CLOSED)),
    )


def _flat_leads(table: Any) -> Leads:
    """The rows of a flat start: each is a lead that has ended, and the order stands for time."""
    won = _days(table.column("label")) > 0
    order = (
        _days(table.column("order")) if "order" in table.column_names else np.arange(len(won), dtype=float)
    )
    return Leads(table=table, won=won, lost=~won, created=-order, closed=np.full(len(won), np.nan))


def _days(column: Any) -> Any:
    return column.cast("float64").to_numpy()


def _changes(params: Params, inputs: Inputs) -> dict[str, Changes]:
    """When the tracked fields changed, relative to the closing."""
    if "field_history" not in inputs.tables:
        return {}
    known_at = params.train.as_of or known_until(inputs.tables)
    found = change_times(
        inputs.tables, inputs.fields, stage=params.train.stage, known_at=known_at
    ).to_pyarrow()
    return {
        row["field"]: Changes(row["changes"], row["after_share"], row["median_days"])
        for row in found.to_pylist()
    }


def _check_names(params: Params, features: Sequence[Feature]) -> None:
    """Refuse a permission for a column that there is not: a slip of the pen would let nothing through."""
    names = [feature.name for feature in features]
    for name in params.audit.allow:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            raise ParameterError(
                f"audit.allow names '{name}', which is no feature"
                + (f" — did you mean '{near[0]}'" if near else ""),
                hint="name a column of `leadrank audit`",
            )
