"""Read what was published and registered: ``current``, ``runs``, ``explain``, ``models``."""

from __future__ import annotations

import json
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from features.errors import InputError, ModelError, StorageError
from pipelines import attempts, helping, sinking
from pipelines.params import Params
from serve import queries
from serve.gates.tables import DAY_SECONDS
from serve.lead import explained
from serve.lead_page import page
from serve.runs import Run, damaged, damaged_files, published, withdrawn
from serve.runs import current as run_in_force

RANKING = "ranking.parquet"


def current(params: Params, home: Path, top: int, *, now: datetime) -> dict[str, Any]:
    """The ranking in force: run, age, why the latest attempt failed, what other systems lack, the leads."""
    run = _in_force(params, home)
    return {
        "run_id": run.run_id,
        "as_of": run.as_of,
        "age_days": (now - datetime.fromisoformat(run.as_of)).total_seconds() / DAY_SECONDS,
        "last_failure": attempts.failed(home),
        "pending": sinking.pending(params, home),
        "pending_objects": sinking.pending_objects(params, home),
        **queries.ranked_by(run),
        "counts": run.manifest["counts"],
        "withheld": queries.withheld(run),
        "folder": str(run.folder),
        "leads": queries.top_leads(run, top),
    }


def explain(params: Params, home: Path, lead_id: str, *, html: Path | None = None) -> dict[str, Any]:
    """One lead of the ranking in force, with every reason that was published and what changed.

    Parameters
    ----------
    html
        File that receives the same as a page; None for none.

    Raises
    ------
    InputError
        The lead is not in the ranking in force.
    ModelError
        No ranking is published yet.
    """
    run = _in_force(params, home)
    found = explained(run, lead_id)
    if found is None:
        raise InputError(
            "the lead is not in the ranking in force", hint="only leads open at its moment are ranked"
        )
    found["would_help"] = helping.improvement(params, home, run, lead_id)
    if html is not None:
        _write(html, page(found, language=params.score.language))
    return {**found, "html": None if html is None else str(html)}


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"the page '{path.name}' cannot be written", hint="name a file in a folder that can be written to"
        ) from error


def runs(params: Params, home: Path) -> dict[str, Any]:
    """All published runs, the latest moment first; ``withdrawn`` is the reason, or None.

    ``damaged`` names folders whose manifest cannot be read: they are no runs any more.
    """
    folder = home / params.score.runs
    in_force, gone = run_in_force(folder), withdrawn(folder)
    return {
        "current": None if in_force is None else in_force.run_id,
        "runs": [
            {
                "run_id": run.run_id,
                "as_of": run.as_of,
                "ranked_by": queries.ranked_by(run)["ranked_by"],
                "leads": run.manifest["counts"]["ranked"],
                "withdrawn": gone.get(run.run_id),
            }
            for run in published(folder)
        ],
        "damaged": damaged(folder),
    }


def models(params: Params, home: Path) -> dict[str, Any]:
    """All registered model versions, the newest first."""
    from models import registry

    found = registry.versions(registry.anchored(params.tracking.uri, home), params.tracking.model)
    return {
        "model": params.tracking.model,
        "versions": [
            {
                "version": v.version,
                "aliases": list(v.aliases),
                "has_signal": v.has_signal,
                "digest": v.digest,
                "run_id": v.run_id,
            }
            for v in found
        ],
    }


def card(params: Params, home: Path, version: str) -> dict[str, Any]:
    """The model card of a version: ``text`` (Markdown), and what it says as plain data.

    Raises
    ------
    ModelError
        There is no such version, or its training left no card.
    """
    from models import registry

    uri = registry.anchored(params.tracking.uri, home)
    found = registry.version(uri, params.tracking.model, version)
    with tempfile.TemporaryDirectory(prefix="leadrank-") as scratch:
        folder = registry.fetch_card(uri, found, Path(scratch))
        try:
            text = (folder / "card.md").read_text(encoding="utf-8")
            data: dict[str, Any] = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ModelError(
                f"version {version} has no card", hint="train again: every training writes one"
            ) from None
    return {"version": version, "digest": found.digest, **data, "text": text}


def _in_force(params: Params, home: Path) -> Run:
    run = run_in_force(home / params.score.runs)
    if run is None:
        raise ModelError("no ranking is published yet", hint="run `leadrank train`, then `leadrank score`")
    if damaged_files(run, RANKING):
        raise StorageError(
            f"'{RANKING}' of run '{run.run_id}' is not what was published",
            hint="score that night again, or `leadrank rollback --ranking` to the run before",
        )
    return run
