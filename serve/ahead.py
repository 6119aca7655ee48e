"""Work on chunks by several threads, with the results in the order of the chunks."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Chunk = TypeVar("Chunk")
Result = TypeVar("Result")

MOST_WORKERS = 4  # each holds a chunk and what is made of it


def in_order(work: Callable[[Chunk], Result], chunks: Iterable[Chunk]) -> Iterator[Result]:
    """What ``work`` makes of each chunk, one after the other; some chunks are worked on ahead.

    At most one chunk more than there are workers is in memory, however slowly the results are taken.

    Examples
    --------
    >>> list(in_order(lambda chunk: 2 * chunk, range(5)))
    [0, 2, 4, 6, 8]
    """
    workers = min(MOST_WORKERS, os.cpu_count() or 1)
    with ThreadPoolExecutor(workers, thread_name_prefix="chunk") as pool:
        waiting: deque[Future[Result]] = deque()
        for chunk in chunks:
            waiting.append(pool.submit(work, chunk))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
