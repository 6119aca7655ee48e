"""The 41 columns as a good analyst writes them: one query, with ``count(distinct)`` and ``filter``.

``python -m tests.benches.plain FOLDER`` times it. A lead without a touch has no row in its result.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benches import history
from tests.benches.stopwatch import Way, timed

KINDS = history.KINDS[:5]
WINDOWS = (7, 30, 90)
AGE = "(epoch_us(s.as_of) - epoch_us(t.occurred_at)) / 86400000000.0"
FROM = """
    FROM snapshots s JOIN touches t
      ON t.lead_id = s.lead_id AND t.occurred_at < s.as_of AND t.recorded_at < s.as_of
    GROUP BY s.snapshot_id
"""


def _in(days: int) -> str:
    return f"t.occurred_at >= s.as_of - INTERVAL {days} DAY"


def _windowed() -> Iterator[tuple[str, str]]:
    for days in WINDOWS:
        yield f"touches_{days}d", f"count(*) FILTER (WHERE {_in(days)})"
        for kind in KINDS:
            is_kind = f"{_in(days)} AND t.kind = '{kind}'"
            yield f"kind_touches[{kind}]_{days}d", f"count(*) FILTER (WHERE {is_kind})"
        yield f"active_days_{days}d", f"count(DISTINCT ceil({AGE})) FILTER (WHERE {_in(days)})"
    for days in WINDOWS[1:]:
        yield f"distinct_kinds_{days}d", f"count(DISTINCT t.kind) FILTER (WHERE {_in(days)})"
        yield f"duration_seconds_{days}d", f"sum(t.duration_seconds) FILTER (WHERE {_in(days)})"
    yield (
        "inbound_share_30d",
        f"avg(CASE WHEN t.direction = 'in' THEN 1.0 ELSE 0.0 END) FILTER (WHERE {_in(30)})",
    )
    yield "burst_share_90d", f"avg(CASE WHEN {_in(7)} THEN 1.0 ELSE 0.0 END) FILTER (WHERE {_in(90)})"


def _ever() -> Iterator[tuple[str, str]]:
    yield "touches_ever", "count(*)"
    yield "days_since_last_touch", f"min({AGE})"
    yield "days_since_first_touch", f"max({AGE})"
    yield "mean_gap_days", f"(max({AGE}) - min({AGE})) / nullif(count(*) - 1, 0)"
    for kind in KINDS:
        yield f"kind_touches_ever[{kind}]", f"count(*) FILTER (WHERE t.kind = '{kind}')"
        yield f"days_since[{kind}]", f"min({AGE}) FILTER (WHERE t.kind = '{kind}')"


COLUMNS = dict([*_windowed(), *_ever()])
"""SQL by name of the feature."""


def query() -> str:
    """The query over the tables ``touches`` and ``snapshots``."""
    columns = ", ".join(f'{sql} AS "{name}"' for name, sql in COLUMNS.items())
    return f"SELECT s.snapshot_id, {columns} {FROM}"


@contextmanager
def way(folder: Path) -> Iterator[Way]:
    """By the same engine and settings as ours, with the tables in its memory."""
    from features.backend import workspace

    with workspace(folder) as backend:
        history.read(backend.con, folder)
        yield Way(
            run=lambda: backend.con.execute(f"CREATE OR REPLACE TABLE result AS {query()}"),
            save=lambda file: backend.con.table("result").write_parquet(str(file)),
            columns=len(COLUMNS),
        )


if __name__ == "__main__":
    timed(way)
