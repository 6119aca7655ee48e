"""The report on the funnel as a reader sees it: steps, months with lead velocity, and the pool."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path

from serve.reporting.files import Row, Territories, about, quartiles, rows
from serve.reporting.names import AFTER, AT_ONCE, DAYS, FUNNEL, MONTHS, POOL
from serve.reporting.rates import mark, rate

_COUNTS = ("leads", "mql", "sql", "opportunity", "won", AT_ONCE, AFTER, "won_fast")
YEAR = 12
_POOLED = """
    SELECT status, sum(leads)::BIGINT AS leads FROM seen GROUP BY status ORDER BY leads DESC, status
"""


def funnel(run: Path, territories: Territories) -> Row:
    """Steps, months and the pool.

    Parameters
    ----------
    run
        Folder of a published run.
    territories
        Whose leads are counted; None: everybody's.

    Returns
    -------
    dict
        ``about``; ``steps`` (``from_stage``, ``to_stage``, ``entered``, ``mature``, ``rate``, quartiles of
        the ``days`` that it took, ``mark``); ``months``, oldest first (counts, ``is_whole``, ``velocity``:
        growth of the qualified leads in percent, null without any in the month before); ``year``: sums of the
        latest twelve whole months; ``pool`` (``status``, ``leads``), most first.
    """
    told = about(run)
    if not told["is_dated"]:
        return {"about": told, "steps": [], "months": [], "year": None, "pool": []}
    months = list(_with_velocity(_months(run, territories, told["as_of"])))
    return {
        "about": told,
        "steps": _steps(run, territories, told),
        "months": months,
        "year": _year(months),
        "pool": rows(run, POOL, territories, _POOLED),
    }


def _steps(run: Path, territories: Territories, told: Row) -> list[Row]:
    sums = ", ".join(f"sum({name})::BIGINT AS {name}" for name in ("entered", "mature", "converted"))
    by = "step, from_stage, to_stage"
    counting = f"SELECT {by}, {sums} FROM seen GROUP BY {by} ORDER BY step"  # noqa: S608  # names of our own
    found = rows(run, FUNNEL, territories, counting)
    sql = "SELECT step, days, sum(leads)::BIGINT AS leads FROM seen GROUP BY step, days"
    took: dict[int, dict[float, int]] = {}
    for row in rows(run, DAYS, territories, sql):
        took.setdefault(row["step"], {})[row["days"]] = row["leads"]
    return [
        {
            **row,
            "rate": rate(row["converted"], row["mature"]),
            "days": quartiles(took.get(row["step"], {})),
            "mark": mark(row["entered"], row["mature"], row["converted"], told),
        }
        for row in found
    ]


def _months(run: Path, territories: Territories, as_of: str) -> list[Row]:
    """Every month from the first one on, those without a fact among them."""
    sums = ", ".join(f"sum({name})::BIGINT AS {name}" for name in _COUNTS)
    counting = f"SELECT month, {sums} FROM seen GROUP BY month ORDER BY month"  # noqa: S608  # names of our own
    found = rows(run, MONTHS, territories, counting)
    if not found:
        return []
    counted = {row["month"]: row for row in found}
    end = date.fromisoformat(as_of[:10])
    return [
        {
            **(counted.get(month) or dict.fromkeys(_COUNTS, 0)),
            "month": f"{month:%Y-%m}",
            "is_whole": _after(month) <= end,
        }
        for month in _until(found[0]["month"], max(end, found[-1]["month"]))
    ]


def _until(first: date, last: date) -> Iterator[date]:
    month = first
    while month <= last:
        yield month
        month = _after(month)


def _after(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _with_velocity(months: list[Row]) -> Iterator[Row]:
    """Lead velocity: growth of the qualified leads over the month before, in percent.

    The month that a history begins in is seldom a whole one, so nothing grows over it.
    """
    if months:
        yield {**months[0], "velocity": None}
    for place, (before, month) in enumerate(pairwise(months)):
        is_known = place > 0 and month["is_whole"] and before["mql"] > 0
        yield {**month, "velocity": (month["mql"] / before["mql"] - 1) * 100 if is_known else None}


def _year(months: list[Row]) -> Row | None:
    whole = [month for month in months if month["is_whole"]][-YEAR:]
    if not whole:
        return None
    sums = {name: sum(month[name] for month in whole) for name in _COUNTS}
    return {
        "months": len(whole),
        **sums,
        "won_old": sums["won"] - sums["won_fast"],
        "old_share": rate(sums["won"] - sums["won_fast"], sums["won"]),
    }
