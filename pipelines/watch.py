"""``leadrank watch``: look at the sources again and again, and tell who has just become worth a call."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from features.backend import environment
from features.errors import GateError, InputError, LeadrankError, StorageError, UpstreamError
from features.ingest.sighting import sighting
from pipelines import crossing, stopping
from pipelines.params import Params
from pipelines.progress import Progress, logger
from serve import runs
from serve.watching import outbox
from serve.watching.delivery import Round, deliver
from serve.watching.webhook import Hook, hook

Clock = Callable[[], datetime]
PASSING = (InputError, GateError, UpstreamError, StorageError)
"""What the next look may find mended: an export that is being written, a database that is down."""


@dataclass
class Watcher:
    """What one process knows of the sources.

    Attributes
    ----------
    params, home
        Parameters and the folder of their file.
    clock
        The clock.
    hook
        Where messages are sent; None: they stay in the outbox.
    seen
        The sources as the last look that ended well saw them.
    """

    params: Params
    home: Path
    clock: Clock
    hook: Hook | None
    seen: dict[str, str] | None = None

    def look(self) -> dict[str, Any]:
        """Look if something is new, and deliver what waits.

        Returns
        -------
        dict
            ``is_new`` (whether there was anything to look at), ``leads`` (open ones, None if not looked),
            ``crossed`` (new messages), ``delivered`` and ``waiting`` (None without a hook), ``seconds``.
        """
        start = time.perf_counter()
        try:
            told = self._take_in()
        except PASSING:
            stopping.end_if_stopped()
            self._deliver()  # a source that cannot be read holds no message back
            raise
        sent = self._deliver()
        delivery = {"delivered": None, "waiting": None} if sent is None else vars(sent)
        return {**told, **delivery, "seconds": round(time.perf_counter() - start, 3)}

    def _take_in(self) -> dict[str, Any]:
        here = sighting(self.params.tables, self.home, environment())
        if here == self.seen:
            return {"is_new": False, "leads": None, "crossed": 0}
        found = crossing.look(self.params, self.home, as_of=self.clock(), progress=Progress(is_quiet=True))
        card = crossing.card_of(self.params)
        with outbox.opened(self.home) as box:
            before = box.above(card)
            new = () if before is None else [m for m in found.above if m.lead_id not in before]
            above = [m.lead_id for m in found.above]
            crossed = box.take_in(new, above, card, sent=self.hook is not None)
        self.seen = here
        return {"is_new": True, "leads": found.leads, "crossed": crossed}

    def _deliver(self) -> Round | None:
        with outbox.opened(self.home) as box:
            sent = None if self.hook is None else deliver(box, self.hook, now=self.clock)
            box.tidy(self.clock())
        return sent


def once(params: Params, home: Path, *, now: Clock) -> dict[str, Any]:
    """One look; what `Watcher.look` returns.

    Raises
    ------
    ParameterError
        The tables are flat, or the address or the secret cannot be used.
    LockedError
        Another process watches.
    InputError, GateError, UpstreamError, StorageError
        A source, or the outbox, cannot be used; what waited was delivered.
    """
    watcher = _watcher(params, home, now)
    with runs.lock(_place(home)):
        return watcher.look()


def run(params: Params, home: Path, *, every: float, now: Clock) -> None:
    """Look every so many seconds until a signal ends it; a JSON line on stderr for each look that found any.

    Raises
    ------
    ParameterError, LockedError
        As `once`. What may pass is told, and tried again at the next look.
    """
    watcher = _watcher(params, home, now)
    with runs.lock(_place(home)):
        while True:
            start = time.monotonic()
            with suppress(*PASSING):
                _told(watcher)
            time.sleep(max(0.0, every - (time.monotonic() - start)))


def _told(watcher: Watcher) -> None:
    try:
        found = watcher.look()
    except LeadrankError as error:
        stopping.end_if_stopped()
        logger().warning("look", code=error.code, reason=error.reason)
        raise
    if found["is_new"] or found["delivered"]:
        logger().info("look", **found)


def _watcher(params: Params, home: Path, now: Clock) -> Watcher:
    crossing.check(params)
    given = params.watch
    if given.url_env is None or given.secret_env is None:
        return Watcher(params, home, now, None)
    to = hook(given.url_env, given.secret_env, environment(), seconds=given.timeout_seconds)
    return Watcher(params, home, now, to)


def _place(home: Path) -> Path:
    """Folder of the lock: two watchers would tell twice of what only one has seen cross."""
    place = home / ".leadrank" / "watch"
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place
