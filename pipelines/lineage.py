"""Where a training comes from: the digests of what went in, the code, and how far its outcomes reach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from features.snapshots import known_until
from models.tracking.lineage import lineage
from pipelines import params as parameters
from pipelines.inputs import Inputs
from pipelines.params import Params

KNOWN_UNTIL, DECIDED = "known_until", "decided_leads"
"""Moment up to which outcomes were known, ISO 8601 in UTC; in a flat start, how many leads had one."""


def of_inputs(params: Params, home: Path, inputs: Inputs) -> dict[str, str]:
    """What names a training's inputs and code, as words for MLflow and the model card.

    Returns
    -------
    dict
        ``data_digest``, ``params_digest``, ``known_until`` (or ``decided_leads``), and as
        `models.tracking.lineage.lineage` says.
    """
    return {
        "data_digest": inputs.loaded.digest,
        "params_digest": parameters.digest(params),
        **_reached(params, inputs),
        **lineage(home),
    }


def _reached(params: Params, inputs: Inputs) -> dict[str, str]:
    if inputs.is_flat:
        return {DECIDED: str(_count(inputs.tables["leads"].outcome.count()))}
    return {KNOWN_UNTIL: (params.train.as_of or known_until(inputs.tables)).isoformat()}


def _count(expression: Any) -> int:
    return int(expression.to_pyarrow().as_py())
