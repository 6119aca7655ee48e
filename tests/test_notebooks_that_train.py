"""The notebooks that train models of their own: they leave the demo as it was, and say what is so."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.notebooks import check_seconds, complaints, executed, pictures, sockets, text

FIXTURES = {"add_a_feature": "added", "read_monitoring": "monitored"}
KEPT = "shutil.copytree(place, {!r})"  # the month that the notebook makes, before it removes it

pytest.importorskip("nbclient", reason="notebook tests want the extra [notebooks]")
pytest.importorskip("jupytext", reason="notebook tests want the extra [notebooks]")


@pytest.fixture(scope="module")
def kernels() -> Iterator[Path]:
    with sockets() as folder:
        yield folder


@pytest.fixture(scope="module")
def added(demo: Any, kernels: Path) -> Any:
    """The notebook, and what of the demo's folder was there before it and after."""
    before = standing(demo.home)
    book = executed("add_a_feature", demo.home, kernels)
    return book, before, standing(demo.home)


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The place of a copy of the weeks that the notebook makes."""
    return tmp_path_factory.mktemp("month") / "kept"


@pytest.fixture(scope="module")
def monitored(demo: Any, kernels: Path, month: Path) -> Any:
    return executed("read_monitoring", demo.home, kernels, at_last=KEPT.format(str(month)))


@pytest.mark.parametrize("name", FIXTURES)
def test_a_notebook_takes_less_than_a_minute(name: str, request: pytest.FixtureRequest) -> None:
    found = request.getfixturevalue(FIXTURES[name])
    check_seconds(name, found[0] if isinstance(found, tuple) else found)


def test_the_notebook_of_a_new_feature_shows_its_pictures_and_no_complaint(added: Any) -> None:
    book, _, _ = added
    assert len(pictures(book)) == 2
    assert not complaints(book)


def test_the_notebook_of_a_new_feature_leaves_the_folder_as_it_was(added: Any) -> None:
    _, before, after = added
    assert before == after


def test_the_notebook_of_a_new_feature_counts_long_calls_as_one_does_by_hand(added: Any, demo: Any) -> None:
    book, _, _ = added
    night = datetime.fromisoformat(demo.result["score"]["as_of"]).replace(tzinfo=None)
    sql = """
        SELECT count(DISTINCT lead_id) FROM read_parquet($1)
        WHERE kind = 'call' AND duration_seconds > 300 AND occurred_at < $2 AND recorded_at < $2
              AND occurred_at >= $2 - INTERVAL 30 DAY
              AND lead_id IN (SELECT lead_id FROM read_parquet($3))
    """
    files = [str(demo.home / "data" / "touches.parquet"), night]
    run = str(Path(demo.result["score"]["folder"]) / "ranking.parquet")
    (leads,) = duckdb.execute(sql, [*files, run]).fetchone() or (0,)
    ranked = demo.result["score"]["counts"]["ranked"]
    assert leads > 0
    assert f"{leads:,} of {ranked:,} open leads had a long call in the last 30 days" in text(book)


def test_the_notebook_of_a_new_feature_judges_by_the_interval_and_by_another_seed(added: Any) -> None:
    said = text(added[0])
    number = r"([+-]\d\.\d+)"
    (mine, chance) = re.findall(rf"log_loss .*, {number} \({number} to {number}\)", said)
    difference, low, high = map(float, mine)
    is_sure = (high < 0 or low > 0) and abs(difference) > abs(float(chance[0]))
    expected = ("it helps" if difference < 0 else "it harms") if is_sure else "nobody can tell"
    assert f"Does it help? {expected}\n" in said


def test_the_monitoring_notebook_shows_its_pictures_and_no_complaint(monitored: Any) -> None:
    assert len(pictures(monitored)) == 3  # over the weeks, which features matter, were the lists right
    assert not complaints(monitored)


def test_the_monitoring_notebook_says_what_the_monitor_kept(monitored: Any, month: Path) -> None:
    from serve.monitoring import store

    verdict, said = store.latest(month), text(monitored)
    assert verdict is not None
    assert f"{verdict['as_of'][:10]}: {verdict['level']}; {verdict['advice']}" in said
    assert all(reason in said for reason in verdict["reasons"])
    assert "5 monitored nights" in said
    for name, label in (("model_drift", "features, weighted by what they move"), ("score_drift", "scores")):
        assert f"{label}: {verdict['figures'][f'{name}|training']:.3f} in the latest night" in said


def test_the_monitoring_notebook_counts_wins_as_one_does_by_hand(monitored: Any, month: Path) -> None:
    sql = """
        SELECT count(DISTINCT outcomes.lead_id)
        FROM read_csv($1, all_varchar = true) AS outcomes
             JOIN read_parquet($2) AS ranking USING (lead_id)
        WHERE stage = 'won' AND probability IS NOT NULL
              AND TRY_CAST(occurred_at AS TIMESTAMP) >= $3
              AND TRY_CAST(occurred_at AS TIMESTAMP) < $3 + INTERVAL 90 DAY
    """
    lists = re.findall(r"(\S+): (\d+) of ([\d,]+) leads were won", text(monitored))
    assert len(lists) == 4
    for day, won, _ in lists:
        (path,) = (month / "runs").glob(f"{day.replace('-', '')}*/ranking.parquet")
        found = duckdb.execute(
            sql, [str(month / "data" / "outcomes.csv"), str(path), datetime.fromisoformat(day)]
        ).fetchone()
        assert found == (int(won),)


def standing(home: Path) -> dict[str, str]:
    """The files of a demo, with their digests, and its registered models; what locks and logs is left out."""
    from pipelines.params import load
    from pipelines.show import models

    files = [path for path in home.rglob("*") if path.is_file() and ".leadrank" not in path.parts]
    kept = [path for path in files if path.suffix not in {".db", ".db-wal", ".db-shm", ".lock"}]
    digests = {
        str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in kept
        if path.name != ".lock" and "__pycache__" not in path.parts
    }
    return {**digests, "models": json.dumps(models(load(home / "params.yaml"), home))}
