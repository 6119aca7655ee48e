"""A large table in parts, converted by Spark's executors against the command: the same load, to the digest.

``python -m tests.benches.loading_on_spark FOLDER [--touches N] [--parts N] [--rounds N]``. FOLDER receives
made touches. On one machine both ways share its cores, so the seconds say little; what is left to the
command's own processors is what bounds a cluster.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import duckdb
from rich.console import Console

from features.backend import Engine, engine, workspace
from features.engines.asked import Asked
from features.ingest import load
from features.tables import Source
from tests.benches.report import conditions

SOURCES = {"touches": Source(path="touches", format="parquet")}


def make(folder: Path, touches: int, parts: int) -> None:
    """Write touches as an export of a CRM has them: ids and kinds as text, moments as moments."""
    (folder / "touches").mkdir(parents=True, exist_ok=True)
    each = -(-touches // parts)
    with duckdb.connect() as connection:
        for part in range(parts):
            file = folder / "touches" / f"part-{part:05}.parquet"
            connection.execute(f"""
                COPY (SELECT format('L{{:09d}}', i // 20) AS lead_id,
                             TIMESTAMPTZ '2025-01-01 00:00:00+00' + to_seconds(i * 7919 % 31536000)
                                 AS occurred_at,
                             ['email_open', 'visit', 'call', 'form', 'demo'][1 + i % 5] AS kind,
                             CASE WHEN i % 5 = 1 THEN '/pricing/' || i % 300 END AS place,
                             CASE WHEN i % 5 = 2 THEN (i % 900)::DOUBLE END AS duration_seconds
                      FROM range({part * each}, {min(touches, (part + 1) * each)}) AS r(i)) TO '{file}'
            """)  # noqa: S608  # numbers, and a file of ours


def timed(folder: Path, executors: Engine | None) -> tuple[str, float, float]:
    """Digest, seconds, and seconds of the command's own processors, of a load."""
    with workspace(folder) as home:
        start, busy = time.monotonic(), time.process_time()
        loaded = load(home.con, SOURCES, folder=folder, exporter=executors)  # type: ignore[arg-type]
        return loaded.digest, time.monotonic() - start, time.process_time() - busy


def rounds(folder: Path, count: int) -> Iterator[dict[str, float]]:
    """Seconds of each way, in alternating order."""
    with workspace(folder) as home, engine(Asked("spark", master="local[2]"), home, folder) as machines:
        for at in range(count):
            found = {name: timed(folder, way) for name, way in _ways(machines, at)}
            assert found["command"][0] == found["spark"][0]
            yield {
                f"{name}_{what}": round(value, 2)
                for name, (_, *figures) in found.items()
                for what, value in zip(("seconds", "own_cpu"), figures, strict=True)
            }


def _ways(machines: Engine, at: int) -> list[tuple[str, Engine | None]]:
    ways: list[tuple[str, Engine | None]] = [("command", None), ("spark", machines)]
    return ways[:: -1 if at % 2 else 1]


def main() -> None:
    """Make the touches, load them both ways, and print the seconds."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--touches", type=int, default=20_000_000)
    asked.add_argument("--parts", type=int, default=40)
    asked.add_argument("--rounds", type=int, default=3)
    given = asked.parse_args()
    make(given.folder, given.touches, given.parts)
    every = list(rounds(given.folder, given.rounds))
    middle = {name: round(median(each[name] for each in every), 2) for name in sorted(every[0])}
    found = {"touches": given.touches, "parts": given.parts, "rounds": every, "median": middle}
    Console().print_json(json.dumps({**found, "machine": conditions()}))


if __name__ == "__main__":
    main()
