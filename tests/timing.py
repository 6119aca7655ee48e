"""How long something takes where others may keep the machine busy: compare, and take the best of a few."""

from __future__ import annotations

import time
from collections.abc import Callable


def quickest(action: Callable[[], object], *, times: int = 3) -> float:
    """Seconds, of this process' processors, of the quickest of a few runs."""
    taken = []
    for _ in range(times):
        began = time.process_time()
        action()
        taken.append(time.process_time() - began)
    return min(taken)
