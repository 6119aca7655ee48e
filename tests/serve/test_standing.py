"""The model that answers follows the ranking in force, and few requests wait for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from features.errors import ModelError
from serve import runs
from serve.online.body import Body
from serve.online.company import FILE
from serve.online.pool import Pool
from serve.online.refusal import BusyError, RefusedError
from serve.online.standing import Ready, Standing, key_of
from serve.views.scope import EVERYTHING

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def publish(folder: Path, name: str, day: int, **manifest: Any) -> None:
    with runs.lock(folder), runs.staging(folder) as staged:
        (staged / "ranking.csv").write_text(name, encoding="utf-8")
        told = {"as_of": f"2026-06-{day}T00:00:00+00:00", "ranked_by": "model", "columns": {}, **manifest}
        runs.publish(staged, folder, name, told)


class Made:
    """Makes models that never answer, and remembers of which runs."""

    def __init__(self) -> None:
        self.of: list[str] = []
        self.closed: list[str] = []
        self.error: ModelError | None = None

    def __call__(self, run: runs.Run) -> Ready:
        self.of.append(run.run_id)
        if self.error is not None:
            raise self.error

        def scorer(opened: ExitStack) -> Any:
            opened.callback(self.closed.append, run.run_id)

        return Ready(key_of(run), Body({}), {}, Pool(scorer, scorers=1))


@pytest.fixture
def made() -> Made:
    return Made()


@pytest.fixture
def standing(tmp_path: Path, made: Made) -> Standing:
    return Standing(tmp_path, tmp_path / "runs", made)


def test_a_model_is_made_ready_once_and_replaced_when_another_ranks(
    tmp_path: Path, standing: Standing, made: Made
) -> None:
    folder = tmp_path / "runs"
    publish(folder, "one", 28, model={"digest": "x"})
    standing.prepare()
    publish(folder, "two", 29, model={"digest": "x"})
    standing.prepare()
    assert (made.of, made.closed) == (["one"], [])
    publish(folder, "three", 30, model={"digest": "y"})
    standing.prepare()
    assert (made.of, made.closed) == (["one", "three"], ["one"])
    standing.close()
    assert made.closed == ["one", "three"]


def test_other_columns_make_the_model_ready_anew(tmp_path: Path, standing: Standing, made: Made) -> None:
    publish(tmp_path / "runs", "one", 28, model={"digest": "x"})
    standing.prepare()
    publish(tmp_path / "runs", "two", 29, model={"digest": "x"}, columns={"leads": ["lead_id"]})
    standing.prepare()
    assert made.of == ["one", "two"]


def test_a_model_with_the_companys_figures_is_made_ready_anew_each_night() -> None:
    def key(night: str, *files: str) -> str:
        manifest = {"as_of": night, "model": {"digest": "x"}, "columns": {}, "files": dict.fromkeys(files)}
        return key_of(runs.Run(night, Path(night), manifest))

    assert key("one", "ranking.csv") == key("two", "ranking.csv")
    assert key("one", FILE) == key("one", FILE) != key("two", FILE)


def test_without_a_model_in_force_the_caller_is_told_so(
    tmp_path: Path, standing: Standing, made: Made
) -> None:
    with pytest.raises(BusyError, match="being made ready"):
        standing.answer(b"{}", EVERYTHING, NOW)
    publish(tmp_path / "runs", "one", 28, model={"digest": "x"}, ranked_by="scorecard")
    standing.prepare()
    with pytest.raises(BusyError, match="no model is in force"):
        standing.answer(b"{}", EVERYTHING, NOW)
    made.error = ModelError("the bundle is refused")
    publish(tmp_path / "runs", "two", 29, model={"digest": "y"})
    standing.prepare()
    with pytest.raises(BusyError, match="the bundle is refused"):
        standing.answer(b"{}", EVERYTHING, NOW)
    made.error = None
    publish(tmp_path / "runs", "three", 30, model={"digest": "y"})
    standing.prepare()
    with pytest.raises(RefusedError):
        standing.answer(b"no JSON", EVERYTHING, NOW)


def test_so_many_requests_wait_and_no_more() -> None:
    pool, may_go, has_one = Pool(lambda _: object(), scorers=1, waiting=1), Event(), Event()  # type: ignore[arg-type, return-value]

    def hold() -> None:
        with pool.scorer():
            has_one.set()
            may_go.wait()

    def wait() -> None:
        with pool.scorer(patience=60):
            pass

    with ThreadPoolExecutor(2) as threads:
        holding = threads.submit(hold)
        has_one.wait()
        with pytest.raises(BusyError), pool.scorer(patience=0.01):
            pass
        waiting = threads.submit(wait)
        while pool._places._value:
            pass
        with pytest.raises(BusyError), pool.scorer(patience=60):
            pass
        may_go.set()
        holding.result()
        waiting.result()
    with pool.scorer(patience=0.01):
        pass
