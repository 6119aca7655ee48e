"""An executor that dies in the middle of a job."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable

from tests.cluster.standalone import Cluster, Running

JOB_SECONDS = 600


def kill_one(cluster: Cluster, running: Running, done: Callable[[], int], *, of: int) -> None:
    """Wait until two parts of a job are done, and kill one of its two executors before all are.

    Parameters
    ----------
    running
        The job.
    done
        How many parts are done.
    of
        How many there are.
    """
    end = time.monotonic() + JOB_SECONDS
    while done() < 2:
        assert running.process.poll() is None, running.said()[-3000:]
        assert time.monotonic() < end, running.said()[-3000:]
        time.sleep(0.02)
    at_work = cluster.executors()
    assert sorted(at_work) == ["0", "1"]
    os.kill(at_work["0"], signal.SIGKILL)
    assert 2 <= done() < of


def check_another_took_its_place(cluster: Cluster) -> None:
    """Of the job that was registered last, the executor that was killed ended so, and another was started."""
    job = cluster.last_job()
    ended = re.compile(rf"Executor {job}/0 finished with state \w+ .*exitStatus 137")  # by SIGKILL
    assert any(ended.search(worker.said()) for worker in cluster.workers)
    assert f"Launching executor {job}/2" in cluster.master.said()
