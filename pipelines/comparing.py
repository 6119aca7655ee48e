"""The ledger of change as a step of ``leadrank score``: tonight against the run before."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from features.catalogue import Feature
from features.errors import ModelError
from features.known import as_known
from features.memory import scored
from models.explaining import Explainer
from pipelines.champion import Champion, by_digest
from pipelines.inputs import Inputs
from pipelines.offering import vocabulary_of
from pipelines.params import Params
from pipelines.progress import Progress
from pipelines.rankers import ByModel, ByScorecard
from serve import batch, ledger, queries
from serve.ledger_totals import write_totals
from serve.runs import Run

TIMELESS = ("fit",)
"""Families that time alone does not change: what a lead is."""


def compared(
    params: Params,
    home: Path,
    inputs: Inputs,
    by: ByModel | ByScorecard,
    staged: Path,
    *,
    previous: Run | None,
    is_now: bool,
    progress: Progress,
) -> dict[str, Any] | None:
    """Write the ledger into the staged run: what has changed since the one before.

    Returns
    -------
    dict
        For the manifest: ``previous_run`` and leads in ``both`` runs, ``new`` and ``departed``; None (and an
        empty ledger) without an earlier run, or where one of the two was not ranked by a model.
    """
    old = None if previous is None else _ranker(params, home, by, previous)
    if previous is None or old is None or isinstance(by, ByScorecard):
        ledger.write_nothing(staged)
        write_totals(inputs.connection, staged, None)
        return None
    with progress.stage("comparing with the run before"), tempfile.TemporaryDirectory(dir=staged) as scratch:
        chosen = ByModel(old, by.name).features(params, inputs)
        arrived = None
        if old.digest != by.digest:
            arrived = Path(scratch) / "arrived.parquet"
            _write(arrived, inputs, chosen, old, None, is_now=is_now)
        passed = Path(scratch) / "passed.parquet"
        before = None if inputs.is_flat else datetime.fromisoformat(previous.as_of)
        _write(passed, inputs, chosen, old, before, is_now=is_now)
        sides = ledger.Sides(
            previous,
            Explainer(old.bundle),
            by.champion.bundle.target.calibration,
            passed,
            arrived,
            frozenset(f.name for f in chosen if inputs.is_flat or f.family in TIMELESS),
        )
        counts = ledger.write_changes(inputs.connection, staged, sides, language=params.score.language)
        write_totals(inputs.connection, staged, previous)
    return {"previous_run": previous.run_id, **counts}


def _ranker(params: Params, home: Path, by: ByModel | ByScorecard, previous: Run) -> Champion | None:
    """The model that ranked the run before; None if none did or the registry has it no more."""
    if isinstance(by, ByScorecard) or queries.ranked_by(previous)["ranked_by"] != batch.RANKED_BY:
        return None
    digest = previous.manifest["model"]["digest"]
    if digest == by.digest:
        return by.champion
    try:
        return by_digest(params, home, digest)
    except ModelError:
        return None


def _write(
    path: Path,
    inputs: Inputs,
    chosen: tuple[Feature, ...],
    old: Champion,
    known_at: datetime | None,
    *,
    is_now: bool,
) -> None:
    """Features of tonight's snapshots for the model of the run before.

    Parameters
    ----------
    known_at
        The moment as of which the tables are known; None: all that they say.
    """
    engine, words = inputs.engine, vocabulary_of(old.bundle)
    snapshots, tables = engine.taken(inputs.backend.table("snapshots")), engine.held(inputs.tables)
    known = tables if known_at is None else as_known(tables, known_at)
    table = scored(snapshots, known, chosen, inputs.fields, words, is_now=is_now, keep=engine.keep)
    engine.fetched(table).to_parquet(path)
