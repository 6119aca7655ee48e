"""How many leads an owner has on his hands."""

from __future__ import annotations

import ibis
import pytest

from features.load import owner_load
from tests.features.drawn import drawn, fetched, install

LEADS = """
    lead_id | owner | created_at
    --------+-------+-----------------
    a       | ann   | 2026-03-01 00:00
    b       | ann   | 2026-03-01 00:00
    c       |       | 2026-03-01 00:00
"""
OUTCOMES = """
    lead_id | stage        | occurred_at      | recorded_at
    --------+--------------+------------------+-----------------
    a       | lost         | 2026-03-03 00:00 |
    a       | disqualified | 2026-03-04 00:00 |
    a       | reopened     | 2026-03-06 00:00 |
    a       | won          | 2026-03-10 00:00 | 2026-03-12 00:00
"""
SNAPSHOTS = """
    snapshot_id | lead_id | as_of
    ------------+---------+--------------------
    0           | b       | 2026-03-01 00:00
    1           | b       | 2026-03-02 00:00
    2           | b       | 2026-03-03 00:00
    3           | b       | 2026-03-03 00:00:01
    4           | b       | 2026-03-06 00:00
    5           | b       | 2026-03-06 00:00:01
    6           | b       | 2026-03-12 00:00
    7           | b       | 2026-03-12 00:00:01
    8           | c       | 2026-03-12 00:00:01
"""


@pytest.fixture
def load():
    """Open leads by snapshot, of drawn outcomes."""
    duck = ibis.duckdb.connect()

    def told(outcomes):
        held = install(duck, leads=drawn(LEADS), outcomes=drawn(outcomes), snapshots=drawn(SNAPSHOTS))
        got = fetched(duck, owner_load(held["snapshots"], held))
        return dict(zip(got["snapshot_id"], got["open_leads"], strict=True))

    return told


def test_a_lead_is_on_the_hands_of_its_owner_while_it_is_known_to_be_open(load):
    # Created, lost, back and won at the moment itself: not known yet. A lead that nobody owns has no load.
    assert load(OUTCOMES) == {0: 0, 1: 2, 2: 2, 3: 1, 4: 1, 5: 2, 6: 2, 7: 1}


def test_a_closing_to_come_does_not_change_what_was_open_before(load):
    without_the_end = "\n".join(line for line in OUTCOMES.splitlines() if "won" not in line)
    known, later = load(without_the_end), load(OUTCOMES)
    assert {place: later[place] for place in range(7)} == {place: known[place] for place in range(7)}
    assert (known[7], later[7]) == (2, 1)
