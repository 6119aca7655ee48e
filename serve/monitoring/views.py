"""What the monitor reads of a published run: its columns, its new leads, and what moves its ranking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from features.ingest.sql import named
from serve import part_rows
from serve.runs import Run

FEATURES, RANKING, CONTRIBUTIONS, LEADS = (
    f"{name}.parquet" for name in ("features", "ranking", "contributions", "leads")
)
BY_MODEL = "model"


@dataclass(frozen=True)
class View:
    """A published run as the monitor sees it.

    Attributes
    ----------
    run
        The run.
    """

    run: Run

    @property
    def score(self) -> str:
        """Column of the ranking that says how good a lead is."""
        return "score" if self.run.manifest.get("ranked_by", BY_MODEL) == BY_MODEL else "points"

    @property
    def as_of(self) -> datetime:
        """The moment that it ranks."""
        return datetime.fromisoformat(self.run.as_of)

    def file(self, name: str) -> Path:
        """One of its files."""
        return self.run.folder / name

    def columns(self, names: Sequence[str]) -> Iterator[tuple[str, pa.ChunkedArray]]:
        """The features of these names that it has, one at a time in memory."""
        file = self.file(FEATURES)
        there = set(part_rows.schema(file).names)
        for name in names:
            if name in there:
                yield name, part_rows.column(file, name)

    def column(self, name: str) -> pa.ChunkedArray | None:
        """One feature; None if the run does not have it."""
        return next((column for _, column in self.columns([name])), None)

    def scores(self) -> pa.ChunkedArray:
        """What each lead has, 0 to 100."""
        return part_rows.column(self.file(RANKING), self.score)

    def importance(self, names: Sequence[str]) -> Mapping[str, float]:
        """Each feature's share of all contributions, adding up to 1; none where no model ranked."""
        path = self.file(CONTRIBUTIONS)
        if self.score != "score" or not path.exists():
            return {}
        there = [name for name in names if name in set(part_rows.schema(path).names)]
        asked = ", ".join(f"avg(abs({named(name)}))" for name in there)
        with duckdb.connect() as connection:
            found = connection.execute(f"SELECT {asked} FROM read_parquet(?)", [str(path)]).fetchone()  # noqa: S608  # names are quoted
        strength = dict(zip(there, (value or 0.0 for value in found or ()), strict=True))
        total = sum(strength.values()) or 1.0
        return {name: value / total for name, value in strength.items()}

    def new_leads(self, names: Sequence[str], segment_by: str | None, days: float) -> pa.Table:
        """Leads of at most so many days, with their segment as ``|segment``."""
        there = set(part_rows.schema(self.file(FEATURES)).names)
        asked = "".join(f"f.{named(name)}, " for name in names if name in there)
        known = set(part_rows.schema(self.file(LEADS)).names)
        segment = "NULL"
        if segment_by is not None and segment_by in there:
            segment = f"f.{named(segment_by)}"
        elif segment_by is not None and segment_by in known:
            segment = f"l.{named(segment_by)}"
        if "created_at" not in known:
            return pa.table({})
        since = (self.as_of - timedelta(days=days)).replace(tzinfo=None)
        with duckdb.connect() as connection:
            return connection.execute(
                f"""
                SELECT {asked}{segment}::VARCHAR AS "|segment"
                FROM read_parquet($1) f JOIN read_parquet($2) l USING (lead_id) WHERE l.created_at >= $3
                """,  # noqa: S608  # names are quoted
                [str(self.file(FEATURES)), str(self.file(LEADS)), since],
            ).to_arrow_table()
