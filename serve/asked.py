"""Whom a model's further targets ask: leads that did not reach a stage yet, or state no value of a field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from features.aims import Aim
from models.audit.association import Flags
from models.bundle import Bundle
from models.further.stated import STATED

AIMS = "aims"
"""Under this name a bundle keeps whom its further targets ask, by target."""


def aims_of(bundle: Bundle, tables: Mapping[str, Any]) -> list[Aim]:
    """The aims of a model that the tables can say anything of."""
    given = bundle.extras.get(AIMS, {})
    aims = [
        Aim(name, rule["kind"], rule["horizon_days"], tuple(rule["stages"])) for name, rule in given.items()
    ]
    if "outcomes" not in tables:
        return []
    return aims if "touches" in tables else [aim for aim in aims if aim.kind != "silent"]


def flags_of(found: Any, aims: Sequence[Aim]) -> dict[str, Flags]:
    """Whether each row of a table of `features.aims.asked` is asked about each aim."""
    return {aim.name: np.asarray(found.column(aim.is_asked).to_numpy(), dtype=bool) for aim in aims}


def stated_fields(bundle: Bundle) -> tuple[str, ...]:
    """The fields of which a model tags the value that a lead would state."""
    given: Mapping[str, Any] = bundle.extras.get(STATED, {})
    return tuple(dict.fromkeys(about["field"] for about in given.values()))


def by_target(bundle: Bundle, silent: Mapping[str, Flags]) -> dict[str, Flags]:
    """Whether each lead states nothing, by target of a tag on a field, from the same by field."""
    given: Mapping[str, Any] = bundle.extras.get(STATED, {})
    return {target: silent[about["field"]] for about in given.values() for target in about["targets"]}
