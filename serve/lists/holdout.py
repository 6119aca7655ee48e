"""A random holdout: leads that nobody's ranking steers, to learn what the ranking is worth.

Whether a lead is in the control group depends on the name of the experiment and its id alone, so it is the
same every night, in every order of the rows, on every machine; where the share grows, nobody leaves.
On a call list the control group gets its part of the calls, the newest leads first, as if there were no
ranking; what the model says of them stands on no list.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from features.moments import naive_utc
from serve.lists.exploring import chosen_sql, uniform_sql
from serve.reporting.names import CONTROL, TREATED

GROUPS = "holdout.parquet"
SCRATCH = ("_every_member", "_control", "_turns")


@dataclass(frozen=True)
class Holdout:
    """An experiment.

    Attributes
    ----------
    share
        Of the leads that are in the control group, above 0 and at most 0.5.
    salt
        Name of the experiment: another name draws other leads.
    since
        Moment from which it runs; None: from the first night on.
    """

    share: float
    salt: str
    since: datetime | None = None

    def runs_at(self, as_of: str) -> bool:
        """Whether it runs at a moment (UTC without a zone, ISO 8601)."""
        return self.since is None or datetime.fromisoformat(as_of) >= naive_utc(self.since)

    def is_control_sql(self, key: str) -> str:
        """The SQL of whether the lead of a column is in the control group."""
        return f"({lot_sql(self.salt, key)} < {self.share})"


def lot_sql(salt: str, key: str) -> str:
    """The SQL of a lead's lot, from 0 to 1: those below the share are the control group.

    The lower half of the MD5 of salt and lead, as a number: alike spread whatever the ids look like.
    """
    told = salt.replace("'", "''")
    return f"(md5_number_lower('{told}|' || {key}) / 18446744073709551616.0)"


def write_groups(
    connection: duckdb.DuckDBPyConnection,
    staged: Path,
    holdout: Holdout,
    *,
    as_of: str,
    previous: Path | None = None,
) -> None:
    """Write ``holdout.parquet``: every lead that was ranked since the experiment began, with its group.

    Parameters
    ----------
    staged
        Folder of tonight's run, with its ranking.
    as_of
        The moment, UTC without a zone, as ISO 8601.
    previous
        Folder of the run before: its leads keep the group that they were first ranked in, whatever became of
        them or of the share; None without one. Leads of another experiment are left behind.

    Notes
    -----
    Columns: ``lead_id``, ``group`` (`TREATED` or `CONTROL`), ``experiment`` (its salt), ``since`` (moment of
    the first night that ranked the lead), sorted by lead.
    """
    ranking = staged / "ranking.parquet"
    tonight = str(ranking / "*.parquet" if ranking.is_dir() else ranking)
    earlier = str(previous / GROUPS) if previous is not None and (previous / GROUPS).is_file() else None
    known = "SELECT * FROM read_parquet($3) WHERE experiment = $2" if earlier else _NOBODY
    query = f"""
        WITH known AS ({known}), ranked AS (
            SELECT lead_id, CASE WHEN {holdout.is_control_sql("lead_id")} THEN '{CONTROL}'
                                 ELSE '{TREATED}' END AS "group",
                   $2::VARCHAR AS experiment, TIMESTAMP '{as_of}' AS since
            FROM read_parquet($1) ANTI JOIN known USING (lead_id)
        )
        SELECT * FROM known UNION ALL BY NAME SELECT * FROM ranked ORDER BY lead_id
    """  # noqa: S608  # names and numbers of our own
    found = connection.execute(query, [tonight, holdout.salt, *([earlier] if earlier else [])])
    pq.write_table(found.to_arrow_table(), staged / GROUPS)


def choose(
    connection: duckdb.DuckDBPyConnection,
    holdout: Holdout,
    explore_share: float,
    *,
    seed: int,
    day: str,
    columns: Collection[str],
) -> None:
    """Make ``_chosen`` of ``_members`` and ``_lists``: each group's calls by its own rule.

    Parameters
    ----------
    columns
        Of ``leads``: without ``created_at`` nobody is newest, and the control group's order is drawn.

    Notes
    -----
    A list with more members than calls gives the control group calls in proportion to its members; what that
    is beyond a whole number is one more call on so many of the nights. The control group's leads take
    places between the others, spread evenly, and only those that are called are among ``_chosen``.
    """
    newest = f"leads.created_at DESC NULLS LAST, {uniform_sql(seed, day, 'lead', '_members.lead_id')}"
    order = newest if "created_at" in columns else uniform_sql(seed, day, "lead", "_members.lead_id")
    is_control = holdout.is_control_sql("_members.lead_id")
    one_more = uniform_sql(seed, day, "control", "list")
    for name, query in {
        "_every_member": "FROM _members",
        "_control": f"""
            SELECT _members.*, row_number() OVER (PARTITION BY list ORDER BY {order}) AS turn
            FROM _members LEFT JOIN leads USING (lead_id) WHERE {is_control}
        """,  # noqa: S608  # names and numbers of our own
        "_turns": f"""
            SELECT _lists.*, coalesce(held, 0) AS held, CASE
                WHEN members <= calls THEN coalesce(held, 0)
                ELSE least(held, floor(calls * held / members)::BIGINT
                           + ({one_more} < calls * held / members - floor(calls * held / members))::BIGINT)
                END AS turns
            FROM _lists LEFT JOIN (SELECT list, count(*) AS held FROM _control GROUP BY list) USING (list)
        """,  # noqa: S608  # likewise
        "_members": f"FROM _every_member AS _members WHERE NOT {is_control}",
        "_lists": "SELECT list, calls - coalesce(turns, 0) AS calls, members - held AS members FROM _turns",
        "_chosen": f"""
            WITH steered AS ({chosen_sql(explore_share, seed=seed, day=day)}),
            places AS (  -- whom a lead of the control group stands beside
                SELECT list, worth, count(*) OVER (PARTITION BY list) AS called,
                       row_number() OVER (PARTITION BY list ORDER BY worth DESC NULLS LAST, rank) AS beside
                FROM steered WHERE is_called
            ), held AS (
                SELECT _control.* EXCLUDE (worth, turn, rank, probability, probability_low,
                                           probability_high, value),
                       turn - turns - 1 AS rank, turn, turns
                FROM _control JOIN _turns USING (list) WHERE turn <= turns
            )
            SELECT *, FALSE AS is_control FROM steered
            UNION ALL BY NAME
            SELECT held.* EXCLUDE (turn, turns), places.worth, turn AS place, FALSE AS is_drawn,
                   TRUE AS is_called, 1.0 AS selection_probability, TRUE AS is_control
            FROM held LEFT JOIN places ON places.list = held.list
                 AND places.beside = ceil(turn * places.called / turns)
        """,  # noqa: S608  # likewise
    }.items():
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")
    connection.execute("CREATE OR REPLACE TEMP TABLE _members AS FROM _every_member")
    for name in SCRATCH:
        connection.execute(f"DROP TABLE {name}")


_NOBODY = """
    SELECT NULL::VARCHAR AS lead_id, NULL::VARCHAR AS "group", NULL::VARCHAR AS experiment,
           NULL::TIMESTAMP AS since
    WHERE FALSE
"""
