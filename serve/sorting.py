"""Rank the scored leads on an engine's machines: the same parts as `serve.batch.write_ranking`, to the byte.

The machines join the rows of each part of the scores, the engine sorts all of them, and the machines cut the
sorted rows into parts of the ranking and number them. All lies in the engine's shared folder: the command
hands out what stands beside a lead, and moves the parts that come back.
"""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.backend import Wide
from features.ingest.sql import named, quoted
from serve import part_rows, parts
from serve.batch import (
    CHUNK_ROWS,
    LEDGER,
    LEDGER_REASONS,
    RANKED_BY,
    RANKING,
    REASONS,
    SCORES,
    Shown,
    end_ranking,
    rows_sql,
)

FIRST = "_probability"
"""Column that is sorted by, and not published: a withheld probability ranks all the same."""
BEST_FIRST = ((FIRST, True), ("margin", True), ("lead_id", False))
"""Columns of the order; whether the greatest comes first."""
_LEADS, _JOINED = "leads.parquet", "joined.parquet"
_VIEWS = {
    "_scores": SCORES,
    "_reasons": REASONS,
    "_changes": LEDGER,
    "_moved": LEDGER_REASONS,
    "leads": _LEADS,
}


@dataclass(frozen=True)
class Joiner:
    """What travels: how the rows of a ranking are made of a part of the scores and what stands beside it.

    Attributes
    ----------
    folder
        With the parts of scores and reasons, and what is handed out.
    """

    folder: Path
    shown: Shown

    def __call__(self, place: int) -> None:
        """Join one part; whoever does it again writes the same."""
        with duckdb.connect(config={"threads": 1}) as connection:
            for view, name in _VIEWS.items():
                rows = connection.read_parquet(str(parts.part(self.folder / name, place)))
                connection.register(view, rows)
            first = f"_scores.probability AS {FIRST}"
            sql = rows_sql(connection.table("_scores").columns, self.shown, RANKED_BY, first=first)
            fresh = _fresh(self.folder)
            reader = connection.sql(sql).to_arrow_reader(CHUNK_ROWS)
            with part_rows.Part(fresh, reader.schema) as part:
                for batch in reader:
                    part.add(pa.Table.from_batches([batch]))
        fresh.replace(parts.part(self.folder / _JOINED, place))


@dataclass(frozen=True)
class Cutter:
    """What travels: how a part of the ranking is cut from the sorted rows.

    Attributes
    ----------
    sorted_files
        In the order of their rows.
    ends
        How many rows they have, each with all before it.
    """

    folder: Path
    sorted_files: tuple[Path, ...]
    ends: tuple[int, ...]
    columns: pa.Schema
    part_leads: int

    def __call__(self, place: int) -> None:
        """Write one part; whoever does it again writes the same."""
        rank = place * self.part_leads
        fresh = _fresh(self.folder)
        with part_rows.Part(fresh, self.columns) as part:
            for rows in self._rows(rank, min(rank + self.part_leads, self.ends[-1])):
                ranks = pa.array(np.arange(rank + 1, rank + 1 + rows.num_rows))
                part.add(rows.add_column(0, "rank", ranks).select(self.columns.names))
                rank += rows.num_rows
        fresh.replace(parts.part(self.folder / RANKING, place))

    def _rows(self, start: int, end: int) -> Iterator[pa.Table]:
        """The sorted rows between two places."""
        begin = 0
        for file, until in zip(self.sorted_files, self.ends, strict=True):
            if begin < end and start < until:
                first, last = max(start - begin, 0), min(end, until) - begin
                for at, rows in part_rows.chunks(file, CHUNK_ROWS):
                    if at < last and first < at + rows.num_rows:
                        yield rows[max(first - at, 0) : last - at]
            begin = until


def write_ranking(
    engine: Wide, connection: duckdb.DuckDBPyConnection, staged: Path, *, shown: Shown, part_leads: int
) -> None:
    """Write the parts of ``ranking.parquet``, and ``ranking.csv``, of leads that a model has scored.

    Parameters
    ----------
    connection, shown, part_leads
        As `serve.batch.write_ranking` takes them.
    staged
        Folder with the parts of scores and reasons, each of the same leads, and with the ledger.

    Raises
    ------
    UpstreamError
        The engine did not finish.
    """
    with tempfile.TemporaryDirectory(prefix="ranking-", dir=engine.shared) as name:
        folder, places = Path(name), len(parts.of(staged / SCORES))
        _hand_out(connection, staged, folder, shown, places)
        engine.each(Joiner(folder, _travelling(shown)), places)
        in_order = engine.ordered(folder / _JOINED, BEST_FIRST, places)
        ends = tuple(accumulate(pq.read_metadata(file).num_rows for file in in_order))
        cutter = Cutter(folder, tuple(in_order), ends, _published(folder / _JOINED), part_leads)
        ranked = parts.parts_for(ends[-1], part_leads)
        engine.each(cutter, ranked)
        (staged / RANKING).mkdir()
        for place in range(ranked):
            shutil.move(parts.part(folder / RANKING, place), parts.part(staged / RANKING, place))
    end_ranking(connection, staged)


def _hand_out(
    connection: duckdb.DuckDBPyConnection, staged: Path, folder: Path, shown: Shown, places: int
) -> None:
    """Put into the shared folder what is joined: parts of scores and reasons, and what stands beside them."""
    for name in (_JOINED, RANKING):
        (folder / name).mkdir()
    for name in (SCORES, REASONS):
        shutil.copytree(staged / name, folder / name)
    scores = quoted(str(staged / SCORES))
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE _places AS
        SELECT lead_id, regexp_extract(filename, '([0-9]+)[.]parquet$', 1)::INTEGER AS {part_rows.PLACE}
        FROM read_parquet({scores}, filename = true)
    """)  # noqa: S608  # quoted
    asked = ("lead_id", *dict.fromkeys(shown.publish_columns))
    beside = {
        LEDGER: (f"read_parquet({quoted(str(staged / LEDGER))})", ("lead_id", "rank_before", "change")),
        LEDGER_REASONS: (
            f"read_parquet({quoted(str(staged / LEDGER_REASONS))})",
            ("lead_id", "sentence", "points", "feature"),
        ),
        _LEADS: ("leads", asked),
    }
    for name, (source, columns) in beside.items():
        told = ", ".join(f"s.{named(column)}" for column in columns)
        placed = f"{source} AS s JOIN _places AS p USING (lead_id)"
        rows = connection.sql(f"SELECT p.{part_rows.PLACE}, {told} FROM {placed} ORDER BY 1")  # noqa: S608
        part_rows.write_placed(rows.to_arrow_reader(CHUNK_ROWS), folder / name, places)
    connection.execute("DROP TABLE _places")


def _travelling(shown: Shown) -> Shown:
    """What the columns of a ranking follow from, in plain texts and numbers."""
    return Shown(tuple(map(str, shown.publish_columns)), shown.reasons_for, shown.reasons_against, routes={})


def _published(joined: Path) -> pa.Schema:
    """The columns of a ranking: its rank, and what is joined without what only sorts."""
    told = [field for field in part_rows.schema(joined) if field.name != FIRST]
    return pa.schema([pa.field("rank", pa.int64()), *told])


def _fresh(folder: Path) -> Path:
    """A name that nobody reads, for what is not whole yet."""
    return folder / f".new-{uuid.uuid4().hex}"
