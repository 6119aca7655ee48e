"""From the published files to the SQL tables and the object store: after every publish, until they have all.

The files are published first and stand whatever the other systems do. What one still lacks is noted before
the attempt (``.leadrank/pending-sql.json``, ``pending-objects.json``), so that a crash between the two is
made good by the next night.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from features.backend import environment
from features.errors import LockedError, ModelError, ParameterError, StorageError, UpstreamError
from features.ingest.objects import installed
from pipelines.params import Params
from pipelines.sink_notes import note, noted
from pipelines.sink_objects import place_of
from serve import keeping, runs
from serve.runs import Run
from serve.sinks import objects, sql
from serve.sinks.database import Database, usable
from serve.sinks.sql import Delivered, Wanted

FILE, OBJECTS_FILE = "pending-sql.json", "pending-objects.json"
Announce = Callable[[str], str]
_POINTER_MOVES = 5
_PASSING = (UpstreamError, LockedError, StorageError)


@dataclass(frozen=True)
class _Sink:
    """One system that published runs are carried to.

    Attributes
    ----------
    name
        The key of `resume`.
    file
        Name of its note.
    check
        Refuses before any work what cannot be used.
    deliver
        Brings it to what is wanted.
    """

    name: str
    file: str
    check: Callable[[], object]
    deliver: Callable[[Wanted], Delivered]


@contextmanager
def carried_on(params: Params, home: Path) -> Iterator[Announce]:
    """Carry to the other systems what is announced within, once the work within has ended well.

    Yields
    ------
    callable
        To be called with the id of a run before it is published or put in force; gives the id back.

    Raises
    ------
    ParameterError
        The environment variable of ``sinks.sql`` cannot be used, or what a sink needs is not installed; told
        before any work.
    UpstreamError
        The database or the object store does not answer: the files are published, and a note says what it
        lacks. The other one has been tried, too.
    """
    sinks = _sinks(params)

    def announced(run_id: str) -> str:
        for sink in sinks:
            note(home, sink.file, {*noted(home, sink.file)["runs"], run_id})
        return run_id

    for sink in sinks:
        sink.check()
    yield announced
    _deliver_all(params, home, sinks)


def resume(params: Params, home: Path) -> dict[str, Any]:
    """Bring the other systems to what is published: what is noted, and the run in force.

    Returns
    -------
    dict
        Of the database, and under ``objects`` of the object store (None without one): ``run_id`` in force
        there, ids of the runs that are new there (``loaded``), and of those that are gone (``removed``).

    Raises
    ------
    ParameterError
        There is no sink, its environment variable cannot be used, or what it needs is not installed.
    ModelError
        No ranking is published yet.
    UpstreamError
        The database or the object store does not answer.
    """
    sinks = _sinks(params)
    if not sinks:
        raise ParameterError(
            "sinks.sql is not set, nor is sinks.objects", hint="say there where the ranking goes as well"
        )
    done = _deliver_all(params, home, sinks)
    if not done:
        raise ModelError("no ranking is published yet", hint="run `leadrank score`")
    of_tables, of_objects = (_told(done.get(name)) for name in ("sql", "objects"))
    return {**(of_tables or {"run_id": None, "loaded": (), "removed": ()}), "objects": of_objects}


def pending(params: Params, home: Path) -> dict[str, Any] | None:
    """What the SQL tables lack: ids of ``runs`` and the ``reason``; None if nothing."""
    return _lacking(params, home, FILE) if params.sinks.sql is not None else None


def pending_objects(params: Params, home: Path) -> dict[str, Any] | None:
    """What the object store lacks, as `pending`."""
    return _lacking(params, home, OBJECTS_FILE) if params.sinks.objects is not None else None


def erase(params: Params, lead_ids: Collection[str]) -> int | None:
    """Take leads out of the SQL tables; how many rows went, None without ``sinks.sql``.

    Raises
    ------
    UpstreamError
        The database does not answer.
    """
    database = _database(params)
    return None if database is None else sql.erase(database, environment(), lead_ids)


def _sinks(params: Params) -> list[_Sink]:
    database, place = _database(params), place_of(params)
    found = []
    if database is not None:
        check = partial(usable, database, environment())
        found.append(_Sink("sql", FILE, check, partial(sql.deliver, database, environment())))
    if place is not None:
        found.append(_Sink("objects", OBJECTS_FILE, installed, partial(objects.deliver, place)))
    return found


def _database(params: Params) -> Database | None:
    given = params.sinks
    if given.sql is None:
        return None
    return Database(
        url_env=given.sql,
        schema=given.sql_schema,
        lock_seconds=given.sql_lock_seconds,
        statement_seconds=given.sql_statement_seconds,
        retry_seconds=given.sql_retry_seconds,
    )


def _deliver_all(params: Params, home: Path, sinks: Collection[_Sink]) -> dict[str, Delivered]:
    """What each system has done, none before the first publish; one that fails keeps no other from it."""
    done, failed = {}, []
    for sink in sinks:
        try:
            if (told := _deliver(params, home, sink)) is not None:
                done[sink.name] = told
        except _PASSING as error:
            failed.append(error)
    if failed:
        raise failed[0]
    return done


def _deliver(params: Params, home: Path, sink: _Sink) -> Delivered | None:
    folder, lacking = home / params.score.runs, noted(home, sink.file)["runs"]
    with ExitStack() as held:
        in_force = _in_force(folder, held)
        if in_force is None:
            return None
        wanted = Wanted(
            runs=_readable(folder, lacking, held),
            in_force=in_force,
            withdrawn=runs.withdrawn(folder),
            keep=params.score.keep_runs,
        )
        try:
            done = sink.deliver(wanted)
        except _PASSING as error:
            note(home, sink.file, {*lacking, in_force.run_id}, reason=error.reason)
            raise
    note(home, sink.file, set(noted(home, sink.file)["runs"]) - {*lacking, in_force.run_id})
    return done


def _in_force(folder: Path, held: ExitStack) -> Run | None:
    """The run in force, kept from being changed; the pointer is followed again if it has just moved."""
    for _ in range(_POINTER_MOVES):
        run = runs.current(folder)
        if run is None:
            return None
        with suppress(FileNotFoundError):
            return held.enter_context(keeping.reading(run))
    raise LockedError("the ranking in force keeps changing", hint="wait until that ends, then start again")


def _readable(folder: Path, names: list[str], held: ExitStack) -> list[Run]:
    """Those of the runs that are published, kept from being changed; the others never will be."""
    found = []
    for name in names:
        run = runs.find(folder, name)
        if run is not None:
            with suppress(FileNotFoundError):  # it has just been collected
                found.append(held.enter_context(keeping.reading(run)))
    return found


def _lacking(params: Params, home: Path, file: str) -> dict[str, Any] | None:
    found = noted(home, file)
    lacking = [name for name in found["runs"] if runs.find(home / params.score.runs, name) is not None]
    return {**found, "runs": lacking} if lacking else None


def _told(done: Delivered | None) -> dict[str, Any] | None:
    if done is None:
        return None
    told = asdict(done)
    return {"run_id": told.pop("current"), **told}
