"""Work that passes on a thread of its own while a command does something else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager


@contextmanager
def meanwhile(*works: Callable[[], None]) -> Iterator[Callable[[], None]]:
    """Do some works, one after the other, while the block runs; its end waits for them.

    Yields
    ------
    Callable
        Waits until all is done, and raises what was raised. Without that call nothing is raised: whoever
        needs the result asks for it.

    Examples
    --------
    >>> done = []
    >>> with meanwhile(lambda: done.append("imported"), lambda: done.append("opened")) as ready:
    ...     ready()
    ...     print(done)
    ['imported', 'opened']
    """

    def every() -> None:
        for work in works:
            work()

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="meanwhile") as pool:
        yield pool.submit(every).result
