"""A lead whose points reach the threshold is told of within seconds, once, and whatever is killed between."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from features.errors import InputError, LockedError, ParameterError
from pipelines import crossing, watch
from pipelines import params as parameters
from serve import runs
from serve.watching import outbox
from tests.pipelines.ends import asked
from tests.serve.test_watching import SECRET, server

# mlflow and its dependencies warn about themselves while they are imported.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

ROOT = Path(__file__).resolve().parents[2]
LEADRANK = [sys.executable, "-c", "from pipelines.cli import main; main()"]
NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)
PARAMS = """\
tables:
  leads: {path: leads.csv}
  touches: {path: touches.csv}
  outcomes: {path: outcomes.csv}
scorecard: {mql_points: 40}
"""
SENDING = "watch: {url_env: HOOK_URL, secret_env: HOOK_SECRET, timeout_seconds: 5}\n"


@pytest.fixture
def crm(tmp_path):
    """A CRM of three leads; one has asked for a demo, another was lost."""
    lines = {
        "leads": ["lead_id,created_at", *(f"L{n},2026-06-01" for n in (1, 2, 3))],
        "touches": ["lead_id,occurred_at,kind", "L1,2026-06-29T10:00,demo_request", "L2,2026-06-20,visit"],
        "outcomes": ["lead_id,stage,occurred_at", "L3,lost,2026-06-10"],
    }
    for name, rows in lines.items():
        (tmp_path / f"{name}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (tmp_path / "params.yaml").write_text(PARAMS, encoding="utf-8")
    return tmp_path


def touched(home, lead, kind, at):
    with (home / "touches.csv").open("a", encoding="utf-8") as file:
        file.write(f"{lead},{at.replace(tzinfo=None).isoformat()},{kind}\n")


def looked(home, at=NOON):
    return watch.once(parameters.load(home / "params.yaml"), home, now=lambda: at)


def messages(home):
    with sqlite3.connect(home / outbox.FILE) as connection:
        found = connection.execute("SELECT lead_id, threshold, key FROM messages ORDER BY as_of").fetchall()
    connection.close()
    return found


def test_who_is_above_at_the_first_look_is_not_told_of_and_who_crosses_later_is_once(crm):
    first = looked(crm)
    assert (first["leads"], first["crossed"]) == (2, 0)
    touched(crm, "L2", "event", NOON + timedelta(minutes=1))  # a kind that nobody had touched by before
    touched(crm, "L3", "event", NOON + timedelta(minutes=1))  # lost: not open
    assert looked(crm, NOON + timedelta(minutes=1))["crossed"] == 0  # a fact at the moment itself
    assert looked(crm, NOON + timedelta(minutes=2))["crossed"] == 1
    assert looked(crm, NOON + timedelta(minutes=3))["crossed"] == 0
    assert [(lead, threshold) for lead, threshold, _ in messages(crm)] == [("L2", 40.0)]


def test_who_falls_and_rises_again_is_told_of_again_on_another_day_only(crm):
    looked(crm)
    touched(crm, "L2", "event", NOON)
    assert looked(crm, NOON + timedelta(hours=1))["crossed"] == 1
    with (crm / "outcomes.csv").open("a", encoding="utf-8") as file:
        file.write("L2,lost,2026-06-30T14:00\n")
    looked(crm, NOON + timedelta(hours=3))
    with (crm / "outcomes.csv").open("a", encoding="utf-8") as file:
        file.write("L2,reopened,2026-06-30T16:00\n")
    assert looked(crm, NOON + timedelta(hours=5))["crossed"] == 0  # the key of the day is there
    with (crm / "outcomes.csv").open("a", encoding="utf-8") as file:
        file.write("L2,lost,2026-07-01T01:00\nL2,reopened,2026-07-01T03:00\n")
    looked(crm, NOON + timedelta(hours=14))
    assert looked(crm, NOON + timedelta(hours=16))["crossed"] == 1


def test_another_threshold_is_a_new_beginning(crm):
    looked(crm)
    file = crm / "params.yaml"
    file.write_text(PARAMS.replace("40", "0"), encoding="utf-8")
    assert looked(crm, NOON + timedelta(hours=1))["crossed"] == 0


def test_nothing_is_read_where_nothing_is_new(crm):
    watcher = watch.Watcher(parameters.load(crm / "params.yaml"), crm, lambda: NOON, None)
    assert watcher.look()["is_new"]
    assert not watcher.look()["is_new"]
    touched(crm, "L2", "visit", NOON)
    assert watcher.look()["is_new"]


def test_a_file_that_is_missing_for_a_while_is_looked_for_again(crm):
    watcher = watch.Watcher(parameters.load(crm / "params.yaml"), crm, lambda: NOON, None)
    watcher.look()
    away = (crm / "touches.csv").rename(crm / "away.csv")
    with pytest.raises(InputError):
        watcher.look()
    away.rename(crm / "touches.csv")
    touched(crm, "L2", "event", NOON - timedelta(hours=1))
    assert watcher.look()["crossed"] == 1


def test_a_table_of_a_database_is_new_when_its_newest_row_is(crm, monkeypatch):
    text = PARAMS.replace("{path: touches.csv}", "{format: database, url_env: CRM_URL, database_table: acts}")
    mapped = text.replace("acts}", "acts, mapping: {occurred_at: At}}")
    (crm / "params.yaml").write_text(mapped, encoding="utf-8")
    monkeypatch.setenv("CRM_URL", f"sqlite:///{crm / 'crm.db'}")

    def do(sql):
        with sqlite3.connect(crm / "crm.db") as connection:
            connection.execute(sql)
        connection.close()

    do("CREATE TABLE acts (lead_id TEXT, kind TEXT, At TEXT)")
    do("INSERT INTO acts VALUES ('L1', 'visit', '2026-06-01 10:00')")
    watcher = watch.Watcher(parameters.load(crm / "params.yaml"), crm, lambda: NOON, None)
    watcher.look()
    assert not watcher.look()["is_new"]
    do("INSERT INTO acts VALUES ('L1', 'event', '2026-06-30 10:00')")
    assert watcher.look()["crossed"] == 1


def test_a_flat_table_cannot_be_watched(flat):
    with pytest.raises(ParameterError, match="flat"):
        looked(flat)


def test_only_one_process_watches(crm):
    with runs.lock(crm / ".leadrank" / "watch"), pytest.raises(LockedError):
        looked(crm)


def test_an_address_needs_a_secret(crm):
    (crm / "params.yaml").write_text(PARAMS + "watch: {url_env: HOOK_URL}\n", encoding="utf-8")
    with pytest.raises(ParameterError, match="secret_env"):
        looked(crm)


def test_one_look_says_what_it_found(crm, leadrank):
    told = asked(leadrank, "watch", "--once", home=crm)
    assert (told["is_new"], told["crossed"], told["waiting"]) == (True, 0, None)
    assert "they stay in the outbox" in leadrank("watch", "--once", home=crm)[1]


def started(home, url, every):
    return subprocess.Popen(
        [*LEADRANK, "watch", "--every", str(every)],
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HOOK_URL": url, "HOOK_SECRET": SECRET},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until(happened, process, *, seconds):
    """The seconds until something has happened."""
    start = time.monotonic()
    while not happened():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() - start < seconds
        time.sleep(0.05)
    return time.monotonic() - start


def ended(process):
    """End by SIGTERM: the seconds it took, and what was written."""
    start = time.monotonic()
    process.terminate()
    out, err = process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGTERM
    return time.monotonic() - start, out + err


def has_looked(home):
    def happened():
        if not (home / outbox.FILE).exists():
            return False
        with outbox.opened(home) as box:
            return box.above(crossing.card_of(parameters.load(home / "params.yaml"))) is not None

    return happened


@pytest.mark.parametrize("every", [1, pytest.param(30, marks=pytest.mark.slow)])
def test_a_touch_is_told_of_in_time_and_again_after_a_kill_before_its_delivery(crm, every):
    (crm / "params.yaml").write_text(PARAMS + SENDING, encoding="utf-8")
    with server(500) as (url, refused):
        process = started(crm, url, every)
        until(has_looked(crm), process, seconds=60)
        touched(crm, "L2", "event", datetime.now(tz=UTC))
        assert until(lambda: refused, process, seconds=90) < 90
        process.kill()  # the message is in the outbox, and nobody has taken it
        process.communicate()
    with server(200) as (url, taken):
        process = started(crm, url, every)
        until(lambda: taken, process, seconds=60)
        touched(crm, "L2", "visit", datetime.now(tz=UTC))
        time.sleep(0.5)
        seconds, said = ended(process)
    assert seconds < 10
    assert {headers["webhook-id"] for _, headers, _ in refused + taken} == {messages(crm)[0][2]}
    assert len(taken) == 1
    assert json.loads(taken[0][2])["data"]["lead_id"] == "L2"
    assert "L2" not in said
    assert url not in said
