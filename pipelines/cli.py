"""The command line: ``leadrank COMMAND``.

Reads options and the clock, calls one command, prints its result, and turns errors into exit codes and one
JSON line on stderr. Heavy libraries are imported by the command that needs them.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import NoReturn

import typer

from features.errors import LeadrankError, ParameterError
from pipelines import (
    cli_features,
    cli_holdout,
    cli_learning,
    cli_monitoring,
    cli_nightly,
    cli_privacy,
    cli_pulling,
    cli_reports,
    cli_retraining,
    cli_serving,
    cli_watch,
    console,
    failing,
    outlets,
    stopping,
)
from pipelines.console import app

__all__ = [
    "app",
    "cli_features",
    "cli_holdout",
    "cli_learning",
    "cli_monitoring",
    "cli_nightly",
    "cli_privacy",
    "cli_pulling",
    "cli_reports",
    "cli_retraining",
    "cli_serving",
    "cli_watch",
    "main",
]  # importing them declares commands

CLOSED = 0o027
"""Files that no mode is said for are their owner's, may be read by the group, and are nobody else's."""


def main() -> NoReturn:
    """Run a command; every way it ends has its exit code (design §9)."""
    stopping.watch()
    outlets.check()
    os.umask(os.umask(CLOSED) | CLOSED)  # never wider than the caller's own
    try:
        # Typer returns the code of its own exits, Ctrl-C's 130 among them, and None after a command.
        code = app(sys.argv[1:] or ["--help"], standalone_mode=False)
        sys.stdout.flush()  # a full disk is told now, and not when the interpreter ends
    except LeadrankError as error:
        _fail(error)
    except SystemExit as ended:
        if (signalled := stopping.stopped()) is not None:
            _fail(signalled)
        # Typer's own way out of a pipe that nobody reads is 1, which is none of our codes.
        sys.exit(128 + signal.SIGPIPE if ended.code == 1 else ended.code)
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(128 + signal.SIGINT)
    except typer.TyperException as error:  # all usage errors of the command line
        _fail(ParameterError(error.format_message(), hint="see `leadrank COMMAND --help`"))
    except Exception as error:  # noqa: BLE001  # the one place that may: whatever is left is our bug
        _fail(failing.told(error))
    finally:
        outlets.give_up()
    sys.exit(code or 0)


def _fail(error: LeadrankError) -> NoReturn:
    """End with the error's code and one JSON line on stderr, without field values."""
    error = stopping.stopped() or error
    outlets.say(json.dumps(failing.line(error, console.PROGRESS), ensure_ascii=False) + "\n")
    sys.exit(error.code)
