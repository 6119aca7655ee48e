"""Fetch the model in force once, keep a verified copy, and load it by its digest."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from models import registry
from models.bundle import Bundle
from models.forward_test import ForwardTest
from models.forward_test import load as load_test
from models.store import load
from pipelines.params import Params


@dataclass(frozen=True)
class Champion:
    """The model that scores: its registered version, its digest and the loaded bundle."""

    version: str
    digest: str
    bundle: Bundle


def champion(params: Params, home: Path) -> Champion:
    """The champion of the registry, from the local copy if its digest is there already.

    Raises
    ------
    ModelError
        There is none, or its files do not have the registered digest.
    UpstreamError
        MLflow does not answer.
    """
    uri = registry.anchored(params.tracking.uri, home)
    version = registry.champion(uri, params.tracking.model)
    kept = home / ".leadrank" / "models" / version.digest
    if not kept.is_dir():
        _keep(uri, version, kept)
    return Champion(version.version, version.digest, load(kept, digest=version.digest))


def forward_test(params: Params, home: Path) -> ForwardTest:
    """What the champion's training said of later rows that its trees had not seen, and what became of them.

    Raises
    ------
    ModelError
        There is no champion, or its training kept no test.
    UpstreamError
        MLflow does not answer.
    """
    uri = registry.anchored(params.tracking.uri, home)
    version = registry.champion(uri, params.tracking.model)
    with tempfile.TemporaryDirectory(prefix="leadrank-") as scratch:
        return load_test(registry.fetch_test(uri, version, Path(scratch)))


def _keep(uri: str, version: registry.Version, kept: Path) -> None:
    """Copy a version beside its place, check it, and only then move it there."""
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fetched = Path(tempfile.mkdtemp(prefix="fetch-", dir=kept.parent))
    try:
        folder = registry.fetch(uri, version, fetched)
        load(folder, digest=version.digest)
        folder.rename(kept)
    finally:
        shutil.rmtree(fetched, ignore_errors=True)
