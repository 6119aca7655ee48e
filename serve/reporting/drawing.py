"""Where the marks of a report's pictures stand: plain numbers, which a template writes into an SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

WIDTH, HEIGHT = 600.0, 200.0
"""Of a picture with axes, in its own units."""
SQUARE = 300.0
"""Side of the reliability curve."""


def reliability(bins: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The curve of forecasts against what came true; None without bins.

    Parameters
    ----------
    bins
        ``forecast`` and ``rate``, 0 to 1, and ``rows``, which may be null.

    Returns
    -------
    dict
        ``top`` (share at the end of both axes), ``points`` (``x``, ``y`` and the bin), ``line`` through them.

    Examples
    --------
    >>> drawn = reliability([{"forecast": 0.1, "rate": 0.2, "rows": 9}])
    >>> drawn["top"], drawn["line"]
    (0.2, '150.0,0.0')
    """
    if not bins:
        return None
    top = max(max(one["forecast"], one["rate"]) for one in bins) or 1.0
    points = [
        {**one, "x": one["forecast"] / top * SQUARE, "y": SQUARE - one["rate"] / top * SQUARE} for one in bins
    ]
    return {"top": top, "points": points, "line": _line(points)}


def months(found: Sequence[Mapping[str, Any]], figure: str) -> dict[str, Any] | None:
    """A line over the months; None without two of them.

    Parameters
    ----------
    found
        Months, oldest first.
    figure
        A number of theirs; where it is null the line is broken.

    Returns
    -------
    dict
        ``low`` and ``high`` (ends of the axis), ``zero`` (height of 0), ``points`` (``x``, ``y``, ``month``,
        ``value``) and ``lines`` through them.
    """
    values = [month[figure] for month in found if month[figure] is not None]
    if len(values) < 2:  # noqa: PLR2004 - one point is no line
        return None
    low, high = min(0.0, *values), max(0.0, *values)
    span = (high - low) or 1.0
    step = WIDTH / max(len(found) - 1, 1)
    points = [
        None
        if month[figure] is None
        else {
            "x": place * step,
            "y": HEIGHT - (month[figure] - low) / span * HEIGHT,
            "month": month["month"],
            "value": month[figure],
        }
        for place, month in enumerate(found)
    ]
    parts = [
        list(part) for is_known, part in groupby(points, key=lambda point: point is not None) if is_known
    ]
    return {
        "low": low,
        "high": high,
        "zero": HEIGHT + low / span * HEIGHT,
        "points": [point for point in points if point is not None],
        "lines": [_line([point for point in part if point is not None]) for part in parts],
    }


def _line(points: Sequence[Mapping[str, Any]]) -> str:
    return " ".join(f"{point['x']:.1f},{point['y']:.1f}" for point in points)
