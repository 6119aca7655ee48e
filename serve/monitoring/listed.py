"""A published list as it was read then: what was said of each lead, and what the lead was.

Only what was published counts: probability, score and rank of the run's own files, never computed again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb
import numpy as np
import pyarrow as pa

from features.errors import StorageError
from models.audit.association import Flags
from models.backtests.slices import NEW_DAYS, groups
from models.metrics import Vector
from serve.monitoring.figure import EVERY
from serve.runs import Run

SLICES = ("source", "territory")
"""Columns of a run's ``leads.parquet`` by which a list is looked at, beside the age of the leads."""
AGE_DAYS = "age_days"


@dataclass(frozen=True)
class Listed:
    """The rows of one list, the best first, shape (n,) each.

    Attributes
    ----------
    run
        The published run.
    said
        The probability that was published; not a number where it was withheld or a scorecard ranked.
    place
        The rank as an order: the highest first.
    score
        0 to 100; not a number where there is none.
    slices
        Rows of each slice by its name: all leads, ``source=web``, ``age=new``.
    """

    run: Run
    said: Vector
    place: Vector
    score: Vector
    slices: Mapping[str, Flags]

    @property
    def model(self) -> str | None:
        """Digest of the model that ranked; None of a scorecard."""
        return None if self.is_by_card else (self.run.manifest.get("model") or {}).get("digest")

    @property
    def is_by_card(self) -> bool:
        """Whether nothing on the list has a probability."""
        return not np.isfinite(self.said).any()


def listed(run: Run) -> Listed:
    """The list of a run; else as `rows_of`."""
    return of_rows(run, rows_of(run))


def rows_of(run: Run) -> pa.Table:
    """Rank, what was said and what the lead was then, by rank.

    Returns
    -------
    pa.Table
        ``lead_id``, ``rank``, ``probability``, ``score``, the columns `SLICES` and ``age_days`` (null where
        the run does not say them).

    Raises
    ------
    StorageError
        A file of the run cannot be read.
    """
    files = [run.folder / "ranking.parquet"]
    beside, joined = "NULL, " * len(SLICES) + "NULL", ""
    if (facts := run.folder / "leads.parquet").exists():
        files.append(facts)
        moment = moment_of(run).replace(tzinfo=None).isoformat()
        age = f"date_diff('day', leads.created_at, TIMESTAMP '{moment}')"
        beside = ", ".join([*(f"leads.{name}" for name in SLICES), age])
        joined = "LEFT JOIN read_parquet($2) AS leads USING (lead_id)"
    sql = f"""
        SELECT ranking.lead_id, ranking.rank, ranking.probability, ranking.score, {beside}
        FROM read_parquet($1) AS ranking {joined} ORDER BY ranking.rank
    """  # noqa: S608  # names and a moment of our own
    try:
        with duckdb.connect() as connection:
            found = connection.execute(sql, [str(file) for file in files]).to_arrow_table()
    except duckdb.Error as error:
        raise StorageError(
            f"the ranking of run '{run.run_id}' cannot be read",
            hint="score that night again: a damaged run is made anew",
        ) from error
    return found.rename_columns(["lead_id", "rank", "probability", "score", *SLICES, AGE_DAYS])


def of_rows(run: Run, rows: pa.Table) -> Listed:
    """The list of rows that `rows_of` read."""
    said, score = _numbers(rows, "probability"), _numbers(rows, "score")
    return Listed(run, said, -_numbers(rows, "rank"), score, dict(_slices(rows)))


def moment_of(run: Run) -> datetime:
    """The moment of a run, in UTC."""
    moment = datetime.fromisoformat(run.as_of)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _numbers(rows: pa.Table, name: str) -> Vector:
    return np.asarray(rows.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False))


def _slices(rows: pa.Table) -> Iterator[tuple[str, Flags]]:
    yield EVERY, np.ones(rows.num_rows, dtype=bool)
    for name in SLICES:
        column = rows.column(name)
        if column.null_count < rows.num_rows:
            yield from ((f"{name}={group}", flags) for group, flags in groups(column.cast(pa.string())))
    age = _numbers(rows, AGE_DAYS)
    if np.isfinite(age).any():
        yield "age=new", np.asarray(age < NEW_DAYS)
        yield "age=old", np.asarray(age >= NEW_DAYS)
