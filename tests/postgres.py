"""A throwaway PostgreSQL server on loopback, for tests."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

NOT_ROOT = ("postgres", "nobody")  # PostgreSQL refuses to run as root
OPTIONS = "-c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c timezone=UTC"


class NoServerError(Exception):
    """No server can be run here, for the reason it says."""


@contextmanager
def server() -> Iterator[int]:
    """Start a server with data of its own, and stop it at the end; yields its port."""
    initdb, pg_ctl = (program(name) for name in ("initdb", "pg_ctl"))
    user = account()
    # Not below pytest's own folder, which is closed to other users.
    with TemporaryDirectory(prefix="leadrank-postgres-") as folder:
        if user is not None:
            shutil.chown(folder, user)
        data, log = f"{folder}/data", f"{folder}/log"
        run([initdb, "-D", data, "-U", "tests", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"], user)
        port = free_port()
        run([pg_ctl, "-D", data, "-l", log, "-o", f"-p {port} {OPTIONS}", "-w", "start"], user)
        try:
            yield port
        finally:
            run([pg_ctl, "-D", data, "-m", "immediate", "-w", "stop"], user)


def program(name: str) -> str:
    """Where a program of PostgreSQL is: on the path, or where Debian puts it."""
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = shutil.which(name) or (installed and str(installed[-1]))
    if not found:
        raise NoServerError(f"'{name}' of PostgreSQL is not on this machine")
    return found


def account() -> str | None:
    """The user to run it as; None is the user of the tests."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    user = next((name for name in NOT_ROOT if name in known), None)
    if user is None:
        raise NoServerError("PostgreSQL does not run as root, and there is no user to run it as")
    return user


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(command: list[str], user: str | None) -> None:
    """Run a program to its end.

    Raises
    ------
    NoServerError
        It failed.
    """
    nothing = subprocess.DEVNULL
    done = subprocess.run(
        command, check=False, user=user, cwd="/", stdin=nothing, stdout=nothing, stderr=nothing
    )
    if done.returncode:
        raise NoServerError(f"'{Path(command[0]).name}' ended with code {done.returncode}")
