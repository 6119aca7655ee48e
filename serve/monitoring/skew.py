"""Features of an earlier run, rebuilt for its moment from tonight's tables: whether the past has stayed."""

from __future__ import annotations

from collections.abc import Mapping

from serve.monitoring.figure import Figure

SKEW = "skew"


def figures(shares: Mapping[str, float], weights: Mapping[str, float], *, rows: int) -> tuple[Figure, ...]:
    """One figure for each feature.

    Parameters
    ----------
    shares
        Share of the leads (0 to 1) whose feature is another now, by feature.
    weights
        Each feature's share of all contributions.
    rows
        Leads that were rebuilt.
    """
    return tuple(
        Figure(SKEW, name, "share", share, reference="rebuilt", rows=rows, weight=weights.get(name))
        for name, share in sorted(shares.items())
    )
