"""The run in force, as it is read by a page: its index is made beside the old one, which serves meanwhile.

No clock and no polling: whoever asks for the index looks at the pointer, which costs microseconds. A new run,
or the same run after an erasure, is prepared by one thread; then the new index takes the place of the old.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import shutil
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from features.errors import LeadrankError, StorageError
from serve import runs as published
from serve.runs import MANIFEST, POINTER, Run
from serve.views.index import Index
from serve.views.making import HISTORY, MAKING, SUFFIX, make, name_of

FOLDER = Path(".leadrank") / "pages"
"""Where the indexes are, below the folder of ``params.yaml``."""
_Seen: TypeAlias = tuple[object, ...]
_OF_POINTER = 2
"""The first parts of what is seen: the pointer, and the manifest of the run in force."""
PAUSE_SECONDS = 120.0
"""Before an index that could not be made is tried again though nothing changed: a disk may be free again."""
_log = logging.getLogger(__name__)


class Following:
    """Follows the run in force.

    Parameters
    ----------
    runs
        Folder of the published runs.
    cache
        Folder of the indexes; all of it may be deleted at any time.
    keep
        Indexes that stay open, so that somebody who turns pages is not disturbed by a publish.
    is_apart
        Whether indexes are made by a process of its own, which gives back its memory, and whose work delays
        no answer. Else by a thread: for tests and small tables.
    pause
        Seconds after which an index that could not be made is tried again.
    """

    def __init__(
        self,
        runs: Path,
        cache: Path,
        *,
        keep: int = 3,
        is_apart: bool = False,
        pause: float = PAUSE_SECONDS,
    ) -> None:
        self._runs, self._cache, self._keep, self._pause = runs, cache, keep, pause
        self._make_file = _apart if is_apart else make
        self._open: OrderedDict[str, Index] = OrderedDict()  # the latest is in force
        self._seen: _Seen | None = None
        self._lock = threading.Lock()
        self._making: threading.Thread | None = None
        self._again: threading.Timer | None = None
        self._one_at_a_time = threading.Lock()

    def index(self, run_id: str | None = None) -> Index | None:
        """The index in force, or an older one that is still open; never waits.

        None: nothing is published, the first index is in the making, or the run asked for is not open.
        """
        self._look()
        with self._lock:
            if run_id is not None:
                return next((i for i in self._open.values() if i.run.run_id == run_id), None)
            return next(reversed(self._open.values()), None)

    def prepare(self) -> Index | None:
        """The index in force, made at once if it has to be made.

        Raises
        ------
        StorageError
            It cannot be made.
        """
        seen = self._see()
        with self._one_at_a_time:
            self._take(seen)
        with self._lock:
            return next(reversed(self._open.values()), None)

    def close(self) -> None:
        """Close every index, once none is in the making."""
        if self._making is not None:
            self._making.join()
        if self._again is not None:
            self._again.cancel()
        with self._lock:
            for index in self._open.values():
                index.close()
            self._open.clear()

    def _look(self) -> None:
        """Start the thread if the pointer moved, the run was replaced, or the index is damaged."""
        seen = self._see()
        with self._lock:
            in_force = next(reversed(self._open.values()), None)
            is_fine = seen == self._seen and not (in_force is not None and in_force.is_damaged)
            if is_fine or (self._making is not None and self._making.is_alive()):
                return
            self._making = threading.Thread(target=self._make, args=(seen,), name="index", daemon=True)
            self._making.start()

    def _make(self, seen: _Seen) -> None:
        try:
            with self._one_at_a_time:
                self._take(seen)
        except (LeadrankError, OSError) as error:
            with self._lock:
                self._seen = seen  # not tried again until something changes, or the pause is over
                self._again = threading.Timer(self._pause, self._forget_seen)
                self._again.daemon = True
                self._again.start()
            _log.warning("the index cannot be made: %s", type(error).__name__)

    def _forget_seen(self) -> None:
        with self._lock:
            self._seen = None

    def _take(self, seen: _Seen) -> None:
        """Open the index of the run in force, and put it in force; close what nobody turns pages of."""
        run = published.current(self._runs)
        index = None if run is None else self._opened(run)
        if index is not None:
            index.warm()
        with self._lock:
            for name in [name for name, old in self._open.items() if not _is_as_published(old)]:
                self._open.pop(name).close()  # its run was replaced: perhaps somebody was erased from it
            if index is not None:
                self._open[index.path.name] = index
                self._open.move_to_end(index.path.name)
            while len(self._open) > self._keep:
                self._open.popitem(last=False)[1].close()
            names = set(self._open)
            self._seen = (*seen[:_OF_POINTER], *self._stamps())
        _tidy(self._cache, names)

    def _opened(self, run: Run) -> Index:
        name = name_of(run)
        with self._lock:
            found = self._open.get(name)
        if found is not None and not found.is_damaged:
            return found
        if found is not None:
            with self._lock:
                self._open.pop(name).close()  # while it is open, DuckDB gives the same one again
            (self._cache / name).unlink(missing_ok=True)
        with suppress(StorageError):
            if (self._cache / name).is_file():
                return Index(run, self._cache / name)
        # Nobody is kept from erasing or collecting meanwhile: what was read then is thrown away.
        path = self._make_file(run, self._cache, earlier=self._earlier(run))
        if path.name != name or name_of(run) != name:
            path.unlink(missing_ok=True)
            raise StorageError(f"run '{run.run_id}' was replaced meanwhile", hint="it is prepared again")
        return Index(run, path)

    def _earlier(self, run: Run) -> list[Run]:
        gone = published.withdrawn(self._runs)
        others = (
            each
            for each in published.published(self._runs)
            if each.as_of < run.as_of and each.run_id not in gone
        )
        return list(islice(others, HISTORY))

    def _see(self) -> _Seen:
        """What changes when the pointer moves, or a run that is open is replaced."""
        try:
            named = (self._runs / POINTER).read_bytes().strip()
        except OSError:
            named = b""
        with self._lock:
            return (named, _stamp(self._runs / named.decode("ascii", "replace") / MANIFEST), *self._stamps())

    def _stamps(self) -> _Seen:
        return tuple(_stamp(index.run.folder / MANIFEST) for index in self._open.values())


def _apart(run: Run, cache: Path, *, earlier: Sequence[Run] = ()) -> Path:
    """`make` in a process of its own, behind every other."""
    fresh = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(1, mp_context=fresh, initializer=os.nice, initargs=(10,)) as process:
            return process.submit(make, run, cache, earlier=earlier).result()
    except BrokenProcessPool as error:
        raise StorageError(
            f"run '{run.run_id}' cannot be prepared for the page: the process was ended",
            hint="give the machine more memory; a gigabyte is needed",
        ) from error


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return ()
    return (found.st_ino, found.st_mtime_ns, found.st_size)


def _is_as_published(index: Index) -> bool:
    """Whether the run still has the manifest that the index was made of."""
    try:
        return name_of(index.run) == index.path.name
    except OSError:
        return False


def forget(cache: Path, *, is_dry: bool = False) -> int:
    """Remove every index, finished or not, and count them: each holds all leads of its run."""
    found = [*_files(cache), *(path for path in cache.glob(f"{MAKING}*") if path.is_dir())]
    for path in () if is_dry else found:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(found)


def _files(cache: Path) -> list[Path]:
    return [path for path in cache.glob(f"*{SUFFIX}*") if path.is_file()]


def _tidy(cache: Path, names: set[str]) -> None:
    """Remove the files of indexes that are not open."""
    for path in _files(cache):
        if path.name not in names:
            path.unlink(missing_ok=True)
