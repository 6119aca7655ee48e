"""Gates of the ranking: scores that are none, all alike, or moved; ranks that were shuffled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from models.metrics import Vector
from serve.gates.columns import FEWEST_LEADS
from serve.gates.distances import counts, psi
from serve.gates.finding import Finding
from serve.gates.limits import Limits

FIRST_SHARE, FEWEST_FIRST = 0.1, 20


def scores(ranking: Path, column: str, limits: Limits) -> Iterator[Finding]:
    """Scores that are not finite, that are all the same, or of which too many are equal.

    Parameters
    ----------
    column
        What the leads are ranked by: ``margin`` or ``points``.
    """
    values = _column(ranking, column)
    broken = int((~np.isfinite(values)).sum())
    if broken:
        yield Finding("scores", column, f"{broken} leads have no finite '{column}'", float(broken), 0.0)
    _, repeats = np.unique(values, return_counts=True)
    tied = float(repeats.max() / len(values))
    if len(values) >= FEWEST_LEADS and len(repeats) == 1:
        yield Finding("scores", column, "every lead has the same score", 1.0, limits.ties)
    elif len(values) >= FEWEST_LEADS and column == "margin" and tied > limits.ties:
        yield Finding("scores", column, f"{tied:.0%} of the leads have one score", tied, limits.ties)


def score_drift(before: Path, now: Path, column: str, limits: Limits) -> Iterator[Finding]:
    """Scores of the same model that are spread otherwise than in the run before."""
    old, new = _column(before, column), _column(now, column)
    if min(len(old), len(new)) < FEWEST_LEADS:
        return
    distance = psi(*counts(*(pa.chunked_array([scores]) for scores in (old, new))))
    if distance > limits.score_drift:
        reason = (
            f"the scores have moved since the run before: PSI {distance:.2f}, limit {limits.score_drift:g}"
        )
        yield Finding("score_drift", column, reason, distance, limits.score_drift)


def churn(before: Path, now: Path, limits: Limits) -> Iterator[Finding]:
    """Leads that left the first tenth although neither data nor model changed."""
    with duckdb.connect() as connection:
        found = connection.execute(
            """
            WITH first AS (
                SELECT lead_id FROM read_parquet($1)
                WHERE rank <= (SELECT greatest($3, count(*) * $4) FROM read_parquet($1))
            )
            SELECT count(*), count(*) FILTER (
                lead_id NOT IN (SELECT lead_id FROM read_parquet($2)
                                WHERE rank <= (SELECT count(*) FROM first)))
            FROM first
            """,
            [str(before), str(now), FEWEST_FIRST, FIRST_SHARE],
        ).fetchone()
    first, left = found or (0, 0)
    if first >= FEWEST_FIRST and left / first > limits.churn:
        reason = f"{left} of the first {first} leads are no longer among them, though no fact is new"
        yield Finding("churn", "rank", reason, left / first, limits.churn)


def _column(ranking: Path, name: str) -> Vector:
    with duckdb.connect() as connection:
        found = connection.read_parquet(str(ranking)).project(f'CAST("{name}" AS DOUBLE) AS value')
        return np.asarray(np.ma.filled(found.fetchnumpy()["value"], np.nan), dtype=np.float64)
