"""The run in force of an object store becomes a published run of this host, for a page that runs apart.

It is verified file by file before it gets its name, and comes into force by the same rename as a run that was
scored here. What leads were erased from in the store, or is gone there, is replaced or removed here, too.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from features import durable
from features.errors import ModelError, StorageError
from features.ingest.objects import AbsentError, Address, ConditionError
from features.ingest.objects_store import Store
from serve import keeping, runs, swapping
from serve.runs import Run
from serve.sinks import objects_pointer, objects_runs
from serve.sinks.objects import opened, prefix_of
from serve.sinks.objects_pointer import Pointer

_TRIES = 5


@dataclass(frozen=True)
class Pulled:
    """What a pull did.

    Attributes
    ----------
    run
        The run in force in the store, as it is here.
    is_new
        Whether its files were fetched.
    is_in_force
        Whether it is in force here; not where a later night is.
    replaced, removed
        Ids of runs pulled earlier that leads were erased from, and that the store no longer has.
    """

    run: Run
    is_new: bool
    is_in_force: bool
    replaced: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def pull(place: Address, folder: Path, known: Collection[str], taking: Callable[[str], None]) -> Pulled:
    """Bring the published runs of this host to those of a store; the caller holds `runs.lock`.

    Parameters
    ----------
    folder
        Of the published runs here.
    known
        Ids of the runs that were pulled before: only these are replaced or removed.
    taking
        Called with the id of a run before it is put into ``folder``.

    Raises
    ------
    ModelError
        The store has no ranking yet.
    StorageError
        The run in the store is not what was published, or the disk refuses.
    LockedError
        Somebody reads a run that is to be replaced.
    UpstreamError
        The store does not answer, refuses, or its runs keep changing.
    """
    with opened(place) as store:
        for _ in range(_TRIES):
            with suppress(AbsentError, ConditionError):  # the pointer moved on, and the run went
                return _pulled(store, prefix_of(place), folder, known, taking)
        return _pulled(store, prefix_of(place), folder, known, taking)


def _pulled(
    store: Store, prefix: str, folder: Path, known: Collection[str], taking: Callable[[str], None]
) -> Pulled:
    pointer, _ = objects_pointer.read(store, prefix)
    if pointer is None:
        raise ModelError(
            "the object store has no ranking yet", hint="run `leadrank score` where sinks.objects is set, too"
        )
    taking(pointer.run_id)
    was_here = runs.find(folder, pointer.run_id) is not None
    run, is_new = _taken(store, prefix, folder, pointer.folder, pointer.manifest_sha256)
    is_in_force = _put_in_force(run, folder, pointer)
    done = Pulled(run, is_new, is_in_force)
    replaced, removed = [run.run_id] if is_new and was_here else [], []
    for name in sorted({*known} - {run.run_id}):
        here = runs.find(folder, name)
        there = [
            v for v in objects_runs.versions(store, prefix, name) if objects_runs.is_sealed(store, prefix, v)
        ]
        if here is not None and not there and _went(here, folder):
            removed.append(name)
        elif here is not None and there and objects_runs.folder_of(here) not in there:
            _taken(store, prefix, folder, there[0], None)
            replaced.append(name)
    return replace(done, replaced=tuple(replaced), removed=tuple(removed))


def _taken(store: Store, prefix: str, folder: Path, place: str, sha256: str | None) -> tuple[Run, bool]:
    """The run as a published one of this host, and whether it had to be fetched."""
    name = place.partition("/")[0]
    here = runs.find(folder, name)
    if here is not None and objects_runs.folder_of(here) == place and not runs.damaged_files(here):
        return here, False
    with runs.staging(folder) as staged:
        manifest = objects_runs.fetch(store, prefix, place, staged, sha256)
        run = Run(name, folder / name, manifest)
        if manifest["run_id"] != name or objects_runs.folder_of(run) != place:
            raise StorageError(
                f"'{place}' of sinks.objects is another run than its name says", hint="remove it there"
            )
        runs.seal(staged, manifest)
        if here is not None:
            swapping.swap(folder, staged, name)
        else:
            staged.rename(folder / name)
            durable.sync(folder)
    return run, True


def _put_in_force(run: Run, folder: Path, pointer: Pointer) -> bool:
    """Follow the store, but never back to an earlier night unless the later one was withdrawn there."""
    gone = runs.withdrawn(folder)
    if run.run_id in gone:  # it was brought back since
        told = {name: why for name, why in gone.items() if name != run.run_id}
        durable.replace(folder / runs.WITHDRAWN, json.dumps(told, indent=2, sort_keys=True))
    standing = runs.current_or_none(folder)
    if standing is not None and standing.run_id in pointer.withdrawn:
        runs.withdraw(standing, folder, reason=pointer.withdrawn[standing.run_id], instead=run)
        return True
    if standing is not None and datetime.fromisoformat(standing.as_of) > datetime.fromisoformat(run.as_of):
        return False
    runs.put_in_force(run, folder)
    return True


def _went(run: Run, folder: Path) -> bool:
    """Remove a run that the store no longer has, unless it is in force or somebody reads it."""
    in_force = runs.current_or_none(folder)
    if (in_force is not None and in_force.run_id == run.run_id) or not keeping.set_aside(run.folder):
        return False
    shutil.rmtree(folder / f"{keeping.GONE}{run.run_id}", ignore_errors=True)
    return True
