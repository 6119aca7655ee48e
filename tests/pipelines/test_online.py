"""A lead scored now, over the request, has the numbers and the words that the night gave it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.moments import naive_utc
from pipelines import online
from pipelines import params as parameters
from serve.batch import CONTRIBUTIONS, REASONS, SCORES, WITHHELD
from serve.online.asking import asked
from serve.online.standing import Standing
from serve.online.tables import tables
from serve.runs import Run, current
from serve.views.scope import EVERYTHING
from tests.conftest import Demo
from tests.serve.telling import Telling

EXACT = 1e-9
NIGHT = datetime(2026, 6, 30, tzinfo=UTC)
LEADS = 200


class Asked:
    """The demo's champion, and what its night published."""

    def __init__(self, home: Path) -> None:
        params = parameters.load(home / "params.yaml")
        self.standing: Standing = online.standing(params, home)
        self.standing.prepare()
        self.telling = Telling(params, home)
        self.run: Run = current(home / params.score.runs)  # type: ignore[assignment]  # there is one
        self.ranking = pq.read_table(self.run.folder / "ranking.parquet")
        every = self.ranking.column("lead_id").to_pylist()
        self.leads = every[:: max(1, len(every) // LEADS)][:LEADS]

    def answer(self, *leads: str, **more: Any) -> list[dict[str, Any]]:
        body = self.telling.of(leads, self.run.as_of, **more)
        told: list[dict[str, Any]] = json.loads(self.standing.answer(body, EVERYTHING, NIGHT))["leads"]
        return told

    def scored(self) -> dict[str, pa.Table]:
        ready, _ = self.standing._in_force()
        body = ready.body.read(self.telling.of(self.leads, self.run.as_of))
        made = tables(body, ready.columns)
        request = asked(body, made, scope=EVERYTHING, moment=NIGHT, tombstones=None)
        with ready.pool.scorer() as scorer:
            return scorer.score(made, request.scored, naive_utc(NIGHT))

    def published(self, name: str) -> list[dict[str, Any]]:
        """Rows of a file of the night for these leads, in their order."""
        rows = pq.read_table(self.run.folder / name).to_pylist()
        place = {lead: at for at, lead in enumerate(self.leads)}
        return sorted((row for row in rows if row["lead_id"] in place), key=lambda row: place[row["lead_id"]])


@pytest.fixture(scope="module")
def here(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    home = tmp_path_factory.mktemp("online") / "home"
    shutil.copytree(demo.home, home)
    made = Asked(home)
    yield made
    made.standing.close()


def assert_same(found: list[dict[str, Any]], expected: list[dict[str, Any]], names: list[str]) -> None:
    assert len(found) == len(expected) > 0
    for name in names:
        ours, theirs = [row[name] for row in found], [row[name] for row in expected]
        if any(isinstance(value, float) for value in theirs):
            assert [value is None for value in ours] == [value is None for value in theirs], name
            known = [value for value in theirs if value is not None]
            found_known = [value for value in ours if value is not None]
            assert found_known == pytest.approx(known, abs=EXACT, rel=0, nan_ok=True), name
        else:
            assert ours == theirs, name


def test_scores_contributions_and_reasons_are_those_of_the_night(here: Asked) -> None:
    found = here.scored()
    for name in (CONTRIBUTIONS, REASONS):
        rows = found[name].to_pylist()
        assert_same(rows, here.published(name), found[name].column_names)
    both = [name for name in found[SCORES].column_names if name in here.ranking.column_names]
    assert {"probability", "probability_low", "score", "grade", "route", "tags", "expected_value"} <= set(
        both
    )
    # What is withheld is withheld from whoever reads the answer, as it is from the ranking's readers.
    pairs = zip(found[SCORES].to_pylist(), here.published("ranking.parquet"), strict=True)
    told = [(ours, theirs) for ours, theirs in pairs if theirs[WITHHELD] is None]
    assert_same([ours for ours, _ in told], [theirs for _, theirs in told], both)


def test_a_lead_alone_has_the_answer_that_it_has_among_others(here: Asked) -> None:
    together = here.answer(*here.leads)
    for place in (0, 1, len(here.leads) // 2, -1):
        (alone,) = here.answer(here.leads[place])
        assert alone == together[place]


def test_the_answer_says_of_each_lead_what_is_published(here: Asked) -> None:
    told = here.answer(*here.leads)
    rows = here.published("ranking.parquet")
    names = [
        "probability",
        "probability_low",
        "probability_high",
        "score",
        "grade",
        "route",
        "probability_sql",
    ]
    assert_same(told, rows, names)
    assert [", ".join(lead["tags"]) for lead in told] == [row["tags"] or "" for row in rows]
    assert [lead["reasons"][0]["sentence"] for lead in told if lead["reasons"]] == [
        row["for_1"] or row["against_1"] for row in rows if row["for_1"] or row["against_1"]
    ]
    assert all(not name.startswith("margin") for name in told[0])


def test_a_fact_more_changes_the_answer_and_the_next_one_does_not_know_it(here: Asked) -> None:
    lead = here.leads[0]
    (before,) = here.answer(lead)
    lost = {"lead_id": lead, "stage": "returned_at_once", "occurred_at": "2026-06-29T12:00:00Z"}
    (changed,) = here.answer(lead, outcomes=[lost])
    assert changed["probability"] != before["probability"]
    assert here.answer(lead) == [before]


def test_two_requests_at_once_do_not_see_each_other(here: Asked) -> None:
    from concurrent.futures import ThreadPoolExecutor

    expected = {lead: here.answer(lead) for lead in here.leads[:8]}
    with ThreadPoolExecutor(6) as pool:
        asked_for = here.leads[:8] * 3
        for lead, told in zip(asked_for, pool.map(here.answer, asked_for), strict=True):
            assert told == expected[lead]
