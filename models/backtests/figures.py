"""The tables of a backtest: contenders, differences, curves, ages of the model, slices, origins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.audit.association import Flags
from models.backtests.contenders import MODEL, SCORECARD
from models.backtests.lists import Cuts, Found, Lists, count, interval, ratio
from models.metrics import Vector

Row = dict[str, Any]

FRESH = "fresh"
TOP, FIRST = 0.2, 0.1  # the shares of a list that are told of
CURVE = tuple(float(share) for share in np.round(np.linspace(0.0, 1.0, 51), 2))


@dataclass(frozen=True)
class Settings:
    """How lists are cut and resampled.

    Attributes
    ----------
    calls
        Calls that the team makes from one list to the next.
    resamples
        Bootstrap resamples of origins and leads.
    least_outcomes
        Different won leads without which a slice is not judged.
    """

    calls: int
    resamples: int = 500
    seed: int = 7
    least_outcomes: int = 30

    def found(self, lists: Lists, shares: Sequence[float]) -> Found:
        """What is found above the shares and the calls."""
        return count(lists, Cuts(tuple(shares), self.calls), resamples=self.resamples, seed=self.seed)


def figures(found: Found, name: str) -> dict[str, Vector]:
    """Every figure of one contender, shape (1 + resamples,) each.

    ``deals_per_list`` and ``amount_per_list`` are what the calls of one list find, ``win_rate_at_calls`` the
    share of those calls that find a deal; ``capture_…`` is the share of all deals found, ``amount_capture_…``
    of their amounts, ``lift_…`` the rate over that of the whole lists.
    """
    rate = ratio(found.all_won, found.rows)
    at_calls = found.of(found.won, name, None)
    told = {
        "deals_per_list": ratio(at_calls, found.lists),
        "win_rate_at_calls": ratio(at_calls, found.called),
        "lift_at_calls": ratio(ratio(at_calls, found.called), rate),
        "capture_at_calls": ratio(at_calls, found.all_won),
    }
    for share in (FIRST, TOP):
        capture = ratio(found.of(found.won, name, share), found.all_won)
        told |= {f"capture_{share * 100:.0f}": capture, f"lift_{share * 100:.0f}": capture / share}
    if found.all_amount[0] > 0:
        at_calls = found.of(found.amount, name, None)
        told |= {
            "amount_per_list": ratio(at_calls, found.lists),
            "amount_capture_at_calls": ratio(at_calls, found.all_amount),
            "amount_capture_20": ratio(found.of(found.amount, name, TOP), found.all_amount),
        }
    return told


def contenders(found: Found) -> list[Row]:
    """``contender, figure, value, low, high``."""
    return [
        {"contender": name, "figure": figure, **interval(values)}
        for name in found.names
        for figure, values in figures(found, name).items()
    ]


def differences(found: Found) -> list[Row]:
    """The model minus every other, on the same resamples: ``contender, figure, value, low, high``."""
    own = figures(found, MODEL)
    return [
        {"contender": name, "figure": figure, **interval(own[figure] - values)}
        for name in found.names
        if name != MODEL
        for figure, values in figures(found, name).items()
    ]


def curves(found: Found) -> list[Row]:
    """Along the list: ``contender, share, capture, low, high, lift, amount_capture``."""
    return [
        {
            "contender": name,
            "share": share,
            **_renamed(interval(ratio(found.of(found.won, name, share), found.all_won)), "capture"),
            "lift": _lift(found, name, share),
            "amount_capture": _first(ratio(found.of(found.amount, name, share), found.all_amount)),
        }
        for name in found.names
        for share in found.cuts.shares
    ]


def ages(by_age: Mapping[int, Lists], settings: Settings) -> list[Row]:
    """A model that was not trained again, on the lists that it could order.

    Parameters
    ----------
    by_age
        By the age of the model in days, lists in three orders: ``model`` (of that age), ``fresh`` (trained at
        the list's origin) and ``scorecard``.

    Returns
    -------
    list of dict
        ``age_days, origins, rows, won_leads``, and ``capture_20`` with its interval, ``minus_fresh`` (None at
        age 0) and ``minus_scorecard``, both paired: on the same lists.
    """
    rows = []
    for age, lists in sorted(by_age.items()):
        found = settings.found(lists, (FIRST, TOP))
        capture = {name: ratio(found.of(found.won, name, TOP), found.all_won) for name in found.names}
        own = capture[MODEL]
        rows.append(
            {
                "age_days": age,
                **_counts(lists),
                "capture_20": interval(own),
                "minus_fresh": interval(own - capture[FRESH]) if age else None,
                "minus_scorecard": interval(own - capture[SCORECARD]),
            }
        )
    return rows


def slices(lists: Lists, named: Iterable[tuple[str, str, Flags]], settings: Settings) -> list[Row]:
    """Model and scorecard among the leads of one kind, each list cut to them.

    Parameters
    ----------
    named
        Slice, group and its rows, shape (n,).

    Returns
    -------
    list of dict
        ``slice, group, rows, won_leads, is_judged``, and where enough leads were won ``capture_20``,
        ``scorecard`` and ``minus_scorecard`` (paired), each with its interval; else None.
    """
    return [
        {"slice": name, "group": group, **_slice(lists.where(rows), settings)} for name, group, rows in named
    ]


def by_origin(lists: Lists, settings: Settings) -> Iterator[tuple[int, Row]]:
    """Number of each origin with ``lists, rows, won_leads`` and ``capture_20`` by contender."""
    for number in np.unique(lists.origin):
        own = lists.where(lists.origin == number)
        found = count(own, Cuts((TOP,), settings.calls), resamples=0, seed=settings.seed)
        capture = {n: _first(ratio(found.of(found.won, n, TOP), found.all_won)) for n in found.names}
        yield int(number), {"lists": len(np.unique(own.night)), **_counts(own), "capture_20": capture}


def figure(rows: Sequence[Mapping[str, Any]], contender: str, name: str) -> Mapping[str, Any]:
    """The row of one figure."""
    return next(row for row in rows if row["contender"] == contender and row["figure"] == name)


def _slice(lists: Lists, settings: Settings) -> Row:
    told: Row = {"rows": len(lists.won), "won_leads": lists.won_leads}
    if lists.won_leads < settings.least_outcomes:
        return {**told, "is_judged": False, "capture_20": None, SCORECARD: None, "minus_scorecard": None}
    pair = lists.with_orders({name: lists.orders[name] for name in (MODEL, SCORECARD)})
    found = settings.found(pair, (TOP,))
    own, other = (ratio(found.of(found.won, name, TOP), found.all_won) for name in (MODEL, SCORECARD))
    return {
        **told,
        "is_judged": True,
        "capture_20": interval(own),
        SCORECARD: interval(other),
        "minus_scorecard": interval(own - other),
    }


def _counts(lists: Lists) -> Row:
    return {"origins": len(np.unique(lists.origin)), "rows": len(lists.won), "won_leads": lists.won_leads}


def _renamed(ends: Mapping[str, float | None], name: str) -> Row:
    return {name: ends["value"], "low": ends["low"], "high": ends["high"]}


def _lift(found: Found, name: str, share: float) -> float | None:
    return _first(ratio(found.of(found.won, name, share), found.all_won) / share) if share > 0 else None


def _first(values: Vector) -> float | None:
    return float(values[0]) if np.isfinite(values[0]) else None
