"""What a call to each ranked lead is worth: its expected value, else its probability, else its points.

A withheld probability ranks, so it has a price too, and one that tells no more than the rank: that of the
nearest published probability in the ranking, at the mean amount. It decides the order and is never published.
"""

from __future__ import annotations

from collections.abc import Collection

from serve.batch import RANKED_BY

VALUE, CHANCE, POINTS = "expected_value", "probability", "points"
_MEAN_AMOUNT = f"""(
    SELECT sum({VALUE} ORDER BY rank) / nullif(sum({CHANCE} ORDER BY rank), 0) FROM _ranking
)"""  # noqa: S608  # names of our own
_NEAREST = f"""coalesce(
    {CHANCE},
    last_value({CHANCE} IGNORE NULLS) OVER (ORDER BY rank ROWS UNBOUNDED PRECEDING),
    first_value({CHANCE} IGNORE NULLS) OVER (
        ORDER BY rank ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING))"""


def valued_by(columns: Collection[str], ranked_by: str) -> str:
    """The column of a ranking that a call is valued by.

    >>> valued_by(["probability", "expected_value"], "model"), valued_by(["points"], "scorecard")
    ('expected_value', 'points')
    """
    if ranked_by != RANKED_BY:
        return POINTS
    return VALUE if VALUE in columns else CHANCE


def priced_sql(by: str) -> str:
    """The SQL of the ranking's leads with their price, from a table ``_ranking``.

    Returns
    -------
    str
        A query with ``lead_id``, ``rank``, ``probability`` and the ends of its interval, ``value`` (of
        `valued_by`, null where it is withheld) and ``worth`` (what leads are ordered by, most first, then by
        rank; null only where no lead has a probability).
    """
    worth = {POINTS: POINTS, CHANCE: _NEAREST, VALUE: f"coalesce({VALUE}, {_NEAREST} * {_MEAN_AMOUNT})"}[by]
    return f"""
        SELECT lead_id, rank, probability, probability_low, probability_high,
               {by}::DOUBLE AS value, ({worth})::DOUBLE AS worth
        FROM _ranking
    """  # noqa: S608  # names of our own
