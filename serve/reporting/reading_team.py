"""The report on the team as a reader sees it: desks tonight, and the results of two periods.

A rep's row holds the leads of the territories that may be seen, and no others.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from serve.reporting.files import Row, Territories, about, quartiles, rows
from serve.reporting.names import AFTER, AT_ONCE, BEFORE, HOURS, LAST, RESULTS, TEAM
from serve.reporting.rates import rate
from serve.reporting.reading_judged import judged

_DESK = ("leads", "open", "calls", "both", "new", "departed")
_DONE = ("created", "accepted", AT_ONCE, AFTER, "won", "started", "in_time", "waiting")


def team(run: Path, territories: Territories) -> Row:
    """Desks and results by rep.

    Parameters
    ----------
    run
        Folder of a published run.
    territories
        Whose leads are counted; None: everybody's.

    Returns
    -------
    dict
        ``about``; ``reps`` by name, last those leads that nobody owns (``owner`` None), and ``total``: each
        with ``leads``, ``open``, ``calls``, ``expected_wins``, movement since the run before (``both``,
        ``new``, ``departed``, ``expected_wins_change``; null without one), and of the periods ``last`` and
        ``before`` the results, ``amount_won``, ``in_time_share`` (of those whose time is over) and the
        quartiles of ``hours`` until the first touch; and who was right, ``judged``
        (`serve.reporting.reading_judged`).
    """
    told = about(run)
    if not told["is_dated"]:
        return {"about": told, "reps": [], "total": None, "judged": None}
    desks = rows(run, TEAM, territories, _sum_sql(_DESK, ("expected_wins", "expected_wins_change"), "owner"))
    done = rows(run, RESULTS, territories, _sum_sql(_DONE, ("amount_won",), "owner, period"))
    hours = rows(run, HOURS, territories, _sum_sql(("leads",), (), "owner, period, hours"))
    owners = sorted({row["owner"] for row in (*desks, *done)}, key=lambda name: (name is None, name or ""))
    return {
        "about": told,
        "reps": [
            {
                "owner": owner,
                **_rep(*([row for row in part if row["owner"] == owner] for part in (desks, done, hours))),
            }
            for owner in owners
        ],
        "total": _rep(desks, done, hours),
        "judged": judged(run, territories),
    }


def _sum_sql(counts: Iterable[str], amounts: Iterable[str], by: str) -> str:
    sums = [f'sum("{name}")::BIGINT AS "{name}"' for name in counts]
    sums += [f"fsum({name}) AS {name}" for name in amounts]
    return f"SELECT {by}, {', '.join(sums)} FROM seen GROUP BY {by}"  # noqa: S608  # names of our own


def _rep(desks: list[Row], done: list[Row], hours: list[Row]) -> Row:
    desk = {name: _added(row[name] for row in desks) for name in _DESK}
    chances = {name: _added(row[name] for row in desks) for name in ("expected_wins", "expected_wins_change")}
    periods = {
        period: _period(*([row for row in part if row["period"] == period] for part in (done, hours)))
        for period in (LAST, BEFORE)
    }
    return {**desk, **chances, **periods}


def _period(done: list[Row], hours: list[Row]) -> Row:
    counts = {name: sum(row[name] for row in done) for name in _DONE}
    took: dict[float, int] = {}
    for row in hours:
        took[row["hours"]] = took.get(row["hours"], 0) + row["leads"]
    return {
        **counts,
        "amount_won": _added(row["amount_won"] for row in done),
        "in_time_share": rate(counts["in_time"], counts["started"] - counts["waiting"]),
        "hours": quartiles(took),
    }


def _added(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
