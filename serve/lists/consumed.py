"""What earlier leads consumed in a stage, and how many of them advanced afterwards.

A lead that stays long meets more content, so the first days of a stay are looked at alone: whoever is still
in the stage at their end is a row, what it consumed until then is known, and what it does in the days after
is the outcome (landmark analysis: Anderson, Cain and Gelber 1983, "Analysis of survival by tumor response").
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from features.history import MICROSECONDS_PER_DAY
from features.ingest.sql import named
from features.objections import FLAG, SINCE
from features.tables import Field
from features.vocabulary import Meaning, Vocabulary
from serve.lists.evidence import Evidence

ROLES = ("role", "seniority", "title_seniority")
"""Columns of leads that say who somebody is in the purchase; the first that is there is used."""
ASSETS = ("asset", "content")
"""Columns of touches that name the content itself; without one it is the kind of touch."""
OFFERED: Collection[Meaning] = ("download", "event", "visit", "social")
"""Meanings of kinds that a nurture team can offer something of."""
FIRST = "lead"
"""The stage of a lead before its first outcome."""
BACKWARD = (
    "lost", "disqualified", "reopened", "returned", "returned_at_once", "returned_after_follow_up",
    "recycled",
)  # fmt: skip
"""Stages that are no advance; all others are."""


def role_of(columns: Collection[str], fields: Mapping[str, Field]) -> str | None:
    """The column of leads that is their role; None if there is none whose past is known.

    >>> role_of(["lead_id", "seniority"], {})
    'seniority'
    >>> role_of(["seniority"], {"seniority": Field("category", "current")}) is None
    True
    """
    is_fixed = {name for name in columns if name not in fields or fields[name].time in {None, "static"}}
    return next((name for name in ROLES if name in is_fixed), None)


def content_of(columns: Collection[str]) -> str:
    """The column of touches that names what was consumed."""
    return next((name for name in ASSETS if name in columns), "kind")


def kinds_of(words: Vocabulary) -> list[str]:
    """The kinds of touch that are content: engagement, by something that can be offered.

    >>> kinds_of(Vocabulary().knowing(kinds=["webinar", "pricing_visit", "call", "email_open"], places=[]))
    ['webinar']
    """
    kinds = words.kinds.items()
    return [name for name, word in kinds if word.says == "contextual" and word.means in OFFERED]


def stays_sql(moment: str) -> str:
    """The SQL of every lead's stays in stages, as known before the moment.

    Returns
    -------
    str
        A query with ``lead_id``, ``stage``, ``entered_at``, ``next_stage`` and ``left_at`` (null: it is there
        still), from the tables ``leads`` and ``outcomes``.
    """
    return f"""
        WITH steps AS (
            SELECT lead_id, '{FIRST}' AS stage, created_at AS entered_at, -1 AS place FROM leads
            WHERE created_at < {moment}
            UNION ALL
            SELECT lead_id, stage, occurred_at, row_number FROM outcomes
            WHERE occurred_at < {moment} AND recorded_at < {moment}
        )
        SELECT lead_id, stage, entered_at, lead(stage) OVER later AS next_stage,
               lead(entered_at) OVER later AS left_at
        FROM steps
        WINDOW later AS (PARTITION BY lead_id ORDER BY place >= 0, entered_at, place)
    """  # noqa: S608  # names of our own


def counts_sql(
    evidence: Evidence, *, moment: str, role: str | None, tables: Mapping[str, Collection[str]]
) -> str:
    """The SQL that counts who consumed what and who advanced, from ``_stays``, ``_asked`` and ``touches``.

    Parameters
    ----------
    moment
        The SQL of the moment.
    role
        Column of leads.
    tables
        Columns of the tables. ``$1`` is the list of kinds where touches name no content.

    Returns
    -------
    str
        A query with a row per ``stage``, ``role`` (null: all of the stage) and ``content`` (null: all leads):
        ``leads`` and, of these, ``advanced``; leads that have opted out are in none.
    """
    touches = tables["touches"]
    content = content_of(touches)
    is_content = "list_contains($1, kind)" if content == "kind" else "TRUE OR $1 IS NULL"
    is_theirs = "direction IS DISTINCT FROM 'out'" if "direction" in touches else "TRUE"
    back = ", ".join(f"'{stage}'" for stage in BACKWARD)
    window, horizon, delay = (
        f"to_microseconds({int(days * MICROSECONDS_PER_DAY)}::BIGINT)"
        for days in (evidence.window_days, evidence.horizon_days, evidence.delay_days)
    )
    return f"""
        WITH seen AS (
            SELECT row_number() OVER () AS stay, _stays.lead_id, _stays.stage,
                   {"NULL::VARCHAR" if role is None else f"leads.{named(role)}::VARCHAR"} AS role,
                   entered_at, entered_at + {window} AS looked_at,
                   coalesce(next_stage NOT IN ({back}) AND left_at < entered_at + {window} + {horizon}, FALSE)
                       AS has_advanced
            FROM _stays JOIN leads USING (lead_id)
            WHERE stage IN (SELECT stage FROM _asked) AND NOT {_has_objected_sql(tables["leads"])}
              AND coalesce(left_at >= entered_at + {window}, TRUE)
              AND entered_at + {window} + {horizon} + {delay} <= {moment}
        ), consumed AS (
            SELECT DISTINCT stay, {named(content)}::VARCHAR AS content
            FROM touches JOIN seen USING (lead_id)
            WHERE {is_content} AND {is_theirs} AND {named(content)} IS NOT NULL
              AND occurred_at >= entered_at AND occurred_at < looked_at AND recorded_at < {moment}
        ), rows AS (
            SELECT stage, role, NULL AS content, has_advanced FROM seen
            UNION ALL
            SELECT stage, role, content, has_advanced FROM consumed JOIN seen USING (stay)
        )
        SELECT stage, role, content, count(*) AS leads, count(*) FILTER (has_advanced) AS advanced
        FROM rows GROUP BY GROUPING SETS ((stage, role, content), (stage, content))
        HAVING role IS NOT NULL OR grouping(role) = 1
    """  # noqa: S608  # names of our own, and quoted identifiers


def _has_objected_sql(columns: Collection[str]) -> str:
    """The SQL of `features.objections.has_objected`."""
    has_date = f"leads.{SINCE} IS NOT NULL" if SINCE in columns else "FALSE"
    return f"coalesce(leads.{FLAG} = 1, {has_date})" if FLAG in columns else has_date
