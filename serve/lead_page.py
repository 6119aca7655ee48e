"""One lead as one HTML file: the way to its probability as a picture, reasons, evidence, changes.

No script, no address; every text is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from models.labels import labels, named
from models.pages import filled

ROW, TOP, LEFT, WIDTH, RIGHT = 30, 8, 190, 430, 90
"""Of the picture, in pixels: a step's height, the space above, the names, the bars, the figures."""


def page(lead: Mapping[str, Any], *, language: str = "en") -> str:
    """The whole page.

    Parameters
    ----------
    lead
        As `serve.lead.explained` made it.
    language
        Of labels, numbers and days: ``en``, ``zh`` or ``ru``; sentences stay as they were published.
    """
    words = labels(language)
    filters = {
        "percent": lambda share: words.number(f"{100 * share:.1f}%"),
        "points": lambda points: words.number(f"{points:+.1f}"),
        "signed": lambda odds: words.number(f"{odds:+.3f}"),
        "named": lambda code: named(code, words),
    }
    values = {
        "lead": lead,
        "bars": bars(lead["steps"]),
        "size": {"width": LEFT + WIDTH + RIGHT, "height": TOP + ROW * (len(lead["steps"]) + 1)},
    }
    return filled("serve", "lead_page.html", values, filters=filters, words=words)


def bars(steps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The bars of a waterfall: where each begins, how long it is, in pixels, and what it shows.

    Returns
    -------
    list
        Of each step ``name``, ``points``, ``probability``, ``x``, ``y``, ``width`` and ``kind`` (``base``,
        ``for`` or ``against``); the last is the ``total``.
    """
    if not steps:
        return []
    chances = [step["probability"] for step in steps]
    widest = max(*chances, 1e-9)
    ends = [(0.0, chances[0]), *pairwise(chances), (0.0, chances[-1])]
    kinds = ["base", *("for" if end >= start else "against" for start, end in ends[1:-1]), "total"]
    shown = [*steps, {"name": "total", "points": 100 * chances[-1], "probability": chances[-1]}]
    return [
        {
            "name": step["name"],
            "points": step["points"],
            "probability": step["probability"],
            "x": round(LEFT + WIDTH * min(start, end) / widest, 1),
            "y": TOP + ROW * place,
            "width": round(max(1.0, WIDTH * abs(end - start) / widest), 1),
            "kind": kind,
        }
        for place, (step, (start, end), kind) in enumerate(zip(shown, ends, kinds, strict=True))
    ]
