"""How long the bars of a list are: by the highest probability in the scope, the same on every page."""

from __future__ import annotations

import numpy as np

from serve.views.index import Index
from serve.views.scope import Scope


def highest(index: Index, scope: Scope) -> float | None:
    """The greatest upper end of a probability within the scope; None without probabilities."""
    return index.remember("highest", scope, lambda: _highest(index, scope))


def _highest(index: Index, scope: Scope) -> float | None:
    ends = index.arrays.values("probability_high")[index.places(scope).rows]
    known = ends[~np.isnan(ends)]
    return float(known.max()) if len(known) else None
