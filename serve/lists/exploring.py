"""Which leads of a list are called: the best, and a slice drawn at random from those below the cut.

A team that calls the best only never learns what the others would have become. Each chosen lead carries the
probability with which it was to be chosen tonight, so that a later look can weight it by the inverse.
"""

from __future__ import annotations


def uniform_sql(seed: int, day: str, what: str, key: str) -> str:
    """The SQL of a number from 0 to 1 that depends on the seed, the day, a purpose and a key alone."""
    return f"md5_number_lower('{seed}|{day}|{what}|' || {key}) / 18446744073709551616.0"


def chosen_sql(share: float, *, seed: int, day: str) -> str:
    """The SQL that chooses from every list, from ``_members`` and ``_lists``.

    Parameters
    ----------
    share
        Share of a list's calls that are drawn, 0 to 1. What it gives beyond a whole number is one more drawn
        lead on so many of the nights.
    seed, day
        What the draws depend on: nights made anew within a day draw the same leads.

    Returns
    -------
    str
        A query with the columns of ``_members``, ``is_drawn``, ``is_called`` and ``selection_probability``
        (above 0 for whatever may be called).

    Notes
    -----
    Simple random sampling without replacement below the cut: of m leads and c calls with e drawn, a lead
    among the best c - e is chosen for certain, any other with e / (m - c + e) (Horvitz and Thompson 1952,
    "A generalization of sampling without replacement from a finite universe"). Over the two numbers that e
    may have, the probability is their mean, weighted as they are drawn.
    """
    of_list = uniform_sql(seed, day, "list", "list")
    of_lead = uniform_sql(seed, day, "lead", "lead_id")
    return f"""
        WITH sized AS (
            SELECT list, calls, members, floor({share} * calls)::BIGINT AS fewer,
                   {share} * calls - floor({share} * calls) AS one_more
            FROM _lists WHERE members > calls
        ), decided AS (
            SELECT *, fewer + ({of_list} < one_more)::BIGINT AS drawn FROM sized
        ), placed AS (  -- few columns: a window sorts all that it carries
            SELECT list, lead_id,
                   row_number() OVER (PARTITION BY list ORDER BY worth DESC NULLS LAST, rank) AS place
            FROM _members
        ), drawing AS (
            SELECT placed.*, calls, members, fewer, one_more, drawn,
                   coalesce(place > calls - drawn, FALSE) AS is_below,
                   row_number() OVER (
                       PARTITION BY list, coalesce(place > calls - drawn, FALSE) ORDER BY {of_lead}, lead_id
                   ) AS ticket
            FROM placed LEFT JOIN decided USING (list)
        )
        SELECT _members.*, place, is_below AND ticket <= drawn AS is_drawn,
               NOT is_below OR ticket <= drawn AS is_called,
               CASE WHEN calls IS NULL THEN 1.0
                    ELSE least(1.0, (1 - one_more) * {_chance("fewer")} + one_more * {_chance("(fewer + 1)")})
               END AS selection_probability
        FROM drawing JOIN _members USING (list, lead_id)
    """  # noqa: S608  # numbers and names of our own


def _chance(drawn: str) -> str:
    """The SQL of a lead's chance to be chosen if so many are drawn."""
    return f"(CASE WHEN place <= calls - {drawn} THEN 1.0 ELSE {drawn} / (members - calls + {drawn}) END)"
