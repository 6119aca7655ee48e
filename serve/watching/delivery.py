"""From the outbox to the hook, at least once: what is not taken waits for the next look."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from serve.watching.outbox import Outbox, Waiting
from serve.watching.webhook import Hook, post

ATTEMPTS = 3
ROUND_SECONDS = 30.0
"""After so long no further message of a round is begun: the next look must not wait."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 5.0
_OK, _SERVER = range(200, 300), range(500, 600)
_LATER = (408, 429)

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Round:
    """What came of a round: messages ``delivered``, and those still ``waiting``."""

    delivered: int
    waiting: int


def deliver(outbox: Outbox, to: Hook, *, now: Clock) -> Round:
    """Send what waits.

    A message is tried a few times with growing pauses while the server does not answer, or says that it
    cannot now; then the others wait, too. One that the server refuses waits alone.

    Parameters
    ----------
    now
        The clock.
    """
    waiting, delivered, end = outbox.waiting(), 0, time.monotonic() + ROUND_SECONDS
    for message in waiting:
        if time.monotonic() > end:
            break
        status = _send(message, to, now)
        is_taken = status in _OK
        outbox.answered(message.key, _answer(status), delivered_at=now() if is_taken else None)
        delivered += is_taken
        if _is_down(status):
            break
    return Round(delivered, len(waiting) - delivered)


def _send(message: Waiting, to: Hook, now: Clock) -> int | None:
    from tenacity import Retrying, retry_if_result, stop_after_attempt, wait_exponential

    retrying = Retrying(
        retry=retry_if_result(_is_down),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_exponential(multiplier=FIRST_PAUSE_SECONDS, max=LONGEST_PAUSE_SECONDS),
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
    )

    def once() -> int | None:
        return post(to, message.key, message.body, timestamp=int(now().timestamp()))

    found: int | None = retrying(once)
    return found


def _is_down(status: int | None) -> bool:
    return status is None or status in _SERVER or status in _LATER


def _answer(status: int | None) -> str:
    return "none" if status is None else str(status)
