"""A real standalone Spark cluster on loopback, for tests: processes of a master and of two workers."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

WORKERS = 2
START_SECONDS, STOP_SECONDS = 300, 20
EXECUTOR = "org.apache.spark.executor.CoarseGrainedExecutorBackend"
SERVING = re.compile(r"Starting Spark master at (spark://127\.0\.0\.1:\d+)")
REGISTERED = "Successfully registered with master"


@dataclass(frozen=True)
class Running:
    """A process that leads a session, which all its children are in, and where it says what it does."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        """Its log so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")


@dataclass(frozen=True)
class Cluster:
    """A cluster that takes jobs.

    Attributes
    ----------
    url
        Address of the master.
    master, workers
        Its processes.
    """

    url: str
    master: Running
    workers: tuple[Running, ...]

    def executors(self) -> dict[str, int]:
        """Process id of each executor that runs now, by its id within the job."""
        found = {}
        for worker in self.workers:
            for pid in members(worker):
                words = command(pid)
                if EXECUTOR in words and "--executor-id" in words:
                    found[words[words.index("--executor-id") + 1]] = pid
        return found

    def last_job(self) -> str:
        """Id of the job that was registered last."""
        lines = [line for line in self.master.said().splitlines() if "Registered app" in line]
        return lines[-1].split()[-1]


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Start a master and two workers of one core and 1 GiB, and stop all that they started at the end."""
    started: list[Running] = []
    with TemporaryDirectory(prefix="leadrank-spark-") as folder:
        home = Path(folder)
        try:
            master = daemon(home, "master", ["--port", "0"])
            started.append(master)
            url = awaited(lambda: SERVING.search(master.said()), master)[1]
            for number in range(WORKERS):
                own = home / f"work-{number}"
                size = ["--cores", "1", "--memory", "1g", "--work-dir", str(own)]
                started.append(daemon(home, f"worker-{number}", [*size, url]))
            for worker in started[1:]:
                awaited(lambda log=worker: REGISTERED in log.said(), worker)
            yield Cluster(url, master, tuple(started[1:]))
        finally:
            stop(started[::-1])


def environment(folder: Path) -> dict[str, str]:
    """The environment of Spark's processes: nothing of another Spark on this machine, loopback only."""
    import pyspark

    own = {name: value for name, value in os.environ.items() if not name.startswith("SPARK_")}
    return own | {
        "SPARK_HOME": str(Path(pyspark.__file__).parent),
        "SPARK_CONF_DIR": str(folder),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(folder),
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_DAEMON_JAVA_OPTS": "-XX:+UseSerialGC -Dspark.master.rest.enabled=false",
        "PYSPARK_PYTHON": sys.executable,
    }


def daemon(home: Path, name: str, arguments: list[str]) -> Running:
    """A master or a worker; Spark chooses its ports."""
    role = name.partition("-")[0]
    main = f"org.apache.spark.deploy.{role}.{role.capitalize()}"
    spark_class = Path(environment(home)["SPARK_HOME"]) / "bin" / "spark-class"
    words = ["bash", str(spark_class), main, "--host", "127.0.0.1", "--webui-port", "0", *arguments]
    return start(words, home, home / f"{name}.log")


def start(words: list[str], home: Path, log: Path) -> Running:
    """Start a process of Spark in a session of its own."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            words,
            env=environment(home),
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Running(process, log)


def awaited(found: Callable[[], object], running: Running) -> object:
    """What ``found`` returns as soon as it is true."""
    end = time.monotonic() + START_SECONDS
    while not (answer := found()):
        if time.monotonic() > end or not members(running):
            raise RuntimeError(f"Spark did not start:\n{running.said()[-2000:]}")
        time.sleep(0.2)
    return answer


def stop(started: Sequence[Running]) -> None:
    """End every process of some sessions, whatever process group it is in; waits until all are gone."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        end = time.monotonic() + STOP_SECONDS
        for pid in (pid for running in started for pid in members(running)):
            send(pid, how)
        while any(members(running) for running in started) and time.monotonic() < end:
            time.sleep(0.1)
    left = [pid for running in started for pid in members(running)]
    if left:
        raise RuntimeError(f"processes {left} of Spark do not end")
    for running in started:
        running.process.wait(STOP_SECONDS)  # a zombie is reaped


def send(pid: int, how: signal.Signals) -> None:
    """A signal to a process, if it is still there."""
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        return


def members(running: Running) -> list[int]:
    """The processes of a session that run."""
    running.process.poll()  # reaps it
    session = str(running.process.pid)
    return [pid for pid, (state, own) in processes() if own == session and state != "Z"]


def processes() -> Iterator[tuple[int, tuple[str, str]]]:
    """State and session of every process."""
    for entry in Path("/proc").iterdir():
        text = read(entry / "stat") if entry.name.isdigit() else ""
        if text:
            state, _, _, session = text.rpartition(")")[2].split()[:4]
            yield int(entry.name), (state, session)


def command(pid: int) -> list[str]:
    """The words that a process was started with; none if it ended."""
    return read(Path(f"/proc/{pid}/cmdline")).split("\0")


def read(file: Path) -> str:
    """A file of /proc; empty if the process ended meanwhile."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
