"""What the monitor leaves of each run: a table of its figures, and the verdict. No lead is in either.

Beside the runs, which nobody changes: the figures of a run outlive it when it is collected, and what becomes
of a lead that is erased does not touch them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from features import durable
from features.errors import StorageError
from serve.monitoring.figure import Figure

FOLDER = Path(".leadrank") / "monitoring"
_TYPES = {"str": pa.string(), "float | None": pa.float64(), "int | None": pa.int64(), "bool": pa.bool_()}
SCHEMA = pa.schema(
    [
        ("run_id", pa.string()),
        ("as_of", pa.string()),
        *((field.name, _TYPES[str(field.type)]) for field in fields(Figure)),
    ]
)
"""Columns of a run's table: the run, and those of `Figure`."""


def table_of(run_id: str, as_of: str, figures: Sequence[Figure]) -> pa.Table:
    """The figures of a run as its table."""
    rows = [{"run_id": run_id, "as_of": as_of, **asdict(figure)} for figure in figures]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def write(home: Path, verdict: Mapping[str, Any], figures: Sequence[Figure]) -> Path:
    """Keep what was found of a run, in the place of what was found of it before.

    Parameters
    ----------
    home
        Folder of ``params.yaml``.
    verdict
        Plain data with ``run_id`` and ``as_of``.

    Returns
    -------
    Path
        The table.

    Raises
    ------
    StorageError
        The disk refuses.
    """
    folder = home / FOLDER
    path = folder / f"{verdict['run_id']}.parquet"
    try:
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        pq.write_table(table_of(verdict["run_id"], verdict["as_of"], figures), fresh)
        fresh.chmod(durable.PUBLISHED)
        durable.sync(fresh)
        fresh.replace(path)
        durable.replace(path.with_suffix(".json"), json.dumps(verdict, indent=1, ensure_ascii=False))
    except OSError as error:
        raise StorageError(
            f"what the monitor found cannot be written to '{folder.name}'",
            hint=os.strerror(error.errno or 0).lower(),
        ) from error
    return path


def verdicts(home: Path) -> list[dict[str, Any]]:
    """The verdicts of all monitored runs, the latest moment first; a damaged one is no verdict."""
    found = [verdict for path in (home / FOLDER).glob("*.json") if (verdict := _read(path)) is not None]
    return sorted(found, key=lambda verdict: (verdict["as_of"], verdict["run_id"]), reverse=True)


def latest(home: Path) -> dict[str, Any] | None:
    """The verdict of the latest monitored moment; None before the first.

    Returns
    -------
    dict or None
        ``run_id``, ``as_of``, ``level`` (``ok``, ``warning`` or ``alarm``), ``retrain`` (whether to train
        again), ``advice``, ``reasons`` (sentences, the worst first), ``model_digest``, ``figures`` (the few
        that are drawn over time).
    """
    return next(iter(verdicts(home)), None)


def history(home: Path, kind: str, subject: str) -> pa.Table:
    """One figure over all monitored runs: rows of `SCHEMA`, the earliest moment first."""
    files = [str(path) for path in sorted((home / FOLDER).glob("*.parquet"))]
    if not files:
        return SCHEMA.empty_table()
    with duckdb.connect() as connection:
        return connection.execute(
            "FROM read_parquet(?, union_by_name = true) WHERE kind = ? AND subject = ? "
            "ORDER BY as_of, run_id",
            [files, kind, subject],
        ).to_arrow_table()


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    is_verdict = isinstance(found, dict) and isinstance(found.get("as_of"), str) and "run_id" in found
    return found if is_verdict else None


def readable(home: Path) -> Iterator[Path]:
    """Tables of all monitored runs, by name."""
    yield from sorted((home / FOLDER).glob("*.parquet"))
