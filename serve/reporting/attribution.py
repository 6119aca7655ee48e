"""The file behind the switch of attribution: who gets the credit for each win, by five rules.

First, last, linear and fading credit are counted touch by touch; the data-driven one over sets of
channels (`serve.reporting.shapley`). The credit of a win without a channel is nobody's, so all rules add up
to the wins.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from features.ingest.sql import named
from serve.reporting import shapley
from serve.reporting.names import ATTRIBUTION, DATA_DRIVEN, OTHERS, TOUCHED
from serve.reporting.plan import LEADS, Plan, days, exact

CHANNELS = ("campaign", "place")
"""Columns of touches that are channels; where there is none it is the kind of touch."""
MOST_CHANNELS = 9
"""Channels whose sets are looked at, those of most wins; all others are one."""
SCHEMA = pa.schema(
    {
        **dict.fromkeys(("by", "rule", "territory", "channel"), pa.string()),
        **dict.fromkeys(("wins", "amount"), pa.float64()),
    }
)
SCRATCH = ("_report_path", "_report_had", "_report_bits", "_report_sets", "_report_credit")


def channels_of(plan: Plan) -> tuple[str, ...]:
    """The columns of touches that credit is given by; none without touches."""
    there = tuple(name for name in CHANNELS if plan.has("touches", name))
    return there or (("kind",) if plan.has("touches", "kind") else ())


def write(connection: duckdb.DuckDBPyConnection, folder: Path, plan: Plan) -> None:
    """Write ``attribution.parquet``; no row where touches have no channel.

    Parameters
    ----------
    connection
        Has `serve.reporting.plan.LEADS`.
    """
    parts = [SCHEMA.empty_table(), *(_credits(connection, plan, by) for by in channels_of(plan))]
    connection.register("_credits", pa.concat_tables(parts))
    ordered = connection.table("_credits").order('"by", rule, territory, channel')
    ordered.write_parquet(str(folder / ATTRIBUTION))
    connection.unregister("_credits")
    for name in SCRATCH:
        connection.execute(f"DROP TABLE IF EXISTS {name}")


def _credits(connection: duckdb.DuckDBPyConnection, plan: Plan, by: str) -> pa.Table:
    """The credits by one column of touches."""
    _make(connection, "_report_path", _path_sql(plan, by))
    _make(connection, "_report_credit", _credit_sql(plan))
    touched = [connection.sql(_by_touch_sql(by, rule)).to_arrow_table().cast(SCHEMA) for rule in TOUCHED]
    return pa.concat_tables([*touched, _data_driven(connection, plan, by)])


def _make(connection: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")


def _path_sql(plan: Plan, by: str) -> str:
    """The touches of won leads before the win: theirs, with a channel."""
    return f"""
        SELECT number, touches.{named(by)}::VARCHAR AS channel, touches.occurred_at,
               touches.row_number AS place
        FROM {plan.touches} AS touches JOIN {LEADS} USING (lead_id)
        WHERE won_at IS NOT NULL AND touches.occurred_at < won_at AND {_counts(plan, by)}
    """  # noqa: S608  # names of our own


def _had_sql(plan: Plan, by: str, *, others: int) -> str:
    """The set of channels that each mature or won lead had until the win, or else in its window."""
    end = f"coalesce(won_at, created_at + {days(plan.window_days)})"
    return f"""
        SELECT number, bit_or((1 << coalesce(bit, {others}))::BIGINT) AS chosen
        FROM {plan.touches} AS touches JOIN {LEADS} USING (lead_id)
             LEFT JOIN _report_bits ON _report_bits.channel = touches.{named(by)}::VARCHAR
        WHERE (is_mature OR won_at IS NOT NULL) AND touches.occurred_at < {end} AND {_counts(plan, by)}
        GROUP BY number
    """  # noqa: S608  # names of our own


def _counts(plan: Plan, by: str) -> str:
    """The SQL of whether a touch may have credit: known, with a channel, and theirs."""
    is_theirs = "TRUE"
    if plan.has("touches", "direction"):  # ours are no channel that brought anybody
        is_theirs = f"NOT coalesce({plan.is_ours('touches')}, FALSE)"
    return f"touches.{named(by)} IS NOT NULL AND {is_theirs} AND {plan.is_known('touches')}"


def _credit_sql(plan: Plan) -> str:
    """The share of each won lead's touches in its win, by rule; without any the whole is of no channel."""
    age_days = "(epoch_us(last_at) - epoch_us(occurred_at)) / 86400e6"
    return f"""
        WITH ends AS (
            SELECT number, count(*) AS touches, max(occurred_at) AS last_at FROM _report_path GROUP BY number
        ), weighed AS (
            SELECT number, channel, touches,
                   row_number() OVER (PARTITION BY number ORDER BY occurred_at, place) AS turn,
                   pow(2, -least({age_days} / {plan.half_life_days}, 1000)) AS weight
            FROM _report_path JOIN ends USING (number)
        ), wholes AS (
            SELECT number, {exact("weight")} AS whole FROM weighed GROUP BY number
        ), shared AS (
            SELECT number, channel, (turn = 1)::DOUBLE AS first, (turn = touches)::DOUBLE AS last,
                   1 / touches AS linear, weight / whole AS fading
            FROM weighed JOIN wholes USING (number)
        )
        SELECT territory, channel, amount, coalesce(first, 1) AS first, coalesce(last, 1) AS last,
               coalesce(linear, 1) AS linear, coalesce(fading, 1) AS fading
        FROM {LEADS} LEFT JOIN shared USING (number) WHERE won_at IS NOT NULL
    """  # noqa: S608  # names of our own


def _by_touch_sql(by: str, rule: str) -> str:
    return f"""
        SELECT '{by}' AS "by", '{rule}' AS rule, territory, channel, {exact(rule)} AS wins,
               {exact(f"{rule} * amount")} AS amount
        FROM _report_credit GROUP BY territory, channel HAVING {exact(rule)} > 0
    """  # noqa: S608  # names of our own


def _data_driven(connection: duckdb.DuckDBPyConnection, plan: Plan, by: str) -> pa.Table:
    """Credit by the sets of channels that leads had."""
    _make(connection, "_report_bits", _BITS)
    told = connection.execute("SELECT channel FROM _report_bits ORDER BY bit").fetchall()
    names = [*(channel for (channel,) in told), OTHERS]
    _make(connection, "_report_had", _had_sql(plan, by, others=len(told)))
    _make(connection, "_report_sets", _sets_sql(plan))
    split = _shares(connection, len(names))
    shared = pa.table(
        {
            "chosen": np.repeat(np.arange(len(split)), split.shape[1]),
            "channel": pa.array([*names, None] * len(split), pa.string()),
            "share": split.ravel(),
        }
    )
    connection.register("_shares", shared)
    found = connection.execute(
        f"""
        SELECT $1 AS "by", '{DATA_DRIVEN}' AS rule, territory, channel, {exact("share * wins")} AS wins,
               {exact("share * amount")} AS amount
        FROM _report_sets JOIN _shares USING (chosen) GROUP BY territory, channel
        HAVING {exact("share * wins")} > 0
        """,  # noqa: S608  # names of our own
        [by],
    ).to_arrow_table()
    connection.unregister("_shares")
    return found.cast(SCHEMA)


def _shares(connection: duckdb.DuckDBPyConnection, channels: int) -> shapley.Floats:
    """The shares of each set, from the mature leads of the whole company."""
    leads, wins = (np.zeros(1 << channels, dtype=np.int64) for _ in range(2))
    counted = connection.execute(
        "SELECT chosen, sum(mature)::BIGINT, sum(mature_wins)::BIGINT FROM _report_sets GROUP BY chosen"
    ).fetchall()
    for chosen, mature, won in counted:
        leads[chosen], wins[chosen] = mature, won
    return shapley.shares(shapley.worth(leads, wins))


def _sets_sql(plan: Plan) -> str:
    """The sets of channels: mature leads, their wins in the window, and all wins with their amount."""
    in_window = plan.in_window("created_at", "won_at")
    return f"""
        SELECT territory, coalesce(chosen, 0) AS chosen, count(*) FILTER (is_mature) AS mature,
               count(*) FILTER (is_mature AND {in_window}) AS mature_wins, count(won_at) AS wins,
               {exact("amount", "won_at IS NOT NULL")} AS amount
        FROM {LEADS} LEFT JOIN _report_had USING (number) WHERE is_mature OR won_at IS NOT NULL
        GROUP BY territory, coalesce(chosen, 0)
    """  # noqa: S608  # names of our own


_BITS = f"""
    SELECT channel, row_number() OVER (ORDER BY count(DISTINCT number) DESC, channel) - 1 AS bit
    FROM _report_path GROUP BY channel QUALIFY bit < {MOST_CHANNELS}
"""  # noqa: S608  # a number of ours
