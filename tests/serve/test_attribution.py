"""Who gets the credit for a win: five rules that all add up to the wins."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import permutations
from math import factorial
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serve.reporting.names import OTHERS, RULES
from serve.reporting.reading_sources import sources
from serve.reporting.shapley import shares, worth
from tests.serve.nights import AS_OF
from tests.serve.reports import leads, outcomes, reported, touches


def credit(run, rule, figure="wins", territories=None):
    """Credit by place of the touch."""
    rows = sources(run, territories)["attribution"]["place"]
    return {row["channel"]: row[figure][rule] for row in rows if row[figure][rule]}


@pytest.fixture
def path(tmp_path):
    """One win after touches on the web (thirty days before the last), the phone side in between, and mail."""
    return reported(
        tmp_path,
        leads=leads(("a", "2026-01-01", "N", "Ann", "fair"), ("b", "2026-01-01", "S", "Bob", "fair")),
        outcomes=outcomes(
            ("a", "won", "2026-02-20"), ("b", "won", "2026-02-20"), amounts=(("a", 100.0), ("b", 10.0))
        ),
        touches=touches(
            ("a", "web", "in", "2026-01-10"), ("a", "desk", "out", "2026-01-11"),
            ("a", "web", "in", "2026-02-09"), ("a", "mail", "in", "2026-02-09"),
            ("a", "fair", "in", "2026-02-20"), ("a", "late", "in", "2026-02-10", "2026-06-30"),
            ("a", None, "in", "2026-02-11"),
        ),
    )  # fmt: skip


def test_first_and_last_touch_take_the_whole_win(path):
    assert credit(path, "first") == {"web": 1.0, None: 1.0}
    assert credit(path, "last") == {"mail": 1.0, None: 1.0}  # of equal moments the later row
    assert credit(path, "last", "amount") == {"mail": 100.0, None: 10.0}


def test_all_touches_share_alike_or_fading_with_time(path):
    assert credit(path, "linear") == pytest.approx({"web": 2 / 3, "mail": 1 / 3, None: 1.0})
    assert credit(path, "fading") == pytest.approx({"web": 1.5 / 2.5, "mail": 1 / 2.5, None: 1.0})


def test_touches_of_ours_at_the_win_or_known_later_get_nothing(path):
    for rule in RULES:
        assert set(credit(path, rule)) <= {"web", "mail", None}


def test_a_reader_of_a_territory_sees_the_credit_of_its_wins(path):
    assert credit(path, "first", territories=frozenset("N")) == {"web": 1.0}
    assert credit(path, "first", territories=frozenset("S")) == {None: 1.0}


def test_a_touch_after_the_half_life_weighs_half_also_after_years(tmp_path):
    run = reported(
        tmp_path,
        leads=leads(("a", "2010-01-01", "N", "Ann", "fair")),
        outcomes=outcomes(("a", "won", "2026-02-20")),
        touches=touches(("a", "web", "in", "2010-01-10"), ("a", "mail", "in", "2026-02-09")),
    )
    assert credit(run, "fading") == pytest.approx({"mail": 1.0})


def test_kinds_are_the_channels_where_touches_have_no_place(tmp_path):
    plain = touches(("a", None, "in", "2026-01-10")).drop_columns(["place"])
    run = reported(
        tmp_path, leads=leads(("a", "2026-01-01", "N", "Ann", "fair")),
        outcomes=outcomes(("a", "won", "2026-02-20")), touches=plain,
    )  # fmt: skip
    row, nobody = sources(run, None)["attribution"]["kind"]
    assert (row["channel"], row["wins"]["linear"]) == ("touch", 1.0)
    assert (nobody["channel"], nobody["wins"]["linear"]) == (None, 0.0)


def test_without_touches_there_is_no_credit_to_give(tmp_path):
    run = reported(
        tmp_path,
        leads=leads(("a", "2026-01-01", "N", "Ann", "fair")),
        outcomes=outcomes(("a", "won", "2026-02-20")),
    )
    assert sources(run, None)["attribution"] == {}


# ── Shapley values ───────────────────────────────────────────────────────────────────────────────


def by_permutations(value, chosen):
    """Mean marginal worth of each channel of a set over all orders in which they may come."""
    channels = [place for place in range(len(value).bit_length() - 1) if chosen >> place & 1]
    earned = dict.fromkeys(channels, 0.0)
    for order in permutations(channels):
        before = 0
        for channel in order:
            earned[channel] += value[before | 1 << channel] - value[before]
            before |= 1 << channel
    return {channel: total / factorial(len(channels)) for channel, total in earned.items()}


@settings(max_examples=40)
@given(st.integers(0, 4).flatmap(lambda k: st.lists(st.floats(0.001, 1), min_size=1 << k, max_size=1 << k)))
def test_shares_are_shapley_values_by_brute_force(rates):
    value = np.array(rates)
    for chosen in range(len(value)):  # monotone, as `worth` makes it
        value[chosen] = max(value[sub] for sub in range(chosen + 1) if sub & chosen == sub)
    found = shares(value)
    for chosen in range(len(value)):
        earned = by_permutations(value, chosen)
        expected = [earned.get(channel, 0.0) / value[chosen] for channel in range(found.shape[1] - 1)]
        assert found[chosen, :-1] == pytest.approx(expected, abs=1e-9)
        assert found[chosen, -1] == pytest.approx(value[0] / value[chosen])
    assert found.sum(axis=1) == pytest.approx(1.0)


def test_a_set_of_few_leads_is_drawn_to_those_below_it_and_never_below_them():
    """Empty: 100 leads, 10 wins. One channel: 10 leads, 9 wins. The other: 90 leads, none. Both: nobody."""
    found = worth(np.array([100, 10, 90, 0]), np.array([10, 9, 0, 0]))
    base = (10 + 10 * 19 / 200) / 110
    assert found == pytest.approx([base, (9 + 10 * base) / 20, base, (9 + 10 * base) / 20])


def test_where_nobody_has_won_nobody_gets_a_share():
    assert shares(worth(np.array([5, 5]), np.array([0, 0]))).tolist() == [[0.0, 1.0], [0.0, 1.0]]


def drawn(seed, number, chances, won_of):
    """Leads that touched channels by chance and won by the channels that help."""
    random = Random(seed)  # noqa: S311  # a made-up history
    born, moved, touched = [], [], []
    for n in range(number):
        lead, start = f"L{n}", datetime(2025, 6, 1) + timedelta(days=n % 90)  # noqa: DTZ001  # as kept
        born.append((lead, start.isoformat(), random.choice("NS"), "Ann", "fair"))
        had = [channel for channel, chance in chances.items() if random.random() < chance]
        for place, channel in enumerate(had):
            touched.append((lead, channel, "in", (start + timedelta(days=1 + place)).isoformat()))
        if random.random() < won_of(had):
            moved.append((lead, "won", (start + timedelta(days=30)).isoformat()))
    amounts = tuple((lead, random.uniform(1, 1e6)) for lead, *_ in moved)
    return {
        "leads": leads(*born),
        "outcomes": outcomes(*moved, amounts=amounts),
        "touches": touches(*touched),
    }


def test_every_rule_adds_up_to_the_wins_in_each_scope(tmp_path):
    channels = {f"c{n}": 0.3 for n in range(12)}  # more than are told apart
    tables = drawn(1, 400, channels, lambda had: 0.05 + 0.05 * len(had))
    run = reported(tmp_path, **tables)
    for territories in (None, frozenset("N"), frozenset("S")):
        wins = sources(run, territories)["total"]["reached"]["won"]
        for rule in RULES:
            assert sum(credit(run, rule, territories=territories).values()) == pytest.approx(wins, abs=1e-6)
    assert OTHERS in credit(run, "data_driven")


def test_the_data_driven_rule_finds_who_helped_where_the_last_touch_names_who_was_there(tmp_path):
    """The demo sells: it triples the rate. Nearly everybody looks at the site last, which does nothing."""
    chances = {"demo": 0.3, "mail": 0.5, "site": 0.9}
    tables = drawn(2, 1500, chances, lambda had: 0.3 if "demo" in had else 0.1)
    run = reported(tmp_path, **tables)
    last, data_driven = credit(run, "last"), credit(run, "data_driven")
    assert max(last, key=last.get) == "site"
    named = {name: wins for name, wins in data_driven.items() if name is not None}
    assert max(named, key=named.get) == "demo"
    assert named["demo"] > 3 * named["site"]


def test_a_night_made_again_writes_the_same_bytes(tmp_path):
    """Sums of floats depend on the order of the rows: these must not."""
    tables = drawn(3, 300, {f"c{n}": 0.4 for n in range(6)}, lambda had: 0.1 + 0.1 * len(had))
    contents = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        order = np.random.default_rng(4)
        shuffled = {key: rows.take(order.permutation(rows.num_rows)) for key, rows in tables.items()}
        run = reported(folder, as_of=AS_OF, **(tables if name == "one" else shuffled))
        contents.append({file.name: file.read_bytes() for file in sorted((run / "reports").iterdir())})
    assert contents[0] == contents[1]
