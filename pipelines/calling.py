"""``leadrank calls``: the call list of the ranking in force."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from features.errors import InputError, ModelError
from pipelines.params import Params
from serve import queries, runs


def run(params: Params, home: Path, owner: str | None) -> dict[str, Any]:
    """The calls of a rep, or of everybody.

    Parameters
    ----------
    owner
        The rep, as in the column ``owner`` of leads; None for all.

    Returns
    -------
    dict
        ``run_id``, ``as_of``, ``calls`` (rows of ``calls.parquet``) and ``totals`` (rows of
        ``call_totals.parquet``).

    Raises
    ------
    ModelError
        No ranking is published yet.
    InputError
        The ranking in force has no call list, or none for this rep.
    """
    night = runs.current(home / params.score.runs)
    if night is None:
        raise ModelError("no ranking is published yet", hint="run `leadrank train`, then `leadrank score`")
    if queries.listed(night)["calls"] is None:
        raise InputError(
            "the ranking in force has no call list",
            hint="set capacity.calls_per_owner, then run `leadrank score`",
        )
    totals = queries.call_totals(night, owner)
    if not totals:
        raise InputError(
            "nobody of that name has a call list",
            hint="`leadrank calls` shows all; names are those of the column 'owner' and of capacity.owners",
        )
    return {
        "run_id": night.run_id,
        "as_of": night.as_of,
        "calls": queries.calls(night, owner),
        "totals": totals,
    }
