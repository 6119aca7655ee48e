"""Every feature on a real PostgreSQL server."""

from __future__ import annotations

import ibis

from tests.features.oracle.engines import built, differences
from tests.features.random_history import history


def test_postgres_gives_what_duckdb_gives(postgres):
    tables = history(5)
    assert differences(built(ibis.duckdb.connect(), tables), built(postgres, tables)) == []


def test_a_difference_between_engines_is_found():
    ours = {"touches_30d": [1.0, None, 0.5], "last_place": ["blog", None, None]}
    theirs = {"touches_30d": [2.0, 0.0, 0.5 + 1e-12], "last_place": ["blog", "", None]}
    found = [(name, place) for name, place, *_ in differences(ours, theirs)]
    assert found == [("touches_30d", 0), ("touches_30d", 1), ("last_place", 1)]
