"""A night of a large CRM: ``python -m tests.benches.nightly HOME [--leads 500000 1000000] [--touches 20]``.

HOME is a folder that ``leadrank demo`` made. Its open leads, with their touches, outcomes, histories and
accounts, are written again and again under new ids until there are so many; ``leadrank score`` then ranks
them with HOME's champion in a process of its own: all features, all contributions, all reasons, all files.
Seconds, share and peak memory of each stage come from the run's manifest; several sizes show the growth.

``--changed 0.01`` then gives that share of the leads a touch of the morning after, and scores with
``--changed-since`` the night; all leads of the same morning are what that is compared with.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import yaml
from rich.console import Console
from rich.table import Table

from serve import runs
from tests.benches.report import conditions

MEMORY = "4GiB"
LEADRANK = [sys.executable, "-c", "from pipelines.cli import main; main()"]
KEPT_OF_HOME = ("mlflow.db", "mlartifacts", ".leadrank")
ANEW = ("lead_id", "account_id")  # a copy's own
READERS = {".csv": "read_csv('{}', all_varchar = true)", ".parquet": "read_parquet('{}')"}


@contextmanager
def enlarged(home: Path, *, leads: int, touches: float) -> Iterator[tuple[Path, str, Mapping[str, int]]]:
    """A folder of so many open leads and so many touches of each; with its moment, and its rows by table."""
    run = runs.current(home / "runs")
    if run is None:
        raise SystemExit(f"no run in force in {home}: make one with `leadrank demo`")
    params = yaml.safe_load((home / "params.yaml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="bench-", dir=home.parent) as folder:
        target = Path(folder)
        rows = _tables(home, target, params["tables"], run, leads, touches)
        (target / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
        for name in KEPT_OF_HOME:
            if (home / name).exists():
                (shutil.copytree if (home / name).is_dir() else shutil.copy)(home / name, target / name)
        yield target, run.as_of, rows


def _tables(
    home: Path, target: Path, tables: dict[str, Any], run: runs.Run, leads: int, touches: float
) -> dict[str, int]:
    (target / "data").mkdir()
    with duckdb.connect(config={"preserve_insertion_order": False}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.read_parquet(str(run.folder / "features.parquet")).create("open_leads")
        few = _rows(connection, "open_leads")
        for name, given in tables.items():
            path, made = home / given["path"], target / "data" / f"{name}.parquet"
            connection.sql(f"FROM {READERS[path.suffix].format(path)}").create(name)
            given.update(path=f"data/{name}.parquet", format="parquet")
            if name == "touches":
                _repeat_touches(connection, touches * few)
            _write(connection, name, made, -(-leads // few))
        return {name: _rows(connection, f"'{given['path']}'") for name, given in _at(target, tables)}


def _at(target: Path, tables: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    return ((name, {"path": str(target / given["path"])}) for name, given in tables.items())


def _repeat_touches(connection: Any, wanted: float) -> None:
    """Touches of open leads, each a minute later again, until there are so many."""
    of_open = "touches SEMI JOIN open_leads USING (lead_id)"
    times = wanted / _rows(connection, of_open)
    connection.execute(f"""
        CREATE OR REPLACE TABLE touches AS
        SELECT t.* REPLACE (t.occurred_at - to_minutes(again) AS occurred_at) FROM (FROM {of_open}) t,
               range(ceil({times})::INT) repeated(again)
        WHERE hash(t.lead_id, t.occurred_at, again) / 18446744073709551616.0 < {times} / ceil({times})
    """)  # noqa: S608  # tables and numbers of ours


def _write(connection: Any, table: str, made: Path, copies: int) -> None:
    columns = connection.table(table).columns
    own = [key for key in ANEW if key in columns]
    few = "SEMI JOIN open_leads USING (lead_id)" if "lead_id" in own else ""
    anew = ", ".join(f"{key} || '-' || copy AS {key}" for key in own)
    every = f"(FROM {table} {few}), range({copies if own else 1}) made(copy)"
    replaced = f"REPLACE ({anew})" if own else ""
    connection.execute(f"COPY (SELECT * EXCLUDE (copy) {replaced} FROM {every}) TO '{made}'")  # noqa: S608


def _rows(connection: Any, table: str) -> int:
    return int(connection.sql(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608


def _touch_some(home: Path, run_id: str, share: float) -> None:
    """Give a share of the ranked leads a touch an hour after the night, in a new file of touches."""
    file, ranking = home / "data" / "touches.parquet", home / "runs" / run_id / "ranking.parquet"
    fresh = file.with_suffix(".fresh")
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        features = home / "runs" / run_id / "features.parquet"
        few = f"(FROM '{ranking}' SELECT lead_id WHERE hash(lead_id) / 18446744073709551616.0 < {share})"
        later = f"(SELECT max(as_of)::TIMESTAMPTZ + INTERVAL 1 HOUR FROM '{features}')"  # noqa: S608
        connection.execute(f"""
            COPY (FROM '{file}' UNION ALL BY NAME (
                SELECT t.* REPLACE (few.lead_id AS lead_id, {later} AS occurred_at, {later} AS recorded_at)
                FROM {few} AS few, (FROM '{file}' LIMIT 1) AS t)
            ) TO '{fresh}' (FORMAT parquet)
        """)  # noqa: S608  # paths and numbers of ours
    fresh.replace(file)


def measured(home: Path, as_of: str, memory: str, *options: str) -> dict[str, Any]:
    """Score a folder in a process of its own.

    Returns
    -------
    dict
        ``seconds``, ``run_id``, ``ranked``, ``bytes`` published, ``stages``, ``changed_since``.
    """
    params = str(home / "params.yaml")
    command = [*LEADRANK, "score", "--as-of", as_of, "--params", params, "--json", *options]
    start = time.perf_counter()
    said = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, "LEADRANK_MEMORY": memory}
    ).stdout
    seconds = time.perf_counter() - start
    folder = home / "runs" / json.loads(said)["run_id"]
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return {
        "seconds": seconds,
        "run_id": folder.name,
        "changed_since": manifest.get("changed_since"),
        "ranked": manifest["counts"]["ranked"],
        "bytes": sum(file["bytes"] for file in manifest["files"].values()),
        "stages": manifest["resources"],
    }


def _table(found: Mapping[str, Any], rows: Mapping[str, int]) -> Table:
    peak = max(stage["peak_mib"] for stage in found["stages"])
    drawn = Table(
        title=f"{found['ranked']:,} leads, {rows['touches']:,} touches: {found['seconds']:.1f} s, "
        f"{peak:,.0f} MiB, {found['bytes'] / 2**20:,.0f} MiB published"
    )
    for head in ("stage", "seconds", "share", "peak MiB so far"):
        drawn.add_column(head, justify="left" if head == "stage" else "right")
    for stage in found["stages"]:
        share = stage["seconds"] / found["seconds"]
        drawn.add_row(stage["stage"], f"{stage['seconds']:.1f}", f"{share:.0%}", f"{stage['peak_mib']:,.0f}")
    return drawn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--leads", type=int, nargs="+", default=[500_000, 1_000_000])
    parser.add_argument("--touches", type=float, default=20, help="of a lead, on average")
    parser.add_argument("--changed", type=float, help="share of the leads with a touch of the morning after")
    parser.add_argument("--memory", default=MEMORY, help="DuckDB's bound (LEADRANK_MEMORY)")
    asked, screen = parser.parse_args(), Console(width=110)
    screen.print(conditions())
    for leads in asked.leads:
        with enlarged(asked.home.resolve(), leads=leads, touches=asked.touches) as (folder, as_of, rows):
            full = measured(folder, as_of, asked.memory)
            screen.print(_table(full, rows))
            if asked.changed:
                _touch_some(folder, full["run_id"], asked.changed)
                morning = (datetime.fromisoformat(as_of) + timedelta(hours=2)).isoformat()
                since = ("--changed-since", full["run_id"])
                part = measured(folder, morning, asked.memory, *since)
                screen.print(_table(part, rows), part["changed_since"])
                whole = measured(folder, morning, asked.memory)
                screen.print(_table(whole, rows))
                screen.print(f"{part['seconds'] / whole['seconds']:.0%} of the full run's time")
    screen.print(conditions())


if __name__ == "__main__":
    main()
