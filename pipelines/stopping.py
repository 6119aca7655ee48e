"""How a signal ends a command: in good order, and with 128 and its number, whatever it interrupts."""

from __future__ import annotations

import signal
import sys
from typing import NoReturn

from features.errors import LeadrankError

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_received: list[int] = []


def watch() -> None:
    """Let each of the signals end the command; one that the caller has had ignored (``nohup``) stays so."""
    _received.clear()
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stopped)


def stopped() -> LeadrankError | None:
    """The signal that has ended the command, told as a failure; None if none came.

    A library may have turned it into an error of its own, as DuckDB does.
    """
    if not _received:
        return None
    name = signal.Signals(_received[0]).name
    error = LeadrankError(f"ended by {name}", hint="start it again; the last published ranking is in force")
    error.code = 128 + _received[0]
    return error


def end_if_stopped() -> None:
    """Go on with the end that a signal began and a library turned into an error of its own."""
    if _received:
        sys.exit(128 + _received[0])


def _stopped(number: int, _frame: object) -> NoReturn:
    _received.append(number)
    sys.exit(128 + number)
