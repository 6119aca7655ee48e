"""Standard output and error of a command: what nobody can read, or no disk can hold, stops no night."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TextIO


def check() -> None:
    """Give a command that was started with a closed stdout or stderr one that leads nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123  # to the end


def say(text: str) -> None:
    """Write to stderr, if it can be written to."""
    with suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()


def give_up() -> None:
    """Let go of what could not be written, which Python would try again at its end and fail with 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            _lead_nowhere(stream)


def _lead_nowhere(stream: TextIO) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
