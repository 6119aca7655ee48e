"""Signals, closed outlets, and two runs at once: a command ends in good order, or stays out of the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from features.errors import LockedError
from pipelines import attempts
from serve import runs
from tests.pipelines.ends import asked, failed
from tests.pipelines.small_crm import NIGHT, write

LEADRANK = Path(sys.executable).parent / "leadrank"
ENDS_WITHIN = 10.0
"""Seconds from a signal to the end."""
SLOW_MODULE = "from pathlib import Path\nimport time\nPath('begun').touch()\ntime.sleep(60)\n"
HEARD = """\
import os, signal, sys
for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
    signal.signal(number, signal.SIG_DFL)  # whoever started the tests may have had them ignored
os.execv(sys.argv[1], sys.argv[1:])
"""
SLOW_QUERY = """\
import duckdb, sys
from pathlib import Path
from pipelines import cli, show
def slow(*given, **named):
    Path('begun').touch()
    duckdb.sql('SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b').fetchall()
show.runs = slow
sys.argv = ['leadrank', 'runs']
cli.main()
"""


def stopped(words, home, number):
    """Start a command, send it a signal once it is at work, and tell how it ended and after how long."""
    process = subprocess.Popen(
        [sys.executable, "-c", HEARD, *words],
        cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        for _ in range(600):
            if (home / "begun").exists() or process.poll() is not None:
                break
            time.sleep(0.05)
        time.sleep(0.2)
        process.send_signal(number)
        sent = time.perf_counter()
        out, err = process.communicate(timeout=ENDS_WITHIN)
        return process.returncode, out, err, time.perf_counter() - sent
    finally:
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_a_night_in_time_and_frees_what_it_held(tmp_path, number):
    home = write(tmp_path / "crm", more="features: {modules: [slow]}\n")
    (home / "slow.py").write_text(SLOW_MODULE)
    code, out, err, seconds = stopped([LEADRANK, "score", *NIGHT], home, number)
    assert (code, out) == (128 + number, "")
    assert "Traceback" not in err
    assert seconds < ENDS_WITHIN
    with runs.lock(home / "runs"):
        assert {path.name for path in (home / "runs").iterdir()} == {".lock"}
    assert list((home / ".leadrank").glob("work-*")) == []
    assert attempts.failed(home)["code"] == 128 + number


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_the_middle_of_a_query_is_no_bug_of_ours(tmp_path, number):
    home = write(tmp_path / "crm")
    code, out, err, seconds = stopped([sys.executable, "-c", SLOW_QUERY], home, number)
    assert (code, out) == (128 + number, "")
    line = json.loads(err)
    assert (line["code"], line["reason"]) == (128 + number, f"ended by {signal.Signals(number).name}")
    assert seconds < ENDS_WITHIN


def test_a_signal_that_the_caller_has_had_ignored_stays_ignored():
    from pipelines import stopping

    before = {number: signal.getsignal(number) for number in stopping.SIGNALS}
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        stopping.watch()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) is not before[signal.SIGTERM]
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.fixture(scope="module")
def ranked(tmp_path_factory):
    """The small CRM after its first night."""
    home = write(tmp_path_factory.mktemp("process") / "crm")
    subprocess.run([LEADRANK, "score", *NIGHT, "--json"], cwd=home, check=True, capture_output=True)
    return home


def shell(home, words):
    return subprocess.run(
        ["/bin/bash", "-c", f"{LEADRANK} {words}"], cwd=home, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ("runs --json >&-", 0, ""),
        ("runs --json >/dev/full", 7, "no space left on device"),
        ("runs >/dev/full", 7, "no space left on device"),
        ("score --as-of 2026-06-30 2>&-", 0, ""),
        ("score --as-of 2026-06-29 2>/dev/full", 0, ""),
        ("scor 2>/dev/full", 2, ""),
        ("scor 2>&-", 2, ""),
        ("scor >&- 2>&-", 2, ""),
    ],
)
def test_an_outlet_that_takes_nothing_leaves_the_result_and_the_code_as_they_are(ranked, words, code, told):
    done = shell(ranked, words)
    assert (done.returncode, told in done.stderr) == (code, True)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert len(done.stderr.splitlines()) == (1 if told else 0)


def test_a_reader_that_goes_away_ends_the_command_quietly(ranked):
    done = shell(ranked, "current | head -1 > first; exit ${PIPESTATUS[0]}")
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")
    assert (ranked / "first").read_text().startswith("48 leads")


RACE = """\
import os, sys
from pathlib import Path
from datetime import UTC, datetime, timedelta
from features.errors import LockedError
from serve import runs
folder = Path('runs')
print('ready', flush=True)
for line in sys.stdin:
    as_of = datetime(2026, 6, 1, tzinfo=UTC) + timedelta(days=int(line))
    try:
        with runs.lock(folder), runs.staging(folder) as staged:
            (staged / 'ranking.csv').write_text(line)
            run = runs.publish(staged, folder, runs.run_id(as_of, line), {'as_of': as_of.isoformat()})
            print('published', flush=True)
            sys.stdin.readline()
    except LockedError as error:
        print(error.code, error.reason, flush=True)
        sys.stdin.readline()
"""


def test_of_two_runs_started_together_one_publishes_and_the_other_names_it(tmp_path):
    (tmp_path / "runs").mkdir()
    both = [
        subprocess.Popen(
            [sys.executable, "-c", RACE],
            cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(Path(runs.__file__).parents[1])},
        )
        for _ in range(2)
    ]  # fmt: skip
    try:
        assert [process.stdout.readline() for process in both] == ["ready\n"] * 2
        for night in range(20):
            for process in both:
                print(night, file=process.stdin, flush=True)
            told = {process.pid: process.stdout.readline().strip() for process in both}
            [winner] = [pid for pid, text in told.items() if text == "published"]
            [refused] = [text for text in told.values() if text != "published"]
            assert refused == f"6 another run holds the lock of 'runs' (process {winner})"
            for process in both:
                print("on", file=process.stdin, flush=True)
    finally:
        for process in both:
            process.stdin.close()
            process.wait(20)
            process.stdout.close()
    assert len(runs.published(tmp_path / "runs")) == 20


def test_a_second_night_waits_for_nobody_and_says_who_is_at_work(ranked, leadrank):
    with runs.lock(ranked / "runs"):
        line = failed(leadrank, "score", "--as-of", "2026-07-01", home=ranked)
        assert (line["code"], f"(process {os.getpid()})" in line["reason"]) == (6, True)
        assert asked(leadrank, "current", home=ranked)["last_failure"] is None  # a lock is no attempt


def test_a_file_system_without_locks_is_refused(tmp_path, monkeypatch):
    import errno
    import fcntl

    from features.errors import StorageError

    def missing(*_):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", missing)
    with pytest.raises(StorageError, match="has no locks") as refused, runs.lock(tmp_path / "runs"):
        pass
    assert "local disk" in refused.value.hint


def test_a_ranking_is_read_while_a_night_is_at_work(ranked, leadrank):
    from features.backend import workspace

    with runs.lock(ranked / "runs"), workspace(ranked) as backend:
        backend.con.execute("CREATE TABLE t AS SELECT 1")
        assert list(ranked.rglob("*.duckdb")) == []
        assert asked(leadrank, "current", home=ranked)["leads"]
        assert asked(leadrank, "explain", "L1", home=ranked)["reasons"]


MIXED = """\
import sys, time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from features.errors import LockedError
from serve import keeping, runs
folder, work = Path('runs'), sys.argv[1]
FIRST = datetime(2026, 6, 1, tzinfo=UTC)
done = torn = 0
end = time.perf_counter() + 3
while time.perf_counter() < end:
    try:
        if work == 'publish':
            as_of = FIRST + timedelta(hours=done)
            with runs.lock(folder), runs.staging(folder) as staged:
                for name in ('a', 'b', 'c'):
                    (staged / name).write_text(str(done))
                runs.publish(staged, folder, runs.run_id(as_of, str(done)), {'as_of': as_of.isoformat()})
        elif work == 'collect':
            with runs.lock(folder):
                keeping.collect(folder, keep=1)
        else:
            with keeping.reading(runs.current(folder)) as run:
                texts = {(run.folder / name).read_text() for name in run.manifest['files']}
                time.sleep(0.002)
                torn += len(texts) != 1 or runs.damaged_files(run) != []
        done += 1
    except (LockedError, FileNotFoundError):
        time.sleep(0.001)
print(done, torn)
"""


def test_publishing_collecting_and_reading_at_once_tear_nothing(tmp_path):
    (tmp_path / "runs").mkdir()
    with runs.lock(tmp_path / "runs"), runs.staging(tmp_path / "runs") as staged:
        (staged / "a").write_text("first")
        runs.publish(staged, tmp_path / "runs", "20260101T000000Z-a", {"as_of": "2026-01-01T00:00:00+00:00"})
    environment = {**os.environ, "PYTHONPATH": str(Path(runs.__file__).parents[1])}
    works = ("publish", "collect", "read", "read")
    every = [
        subprocess.Popen(
            [sys.executable, "-c", MIXED, work], cwd=tmp_path, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env=environment,
        )
        for work in works
    ]  # fmt: skip
    told = [process.communicate(timeout=60) for process in every]
    assert [process.returncode for process in every] == [0] * 4, told
    counts = [tuple(map(int, out.split())) for out, _ in told]
    assert all(done > 5 for done, _ in counts), counts
    assert [torn for _, torn in counts] == [0] * 4
    assert runs.damaged_files(runs.current(tmp_path / "runs")) == []


def test_every_failure_is_one_json_line(ranked):
    done = shell(ranked, "score --as-of never")
    assert json.loads(done.stderr)["code"] == done.returncode == 2


def test_a_killed_night_leaves_no_lock(tmp_path):
    home = write(tmp_path / "crm", more="features: {modules: [slow]}\n")
    (home / "slow.py").write_text(SLOW_MODULE)
    code, *_ = stopped([LEADRANK, "score", *NIGHT], home, signal.SIGKILL)
    assert code == -signal.SIGKILL
    with runs.lock(home / "runs"):
        assert runs.current(home / "runs") is None
    assert LockedError.code == 6
