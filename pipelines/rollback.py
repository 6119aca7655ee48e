"""``leadrank rollback --model``: an earlier version is in force again, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from features.errors import ModelError, ParameterError
from models import registry
from pipelines.champion import fetched, moving
from pipelines.params import Params
from pipelines.progress import Progress

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
            registry.put_in_force(uri, name, wanted, instead_of=standing.version, record=record)
    return {
        "model": name,
        "version": back.version,
        "digest": back.digest,
        "instead_of": standing.version,
        "reason": reason,
        "is_new": wanted.version != standing.version,
    }


def _before(standing: registry.Version) -> str:
    if not standing.champion_before:
        raise ModelError(
            f"version {standing.version} took nobody's place, so there is none to go back to",
            hint="name a version: `leadrank models` lists them",
        )
    return standing.champion_before
