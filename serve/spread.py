"""Score leads on an engine's machines: the same files as `serve.batch.score_leads` writes, byte for byte.

The bundle travels as text. Rows lie in the engine's shared folder, a file for each chunk, or for each part of
a run that has parts; who scores one leaves three files beside it. Those of chunks are put together here in
their order, those of parts are the run's own and only moved. Rows that went through the engine itself would
take longer to be handed over than to be scored.
"""

from __future__ import annotations

import shutil
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
from serve import frames, part_rows, parts
from serve.batch import CHUNK_ROWS, FILES, SCORES, Shown


@dataclass(frozen=True)
class ChunkScorer:
    """What travels: the model as text, and where the chunks are.

    Attributes
    ----------
    scorer
        Scores the rows of a chunk.
    folder
        With a file for each chunk, or part; receives what is said of it.
    """

    scorer: frames.FrameScorer
    folder: Path

    def __call__(self, place: int) -> None:
        """Score one file; whoever does it again writes the same."""
        with ExitStack() as opened:
            fresh = {name: self.folder / f".new-{uuid.uuid4().hex}" for name in FILES}
            grow = {name: opened.enter_context(part_rows.Growing(path)) for name, path in fresh.items()}
            for start, rows in part_rows.chunks(_given(self.folder, place), CHUNK_ROWS):
                for name, table in self.scorer.tables(rows).items():
                    grow[name].add(table, start)
        for name, path in fresh.items():
            path.replace(_answer(self.folder, place, name))


def score_leads(
    engine: Wide,
    bundle: Bundle,
    features: Path,
    staged: Path,
    *,
    shown: Shown,
    asked: Mapping[str, Flags],
    part_leads: int | None = None,
    on_rows: Callable[[int], None] = lambda _: None,
) -> int:
    """Score and explain a feature table on the engine's machines.

    Parameters
    ----------
    features, staged, shown, part_leads
        As `serve.batch.score_leads` takes them.
    asked
        Whether each lead is asked about a further target, by target, in the order of the file.
    on_rows
        Called with the number of leads of each chunk, or part, once all are scored.

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
        folder = Path(name)
        places = _hand_out(features, folder, asked, part_leads)
        engine.each(ChunkScorer(frames.scorer(bundle, shown=shown), folder), places)
        if part_leads is None:
            return sum(_told(_put_together(folder, staged, places), on_rows))
        return sum(_told(_move(folder, staged, places), on_rows))


def _hand_out(features: Path, folder: Path, asked: Mapping[str, Flags], part_leads: int | None) -> int:
    """Write the rows of each chunk, or part, into a file of its own; how many they are."""
    places = 0
    with ExitStack() as opened:
        for start, rows in part_rows.chunks(features, CHUNK_ROWS):
            if part_leads is None or start % part_leads == 0:
                opened.close()
                grown = opened.enter_context(part_rows.Growing(_given(folder, places)))
                places += 1
            grown.add(_with_flags(rows, start, asked), start)
    return places


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


def _move(folder: Path, staged: Path, places: int) -> Iterator[int]:
    """Put the answers where the parts of the run's files are, and tell the number of leads of each."""
    for name in FILES:
        (staged / name).mkdir()
    for place in range(places):
        yield pq.read_metadata(_answer(folder, place, SCORES)).num_rows
        for name in FILES:
            shutil.move(_answer(folder, place, name), parts.part(staged / name, place))


def _told(rows: Iterator[int], on_rows: Callable[[int], None]) -> Iterator[int]:
    for count in rows:
        on_rows(count)
        yield count


def _given(folder: Path, place: int) -> Path:
    return folder / f"{place}.parquet"


def _answer(folder: Path, place: int, name: str) -> Path:
    return folder / f"{place}-{name}"
