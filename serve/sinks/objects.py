"""Published runs in an object store: first the files, then the manifest, then the pointer.

A crash anywhere leaves the pointer at the run that it pointed at, with all of its files. Whatever is done
twice changes nothing the second time: what is there is not sent again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from features.errors import Place, StorageError, UpstreamError
from features.ingest.objects import AbsentError, Address, ConditionError
from features.ingest.objects_store import Store
from serve import erasing, runs
from serve.runs import Run
from serve.sinks import objects_pointer, objects_runs
from serve.sinks.sql import Delivered, Wanted
from serve.without import Gone

STAGE = "sinks"


@dataclass(frozen=True)
class Erased:
    """What an erasure did in a store.

    Attributes
    ----------
    replaced
        Ids of runs that had rows of the leads, and of which only a copy without them is left.
    unreadable
        Ids of runs that could not be cleaned: they are as they were.
    """

    replaced: tuple[str, ...]
    unreadable: tuple[str, ...]


def prefix_of(place: Address) -> str:
    """What all keys below an address begin with: nothing, or something that ends in a slash."""
    key = place.key.strip("/")
    return f"{key}/" if key else ""


def deliver(place: Address, wanted: Wanted) -> Delivered:
    """Bring the store to what is wanted.

    The pointer moves to a later night, to another run of the same night, or away from a withdrawn run; never
    back otherwise, whoever asks.

    Raises
    ------
    ParameterError
        s3fs is not installed.
    StorageError
        A file is not what was published, or the pointer in the store says nothing.
    LockedError
        Others move the pointer without end.
    UpstreamError
        The store does not answer, refuses, or keeps no conditions.
    """
    prefix = prefix_of(place)
    with opened(place) as store:
        first = objects_runs.upload(store, prefix, wanted.in_force)
        pointer = objects_pointer.move(
            store, prefix, replace(first.pointer, withdrawn=dict(wanted.withdrawn))
        )
        others = [run for run in wanted.runs if run.run_id != wanted.in_force.run_id]
        sent = [first, *(objects_runs.upload(store, prefix, run) for run in others)]
        for each in sent:
            objects_runs.keep_only(store, prefix, each.pointer.run_id, each.pointer.folder, pointer.folder)
        removed = [] if wanted.keep is None else _pruned(store, prefix, wanted.keep)
    new = [each.pointer.run_id for each in sent if each.is_new]
    return Delivered(tuple(new), pointer.run_id, tuple(removed))


def prune(place: Address, keep: int) -> tuple[str, ...]:
    """Remove all runs of the store but the latest nights and the one in force; ids of those that are gone.

    Raises
    ------
    ParameterError, StorageError, UpstreamError
        As `deliver`.
    """
    with opened(place) as store:
        return tuple(_pruned(store, prefix_of(place), keep))


def erase(place: Address, folder: Path, gone: Gone, work: Path) -> Erased:
    """Take leads out of every run of the store; the caller holds `runs.lock`, and its own runs are clean.

    A run that is here is sent as it is now. One that only the store has is fetched, cleaned and sent back.

    Parameters
    ----------
    folder
        Of the published runs on this host.
    work
        Private folder, with room for a run.

    Raises
    ------
    ParameterError, StorageError, LockedError, UpstreamError
        As `deliver`; the same call goes on where this one ended.
    """
    prefix, replaced, unreadable = prefix_of(place), [], []
    with opened(place) as store:
        objects_runs.abort_unfinished(store, prefix)
        for name in objects_runs.names(store, prefix):
            run = runs.find(folder, name)
            if run is None:
                run, is_readable = _cleaned(store, prefix, name, gone, work / name)
                unreadable += [] if is_readable else [name]
            if run is not None and _replaced(store, prefix, run):
                replaced.append(name)
            shutil.rmtree(work / name, ignore_errors=True)
    return Erased(tuple(replaced), tuple(unreadable))


def _replaced(store: Store, prefix: str, run: Run) -> bool:
    """Have the store hold a run as it is here, and no other version; whether that changed anything."""
    before = objects_runs.versions(store, prefix, run.run_id)
    sent = objects_runs.upload(store, prefix, run)
    pointer, _ = objects_pointer.read(store, prefix)
    if pointer is not None and pointer.run_id == run.run_id:
        objects_pointer.move(store, prefix, sent.pointer)
    objects_runs.keep_only(store, prefix, run.run_id, sent.pointer.folder)
    return before != [sent.pointer.folder]


def _cleaned(store: Store, prefix: str, name: str, gone: Gone, work: Path) -> tuple[Run | None, bool]:
    """A run that only the store has, without the leads (None: it never had them); whether it can be read."""
    whole = [
        each
        for each in objects_runs.versions(store, prefix, name)
        if objects_runs.is_sealed(store, prefix, each)
    ]
    if not whole:
        objects_runs.remove(store, prefix, name)  # a publish that broke off: nobody sees it
        return None, True
    pointer, _ = objects_pointer.read(store, prefix)
    chosen = pointer.folder if pointer is not None and pointer.folder in whole else whole[0]
    try:
        manifest = objects_runs.fetch(store, prefix, chosen, work / name)
    except StorageError:
        return None, False
    (work / name / runs.MANIFEST).write_text(json.dumps(manifest, indent=2, sort_keys=True), encoding="utf-8")
    cleaned = list(erasing.erase(work, gone))
    if any(run.problem is not None for run in cleaned):
        return None, False
    return (runs.find(work, name) if cleaned or len(whole) > 1 else None), True


def _pruned(store: Store, prefix: str, keep: int) -> list[str]:
    pointer, _ = objects_pointer.read(store, prefix)
    stays = None if pointer is None else pointer.run_id
    old = [name for name in objects_runs.names(store, prefix)[keep:] if name != stays]
    for name in old:
        objects_runs.remove(store, prefix, name)
    return sorted(old)


@contextmanager
def opened(place: Address) -> Iterator[Store]:
    """The bucket; that it is missing, or that somebody takes objects away, is told as such."""
    try:
        with Store(place.bucket, stage=STAGE) as store:
            yield store
    except (AbsentError, ConditionError) as error:
        is_bucket = isinstance(error, AbsentError) and error.is_bucket
        raise UpstreamError(
            f"the bucket of '{place}' cannot be found"
            if is_bucket
            else f"objects below '{place}' went meanwhile",
            hint="check sinks.objects, AWS_ENDPOINT_URL and who else writes there; then the same again",
            place=Place(stage=STAGE, file=str(place)),
        ) from None
