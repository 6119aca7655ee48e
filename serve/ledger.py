"""The ledger of change: why each lead stands elsewhere than in the run before, as parts that add up exactly.

``models/changes.py`` says which looks are compared. Leads that are only in one of the two runs are counted,
not explained. Leads are taken in chunks, in the order of tonight's features.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.ingest.sql import count, named
from models.calibration import Calibration
from models.changes import CHANGES, Look, change_reasons, parts
from models.explaining import Explainer
from models.metrics import Vector
from serve.batch import CHUNK_ROWS, CONTRIBUTIONS, LEDGER, LEDGER_REASONS, SCORES
from serve.runs import Run

_PASSED, _ARRIVED, _BEFORE, _NOW = (f".{name}.parquet" for name in ("passed", "arrived", "before", "now"))
_SCORED = ("margin", "rank", "probability")


@dataclass(frozen=True)
class Sides:
    """What the two runs are compared by.

    Attributes
    ----------
    previous
        The run before, ranked by a model.
    old
        The model that ranked it.
    curve
        Curve of tonight's model.
    passed
        Parquet file with the features of ``old`` as of tonight, by the facts of the run before; leads of both
        runs at least.
    arrived
        The same by tonight's facts; None where ``old`` ranks tonight, too: what it said is staged already.
    remembered
        Features of ``old`` that time alone does not move: their value in ``passed`` is the one that the run
        before kept.
    """

    previous: Run
    old: Explainer
    curve: Calibration
    passed: Path
    arrived: Path | None
    remembered: frozenset[str]


def write_changes(
    connection: duckdb.DuckDBPyConnection,
    staged: Path,
    sides: Sides,
    *,
    most: int = 2,
    language: str = "en",
    on_rows: Callable[[int], None] = lambda _: None,
) -> dict[str, int]:
    """Write ``changes.parquet`` and ``change_reasons.parquet`` of the leads that both runs rank.

    Parameters
    ----------
    connection
        DuckDB connection.
    staged
        Folder of tonight's run, with its features and scores.
    most
        Reasons of a change per lead and direction.
    language
        Of their sentences.
    on_rows
        Called with the number of leads of each finished chunk.

    Returns
    -------
    dict
        Leads in ``both`` runs, ``new`` and ``departed``.
    """
    counts = _align(connection, staged, sides)
    specs = sides.old.bundle.specs
    with (
        pq.ParquetWriter(staged / LEDGER, _SCHEMA) as ledger,
        pq.ParquetWriter(staged / LEDGER_REASONS, _REASONS) as said,
    ):
        for before, passed, arrived, now in _chunks(staged):
            of_tonight = _kept(now, sides.old) if sides.arrived is None else _seen(arrived, sides.old)
            looks = (_kept(before, sides.old), _seen(passed, sides.old), of_tonight)
            margin = _column(now, "margin")
            found = parts(*looks, margin, (sides.old.bundle.target.calibration, sides.curve))
            lead = now.column("lead_id")
            moved = 100 * (_column(now, "probability") - _column(before, "probability"))
            figures = {
                "rank_before": before.column("rank"),
                "probability_before": before.column("probability"),
                "change": pa.array(moved, from_pandas=True),  # null where either is withheld
            }
            ledger.write_table(pa.table({"lead_id": lead, **figures, **found}, schema=_SCHEMA))
            reasons = change_reasons(
                *looks, arrived, specs, calibrate=sides.old.calibrate, most=most, language=language
            )
            row = reasons.column("row")
            said.write_table(reasons.drop_columns(["row"]).add_column(0, "lead_id", lead.take(row)))
            on_rows(now.num_rows)
    for name in (_PASSED, _ARRIVED, _BEFORE, _NOW):
        (staged / name).unlink()
    return counts


_TOLD = "CASE WHEN s.probability_withheld IS NULL THEN s.probability END AS probability"
_SCHEMA = pa.schema(
    {
        "lead_id": pa.string(),
        "rank_before": pa.int64(),
        "probability_before": pa.float64(),
        "change": pa.float64(),
        **dict.fromkeys(("new_facts", "time_passing", "model", "calibration", "total"), pa.float64()),
    }
)
_REASONS = pa.schema([pa.field("lead_id", pa.string()), *(f for f in CHANGES if f.name != "row")])


def write_nothing(staged: Path) -> None:
    """Write both files without a row: there is nothing to compare with."""
    pq.write_table(_SCHEMA.empty_table(), staged / LEDGER)
    pq.write_table(_REASONS.empty_table(), staged / LEDGER_REASONS)


def _align(connection: duckdb.DuckDBPyConnection, staged: Path, sides: Sides) -> dict[str, int]:
    """Write each side for the leads of both runs, all in one order; the counts."""
    old = sides.previous.folder
    names = [spec.name for spec in sides.old.bundle.specs]
    views = {
        "_tonight": staged / "features.parquet",
        "_scores": staged / SCORES,
        "_ranked": old / "ranking.parquet",
        "_contributions": old / CONTRIBUTIONS,
        "_features": old / "features.parquet",
        "_passed": sides.passed,
        "_arrived": sides.arrived or staged / "features.parquet",
        "_said": staged / CONTRIBUTIONS,
    }
    for view, path in views.items():
        connection.register(view, connection.read_parquet(str(path)))
    both = "SELECT lead_id, snapshot_id FROM _tonight SEMI JOIN _ranked USING (lead_id)"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE _both AS {both}")
    passed = ", ".join(f"{'f' if name in sides.remembered else 'p'}.{named(name)}" for name in names)
    contributions = ", ".join(f"c.{named(name)}" for name in names)
    scored = ", ".join(f"r.{name}" for name in _SCORED)
    _write(connection, staged / _BEFORE, f"{scored}, {contributions}", "_ranked r", "_contributions c")
    _write(connection, staged / _PASSED, passed, "_passed p", "_features f")
    _write(connection, staged / _ARRIVED, ", ".join(f"a.{named(n)}" for n in names), "_arrived a")
    told, sources = f"s.margin, {_TOLD}", ["_scores s"]
    if sides.arrived is None:
        told, sources = f"{told}, {contributions}", [*sources, "_said c"]
    _write(connection, staged / _NOW, told, *sources)
    counts = _counted(connection)
    connection.execute("DROP TABLE _both")
    for view in views:
        connection.unregister(view)
    return counts


def _write(connection: duckdb.DuckDBPyConnection, path: Path, columns: str, *sources: str) -> None:
    joined = " ".join(f"JOIN {source} ON {source.split()[1]}.lead_id = b.lead_id" for source in sources)
    sql = f"SELECT b.lead_id, {columns} FROM _both b {joined} ORDER BY b.snapshot_id"  # noqa: S608  # quoted
    connection.sql(sql).write_parquet(str(path))


def _counted(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    both, now, before = (
        count(connection, f"SELECT count(*) FROM {view}")  # noqa: S608  # names of our own
        for view in ("_both", "_tonight", "_ranked")
    )
    return {"both": both, "new": now - both, "departed": before - both}


def _chunks(staged: Path) -> Iterator[tuple[pa.Table, ...]]:
    files = [pq.ParquetFile(staged / name) for name in (_BEFORE, _PASSED, _ARRIVED, _NOW)]
    for batches in zip(*(file.iter_batches(CHUNK_ROWS) for file in files), strict=True):
        yield tuple(pa.Table.from_batches([batch]) for batch in batches)


def _kept(said: pa.Table, old: Explainer) -> Look:
    """A look that a run has kept: the one before, or tonight's."""
    columns: Sequence[Any] = [_column(said, spec.name) for spec in old.bundle.specs]
    return Look(_column(said, "margin"), np.column_stack(columns))


def _seen(features: pa.Table, old: Explainer) -> Look:
    explained = old.explain(features)
    return Look(explained.scores.margin, explained.contributions)


def _column(table: pa.Table, name: str) -> Vector:
    return np.asarray(table.column(name).to_numpy(), np.float64)
