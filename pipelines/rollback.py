"""``leadrank rollback``: an earlier model, or an earlier ranking, is in force again, bit for bit."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from features.errors import ModelError, ParameterError, StorageError, listed
from models import registry
from pipelines import sinking
from pipelines.champion import fetched, moving
from pipelines.deferring import keep
from pipelines.params import Params
from pipelines.progress import Progress
from serve import runs

FROM_TAG, REASON_TAG = "leadrank.rollback_from", "leadrank.rollback_reason"


def model(
    params: Params, home: Path, *, version: str | None, reason: str, progress: Progress
) -> dict[str, Any]:
    """Bring a version back, after its files were fetched and have the registered digest.

    Parameters
    ----------
    version
        Number of the version; None is the one whose place the champion took.
    reason
        Recorded with the version.

    Returns
    -------
    dict
        ``model``, ``version``, ``digest``, ``instead_of``, ``reason``, ``is_new`` (False: it is in force).

    Raises
    ------
    ModelError
        There is no such version, its files are gone or altered, or it never ranked better than chance.
    """
    if not reason.strip():
        raise ParameterError("--reason is empty", hint="say why the version is brought back")
    uri, name = registry.anchored(params.tracking.uri, home), params.tracking.model
    with moving(home):
        standing = registry.champion(uri, name)
        wanted = registry.version(uri, name, version or _before(standing))
        if not wanted.has_signal:
            raise ModelError(
                f"version {wanted.version} ranks like chance", hint="choose another: `leadrank models`"
            )
        with progress.stage("checking the files"):
            back = fetched(uri, home, wanted)
        if wanted.version != standing.version:
            record = {FROM_TAG: standing.version, REASON_TAG: reason}
            keep(
                home,
                name,
                registry.put_in_force(uri, name, wanted, instead_of=standing.version, record=record),
            )
    return {
        "model": name,
        "version": back.version,
        "digest": back.digest,
        "instead_of": standing.version,
        "reason": reason,
        "is_new": wanted.version != standing.version,
    }


def ranking(params: Params, home: Path, *, run_id: str | None, reason: str) -> dict[str, Any]:
    """Put an earlier ranking in force; the one it replaces is not put back by the same night.

    Parameters
    ----------
    run_id
        Id of the run; None is the latest earlier night.
    reason
        Recorded beside the runs.

    Returns
    -------
    dict
        ``run_id``, ``as_of``, ``instead_of`` and ``reason``.

    Raises
    ------
    ParameterError
        The reason is empty, there is no such run, or it is in force already.
    StorageError
        Files of the run are missing or altered.
    UpstreamError
        The ranking is in force, but the database of ``sinks.sql`` does not answer.
    """
    if not reason.strip():
        raise ParameterError("--reason is empty", hint="say why the ranking is brought back")
    folder = home / params.score.runs
    with sinking.carried_on(params, home) as announced, runs.lock(folder):
        standing = runs.current(folder)
        if standing is None:
            raise StorageError("no ranking is in force", hint="run `leadrank score`")
        moment = datetime.fromisoformat(standing.as_of)
        back = runs.before(folder, moment) if run_id is None else runs.find(folder, run_id)
        if back is None:
            what = "earlier run" if run_id is None else "such run"
            raise ParameterError(f"there is no {what}", hint="`leadrank runs` lists them")
        if back.run_id == standing.run_id:
            raise ParameterError("that ranking is in force already", hint="`leadrank runs` lists the others")
        if damaged := runs.damaged_files(back):
            raise StorageError(
                f"{listed(damaged)} of that run are missing or altered", hint="choose another run"
            )
        announced(back.run_id)
        runs.withdraw(standing, folder, reason=reason, instead=back)
    return {"run_id": back.run_id, "as_of": back.as_of, "instead_of": standing.run_id, "reason": reason}


def _before(standing: registry.Version) -> str:
    if not standing.champion_before:
        raise ModelError(
            f"version {standing.version} took nobody's place, so there is none to go back to",
            hint="name a version: `leadrank models` lists them",
        )
    return standing.champion_before
