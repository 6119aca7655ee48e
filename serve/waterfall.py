"""From the base to the probability of a lead, one family of features after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.calibration import Calibration

_FAMILY = "margin_"
_BASE = "margin_base"


def steps(lead: Mapping[str, Any], curve: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """From the base to the probability; empty where a scorecard ranks, or the probability is withheld.

    Parameters
    ----------
    lead
        A row of the ranking.
    curve
        Calibration of the model, as the manifest has it.

    Returns
    -------
    list
        ``name`` (``margin_base`` first, then families, strongest first), ``contribution`` (log-odds; None for
        the base), ``probability`` after it, ``points`` that it adds.
    """
    if curve is None or lead.get("probability") is None or lead.get(_BASE) is None:
        return []
    names = [name for name in lead if name.startswith(_FAMILY) and name != _BASE]
    ordered = sorted(names, key=lambda name: -abs(lead[name]))
    values = [lead[_BASE], *(lead[name] for name in ordered)]
    chances = Calibration.from_json(curve).apply(np.cumsum(values))
    return [
        {
            "name": name.removeprefix(_FAMILY),
            "contribution": None if place == 0 else lead[name],
            "probability": float(chances[place]),
            "points": 100 * float(chances[place] - (chances[place - 1] if place else 0)),
        }
        for place, name in enumerate([_BASE, *ordered])
    ]
