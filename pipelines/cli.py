"""The command line: ``leadrank COMMAND``.

Reads options and the clock, calls one command, prints its result, and turns errors into exit codes and one
JSON line on stderr. Heavy libraries are imported by the command that needs them.
"""

from __future__ import annotations

import json
import signal
import sys
from typing import NoReturn

import typer

from features.errors import LeadrankError, ParameterError
from pipelines import cli_learning, cli_nightly, console, failing
from pipelines.console import app

__all__ = ["app", "cli_learning", "cli_nightly", "main"]  # importing the two declares their commands


def main() -> NoReturn:
    """Run a command; every way it ends has its exit code (design §9)."""
    signal.signal(signal.SIGTERM, _stopped)
    try:
        # Typer returns the code of its own exits, Ctrl-C's 130 among them, and None after a command.
        code = app(sys.argv[1:] or ["--help"], standalone_mode=False)
    except LeadrankError as error:
        _fail(error)
    except SystemExit as ended:
        # Typer's own way out of a pipe that nobody reads is 1, which is none of our codes.
        sys.exit(128 + signal.SIGPIPE if ended.code == 1 else ended.code)
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(128 + signal.SIGINT)
    except typer.TyperException as error:  # all usage errors of the command line
        _fail(ParameterError(error.format_message(), hint="see `leadrank COMMAND --help`"))
    except Exception as error:  # noqa: BLE001  # the one place that may: whatever is left is our bug
        _fail(failing.bug(error))
    sys.exit(code or 0)


def _fail(error: LeadrankError) -> NoReturn:
    """End with the error's code and one JSON line on stderr, without field values."""
    sys.stderr.write(json.dumps(failing.line(error, console.PROGRESS), ensure_ascii=False) + "\n")
    sys.exit(error.code)


def _stopped(_signal: int, _frame: object) -> NoReturn:
    sys.exit(128 + signal.SIGTERM)
