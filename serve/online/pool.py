"""A few scorers of one model: each answers one request at a time, and few requests wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from queue import Empty, LifoQueue
from threading import BoundedSemaphore

from serve.online.refusal import BusyError
from serve.online.scorer import Scorer

SCORERS = 2
WAITING = 8
"""Requests that may wait for a scorer beside those that have one."""
PATIENCE_SECONDS = 5.0


class Pool:
    """Lends scorers.

    Parameters
    ----------
    make
        Makes one scorer; what it opens is closed with the pool.
    """

    def __init__(
        self, make: Callable[[ExitStack], Scorer], *, scorers: int = SCORERS, waiting: int = WAITING
    ) -> None:
        self._opened = ExitStack()
        self._free: LifoQueue[Scorer] = LifoQueue()  # the one that was used last is the warmest
        self._places = BoundedSemaphore(scorers + waiting)
        self._scorers = scorers
        try:
            for _ in range(scorers):
                self._free.put(make(self._opened))
        except BaseException:
            self._opened.close()
            raise

    @contextmanager
    def scorer(self, *, patience: float = PATIENCE_SECONDS) -> Iterator[Scorer]:
        """A scorer for one request.

        Raises
        ------
        BusyError
            Too many wait already, or none became free in time.
        """
        if not self._places.acquire(blocking=False):
            raise busy()
        try:
            one = self._taken(patience)
            try:
                yield one
            finally:
                self._free.put(one)
        finally:
            self._places.release()

    def close(self) -> None:
        """Wait for requests under way, then give back what the scorers hold."""
        for _ in range(self._scorers):
            self._free.get()
        self._opened.close()

    def _taken(self, patience: float) -> Scorer:
        try:
            return self._free.get(timeout=patience)
        except Empty:
            raise busy() from None


def busy() -> BusyError:
    """No scorer is free."""
    return BusyError("all scorers are busy", hint="ask again in a few seconds")
