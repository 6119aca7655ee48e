"""Where a process stands in time, and when it starts, changes no ranking; what is late or odd is told."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipelines import gating
from pipelines.champion import Champion
from pipelines.rankers import ByModel
from serve import runs
from serve.gates.limits import Limits
from tests.pipelines.ends import asked, failed
from tests.pipelines.small_crm import NIGHT, write
from tests.serve.small import bundle


@pytest.fixture
def home(tmp_path):
    return write(tmp_path / "crm")


@pytest.fixture
def zone(monkeypatch):
    """Set the time zone of this process."""

    def set_to(name):
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield set_to
    monkeypatch.undo()
    time.tzset()


def digests(home):
    return {name: entry["sha256"] for name, entry in runs.current(home / "runs").manifest["files"].items()}


@pytest.mark.parametrize("name", ["Pacific/Kiritimati", "America/St_Johns", "Europe/Berlin"])
def test_the_zone_of_the_process_changes_no_byte(home, leadrank, zone, name):
    zone("UTC")
    here = asked(leadrank, "score", *NIGHT, home=home)
    before = digests(home)
    shutil.rmtree(home / "runs")
    zone(name)
    assert datetime.now().astimezone().utcoffset() != timedelta(0)
    there = asked(leadrank, "score", *NIGHT, home=home)
    assert (there["run_id"], digests(home)) == (here["run_id"], before)


def append(home, table, *rows):
    with (home / f"{table}.csv").open("a", encoding="utf-8") as file:
        file.writelines(f"{row}\n" for row in rows)


def test_facts_of_the_future_change_no_byte_of_the_ranking(home, leadrank):
    asked(leadrank, "score", *NIGHT, home=home)
    before = digests(home)
    shutil.rmtree(home / "runs")
    append(home, "touches", *(f"L{n},2026-06-30T00:00:00,demo_request" for n in range(60)))
    append(home, "outcomes", "L1,won,2026-06-30", "L3,lost,2027-01-01")
    append(home, "leads", "L99,2026-06-30,web")
    told = asked(leadrank, "score", *NIGHT, home=home)
    assert told["counts"]["ranked"] == 48
    assert digests(home) == before
    append(home, "touches", "L1,2026-06-29T23:59:59,demo_request")
    asked(leadrank, "score", *NIGHT, home=home)
    assert digests(home) != before


def test_a_clock_that_runs_ahead_publishes_nothing(home, leadrank):
    asked(leadrank, "score", *NIGHT, home=home)
    in_force = runs.current(home / "runs").run_id
    line = failed(leadrank, "score", "--as-of", "2027-06-30", home=home)
    assert (line["code"], "freshness" in line["reason"]) == (4, True)
    assert runs.current(home / "runs").run_id == in_force
    asked(leadrank, "score", "--as-of", "2026-06-29", home=home)  # a clock that runs behind
    assert runs.current(home / "runs").run_id == in_force


def test_a_night_begun_before_midnight_keeps_its_moment(home, leadrank, monkeypatch):
    from pipelines import console, score

    clock = iter([datetime(2026, 6, 29, 23, 59, 59, tzinfo=UTC), datetime(2026, 6, 30, 0, 0, 1, tzinfo=UTC)])
    monkeypatch.setattr(console, "now", lambda: next(clock))
    write = score.write
    monkeypatch.setattr(score, "write", lambda *given, **named: (next(clock), write(*given, **named))[1])
    told = asked(leadrank, "score", home=home)
    assert told["as_of"] == "2026-06-29T00:00:00+00:00"


def test_a_night_that_starts_twice_is_one_and_nights_without_a_ranking_are_told(home, leadrank):
    first = asked(leadrank, "score", "--as-of", "2026-06-26", home=home)
    assert first["missed"] == []
    again = asked(leadrank, "score", "--as-of", "2026-06-26", home=home)
    assert (again["run_id"], again["is_new"]) == (first["run_id"], False)
    told = asked(leadrank, "score", "--as-of", "2026-06-29", home=home)
    assert told["missed"] == ["2026-06-27", "2026-06-28"]
    code, out, _ = leadrank("score", "--as-of", "2026-06-30", home=home)
    assert (code, "no ranking" in out) == (0, False)
    shutil.rmtree(Path(told["folder"]))
    _, out, _ = leadrank("score", "--as-of", "2026-06-30", "--if-exists", "replace", home=home)
    assert "3 nights before this one have no ranking" in " ".join(out.split())


@pytest.mark.parametrize(("days", "is_shut"), [(400, False), (401, True)])
def test_a_model_that_has_learned_nothing_for_long_is_asked_about(days, is_shut):
    as_of = datetime(2026, 6, 30, tzinfo=UTC)
    made = bundle()
    last = (as_of - timedelta(days=days)).replace(tzinfo=None).isoformat()
    aged = replace(made, window=replace(made.window, last_as_of=last))
    by = ByModel(Champion("1", "d", aged), "m")
    found = gating._aged(SimpleNamespace(is_flat=True), by, as_of, Limits())
    assert [finding.gate for finding in found] == ["model_age"] * is_shut


def test_a_lead_that_was_closed_before_it_was_created_is_ranked_by_nobody_and_counted(home, leadrank):
    append(home, "leads", "B1,2026-06-10,web", "B2,2026-06-10,web")
    append(home, "outcomes", "B1,lost,2026-06-01")
    append(home, "touches", "B2,2026-05-01T10:00,call")  # before its creation
    told = asked(leadrank, "score", *NIGHT, home=home)
    assert told["counts"]["ranked"] == 49
    assert asked(leadrank, "explain", "B2", home=home)["lead_id"] == "B2"
    assert failed(leadrank, "explain", "B1", home=home)["code"] == 3
    early = {"table": "outcomes", "column": "occurred_at", "kind": "before_creation", "count": 1}
    assert early in asked(leadrank, "check", home=home)["notes"]
    code, out, _ = leadrank("check", home=home)
    assert (code, "before creation" in " ".join(out.split())) == (0, True)


def test_a_negative_duration_is_none_and_counted(home, leadrank):
    rows = (home / "touches.csv").read_text().splitlines()
    seconds = [f"{row},{-5 if n == 7 else n}" for n, row in enumerate(rows[1:])]
    (home / "touches.csv").write_text("\n".join([f"{rows[0]},duration_seconds", *seconds]) + "\n")
    notes = asked(leadrank, "check", home=home)["notes"]
    assert {
        "table": "touches",
        "column": "duration_seconds",
        "kind": "negative_duration",
        "count": 1,
    } in notes
