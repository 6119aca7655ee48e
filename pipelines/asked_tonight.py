"""Whom a model's further targets ask tonight: leads that did not reach a stage yet, or state no value."""

from __future__ import annotations

from typing import Any

import numpy as np

from features.aims import Aim, asked
from models.audit.association import Flags
from models.bundle import Bundle
from pipelines.field_tags import silent_tonight
from pipelines.inputs import Inputs
from pipelines.tagging import AIMS


def asked_tonight(inputs: Inputs, bundle: Bundle, snapshots: Any) -> dict[str, Flags]:
    """Whether each snapshot is asked about a further target, by target, in the order of ``snapshot_id``."""
    return {**_of_aims(inputs, bundle, snapshots), **silent_tonight(inputs, bundle, snapshots)}


def _of_aims(inputs: Inputs, bundle: Bundle, snapshots: Any) -> dict[str, Flags]:
    given = bundle.extras.get(AIMS, {})
    aims = [
        Aim(name, rule["kind"], rule["horizon_days"], tuple(rule["stages"])) for name, rule in given.items()
    ]
    if not aims or "outcomes" not in inputs.tables:
        return {}
    if "touches" not in inputs.tables:
        aims = [aim for aim in aims if aim.kind != "silent"]
    found = asked(snapshots, inputs.tables, aims).order_by("snapshot_id").to_pyarrow()
    return {aim.name: np.asarray(found.column(aim.is_asked).to_numpy(), dtype=bool) for aim in aims}
