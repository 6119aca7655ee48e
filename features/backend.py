"""The one place that knows engines: where tables live and how each engine is made to agree."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ibis

from features.scratch import scratch


@contextmanager
def workspace(folder: Path) -> Iterator[Any]:
    """An Ibis DuckDB backend in memory that spills below ``folder``; what it spilled is removed after use.

    ``LEADRANK_MEMORY`` bounds DuckDB's memory (for example ``4GB``), ``LEADRANK_THREADS`` its threads.
    """
    with scratch(folder) as own:
        backend = ibis.duckdb.connect(**_settings(own))
        backend.con.execute("SET TimeZone = 'UTC'")  # as a setting of the connection it asks for a download
        _silence(backend.con)
        try:
            yield backend
        except BaseException as error:
            # Tables that Ibis keeps are dropped when nobody refers to them: now, while there is a connection.
            traceback.clear_frames(error.__traceback__)
            raise
        finally:
            backend.disconnect()


def environment() -> Mapping[str, str]:
    """Where the URLs of databases (``url_env``) are looked up."""
    return os.environ


def _silence(connection: Any) -> None:
    """No progress bar: stdout is the command's. In a notebook there is none, and setting it is refused."""
    if connection.execute("SELECT current_setting('enable_progress_bar')").fetchone()[0]:
        connection.execute("SET enable_progress_bar = false")


def _settings(own: Path) -> dict[str, Any]:
    settings: dict[str, Any] = {"temp_directory": str(own / "spill")}
    if memory := os.environ.get("LEADRANK_MEMORY"):
        settings["memory_limit"] = memory
    if threads := os.environ.get("LEADRANK_THREADS"):
        settings["threads"] = int(threads)
    return settings
