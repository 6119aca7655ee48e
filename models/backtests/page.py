"""A backtest as one HTML file with its pictures inside: no script, no address, no id of a lead."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from features.catalogue import ENGLISH, Language
from models.backtests.contenders import MODEL, NEWEST, RANDOM, SCORECARD, TODAY
from models.backtests.figures import figure
from models.labels import marked
from models.pages import Filters, filled

CLAIMS = {
    "deals": marked("What the calls of one list find"),
    "capture": marked("Share of the deals found along the list"),
    "lift": marked("Lift along the list"),
    "amount": marked("Share of the value found along the list"),
    "origins": marked("Origin by origin"),
    "ages": marked("What it costs not to train again"),
    "slices": marked("Model minus scorecard by slice"),
}
FIGURES = {
    "deals_per_list": marked("deals per list"),
    "win_rate_at_calls": marked("calls that find one"),
    "capture_at_calls": marked("share of all deals"),
    "capture_10": marked("in the first 10 %"),
    "capture_20": marked("in the first 20 %"),
    "lift_20": marked("lift at 20 %"),
    "amount_per_list": marked("value per list"),
    "amount_capture_20": marked("value in the first 20 %"),
}
ORDERS = {
    MODEL: marked("model"),
    SCORECARD: marked("scorecard"),
    NEWEST: marked("newest first"),
    TODAY: marked("today's order"),
    RANDOM: marked("random"),
}
_COUNTS = {"deals_per_list": 1, "lift_20": 2, "amount_per_list": 0}  # digits; all others are shares


@dataclass(frozen=True)
class Report:
    """What a backtest found, as plain data, and its pictures by name."""

    found: Mapping[str, Any]
    pictures: Mapping[str, Path]


def page(report: Report, words: Language = ENGLISH) -> str:
    """The whole page in a language; names of slices are escaped here. Pictures speak English."""
    names = {row["figure"] for row in report.found["contenders"]}
    values = {
        "found": report.found,
        "verdict": verdict(report.found, words),
        "columns": {name: title for name, title in FIGURES.items() if name in names},
        "figure": figure,
        "contenders": list(dict.fromkeys(row["contender"] for row in report.found["contenders"])),
        "pictures": {name: _data(report.pictures[name]) for name in CLAIMS if name in report.pictures},
        "claims": CLAIMS,
    }
    filters: Filters = {
        "ends": partial(ends, words=words),
        "gap": partial(gap, words=words),
        "named": lambda name: words.text(ORDERS[name]),
        "percent": lambda share: "-" if share is None else words.number(f"{share:.1%}"),
    }
    return filled("models.backtests", "page.html", values, filters=filters, words=words)


def verdict(found: Mapping[str, Any], words: Language = ENGLISH) -> str:
    """One sentence: whether the model finds more than the scorecard, as far as the interval tells."""
    own = figure(found["contenders"], MODEL, "capture_20")
    other = figure(found["contenders"], SCORECARD, "capture_20")
    apart = figure(found["differences"], SCORECARD, "capture_20")
    if own["value"] is None:
        return words.text("no lead of the lists was won, so nothing can be told")
    if apart["low"] > 0:
        said = words.text("the model finds more than the scorecard")
    elif apart["high"] < 0:
        said = words.text("the scorecard finds more than the model")
    else:
        said = words.text("model and scorecard cannot be told apart")
    return words.text(
        "{said}: the first 20 % of a list hold {own} of the deals by the model and {other} by the scorecard, "
        "a difference in points of {gap}"
    ).format(
        said=said,
        own=words.number(f"{own['value']:.1%}"),
        other=words.number(f"{other['value']:.1%}"),
        gap=gap(apart, words=words),
    )


def ends(known: Mapping[str, Any] | None, name: str = "capture_20", *, words: Language = ENGLISH) -> str:
    """A figure with its 95 % interval.

    >>> ends({"value": 0.5, "low": 0.4, "high": 0.6}), ends(None)
    ('50.0% (40.0-60.0)', '-')
    """
    if known is None or known["value"] is None:
        return "-"
    value, low, high = known["value"], known["low"], known["high"]
    if name in _COUNTS:
        digits = _COUNTS[name]
        return words.number(f"{value:,.{digits}f} ({low:,.{digits}f}-{high:,.{digits}f})")
    return words.number(f"{value:.1%} ({low * 100:.1f}-{high * 100:.1f})")


def gap(known: Mapping[str, Any] | None, *, words: Language = ENGLISH) -> str:
    """A difference of shares in percentage points, with its 95 % interval.

    >>> gap({"value": 0.05, "low": -0.01, "high": 0.1})
    '+5.0 (-1.0 to +10.0)'
    """
    if known is None or known["value"] is None:
        return "-"
    value, low, high = (words.number(f"{known[end] * 100:+.1f}") for end in ("value", "low", "high"))
    return words.text("{value} ({low} to {high})").format(value=value, low=low, high=high)


def _data(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode("ascii")
