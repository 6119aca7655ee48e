"""What a process has used so far; Python's own library only, so that any Python can import it."""

from __future__ import annotations

import resource
import sys
from pathlib import Path


def peak_mib(process: int | str = "self") -> float:
    """Greatest resident memory of a process so far, in MiB; 0 of another one without Linux's /proc."""
    status = Path(f"/proc/{process}/status")
    if status.exists():
        # Not getrusage: on Linux a new process starts with the peak of the one that started it.
        lines = dict(line.split(":", 1) for line in status.read_text(encoding="utf-8").splitlines())
        return int(lines["VmHWM"].split()[0]) / 1024
    if process != "self":
        return 0.0
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
