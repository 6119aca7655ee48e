"""Score leads on an engine's machines: the same files as `serve.batch.score_leads` writes.

The bundle travels as text, the kernel runs where the rows are, and what comes back is taken apart into the
files of a run. ``base + Σ contributions = margin`` is checked there for every lead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from features.backend import Wide
from models.audit.association import Flags
from models.bundle import Bundle
from serve import frames
from serve.batch import CHUNK_ROWS, Shown

PLACE = "snapshot_id"


def score_leads(
    home: Any,
    engine: Wide,
    bundle: Bundle,
    features: Path,
    staged: Path,
    *,
    shown: Shown,
    asked: Mapping[str, Flags],
    on_rows: Callable[[int], None] = lambda _: None,
) -> int:
    """Score and explain a feature table on the engine's machines.

    Parameters
    ----------
    home
        The command's own Ibis DuckDB backend.
    features
        Parquet file with ``snapshot_id`` (its rows are in this order), ``lead_id`` and every feature.
    staged
        As `serve.batch.score_leads`.
    asked
        Whether each lead is asked about a further target, by target, in the order of the file.
    on_rows
        Called once, with all leads.

    Returns
    -------
    int
        Leads scored.

    Raises
    ------
    ModelError
        As `serve.batch.score_leads`.
    UpstreamError
        The engine did not finish.
    """
    rows = _with_flags(home, features, asked)
    given = rows.schema().to_pyarrow()
    work = frames.scorer(bundle, shown=shown, carried=(PLACE,))
    made = engine.mapped(rows, work, frames.schema(bundle, given, carried=(PLACE,)))
    leads = int(made.count().to_pyarrow().as_py())
    _write(home.con, made.get_name(), bundle, staged)
    on_rows(leads)
    return leads


def _with_flags(home: Any, features: Path, asked: Mapping[str, Flags]) -> Any:
    """The feature table with a column for each further target."""
    rows = home.read_parquet(str(features), table_name="to_score")
    if not asked:
        return rows
    flags = {frames.ASKED + name: pa.array(values) for name, values in asked.items()}
    places = pq.read_table(features, columns=[PLACE]).column(PLACE)
    beside = home.create_table("asked_of", pa.table({PLACE: places, **flags}), temp=True, overwrite=True)
    return rows.join(beside, PLACE)


def _write(connection: Any, made: str, bundle: Bundle, staged: Path) -> None:
    """The files of `serve.batch.score_leads`, byte for byte."""
    rows = connection.sql(f"FROM {made} ORDER BY {PLACE}").to_arrow_reader(CHUNK_ROWS)
    with ExitStack() as files:
        writers: dict[str, pq.ParquetWriter] = {}
        for chunk in _even(rows):
            for name, table in frames.parted(bundle, chunk, carried=(PLACE,)).items():
                if name not in writers:
                    writers[name] = files.enter_context(pq.ParquetWriter(staged / name, table.schema))
                writers[name].write_table(table)


def _even(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The rows of some batches, `CHUNK_ROWS` at a time and then what is left."""
    held, rows = list[pa.RecordBatch](), 0
    for batch in batches:
        held.append(batch)
        rows += batch.num_rows
        while rows >= CHUNK_ROWS:
            every = pa.Table.from_batches(held)
            yield every.slice(0, CHUNK_ROWS)
            held, rows = every.slice(CHUNK_ROWS).to_batches(), rows - CHUNK_ROWS
    if rows:
        yield pa.Table.from_batches(held)
