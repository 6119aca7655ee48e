"""The champion of the ranking in force, ready to be asked; it follows a promotion without a pause."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from features.errors import LeadrankError
from features.tombstones import read as tombstones_of
from serve import batch, runs
from serve.online.answer import Answered, written
from serve.online.asking import asked
from serve.online.body import Body
from serve.online.company import FILE, check_moment
from serve.online.describing import body_schema
from serve.online.pool import Pool
from serve.online.refusal import BusyError
from serve.online.tables import tables
from serve.views.scope import Scope


@dataclass(frozen=True)
class Ready:
    """A model that answers.

    Attributes
    ----------
    key
        What it was made from: the digest of the model, and the columns of the tables.
    body
        Reads requests.
    columns
        Columns that a request may have, by table.
    pool
        Its scorers.
    company_as_of
        Moment of the company's figures that it compares leads with, naive UTC; None if it reads none.
    """

    key: str
    body: Body
    columns: Mapping[str, Any]
    pool: Pool
    company_as_of: datetime | None = None


Make = Callable[[runs.Run], Ready]


class Standing:
    """Answers with the model of the ranking in force, or, while that is made ready, with the one before.

    Parameters
    ----------
    home
        Folder of ``params.yaml``.
    folder
        Folder of the published runs.
    make
        Makes the model of a run ready.
    """

    def __init__(self, home: Path, folder: Path, make: Make) -> None:
        self._home, self._folder, self._make = home, folder, make
        self._lock = Lock()
        self._seen: str | None = None
        self._run: runs.Run | None = None
        self._ready: Ready | None = None
        self._why = "it is being made ready"
        self._worker: Thread | None = None

    def prepare(self) -> None:
        """Make the model of the ranking in force ready in this thread, if it is not."""
        self._follow()
        worker = self._worker
        if worker is not None:
            worker.join()

    def answer(self, content: bytes, scope: Scope, moment: datetime) -> bytes:
        """The answer to a request, as JSON.

        Parameters
        ----------
        content
            The body.
        scope
            Leads that the caller may ask about.
        moment
            Now, UTC.

        Raises
        ------
        RefusedError
            The body breaks its contract.
        ForeignError
            A lead is out of the scope.
        BusyError
            No scorer is free or ready.
        """
        ready, run = self._in_force()
        body = ready.body.read(content)
        request = asked(
            body,
            tables(body, ready.columns),
            scope=scope,
            moment=moment,
            tombstones=tombstones_of(self._home),
        )
        check_moment(request.as_of, ready.company_as_of)
        found = None
        if request.scored:
            with ready.pool.scorer() as scorer:
                found = scorer.score(request.tables, request.scored, request.as_of)
        return written(request, found, _about(run, ready))

    def json_schema(self) -> dict[str, Any]:
        """JSON Schema of a request to the model that is ready; of the contract's while none is."""
        return body_schema() if self._ready is None else self._ready.body.json_schema()

    def answer_schema(self) -> dict[str, Any]:
        """JSON Schema of an answer."""
        return Answered.model_json_schema()

    def close(self) -> None:
        """Give back what the scorers hold."""
        worker = self._worker
        if worker is not None:
            worker.join()
        if self._ready is not None:
            self._ready.pool.close()

    def _in_force(self) -> tuple[Ready, runs.Run]:
        self._follow()
        with self._lock:
            ready, run = self._ready, self._run
        if ready is None or run is None:
            raise BusyError(f"no model can be asked: {self._why}", hint="ask again in a minute")
        return ready, run

    def _follow(self) -> None:
        """Look whether another ranking is in force; make its model ready beside the one that answers."""
        try:
            seen = (self._folder / runs.POINTER).read_text(encoding="utf-8")
        except (OSError, ValueError):
            return
        with self._lock:
            if seen == self._seen or (self._worker is not None and self._worker.is_alive()):
                return
            self._seen = seen
            self._worker = Thread(target=self._prepare, daemon=True, name="scorer")
            self._worker.start()

    def _prepare(self) -> None:
        run = runs.current_or_none(self._folder)
        if run is None or run.manifest.get("ranked_by", batch.RANKED_BY) != batch.RANKED_BY:
            self._put(None, run, "no model is in force")
            return
        if self._ready is not None and self._ready.key == key_of(run):
            self._put(self._ready, run)
            return
        try:
            self._put(self._make(run), run)
        except LeadrankError as error:
            self._put(None, run, error.reason)

    def _put(self, ready: Ready | None, run: runs.Run | None, why: str = "") -> None:
        with self._lock:
            before, self._ready, self._run, self._why = self._ready, ready, run, why
        if before is not None and before is not ready:
            before.pool.close()


def key_of(run: runs.Run) -> str:
    """What a model that is ready depends on: equal for runs that one model can answer for."""
    night = run.run_id if FILE in run.manifest["files"] else None
    return repr((run.manifest["model"]["digest"], run.manifest.get("columns"), night))


def _about(run: runs.Run, ready: Ready) -> dict[str, Any]:
    model, at = run.manifest["model"], ready.company_as_of
    return {
        "run_id": run.run_id,
        "model_digest": model["digest"],
        "model_version": model.get("version"),
        "company_as_of": None if at is None else at.isoformat() + "Z",
    }
