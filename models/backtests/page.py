"""A backtest as one HTML file with its pictures inside: no script, no address, no id of a lead."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.backtests.contenders import MODEL, SCORECARD
from models.backtests.figures import figure
from models.backtests.pictures import words
from models.pages import Filters, filled

CLAIMS = {
    "deals": "What the calls of one list find",
    "capture": "Share of the deals found along the list",
    "lift": "Lift along the list",
    "amount": "Share of the value found along the list",
    "origins": "Origin by origin",
    "ages": "What it costs not to train again",
    "slices": "Model minus scorecard by slice",
}
FIGURES = {
    "deals_per_list": "deals per list",
    "win_rate_at_calls": "calls that find one",
    "capture_at_calls": "share of all deals",
    "capture_10": "in the first 10 %",
    "capture_20": "in the first 20 %",
    "lift_20": "lift at 20 %",
    "amount_per_list": "value per list",
    "amount_capture_20": "value in the first 20 %",
}
_COUNTS = {"deals_per_list": 1, "lift_20": 2, "amount_per_list": 0}  # digits; all others are shares


@dataclass(frozen=True)
class Report:
    """What a backtest found, as plain data, and its pictures by name."""

    found: Mapping[str, Any]
    pictures: Mapping[str, Path]


def page(report: Report) -> str:
    """The whole page; names of slices are escaped here."""
    names = {row["figure"] for row in report.found["contenders"]}
    values = {
        "found": report.found,
        "verdict": verdict(report.found),
        "columns": {name: title for name, title in FIGURES.items() if name in names},
        "figure": figure,
        "contenders": list(dict.fromkeys(row["contender"] for row in report.found["contenders"])),
        "pictures": {name: _data(report.pictures[name]) for name in CLAIMS if name in report.pictures},
        "claims": CLAIMS,
    }
    filters: Filters = {"ends": ends, "gap": gap, "words": words, "percent": _percent}
    return filled("models.backtests", "page.html", values, filters=filters)


def verdict(found: Mapping[str, Any]) -> str:
    """One sentence: whether the model finds more than the scorecard, as far as the interval tells."""
    own = figure(found["contenders"], MODEL, "capture_20")
    other = figure(found["contenders"], SCORECARD, "capture_20")
    apart = figure(found["differences"], SCORECARD, "capture_20")
    if own["value"] is None:
        return "no lead of the lists was won, so nothing can be told"
    if apart["low"] > 0:
        said = "the model finds more than the scorecard"
    elif apart["high"] < 0:
        said = "the scorecard finds more than the model"
    else:
        said = "model and scorecard cannot be told apart"
    return (
        f"{said}: the first 20 % of a list hold {own['value']:.1%} of the deals by the model and "
        f"{other['value']:.1%} by the scorecard, a difference in points of {gap(apart)}"
    )


def ends(known: Mapping[str, Any] | None, name: str = "capture_20") -> str:
    """A figure with its 95 % interval.

    >>> ends({"value": 0.5, "low": 0.4, "high": 0.6}), ends(None)
    ('50.0% (40.0-60.0)', '-')
    """
    if known is None or known["value"] is None:
        return "-"
    value, low, high = known["value"], known["low"], known["high"]
    if name in _COUNTS:
        digits = _COUNTS[name]
        return f"{value:,.{digits}f} ({low:,.{digits}f}-{high:,.{digits}f})"
    return f"{value:.1%} ({low * 100:.1f}-{high * 100:.1f})"


def gap(known: Mapping[str, Any] | None) -> str:
    """A difference of shares in percentage points, with its 95 % interval.

    >>> gap({"value": 0.05, "low": -0.01, "high": 0.1})
    '+5.0 (-1.0 to +10.0)'
    """
    if known is None or known["value"] is None:
        return "-"
    value, low, high = (f"{known[end] * 100:+.1f}" for end in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _data(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode("ascii")
