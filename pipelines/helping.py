"""What would help one lead, by the model that ranked it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from features.errors import LeadrankError, ModelError
from pipelines.params import Params
from serve import batch, queries
from serve.online.refusal import BusyError
from serve.runs import Run

if TYPE_CHECKING:
    from models.evidence import Evidence
    from models.scoring import Scorer

KEPT = 2
"""Models that are kept ready: that of the ranking in force, and one of a ranking that is still looked at."""
PATIENCE_SECONDS = 5.0


class Helper:
    """Says what would help a lead of a run.

    A model takes seconds to be made ready. That is done once, beside the requests, and at the first question.

    Parameters
    ----------
    home
        Folder of ``params.yaml``.
    """

    def __init__(self, params: Params, home: Path) -> None:
        self._params, self._home = params, home
        self._lock, self._turn = Lock(), Lock()
        self._ready: dict[str, tuple[Scorer, Evidence] | None] = {}
        self._worker: Thread | None = None

    def __call__(self, run: Run, lead_id: str) -> dict[str, Any] | None:
        """As `improvement`; the caller has made sure that the lead may be seen.

        Raises
        ------
        BusyError
            The model is being made ready, or others are asking: one question at a time, so that lists and
            leads are not kept waiting.
        StorageError
            The features of the run cannot be read.
        """
        if not _is_by_model(run):
            return None
        digest = run.manifest["model"]["digest"]
        with self._lock:
            if digest not in self._ready:
                self._begin(digest)
                raise BusyError("the model is being made ready", hint="ask again in a few seconds")
            ready = self._ready[digest]
        if ready is None:
            return None
        if not self._turn.acquire(timeout=PATIENCE_SECONDS):
            raise BusyError("the model is asked by others", hint="ask again in a few seconds")
        try:
            return _best(self._params, ready, run, lead_id)
        finally:
            self._turn.release()

    def prepare(self, run: Run) -> None:
        """Make the model of a run ready in this thread."""
        if _is_by_model(run):
            self._make(run.manifest["model"]["digest"])

    def close(self) -> None:
        """Wait for a model that is being made ready."""
        if self._worker is not None:
            self._worker.join()

    def _begin(self, digest: str) -> None:
        if self._worker is None or not self._worker.is_alive():
            self._worker = Thread(target=self._make, args=(digest,), daemon=True, name="helper")
            self._worker.start()

    def _make(self, digest: str) -> None:
        try:
            found = _prepared(self._home, digest)
        except LeadrankError:  # a model that cannot be used has no advice, as on the command line
            found = None
        with self._lock:
            others = list(self._ready.items())[1 - KEPT :]
            self._ready = {**dict(others), digest: found}


def improvement(params: Params, home: Path, run: Run, lead_id: str) -> dict[str, Any] | None:
    """The change in the team's hands that the model would welcome most, as plain data.

    None where nothing would help much, a scorecard ranks, or the model is no longer kept beside the project.
    """
    if not _is_by_model(run):
        return None
    ready = _prepared(home, run.manifest["model"]["digest"])
    return None if ready is None else _best(params, ready, run, lead_id)


def _is_by_model(run: Run) -> bool:
    return queries.ranked_by(run)["ranked_by"] == batch.RANKED_BY


def _prepared(home: Path, digest: str) -> tuple[Scorer, Evidence] | None:
    """The model and its evidence; None if it is no longer kept beside the project."""
    from models.evidence import kept
    from models.scoring import Scorer
    from models.store import load, place

    try:
        bundle = load(place(home, digest), digest=digest)
    except ModelError:
        return None
    return Scorer(bundle), kept(bundle.extras, columns=len(bundle.specs))


def _best(params: Params, ready: tuple[Scorer, Evidence], run: Run, lead_id: str) -> dict[str, Any] | None:
    from models.improvement import best_improvement

    lead, given = queries.features(run, lead_id), params.score
    if not lead.num_rows:
        return None  # erased since the list was opened
    found = best_improvement(*ready, lead, floor=given.evidence_leads, language=given.language)
    return None if found is None else asdict(found)
