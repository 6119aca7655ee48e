"""Fetch a registered model once, keep a verified copy, and load it by its digest; move who is in force."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from features.errors import ModelError
from models import registry
from models.bundle import Bundle
from models.cards.forward_test import ForwardTest
from models.cards.forward_test import load as load_test
from models.store import load, place
from pipelines.locking import alone
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
    return fetched(uri, home, registry.champion(uri, params.tracking.model))


def champion_or_newest(params: Params, home: Path) -> Champion:
    """The champion; while none has shown signal, the newest version: predictions may show its worth.

    Raises
    ------
    ModelError
        There is no version, or its files do not have the registered digest.
    UpstreamError
        MLflow does not answer.
    """
    uri = registry.anchored(params.tracking.uri, home)
    every = registry.versions(uri, params.tracking.model)
    if not every or any(registry.CHAMPION in version.aliases for version in every):
        return champion(params, home)
    return fetched(uri, home, every[0])


def by_digest(params: Params, home: Path, digest: str) -> Champion:
    """The registered version with a digest; else as `champion`.

    Raises
    ------
    ModelError
        The registry has it no more.
    """
    uri = registry.anchored(params.tracking.uri, home)
    found = [v for v in registry.versions(uri, params.tracking.model) if v.digest == digest]
    if not found:
        raise ModelError("the registry no longer has the model of that ranking", hint="score again")
    return fetched(uri, home, found[0])


def fetched(uri: str, home: Path, version: registry.Version) -> Champion:
    """Any registered version; else as `champion`."""
    kept = place(home, version.digest)
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
    return forward_test_of(uri, registry.champion(uri, params.tracking.model))


def forward_test_of(uri: str, version: registry.Version) -> ForwardTest:
    """The forward test of any version; else as `forward_test`."""
    with tempfile.TemporaryDirectory(prefix="leadrank-") as scratch:
        return load_test(registry.fetch_test(uri, version, Path(scratch)))


@contextmanager
def moving(home: Path) -> Iterator[None]:
    """Hold the lock under which the model in force is changed.

    Raises
    ------
    LockedError
        Another promotion or rollback is under way.
    """
    refusal, hint = "another promotion or rollback is under way", "wait until it ends, then look again"
    with alone(home, "champion", refusal=refusal, hint=hint):
        yield


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
