"""Many runs, many files: a command looks at what it needs."""

from __future__ import annotations

import json
import shutil
import time
from datetime import UTC, datetime, timedelta

import pytest

from serve import runs
from tests.pipelines.ends import asked
from tests.pipelines.small_crm import NIGHT, write

FIRST = datetime(2025, 7, 1, tzinfo=UTC)


@pytest.fixture
def home(tmp_path, leadrank):
    held = write(tmp_path / "crm")
    asked(leadrank, "score", *NIGHT, home=held)
    return held


def seconds(leadrank, home, *words):
    began = time.perf_counter()
    found = asked(leadrank, *words, home=home)
    return found, time.perf_counter() - began


def test_a_year_of_runs_and_ten_thousand_files_beside_them_keep_no_command_waiting(home, leadrank):
    run = runs.current(home / "runs")
    for day in range(364):
        as_of = FIRST + timedelta(days=day)
        name = runs.run_id(as_of, "data")
        (home / "runs" / name).mkdir()
        manifest = {**run.manifest, "run_id": name, "as_of": as_of.isoformat()}
        (home / "runs" / name / "manifest.json").write_text(json.dumps(manifest))
    for number in range(10_000):
        (home / f"export-{number}.csv").touch()
    listed, listing = seconds(leadrank, home, "runs")
    assert len(listed["runs"]) == 365
    assert seconds(leadrank, home, "current")[0]["run_id"] == run.run_id
    told, scoring = seconds(leadrank, home, "score", *NIGHT)
    assert not told["is_new"]
    assert max(listing, scoring) < 5


@pytest.mark.slow
def test_thirty_nights_leave_what_a_few_leave(home, leadrank):
    shutil.rmtree(home / "runs")
    with (home / "params.yaml").open("a") as file:
        file.write("score: {keep_runs: 3}\n")
    sizes, descriptors, took = [], [], []
    for day in range(1, 31):
        _, once = seconds(leadrank, home, "score", "--as-of", f"2026-06-{day:02}")
        sizes.append(sum(path.stat().st_size for path in (home / "runs").rglob("*") if path.is_file()))
        descriptors.append(len(list(runs.Path("/proc/self/fd").iterdir())))
        took.append(once)
    assert len(runs.published(home / "runs")) == 3
    assert max(sizes[5:]) < 1.5 * max(sizes[3:8])
    assert descriptors[-1] <= descriptors[5]
    assert sorted(took[-9:])[4] < 2 * sorted(took[3:12])[4]
    assert list((home / ".leadrank").glob("work-*")) == []
