"""Features on Apache Spark, by Ibis: tables go there and come back as Parquet in a folder that all see.

What several queries read is held by the executors until the answer is there. The size of a shuffle follows
the largest table that was sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession

from features.engines.asked import EngineName
from features.engines.remote import Remote
from features.engines.spark_errors import of_table, told
from features.ingest.sql import quoted

ROWS_PER_TASK = 500_000
FEWEST_TASKS = 8
_CONNECT, _LOCAL = "sc://", "local"
_OF_SNAPSHOTS = "snapshot_id"
_ALWAYS: Mapping[str, str] = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    # A stamp without a zone is UTC here; Spark would make another type of it.
    "spark.sql.parquet.inferTimestampNTZ.enabled": "false",
}
_AS_THEY_ARE: Mapping[str, str] = {
    # Stamps of a catalog's table keep whether they are moments or have no zone, and old ones their date.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "true",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
}
_BY_EXACT_NAMES: Mapping[str, str] = {"spark.sql.caseSensitive": "true"}  # as Parquet's columns are
_OF_A_NEW_SESSION: Mapping[str, str] = {
    "spark.app.name": "leadrank",
    "spark.ui.showConsoleProgress": "false",
    "spark.ui.enabled": "false",
}


class Spark(Remote):
    """Spark as an engine: see `features.backend.Wide`.

    Parameters
    ----------
    home
        Ibis DuckDB backend of the command.
    between
        Folder that the command and all executors see under this path.
    master
        ``local[*]``, a master's URL, or a Spark Connect URL.
    settings
        Of the session, by Spark's names; they win over ours.
    seen
        Folder below which executors see every file under its path.
    """

    name: EngineName = "spark"

    def __init__(
        self, home: Any, between: Path, *, master: str, settings: Mapping[str, str], seen: Path
    ) -> None:
        super().__init__(home, between)
        self._master, self._settings, self._seen_below = master, settings, seen.resolve()
        self._backend: Any = None
        self._is_ours = False
        self._most_rows = 0
        self._held_there: list[DataFrame] = []

    def taken(self, table: ir.Table) -> ir.Table:
        """Written as Parquet, and read from there."""
        file = self._between / f"{self._next('sent')}.parquet"
        table.to_parquet(file, row_group_size=122_880)
        self._make_room_for(int(table.count().to_pyarrow().as_py()))
        return self._seen(self._session().read.parquet(_uri(file)))

    def keep(self, table: ir.Table) -> ir.Table:
        """Held by the executors, in memory and on their disks; lost with one of them, it is computed again.

        Rows lie by snapshot and in its order, so that what is joined by snapshots later is not moved again.
        """
        if _OF_SNAPSHOTS not in table.columns:
            return table  # planned where it is read: Spark then reads only the columns that are asked for
        frame = self._frame(table)
        if not table.op().find(ops.WindowFunction):  # else it lies so already
            frame = frame.repartition(self._tasks(), _OF_SNAPSHOTS).sortWithinPartitions(_OF_SNAPSHOTS)
        self._held_there.append(frame.persist(StorageLevel.MEMORY_AND_DISK))
        return self._seen(frame)

    def fetched(self, table: ir.Table) -> ir.Table:
        """Written as Parquet by the executors, and read by the command; what was kept for it is let go."""
        try:
            return self._home_table(self._written(self._frame(table), "answer"))
        finally:
            while self._held_there:
                self._held_there.pop().unpersist()

    @property
    def shared(self) -> Path:
        """A folder that all executors see."""
        return self._between

    def sees(self, file: Path) -> bool:
        """Whether executors see a file: see `features.ingest.spread.Executors`."""
        return self._master.startswith(_LOCAL) or file.resolve().is_relative_to(self._seen_below)

    def each(self, work: Callable[[int], None], places: int) -> None:
        """Do ``work`` for each number below ``places`` on the executors: see `features.backend.Wide`."""
        numbers = self._session().range(0, places, 1, places)
        with told():
            numbers.mapInArrow(_Each(work), "place long").count()

    def ordered(self, folder: Path, by: Sequence[tuple[str, bool]], files: int) -> list[Path]:
        """Sort the rows of a folder by ranges of the order: see `features.backend.Wide`."""
        session, target = self._session(), folder.with_name(f"{folder.name}-sorted")
        with told(), _set(session, {**_AS_THEY_ARE, **_BY_EXACT_NAMES}):
            frame = session.read.parquet(_uri(folder))
            order = [
                frame[name].desc_nulls_last() if is_greatest_first else frame[name].asc_nulls_last()
                for name, is_greatest_first in by
            ]
            parted = frame.repartitionByRange(files, *order).sortWithinPartitions(*order)
            parted.write.parquet(_uri(target))
        return sorted(target.glob("part-*.parquet"))

    def columns_of(self, table: str) -> tuple[str, ...]:
        """Columns of a table of the catalog: see `features.ingest.spark_tables.Exporter`."""
        session = self._session()
        with told(), of_table(table), _set(session, _AS_THEY_ARE):
            return tuple(session.table(table).columns)

    def exported(self, table: str, columns: Sequence[str]) -> Path:
        """Columns of a table of the catalog as Parquet: see `features.ingest.spark_tables.Exporter`."""
        session = self._session()
        with told(), of_table(table), _set(session, _AS_THEY_ARE):
            frame = session.table(table)
            cells = [frame["`" + name.replace("`", "``") + "`"] for name in columns]
            folder = self._between / self._next("table")
            frame.select(*cells).write.parquet(_uri(folder))
            return folder

    def close(self) -> None:
        """Stop the session, unless it was there before."""
        if self._is_ours:
            self._session().stop()
        self._backend, self._is_ours = None, False

    def _frame(self, table: ir.Table) -> DataFrame:
        return self._session().sql(self._backend.compile(table))

    def _seen(self, frame: DataFrame) -> ir.Table:
        name = self._next("view")
        frame.createOrReplaceTempView(name)
        table: ir.Table = self._backend.table(name)
        return table

    def _written(self, frame: DataFrame, kind: str) -> Path:
        folder = self._between / self._next(kind)
        with told():
            frame.write.parquet(_uri(folder))
        return folder

    def _home_table(self, folder: Path) -> ir.Table:
        name = self._next("read")
        files = quoted(f"{folder}/*.parquet")
        read = f"read_parquet({files}, hive_partitioning = false)"  # a folder above may be called `key=value`
        self._home.con.execute(f"CREATE TEMP VIEW {name} AS FROM {read}")
        table: ir.Table = self._home.table(name, database=("temp", "main"))
        return table

    def _make_room_for(self, rows: int) -> None:
        """More and smaller parts of a shuffle for more rows, so that each fits into an executor's memory."""
        self._most_rows = max(self._most_rows, rows)
        if "spark.sql.shuffle.partitions" not in self._settings:
            self._session().conf.set("spark.sql.shuffle.partitions", str(self._tasks()))

    def _tasks(self) -> int:
        return max(FEWEST_TASKS, -(-self._most_rows // ROWS_PER_TASK))

    def _session(self) -> SparkSession:
        if self._backend is None:
            # One that is there already, as in a notebook, is used and left.
            running = None if self._master.startswith(_CONNECT) else SparkSession.getActiveSession()
            self._is_ours = running is None
            with told():
                session = running or self._started()
                if running is not None or self._master.startswith(_CONNECT):
                    for name, value in {**_ALWAYS, **self._settings}.items():
                        session.conf.set(name, value)
                self._backend = ibis.pyspark.connect(session)
        session_of: SparkSession = self._backend._session  # noqa: SLF001  # Ibis has no other way to it
        return session_of

    def _started(self) -> SparkSession:
        builder = SparkSession.builder
        if self._master.startswith(_CONNECT):
            return builder.remote(self._master).getOrCreate()
        for name, value in {**_OF_A_NEW_SESSION, **_ALWAYS, **self._settings}.items():
            builder = builder.config(name, value)
        session = builder.master(self._master).getOrCreate()
        session.sparkContext.setLogLevel("ERROR")  # Spark's own words may quote a cell
        return session


@contextmanager
def _set(session: SparkSession, settings: Mapping[str, str]) -> Iterator[None]:
    """Settings of a session for a while."""
    before = {name: session.conf.get(name, None) for name in settings}
    try:
        for name, value in settings.items():
            session.conf.set(name, value)
        yield
    finally:
        for name, was in before.items():
            session.conf.unset(name) if was is None else session.conf.set(name, was)


@dataclass(frozen=True)
class _Each:
    """Work as Spark gives it out: batches of numbers."""

    work: Callable[[int], None]

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for place in batch.column(0).to_pylist():
                self.work(place)
            yield pa.RecordBatch.from_arrays([batch.column(0)], names=["place"])


def _uri(path: Path) -> str:
    return path.resolve().as_uri()
