"""The trial of a challenger: after each night it scores the same leads, and how the lists differ is kept.

The night is published before it begins, nothing of it is in a run, and whatever happens to it the night
stands. A file a night lies in ``.leadrank/shadow/<digest of the challenger>/``; it names no lead.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from features import durable
from features.build import KEYS
from features.errors import InputError, LeadrankError
from features.families import by_name
from features.memory import is_present, known_today, scored
from features.scratch import scratch
from features.snapshots import known_until
from models import registry
from models.bundle import Bundle
from models.promoting.gates import Gate
from models.tracking.versions import CHALLENGER
from pipelines.champion import by_digest, fetched
from pipelines.deferring import PATIENCE_SECONDS, apart, within
from pipelines.inputs import Inputs, opened
from pipelines.offering import VOCABULARY, vocabulary_of
from pipelines.params import Params
from pipelines.progress import Progress
from serve import batch, part_rows, runs, shadow

GATE = "shadow"
CALLED = "best"


def after(params: Params, home: Path, run_id: str, progress: Progress) -> dict[str, Any] | None:
    """As `beside`, of the run of an id; None if it is gone."""
    run = runs.find(home / params.score.runs, run_id)
    return None if run is None else beside(params, home, run, progress)


def beside(params: Params, home: Path, run: runs.Run, progress: Progress) -> dict[str, Any] | None:
    """Let the challenger score the leads of a published night, if one is on trial.

    Returns
    -------
    dict or None
        ``version``, ``nights`` (of ``of``), ``is_new`` and ``report`` (see `kept`); or ``failed``: ``code``
        and ``reason``. None: nobody is on trial, or this night is none (a scorecard's, or a part of a day).
    """
    manifest = run.manifest
    by_model = manifest.get("ranked_by", batch.RANKED_BY) == batch.RANKED_BY
    if not params.shadow.nights or not by_model or manifest.get("changed_since") is not None:
        return None
    # Whatever ends it, a fault of ours too, does not end the night; and a signal need not wait for it.
    told, error = apart(partial(_beside, params, home, run, progress))
    if error is None:
        return told
    code, reason = 70, type(error).__name__  # its text could hold a lead's data
    if isinstance(error, LeadrankError):
        code, reason = error.code, error.reason
    return {"failed": {"code": code, "reason": reason}}


def _beside(params: Params, home: Path, run: runs.Run, progress: Progress) -> dict[str, Any] | None:
    uri = registry.anchored(params.tracking.uri, home)
    every = within(PATIENCE_SECONDS, partial(registry.versions, uri, params.tracking.model))
    challenger = next((version for version in every if CHALLENGER in version.aliases), None)
    if challenger is None or challenger.digest == run.manifest["model"]["digest"]:
        return None
    folder = _folder(home, challenger.digest)
    file, done = folder / f"{_night(run)}.json", nights(home, challenger.digest)
    told = {"version": challenger.version, "of": params.shadow.nights}
    if (found := _read(file)) is not None:
        return {**told, "nights": done, "is_new": False, "report": found}
    if done >= params.shadow.nights:
        return None
    start = time.perf_counter()
    with progress.stage("scoring with the challenger"):
        found = _compared(params, home, run, challenger, progress)
    found["seconds"] = round(time.perf_counter() - start, 3)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    durable.replace(file, json.dumps(found, ensure_ascii=False), mode=durable.PRIVATE)
    return {**told, "nights": done + 1, "is_new": True, "report": found}


def nights(home: Path, digest: str) -> int:
    """Nights on which a version was on trial; one whose report cannot be read is none."""
    return len(kept(home, digest))


def kept(home: Path, digest: str) -> list[dict[str, Any]]:
    """The reports of a version's nights, the earliest first.

    Returns
    -------
    list of dict
        ``run_id``, ``as_of``, ``champion`` and ``challenger`` (version and digest), ``seconds``, and as
        `serve.shadow.difference` says. One that cannot be read is left out.
    """
    every = (_read(path) for path in sorted(_folder(home, digest).glob("*.json")))
    return [found for found in every if found is not None]


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


def gates(
    params: Params, home: Path, standing: registry.Version | None, wanted: registry.Version
) -> tuple[Gate, ...]:
    """The gate of the trial, where ``shadow`` asks for one and somebody would lose his place."""
    asked = params.shadow
    if standing is None or not asked.nights or not asked.needed_to_promote:
        return ()
    if standing.digest == wanted.digest:
        return ()  # the same model: no night can tell the two apart
    done = nights(home, wanted.digest)
    says = f"scored beside the champion on {done:,} nights; {asked.nights:,} are needed"
    return (Gate(GATE, done >= asked.nights, says),)


def show(params: Params, home: Path) -> dict[str, Any]:
    """What ``leadrank shadow`` shows: the challenger's nights.

    Returns
    -------
    dict
        ``challenger`` and ``champion`` (versions; None: there is none), ``nights``, ``of`` and ``reports``.

    Raises
    ------
    UpstreamError, StorageError
        MLflow does not answer, or its database is damaged.
    """
    every = registry.versions(registry.anchored(params.tracking.uri, home), params.tracking.model)
    by_alias = {alias: version for version in every for alias in version.aliases}
    challenger, champion = by_alias.get(CHALLENGER), by_alias.get(registry.CHAMPION)
    reports = [] if challenger is None else kept(home, challenger.digest)
    return {
        "challenger": challenger and challenger.version,
        "champion": champion and champion.version,
        "nights": len(reports),
        "of": params.shadow.nights,
        "reports": reports,
    }


def _compared(
    params: Params, home: Path, run: runs.Run, challenger: registry.Version, progress: Progress
) -> dict[str, Any]:
    uri = registry.anchored(params.tracking.uri, home)
    bundle = fetched(uri, home, challenger).bundle
    lacking = _lacking(params, home, run, bundle)
    with ExitStack() as kept_open:
        more = None
        if lacking:
            more = kept_open.enter_context(scratch(home)) / "more.parquet"
            _write_features(params, home, run, bundle, lacking, more, progress)
        found = shadow.both(bundle, run.folder, more)
    champion = {name: run.manifest["model"][name] for name in ("version", "digest")}
    return {
        "run_id": run.run_id,
        "as_of": run.as_of,
        "champion": champion,
        "challenger": {"version": challenger.version, "digest": challenger.digest},
        "features_built": len(lacking),
        **shadow.difference(found, calls=_calls(run)),
    }


def _lacking(params: Params, home: Path, run: runs.Run, bundle: Bundle) -> list[str]:
    """Features of the challenger that the run does not have; all, if it was trained with other words."""
    names = [spec.name for spec in bundle.specs]
    champion = by_digest(params, home, run.manifest["model"]["digest"]).bundle
    if champion.extras[VOCABULARY] != bundle.extras[VOCABULARY]:
        return names
    there = set(part_rows.schema(run.folder / "features.parquet").names)
    return [name for name in names if name not in there]


def _write_features(
    params: Params, home: Path, run: runs.Run, bundle: Bundle, names: list[str], to: Path, progress: Progress
) -> None:
    """Write features of the run's own leads, in its order."""
    as_of = datetime.fromisoformat(run.as_of)
    leads = replace(params.tables["leads"], order_column=None)  # as `leadrank score` reads it
    given = params.model_copy(update={"tables": {**params.tables, "leads": leads}})
    with opened(given, home, progress, said_until=as_of) as inputs:
        if inputs.loaded.digest != run.manifest["data_digest"]:
            raise InputError("the tables have changed since the night was published", hint="the next night")
        _built(params, run, inputs, bundle, names, to)  # what Ibis keeps goes while there is a connection


def _built(params: Params, run: runs.Run, inputs: Inputs, bundle: Bundle, names: list[str], to: Path) -> None:
    as_of = datetime.fromisoformat(run.as_of)
    keys = {name: part_rows.column(run.folder / "features.parquet", name) for name in KEYS}
    snapshots = inputs.backend.create_table("snapshots", pa.table(keys))
    chosen = by_name(names, bundle.kinds, known_today(inputs.fields), modules=params.features.modules)
    is_now = not inputs.is_flat and is_present(as_of, known_until(inputs.tables))
    engine, words = inputs.engine, vocabulary_of(bundle)
    asked, tables = engine.taken(snapshots), engine.held(inputs.tables)
    table = scored(asked, tables, chosen, inputs.fields, words, is_now=is_now, keep=engine.keep)
    engine.fetched(table).order_by("snapshot_id").to_parquet(to)


def _calls(run: runs.Run) -> int | None:
    """Leads on tonight's call list for their own sake; None without a list."""
    path = run.folder / "calls.parquet"
    if not path.is_file():
        return None
    found: Mapping[str, int] = {
        entry["values"]: entry["counts"]
        for entry in pq.read_table(path, columns=["why"]).column("why").value_counts().to_pylist()
    }
    return found.get(CALLED, 0) or None


def _night(run: runs.Run) -> str:
    """The day of a run: two of one day are one night."""
    return f"{datetime.fromisoformat(run.as_of):%Y%m%d}"


def _folder(home: Path, digest: str) -> Path:
    return home / ".leadrank" / "shadow" / digest
