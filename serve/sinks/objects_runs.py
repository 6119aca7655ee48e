"""Whole runs in an object store, each under the digest of its files, so that no object is ever overwritten.

``<prefix><run_id>/<digest>/`` has the files of the run, and ``manifest.json`` once all others are there. A
run that leads were erased from has another digest: it is written beside, and the first one goes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from features.errors import Place, StorageError, UpstreamError
from features.ingest.objects import Seen
from features.ingest.objects_store import AT_ONCE, Store
from serve.runs import MANIFEST, Run
from serve.sinks.objects_pointer import Pointer
from serve.sinks.objects_sending import send

_RUN = re.compile(r"\d{8}T\d{6}Z-[A-Za-z0-9_-]+")
_DIGEST = 16
_MOST_BYTES = 64 << 20


@dataclass(frozen=True)
class Sent:
    """A run in the store: where a pointer would point, and whether anything was written."""

    pointer: Pointer
    is_new: bool


def upload(store: Store, prefix: str, run: Run) -> Sent:
    """Send what the store lacks of a run, its manifest last; nobody else may change the run meanwhile.

    Raises
    ------
    StorageError
        A file is not what was published.
    UpstreamError
        The store does not answer, refuses, or somebody took objects away meanwhile.
    """
    files: Mapping[str, Mapping[str, Any]] = run.manifest["files"]
    folder = folder_of(run)
    base = f"{prefix}{folder}/"
    if (cleaner := _cleaner(store, prefix, run, folder)) is not None:
        return Sent(cleaner, is_new=False)
    seal = store.head(f"{base}{MANIFEST}")
    is_sealed = seal is not None and seal.sha256 is not None
    lacking = _lacking(store, base, files, is_sealed=is_sealed)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda name: send(store, f"{base}{name}", run.folder / name, files[name]), lacking))
    manifest = (run.folder / MANIFEST).read_bytes()
    if seal is None or seal.sha256 is None:
        store.put(f"{base}{MANIFEST}", manifest)
        seal = Seen("", len(manifest), "", hashlib.sha256(manifest).hexdigest())
    if lacking and _lacking(store, base, files, is_sealed=True):
        raise UpstreamError(
            f"objects of run '{run.run_id}' went while it was sent",
            hint="let nobody else write below sinks.objects, then `leadrank publish --resume`",
            place=Place(stage="sinks", file=base),
        )
    pointer = Pointer(run.run_id, run.as_of, folder, str(seal.sha256), int(run.manifest.get("erased", 0)))
    return Sent(pointer, is_new=bool(lacking) or not is_sealed)


def _cleaner(store: Store, prefix: str, run: Run, folder: str) -> Pointer | None:
    """A version of the run that more leads were erased from; this host's copy must not bring them back."""
    for other in versions(store, prefix, run.run_id):
        content = store.read(f"{prefix}{other}/{MANIFEST}", _MOST_BYTES) if other != folder else None
        found = None if content is None else _manifest(content[0], None)
        if (
            content is not None
            and found is not None
            and found.get("erased", 0) > run.manifest.get("erased", 0)
        ):
            sha256 = hashlib.sha256(content[0]).hexdigest()
            return Pointer(run.run_id, run.as_of, other, sha256, int(found["erased"]))
    return None


def fetch(store: Store, prefix: str, folder: str, target: Path, sha256: str | None = None) -> dict[str, Any]:
    """Write the files of a run into a folder, each as its manifest has it; the manifest itself is returned.

    Parameters
    ----------
    sha256
        Of the manifest, as the pointer has it; None: whatever is there.

    Raises
    ------
    AbsentError, ConditionError
        The run went while it was read: follow the pointer again.
    StorageError
        The run in the store is not what was published.
    UpstreamError
        The store does not answer, or refuses.
    """
    base = f"{prefix}{folder}/"
    content = store.read(f"{base}{MANIFEST}", _MOST_BYTES)
    manifest = None if content is None else _manifest(content[0], sha256)
    if manifest is None:
        raise _not_published(base, MANIFEST)
    seen = {each.key.removeprefix(base): each for each in store.listed(base)}
    for name, entry in manifest["files"].items():
        file = target / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if (
            name not in seen
            or seen[name].bytes != entry["bytes"]
            or store.fetch(seen[name], file) != entry["sha256"]
        ):
            raise _not_published(base, name)
    return manifest


def folder_of(run: Run) -> str:
    """Where a run as it is here is in a store, below the prefix."""
    return f"{run.run_id}/{_digest(run.manifest['files'])}"


def names(store: Store, prefix: str) -> list[str]:
    """Ids of all runs that have objects, the latest first; folders of other names are somebody else's."""
    return sorted((name for name in store.folders(prefix) if _RUN.fullmatch(name)), reverse=True)


def versions(store: Store, prefix: str, run_id: str) -> list[str]:
    """Folders of the versions of a run, whole or not."""
    return [f"{run_id}/{digest}" for digest in store.folders(f"{prefix}{run_id}/")]


def is_sealed(store: Store, prefix: str, folder: str) -> bool:
    """Whether a version has its manifest, and so all of its files."""
    return store.head(f"{prefix}{folder}/{MANIFEST}") is not None


def remove(store: Store, prefix: str, folder: str) -> None:
    """Delete a version of a run, or all of it: manifests first, so that nobody takes a half for a whole."""
    every = [seen.key for seen in store.listed(f"{prefix}{folder}/")]
    for key in sorted(every, key=lambda key: (not key.endswith(f"/{MANIFEST}"), key)):
        store.remove(key)


def keep_only(store: Store, prefix: str, run_id: str, *folders: str) -> None:
    """Delete all versions of a run but these."""
    for folder in versions(store, prefix, run_id):
        if folder not in folders:
            remove(store, prefix, folder)


def abort_unfinished(store: Store, prefix: str) -> None:
    """Take away parts of large files that a crash left: nobody sees them, and they hold leads."""
    for upload in list(_unfinished(store, prefix)):
        store.ask("abort_multipart_upload", key=upload["Key"], UploadId=upload["UploadId"])


def _unfinished(store: Store, prefix: str) -> Iterator[Mapping[str, Any]]:
    after: dict[str, str] = {}
    while True:
        page = store.ask("list_multipart_uploads", Prefix=prefix, **after)
        yield from page.get("Uploads", ())
        if not page.get("IsTruncated"):
            return
        after = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}


def _lacking(
    store: Store, base: str, files: Mapping[str, Mapping[str, Any]], *, is_sealed: bool
) -> list[str]:
    """Files that are not there as they should be; below a manifest, size and name say enough."""
    seen = {each.key.removeprefix(base): each for each in store.listed(base)}

    def is_there(name: str, entry: Mapping[str, Any]) -> bool:
        found = seen.get(name)
        if found is None or found.bytes != entry["bytes"]:
            return False
        noted = None if is_sealed else store.head(f"{base}{name}")
        return is_sealed or (noted is not None and noted.sha256 == entry["sha256"])

    return [name for name, entry in files.items() if not is_there(name, entry)]


def _digest(files: Mapping[str, Mapping[str, Any]]) -> str:
    """One name for the content: times that a manifest has beside it are another on each host."""
    content = json.dumps({name: entry["sha256"] for name, entry in files.items()}, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:_DIGEST]


def _manifest(content: bytes, sha256: str | None) -> dict[str, Any] | None:
    """A manifest whose files all lie inside the run; None if it is none, or another than is looked for."""
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        return None
    try:
        found = json.loads(content)
    except ValueError:
        return None
    if not isinstance(found, dict) or not found.keys() >= {"as_of", "files", "run_id"}:
        return None
    paths = [PurePosixPath(name) for name in found["files"]]
    is_inside = all(not path.is_absolute() and ".." not in path.parts for path in paths)
    return found if is_inside and MANIFEST not in found["files"] else None


def _not_published(base: str, name: str) -> StorageError:
    return StorageError(
        f"'{name}' of the run in sinks.objects is not what was published",
        hint="publish it again: `leadrank publish --resume` on the host that scored",
        place=Place(stage="sinks", file=f"{base}{name}"),
    )
