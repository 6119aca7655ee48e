"""Where a lead goes next, by its grade: call it now, fast-track it, nurture it, or hold it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import pyarrow as pa

from models.grades import ENGAGEMENT, FIT, Grades
from models.metrics import Vector

ROUTES: Mapping[str, tuple[str, ...]] = {
    "call_now": ("A1", "B1", "A2"),
    "fast_track": ("C1", "D1", "B2"),
    "nurture": ("C2", "A3", "B3", "A4"),
}
"""Grades of each route. High intent goes straight to sales; good fit without intent is nurtured."""
REST = "hold"
QUARTERS = (0.25, 0.5, 0.75)
GRADES = tuple("".join(pair) for pair in product(FIT, ENGAGEMENT))
"""Every grade, best fit first."""


def routed(
    totals: Mapping[str, Vector],
    grades: Grades | None,
    *,
    shares: Sequence[float] = QUARTERS,
    routes: Mapping[str, Sequence[str]] = ROUTES,
) -> dict[str, pa.Array]:
    """The grade and the route of each lead.

    Parameters
    ----------
    totals
        Contributions by family, each of shape (n,), log-odds.
    grades
        The population that the model keeps; None if it keeps none.
    shares, routes
        As `models.grades.Grades.of` takes them; grades by route, the rest is held.

    Returns
    -------
    dict
        ``grade``, such as ``B2``, and ``route``, each of shape (n,); null without a population.
    """
    if grades is None:
        nothing = pa.nulls(len(next(iter(totals.values()))), pa.string())
        return {"grade": nothing, "route": nothing}
    fit, engagement = grades.of(totals, shares)
    grade = np.char.add(fit, engagement)
    of_grade = {name: route for route, names in routes.items() for name in names}
    order = np.searchsorted(GRADES, grade)
    return {
        "grade": pa.array(grade, pa.string()),
        "route": pa.array([of_grade.get(name, REST) for name in GRADES], pa.string()).take(pa.array(order)),
    }
