"""The answer as JSON: one object a lead in the order of the request, null for what is not there."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict

from serve.batch import REASONS, SCORES, WITHHELD, tells_probability
from serve.online.asking import Asked

_REASON = (
    "direction", "sentence", "points", "family", "feature", "value", "contribution", "is_changeable",
    "evidence_rate", "evidence_low", "evidence_high", "evidence_leads",
)  # fmt: skip


class Reason(BaseModel):
    """Why a lead stands where it stands; see the run file ``reasons.parquet``."""

    direction: str
    sentence: str
    points: float | None
    family: str
    feature: str
    value: str | None
    contribution: float
    is_changeable: bool
    evidence_rate: float | None
    evidence_low: float | None
    evidence_high: float | None
    evidence_leads: int | None


class ScoredLead(BaseModel):
    """One lead; further columns, such as ``probability_<days>d``, as in ``ranking.parquet``."""

    model_config = ConfigDict(extra="allow")

    lead_id: str
    problem: str | None
    probability: float | None = None
    probability_low: float | None = None
    probability_high: float | None = None
    probability_withheld: str | None = None
    score: float | None = None
    grade: str | None = None
    route: str | None = None
    tags: list[str] = []
    expected_value: float | None = None
    reasons: list[Reason] = []


class Answered(BaseModel):
    """The answer to a request."""

    as_of: str
    run_id: str
    model_digest: str
    model_version: str | None
    company_as_of: str | None
    leads: list[ScoredLead]


def written(asked: Asked, scored: Mapping[str, pa.Table] | None, about: Mapping[str, Any]) -> bytes:
    """The answer.

    Parameters
    ----------
    scored
        As `serve.batch.scored`, of ``asked.scored``; None if nobody is to be scored.
    about
        ``run_id``, ``model_digest``, ``model_version`` and ``company_as_of``.
    """
    found = {} if scored is None else _by_lead(scored)
    leads = [
        {"lead_id": lead, "problem": asked.problems.get(lead), **found.get(lead, {})}
        for lead in asked.lead_ids
    ]
    told = {"as_of": asked.as_of.isoformat() + "Z", **about, "leads": leads}
    return json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _by_lead(scored: Mapping[str, pa.Table]) -> dict[str, dict[str, Any]]:
    reasons: dict[str, list[dict[str, Any]]] = defaultdict(list)
    said = scored[REASONS]
    for lead, row in zip(said.column("lead_id").to_pylist(), _rows(said, _REASON), strict=True):
        reasons[lead].append(row)
    scores = scored[SCORES]
    names = [name for name in scores.column_names if not name.startswith("margin") and name != "lead_id"]
    told = zip(scores.column("lead_id").to_pylist(), _rows(scores, names), strict=True)
    return {lead: {**_published(row), "reasons": reasons[lead]} for lead, row in told}


def _published(row: dict[str, Any]) -> dict[str, Any]:
    """A lead's columns without a probability that is withheld, and its tags as a list."""
    if row[WITHHELD] is not None:
        row = {name: None if tells_probability(name) else value for name, value in row.items()}
    tags = row.get("tags")
    return {**row, "tags": [] if not tags else tags.split(", ")}


def _rows(table: pa.Table, names: Sequence[str]) -> list[dict[str, Any]]:
    columns = {name: _plain(table.column(name)).to_pylist() for name in names}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column without numbers that JSON has no word for."""
    if not pa.types.is_floating(column.type):
        return column
    return pc.if_else(pc.is_finite(column), column, None)
