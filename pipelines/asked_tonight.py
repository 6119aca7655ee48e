"""Whom a model's further targets ask tonight: leads that did not reach a stage yet, or state no value."""

from __future__ import annotations

from typing import Any

from features.aims import asked
from models.audit.association import Flags
from models.bundle import Bundle
from pipelines.field_tags import silent_tonight
from pipelines.inputs import Inputs
from serve.asked import aims_of, flags_of


def asked_tonight(inputs: Inputs, bundle: Bundle, snapshots: Any) -> dict[str, Flags]:
    """Whether each snapshot is asked about a further target, by target, in the order of ``snapshot_id``."""
    return {**_of_aims(inputs, bundle, snapshots), **silent_tonight(inputs, bundle, snapshots)}


def _of_aims(inputs: Inputs, bundle: Bundle, snapshots: Any) -> dict[str, Flags]:
    aims = aims_of(bundle, inputs.tables)
    if not aims:
        return {}
    return flags_of(asked(snapshots, inputs.tables, aims).order_by("snapshot_id").to_pyarrow(), aims)
