"""One look at the tables: which open leads have the scorecard's points for a call, by the card that ranks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from features.errors import ParameterError
from features.memory import is_present, scored
from features.snapshots import known_until, tonight
from pipelines.inputs import Inputs, opened
from pipelines.params import Params
from pipelines.progress import Progress
from pipelines.rankers import NO_MODEL, scorecard
from serve.by_scorecard import standing
from serve.watching.message import Message


@dataclass(frozen=True)
class Look:
    """What a look found.

    Attributes
    ----------
    leads
        Open leads.
    above
        A message for each lead that is at or above the threshold, whether it was before or not.
    """

    leads: int
    above: Sequence[Message]


def check(params: Params) -> None:
    """Refuse a flat start: without moments nothing crosses anything.

    Raises
    ------
    ParameterError
        The tables have no outcomes.
    """
    if "outcomes" not in params.tables:
        raise ParameterError(
            "a flat table has no moments, so there is nothing to watch", hint="declare tables.outcomes"
        )


def card_of(params: Params) -> str:
    """Names the points and the threshold: whoever crosses because they were changed, crosses nothing.

    The parameters, not the rules that the tables can feed: a rule whose first touch has just come counts.
    """
    said = [params.scorecard.model_dump(mode="json"), params.features.model_dump(mode="json")]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def look(params: Params, home: Path, *, as_of: datetime, progress: Progress) -> Look:
    """Give every open lead its points.

    Raises
    ------
    InputError, GateError, UpstreamError
        The tables cannot be read.
    ModelError
        No rule of the card has its column.
    """
    with opened(params, home, progress, said_until=as_of) as inputs:
        return _look(params, inputs, as_of)


def _look(params: Params, inputs: Inputs, as_of: datetime) -> Look:
    by = scorecard(params, inputs, NO_MODEL)
    open_leads = tonight(inputs.tables["leads"], inputs.tables["outcomes"], as_of)
    kept = inputs.backend.create_table("snapshots", open_leads)
    is_now = is_present(as_of, known_until(inputs.tables))
    built = scored(kept, inputs.tables, by.chosen, inputs.fields, by.vocabulary, is_now=is_now)
    table = built.to_pyarrow()
    stands = standing(by.card, table)
    leads = table.column("lead_id").filter(pa.array(stands.is_mql)).to_pylist()
    points = stands.score[stands.is_mql].tolist()
    above = [Message(lead, has, by.card.mql_points, as_of) for lead, has in zip(leads, points, strict=True)]
    return Look(table.num_rows, above)
