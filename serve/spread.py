"""Score leads on an engine's machines: the same files as `serve.batch.score_leads` writes, byte for byte.

The bundle travels as text. Rows lie in the engine's shared folder, a file for each chunk; who scores one
leaves three files beside it, which are put together here in the order of the chunks. Rows that went through
the engine itself would take longer to be handed over than to be scored.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.backend import Wide
from models.audit.association import Flags
from models.bundle import Bundle
from serve import frames
from serve.batch import CONTRIBUTIONS, REASONS, SCORES, Shown, chunks

FILES = (SCORES, REASONS, CONTRIBUTIONS)


@dataclass(frozen=True)
class ChunkScorer:
    """What travels: the model as text, and where the chunks are.

    Attributes
    ----------
    scorer
        Scores the rows of a chunk.
    folder
        With a file for each chunk; receives what is said of it.
    """

    scorer: frames.FrameScorer
    folder: Path

    def __call__(self, place: int) -> None:
        """Score one chunk; whoever does it again writes the same."""
        for name, table in self.scorer.tables(pq.read_table(_chunk(self.folder, place))).items():
            beside = self.folder / f"new-{uuid.uuid4().hex}"
            pq.write_table(table, beside)
            beside.replace(_answer(self.folder, place, name))


def score_leads(
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
    features, staged, shown
        As `serve.batch.score_leads` takes them.
    asked
        Whether each lead is asked about a further target, by target, in the order of the file.
    on_rows
        Called with the number of leads of each chunk, once all are scored.

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
    with tempfile.TemporaryDirectory(prefix="chunks-", dir=engine.shared) as name:
        folder, places = Path(name), 0
        for start, rows in chunks(features):
            pq.write_table(_with_flags(rows, start, asked), _chunk(folder, places))
            places += 1
        engine.each(ChunkScorer(frames.scorer(bundle, shown=shown), folder), places)
        return sum(_told(_put_together(folder, staged, places), on_rows))


def _with_flags(rows: pa.Table, start: int, asked: Mapping[str, Flags]) -> pa.Table:
    for name, flags in asked.items():
        rows = rows.append_column(frames.ASKED + name, pa.array(flags[start : start + rows.num_rows]))
    return rows


def _put_together(folder: Path, staged: Path, places: int) -> Iterator[int]:
    """Write the files of a run, and tell the number of leads of each chunk."""
    with ExitStack() as files:
        writers: dict[str, pq.ParquetWriter] = {}
        for place in range(places):
            for name in FILES:
                table = pq.read_table(_answer(folder, place, name))
                if name not in writers:
                    writers[name] = files.enter_context(pq.ParquetWriter(staged / name, table.schema))
                writers[name].write_table(table)
                if name == SCORES:
                    yield table.num_rows


def _told(rows: Iterator[int], on_rows: Callable[[int], None]) -> Iterator[int]:
    for count in rows:
        on_rows(count)
        yield count


def _chunk(folder: Path, place: int) -> Path:
    return folder / f"{place}.parquet"


def _answer(folder: Path, place: int, name: str) -> Path:
    return folder / f"{place}-{name}"
