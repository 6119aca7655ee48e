"""The call list by rep and in all: expected wins, what one more call would be worth, and who has what."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from serve.lists.wins import wins_interval

TOTALS = "call_totals.parquet"
SCHEMA = pa.schema(
    {
        **dict.fromkeys(("by", "owner", "territory"), pa.string()),
        **dict.fromkeys(("leads", "calls", "capacity", "calls_without_probability"), pa.int64()),
        **dict.fromkeys(
            (
                "expected_wins", "expected_wins_low", "expected_wins_high", "wins_low", "wins_high",
                "wins_per_call", "against_mean", "gini", "value_of_next_call",
            ),
            pa.float64(),
        ),
        "valued_by": pa.string(),
    }
)  # fmt: skip


def write_totals(connection: duckdb.DuckDBPyConnection, staged: Path, *, valued_by: str) -> None:
    """Write ``call_totals.parquet``: a row ``all``, and one for each rep.

    Parameters
    ----------
    connection
        Has ``_reps``, ``_members``, ``_chosen`` and ``_calls``.
    valued_by
        What a call is valued by; the unit of ``value_of_next_call``.
    """
    found = connection.execute(_SQL, [valued_by]).to_arrow_table()
    for name, ends in zip(("wins_low", "wins_high"), _wins(connection, found), strict=True):
        found = found.append_column(name, ends)
    pq.write_table(found.select(SCHEMA.names).cast(SCHEMA), staged / TOTALS)


def _wins(connection: duckdb.DuckDBPyConnection, totals: pa.Table) -> tuple[pa.Array, pa.Array]:
    """Ends of the interval of the wins of each row of the totals; null where no call has a probability.

    Reps have one matrix, their rows as long as the longest list; all calls together are a row of their own.
    """
    found = connection.execute(_CHANCES).to_arrow_table()
    rep, place = (np.asarray(found.column(name), dtype=np.int64) for name in ("rep", "place"))
    chances = np.asarray(found.column("probability"), dtype=np.float64)
    matrix = np.zeros((totals.num_rows - 1, int(place.max(initial=0))))
    matrix[rep, place - 1] = chances
    of_all, of_reps = wins_interval(chances[None, :]), wins_interval(matrix)
    is_unknown = totals.column("expected_wins").is_null().to_numpy()
    low, high = (
        pa.array(np.concatenate([every, each]), mask=is_unknown)
        for every, each in zip(of_all, of_reps, strict=True)
    )
    return low, high


_CHANCES = """
    SELECT reps.place AS rep, probability,
           row_number() OVER (PARTITION BY reps.place ORDER BY _calls.place) AS place
    FROM _calls
         JOIN (SELECT owner, row_number() OVER (ORDER BY owner) - 1 AS place FROM _reps) AS reps
         ON reps.owner IS NOT DISTINCT FROM _calls.owner
    WHERE probability IS NOT NULL
"""
# Gini (1912) over the reps' wins per call, from their order: sum((2 i - n - 1) x) / (n sum(x)).
_SQL = """
    WITH listed AS (
        SELECT owner, count(*) AS calls, count(*) FILTER (probability IS NULL) AS calls_without_probability,
               sum(probability ORDER BY place) AS expected_wins,
               sum(probability_low ORDER BY place) AS expected_wins_low,
               sum(probability_high ORDER BY place) AS expected_wins_high
        FROM _calls GROUP BY owner
    ), left_over AS (  -- the first that did not fit, by list
        SELECT list, any_value(owner) AS owner, any_value(pool) AS territory,
               first(value ORDER BY place) AS value, TRUE AS is_there
        FROM _chosen WHERE NOT is_called GROUP BY list
    ), offered AS (SELECT owner, count(*) AS leads FROM _members GROUP BY owner),
    reps AS (
        SELECT 'owner' AS "by", _reps.owner, _reps.territory, coalesce(offered.leads, 0) AS leads,
               coalesce(listed.calls, 0) AS calls, _reps.calls AS capacity,
               coalesce(listed.calls_without_probability, 0) AS calls_without_probability,
               listed.expected_wins, listed.expected_wins_low, listed.expected_wins_high,
               listed.expected_wins / nullif(listed.calls - listed.calls_without_probability, 0)
                   AS wins_per_call,
               CASE WHEN mine.is_there THEN mine.value ELSE pool.value END AS value_of_next_call
        FROM _reps LEFT JOIN listed ON listed.owner IS NOT DISTINCT FROM _reps.owner
             LEFT JOIN offered ON offered.owner = _reps.owner
             LEFT JOIN left_over AS mine ON mine.owner = _reps.owner
             LEFT JOIN left_over AS pool
             ON pool.owner IS NULL AND pool.territory IS NOT DISTINCT FROM _reps.territory
    ), fair AS (
        SELECT sum((2 * place - reps - 1) * wins_per_call ORDER BY place)
                   / nullif(max(reps) * sum(wins_per_call ORDER BY place), 0) AS gini
        FROM (
            SELECT wins_per_call, row_number() OVER (ORDER BY wins_per_call) AS place,
                   count(*) OVER () AS reps
            FROM reps WHERE wins_per_call IS NOT NULL
        )
    ), every AS (
        SELECT 'all' AS "by", NULL AS owner, NULL AS territory, (SELECT count(*) FROM _members) AS leads,
               sum(calls) AS calls, sum(capacity) AS capacity,
               sum(calls_without_probability) AS calls_without_probability,
               sum(expected_wins ORDER BY owner) AS expected_wins,
               sum(expected_wins_low ORDER BY owner) AS expected_wins_low,
               sum(expected_wins_high ORDER BY owner) AS expected_wins_high,
               sum(expected_wins ORDER BY owner)
                   / nullif(sum(calls) - sum(calls_without_probability), 0) AS wins_per_call,
               (SELECT first(value ORDER BY worth DESC NULLS LAST, rank) FROM _chosen WHERE NOT is_called)
                   AS value_of_next_call
        FROM reps
    )
    SELECT every.*, NULL AS against_mean, fair.gini, $1 AS valued_by FROM every, fair
    UNION ALL BY NAME
    SELECT reps.*, wins_per_call / nullif((SELECT avg(wins_per_call ORDER BY owner) FROM reps), 0)
               AS against_mean, NULL AS gini, $1 AS valued_by
    FROM reps ORDER BY "by", owner
"""
