"""From the published files to the SQL tables: after every publish, and again until the database has it all.

The files are published first and stand whatever the database does. What it still lacks is noted before the
attempt (``.leadrank/pending-sql.json``), so that a crash between the two is made good by the next night.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from features.backend import environment
from features.errors import LockedError, ModelError, ParameterError, StorageError, UpstreamError
from pipelines.params import Params
from serve import keeping, runs
from serve.runs import Run
from serve.sinks import sql
from serve.sinks.database import Database, usable

FILE = "pending-sql.json"
Announce = Callable[[str], str]
_POINTER_MOVES = 5


@contextmanager
def carried_on(params: Params, home: Path) -> Iterator[Announce]:
    """Carry to the SQL tables what is announced within, once the work within has ended well.

    Yields
    ------
    callable
        To be called with the id of a run before it is published or put in force; gives the id back.

    Raises
    ------
    ParameterError
        The environment variable of ``sinks.sql`` cannot be used; told before any work.
    UpstreamError
        The database does not answer: the files are published, and a note says what it lacks.
    """
    database = _database(params)
    if database is None:
        yield str
        return

    def announced(run_id: str) -> str:
        _note(home, {*_noted(home)["runs"], run_id})
        return run_id

    usable(database, environment())
    yield announced
    _deliver(params, home, database)


def resume(params: Params, home: Path) -> dict[str, Any]:
    """Bring the SQL tables to what is published: what is noted, and the run in force.

    Returns
    -------
    dict
        ``run_id`` in force in the database, ids of the runs that are new there (``loaded``), and of those
        that are gone (``removed``).

    Raises
    ------
    ParameterError
        There is no ``sinks.sql``, or its environment variable cannot be used.
    ModelError
        No ranking is published yet.
    UpstreamError
        The database does not answer.
    """
    database = _database(params)
    if database is None:
        raise ParameterError("sinks.sql is not set", hint="name the environment variable with the URL there")
    done = _deliver(params, home, database)
    if done is None:
        raise ModelError("no ranking is published yet", hint="run `leadrank score`")
    told = asdict(done)
    return {"run_id": told.pop("current"), **told}


def pending(params: Params, home: Path) -> dict[str, Any] | None:
    """What the SQL tables lack: ids of ``runs`` and the ``reason``; None if nothing."""
    noted = _noted(home)
    lacking = [name for name in noted["runs"] if runs.find(home / params.score.runs, name) is not None]
    return {**noted, "runs": lacking} if lacking and params.sinks.sql is not None else None


def erase(params: Params, lead_ids: Collection[str]) -> int | None:
    """Take leads out of the SQL tables; how many rows went, None without ``sinks.sql``.

    Raises
    ------
    UpstreamError
        The database does not answer.
    """
    database = _database(params)
    return None if database is None else sql.erase(database, environment(), lead_ids)


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


def _deliver(params: Params, home: Path, database: Database) -> sql.Delivered | None:
    folder, noted = home / params.score.runs, _noted(home)["runs"]
    with ExitStack() as held:
        in_force = _in_force(folder, held)
        if in_force is None:
            return None
        wanted = sql.Wanted(
            runs=_readable(folder, noted, held),
            in_force=in_force,
            withdrawn=tuple(runs.withdrawn(folder)),
            keep=params.score.keep_runs,
        )
        try:
            done = sql.deliver(database, environment(), wanted)
        except UpstreamError as error:
            _note(home, {*noted, in_force.run_id}, reason=error.reason)
            raise
    _note(home, set(_noted(home)["runs"]) - {*noted, in_force.run_id})
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


def _noted(home: Path) -> dict[str, Any]:
    try:
        found = json.loads((home / ".leadrank" / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    return (
        found
        if isinstance(found, dict) and isinstance(found.get("runs"), list)
        else {"runs": [], "reason": None}
    )


def _note(home: Path, names: set[str], *, reason: str | None = None) -> None:
    """Replace the note, or take it away if nothing is lacking."""
    file = home / ".leadrank" / FILE
    try:
        if not names:
            file.unlink(missing_ok=True)
            return
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps({"runs": sorted(names), "reason": reason}), encoding="utf-8")
        fresh.replace(file)
    except OSError as error:
        raise StorageError(
            f"the note '{FILE}' cannot be written",
            hint="free or fix the disk, then `leadrank publish --resume`",
        ) from error
