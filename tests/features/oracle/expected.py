"""Everything that the manual says of one snapshot."""

from __future__ import annotations

from typing import Any

from tests.features.oracle.account import account
from tests.features.oracle.behaviour import behaviour
from tests.features.oracle.fit import fit
from tests.features.oracle.follow_up import follow_up
from tests.features.oracle.generic import generic
from tests.features.oracle.interest import interest
from tests.features.oracle.recency import recency
from tests.features.oracle.source import source
from tests.features.oracle.stage import stage
from tests.features.oracle.world import Seen

FAMILIES = (fit, behaviour, recency, stage, source, account, follow_up, interest, generic)


def expected(seen: Seen) -> dict[str, Any]:
    """Feature name to value; numbers not rounded.

    Raises
    ------
    ValueError
        Two families have a feature of the same name.
    """
    told = [pair for family in FAMILIES for pair in family(seen)]
    values = dict(told)
    if len(values) < len(told):
        raise ValueError("a feature is told twice")
    return values
