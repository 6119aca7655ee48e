"""Make the index of a published run: one DuckDB file in which a page finds rows by place, not by search.

``narrow`` has a row per lead with all that is filtered and sorted by; texts with few values are numbers of
``words``, which rise with the text. Everything else lies in the order of ``row`` (0 is the best lead), so
that the rows of a lead are a few blocks of the file. The file needs the run no more once it is made.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from features.errors import StorageError
from serve.facts import OF_TOUCH, TIMELINE
from serve.runs import MANIFEST, Run
from serve.views.cards import make_cards
from serve.views.columns import columns_of, make_texts, make_words, narrow_sql, parquet, published, shown_sql

FORMAT = 3
"""Of the file; another one is made anew."""
SUFFIX = ".duckdb"
MAKING = ".making-"
"""Before the name of the folder of an index that is not finished."""
HISTORY = 14
"""Earlier runs whose score and rank are kept beside a lead's."""
_SETTINGS: Mapping[str, Any] = {"threads": 1, "memory_limit": "1GB"}
"""One thread: the page is served meanwhile."""
_REASONS = ("reasons", "change_reasons")


def name_of(run: Run) -> str:
    """Name of the index file of a run as it is now: after an erasure the same run has another."""
    manifest = (run.folder / MANIFEST).read_bytes()
    return f"{run.run_id}-{hashlib.sha256(manifest).hexdigest()[:12]}-{FORMAT}{SUFFIX}"


def make(run: Run, cache: Path, *, earlier: Sequence[Run] = ()) -> Path:
    """Make the index of a run in ``cache`` and give its path; under its name it is whole.

    Parameters
    ----------
    earlier
        Runs whose score and rank are shown as history, the latest first.

    Raises
    ------
    StorageError
        A file of the run cannot be read, or the disk refuses.
    """
    cache.mkdir(parents=True, exist_ok=True)
    cache.chmod(0o700)
    target = cache / name_of(run)
    with tempfile.TemporaryDirectory(prefix=MAKING, dir=cache) as folder:
        fresh = Path(folder) / target.name
        try:
            with duckdb.connect(str(fresh), config=dict(_SETTINGS)) as connection:
                connection.execute("SET enable_progress_bar = false; SET TimeZone = 'UTC'")
                _fill(connection, run, earlier)
        except duckdb.Error as error:
            raise StorageError(
                f"run '{run.run_id}' cannot be prepared for the page",
                hint="look at the disk; a damaged run is made anew by scoring its night again",
            ) from error
        fresh.chmod(0o600)
        fresh.replace(target)
    return target


def _fill(connection: duckdb.DuckDBPyConnection, run: Run, earlier: Sequence[Run]) -> None:
    connection.execute(f"CREATE TABLE shown AS {shown_sql(connection, run)}")
    connection.execute(
        "CREATE TABLE ids AS SELECT lead_id, row FROM shown ORDER BY lead_id",
    )
    _make_calls(connection, run)
    make_words(connection)
    connection.execute(f"CREATE TABLE narrow AS {narrow_sql(connection)}")
    make_texts(connection)
    connection.execute(
        "CREATE TABLE accounts AS SELECT account_id, row FROM shown WHERE account_id IS NOT NULL "
        "ORDER BY account_id, row"
    )
    for name in _REASONS:
        _make_by_row(connection, run, name, "ORDER BY row, rank_in_row")
    _make_by_row(connection, run, "changes", "ORDER BY row")
    _make_timeline(connection, run)
    _make_history(connection, earlier)
    make_cards(connection, published(connection))


def _make_calls(connection: duckdb.DuckDBPyConnection, run: Run) -> None:
    columns = columns_of(connection, run.folder / "calls.parquet")
    if not columns:
        connection.execute("CREATE TABLE calls (row INTEGER, owner VARCHAR, place BIGINT, why VARCHAR)")
        return
    connection.execute(f"""
        CREATE TABLE calls AS SELECT i.row, c.* EXCLUDE (lead_id)
        FROM {parquet(run, "calls.parquet")} AS c JOIN ids AS i USING (lead_id) ORDER BY c.owner, c.place
    """)  # noqa: S608  # quoted


def _make_by_row(connection: duckdb.DuckDBPyConnection, run: Run, name: str, order: str = "") -> None:
    path = run.folder / f"{name}.parquet"
    if not path.exists():
        connection.execute(f"CREATE TABLE {name} (row INTEGER)")
        return
    connection.execute(f"""
        CREATE TABLE {name} AS SELECT i.row, t.* EXCLUDE (lead_id)
        FROM {parquet(run, path.name)} AS t JOIN ids AS i USING (lead_id) {order}
    """)  # noqa: S608  # quoted


def _make_timeline(connection: duckdb.DuckDBPyConnection, run: Run) -> None:
    if (run.folder / TIMELINE).is_file():
        _make_by_row(connection, run, "timeline")  # it lies in the order of the ranking already
        return
    columns = ", ".join(f"{name} {kind}" for name, kind in OF_TOUCH.items())
    connection.execute(
        f"CREATE TABLE timeline (row INTEGER, occurred_at TIMESTAMP, {columns}, stage VARCHAR)"
    )


def _make_history(connection: duckdb.DuckDBPyConnection, earlier: Sequence[Run]) -> None:
    """Score, probability and rank of tonight's leads in earlier runs, all rows of a lead together."""
    connection.execute("CREATE TABLE runs (number INTEGER, run_id VARCHAR, as_of VARCHAR)")
    parts = [
        "SELECT NULL::INTEGER AS row, NULL::INTEGER AS number, NULL::DOUBLE AS score, "  # noqa: ISC004
        "NULL::DOUBLE AS probability, NULL::BIGINT AS rank LIMIT 0"
    ]
    for number, run in enumerate(earlier[:HISTORY]):
        if not {"score", "probability"} <= set(columns_of(connection, run.folder / "ranking.parquet")):
            continue
        connection.execute("INSERT INTO runs VALUES (?, ?, ?)", [number, run.run_id, run.as_of])
        parts.append(
            f"SELECT i.row, {number}, {_finite('score')}, {_finite('probability')}, r.rank "  # noqa: S608
            f"FROM {parquet(run, 'ranking.parquet')} AS r JOIN ids AS i USING (lead_id)"
        )
    every = " UNION ALL ".join(f"({part})" for part in parts)
    connection.execute(f"CREATE TABLE history AS {every} ORDER BY row, number DESC")


def _finite(name: str) -> str:
    return f"CASE WHEN isfinite(r.{name}) THEN r.{name} END"
