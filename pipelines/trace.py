"""``leadrank trace``: one lead from raw facts to rank, each number with the numbers that it is made of."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa

from features.errors import InputError, ModelError
from features.facts import facts_of
from features.lifetimes import existing
from features.memory import TOLERANCE, is_present
from features.moments import as_moments
from features.objections import may_be_asked
from features.snapshots import flat, known_until
from models.explaining import Explainer
from models.tracing import traced
from pipelines.asked_features import features_of
from pipelines.champion import by_digest, champion
from pipelines.inputs import Inputs, opened
from pipelines.params import Params
from pipelines.progress import Progress
from serve import batch, queries, runs
from serve.merging import SCORED_AT
from serve.runs import Run

MOST_FACTS = 50


def run(
    params: Params, home: Path, lead_id: str, *, as_of: datetime | None, progress: Progress
) -> dict[str, Any]:
    """Compute a lead anew, as of a moment, and compare it with what was published of that moment.

    Parameters
    ----------
    as_of
        The moment; None is the one of the ranking in force.

    Returns
    -------
    dict
        ``lead_id``, ``as_of``, ``model``; ``facts`` by table (known, later, the latest rows); ``features`` in
        the order of their contribution (value, sentence, family, contribution); ``families``, ``base`` and
        ``margin`` in log-odds, which add up; ``curve`` (knots from margin to log-odds), ``probability`` with
        its interval, ``score``; ``published``: run, rank, probability, and how many features differ from the
        published ones (None if that moment was not published).

    Raises
    ------
    InputError
        There is no such lead.
    ModelError
        No ranking is published and no moment is given; or a scorecard ranked.
    """
    folder = home / params.score.runs
    published = _published(folder, as_of)
    moment = as_of if published is None else _moment(published, lead_id)
    if moment is None:
        raise ModelError("no ranking is published yet", hint="give a moment with --as-of")
    with progress.stage("fetching the model"):
        model = champion(params, home) if published is None else by_digest(params, home, _digest(published))
    with opened(params, home, progress, said_until=moment) as inputs:
        is_now = not inputs.is_flat and is_present(moment, known_until(inputs.tables))
        with progress.stage("building features"):
            snapshots = inputs.backend.create_table("snapshots", _snapshot(inputs, lead_id, moment))
            if snapshots.count().to_pyarrow().as_py() == 0:
                raise InputError(
                    "there is no such lead in the tables at this moment", hint="correct its id or --as-of"
                )
            row = features_of(params, inputs, model.bundle, snapshots, is_now=is_now)
        with progress.stage("explaining"):
            explainer = Explainer(model.bundle)
            found = traced(explainer, row, language=params.score.language)
        facts = {} if inputs.is_flat else facts_of(inputs.tables, lead_id, moment, most=MOST_FACTS)
    return {
        "lead_id": lead_id,
        "as_of": moment.isoformat(),
        "model": {"version": model.version, "digest": model.digest},
        "facts": facts,
        **found,
        "published": None if published is None else _compared(published, lead_id, row, found),
    }


def _published(folder: Path, as_of: datetime | None) -> Run | None:
    """The run of a moment, or the one in force; None if that moment was not published by a model."""
    found = runs.current(folder)
    if as_of is not None:
        found = next((r for r in runs.published(folder) if datetime.fromisoformat(r.as_of) == as_of), None)
    if found is None or queries.ranked_by(found)["ranked_by"] == batch.RANKED_BY:
        return found
    if as_of is None:
        raise ModelError("the ranking in force is a scorecard's", hint="see `leadrank explain`")
    return None


def _moment(published: Run, lead_id: str) -> datetime:
    """The moment that the lead's row stands for: an earlier one where it was taken over from another run."""
    lead = queries.lead(published, lead_id) or {}
    taken_over = lead.get(SCORED_AT)
    return datetime.fromisoformat(published.as_of) if taken_over is None else taken_over.replace(tzinfo=UTC)


def _digest(published: Run) -> str:
    return str(published.manifest["model"]["digest"])


def _snapshot(inputs: Inputs, lead_id: str, moment: datetime) -> Any:
    leads = may_be_asked(inputs.tables["leads"])
    own = leads.filter(leads.lead_id == lead_id)
    if inputs.is_flat:
        return flat(own)
    alive = existing(own, as_moments([moment]))
    return alive.select("lead_id", "as_of").mutate(snapshot_id=ibis.literal(0, "int64"))


def _compared(published: Run, lead_id: str, row: pa.Table, found: dict[str, Any]) -> dict[str, Any]:
    """The lead's place in the published run, and what is not as it was published."""
    lead, kept = queries.lead(published, lead_id), queries.features(published, lead_id)
    told: dict[str, Any] = {
        "run_id": published.run_id,
        "rank": None,
        "probability": None,
        "features_differ": [],
        "probability_withheld": None,
        "margin": None,
    }
    if lead is None:
        return told
    names = [feature["name"] for feature in found["features"]]
    differ = [n for n in names if not _same(row.column(n)[0].as_py(), kept.column(n)[0].as_py())]
    numbers = {name: lead.get(name) for name in ("rank", "probability", "margin", "probability_withheld")}
    return {**told, **numbers, "features_differ": differ}


def _same(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= TOLERANCE
    return one == other
