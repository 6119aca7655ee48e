"""The call list: whose leads, how many, what they are worth, and what the next call would be."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serve.lists.capacity import Capacity
from tests.serve.nights import MOMENTS, NEW, TEXTS, called, ranking, table

BEST = Capacity(calls_per_owner=2, explore_share=0)


def owned(rows: list[tuple]) -> pa.Table:
    """Leads of (lead, owner, territory), all new."""
    dated = [(*row, NEW) for row in rows]
    return table(dated, lead_id=TEXTS, owner=TEXTS, territory=TEXTS, created_at=MOMENTS)


def lists(calls: list[dict]) -> dict[str | None, list[str]]:
    """The leads of each rep, in their order."""
    found: dict[str | None, list[str]] = {}
    for call in calls:
        assert call["place"] == len(found.setdefault(call["owner"], [])) + 1
        found[call["owner"]].append(call["lead_id"])
    return found


def test_each_rep_calls_the_best_of_his_own_leads_and_no_more_than_the_day_has_room_for(tmp_path):
    leads = owned([("a", "Ann", "N"), ("b", "Bob", "N"), ("c", "Ann", "N"), ("d", "Ann", "N")])
    ranked = ranking([("a", 0.4), ("b", 0.3), ("c", 0.2), ("d", 0.1)])
    calls, totals = called(tmp_path, ranked, leads, BEST)
    assert lists(calls) == {"Ann": ["a", "c"], "Bob": ["b"]}
    assert totals["Ann"]["value_of_next_call"] == 0.1  # d did not fit
    assert totals["Bob"]["value_of_next_call"] is None  # Bob has room left
    assert [totals[None][name] for name in ("leads", "calls", "capacity")] == [4, 3, 4]
    assert {call["why"] for call in calls} == {"best"}
    assert {call["selection_probability"] for call in calls} == {1.0}


def test_wins_are_added_down_the_list_and_over_the_reps(tmp_path):
    leads = owned([("a", "Ann", "N"), ("b", "Bob", "N"), ("c", "Ann", "N")])
    calls, totals = called(tmp_path, ranking([("a", 0.4), ("b", 0.3), ("c", 0.2)]), leads, BEST)
    assert [call["expected_wins"] for call in calls] == pytest.approx([0.4, 0.6, 0.3])
    assert totals["Ann"]["expected_wins"] == pytest.approx(0.6)
    assert totals["Ann"]["expected_wins_low"] == pytest.approx(0.3)  # each lead's own interval, added
    assert totals["Ann"]["expected_wins_high"] == pytest.approx(2.0)
    assert (totals["Ann"]["wins_low"], totals["Ann"]["wins_high"]) == (0, 2)  # 0.48, then 0.92, then 1
    assert totals[None]["expected_wins"] == pytest.approx(0.9)
    assert (totals[None]["wins_low"], totals[None]["wins_high"]) == (0, 2)  # 0.336, 0.788, 0.976


def test_fairness_is_the_wins_of_a_call_against_the_mean_of_reps_and_their_gini(tmp_path):
    leads = owned([("a", "Ann", "N"), ("b", "Bob", "N")])
    _, totals = called(tmp_path, ranking([("a", 0.6), ("b", 0.2)]), leads, BEST)
    assert (totals["Ann"]["against_mean"], totals["Bob"]["against_mean"]) == pytest.approx((1.5, 0.5))
    assert totals[None]["gini"] == pytest.approx(0.25)  # |0.6 - 0.2| · 2 / (2 · 2² · 0.4)


def test_leads_without_an_owner_go_in_turn_to_reps_of_the_territory_who_have_room(tmp_path):
    leads = owned(
        [
            ("n1", None, "N"), ("n2", None, "N"), ("n3", None, "N"), ("n4", None, "N"), ("s1", None, "S"),
            ("a", "Ann", "N"), ("b1", "Bob", "N"), ("b2", "Bob", "N"), ("c", "Cay", "E"),
        ]
    )  # fmt: skip
    ranked = ranking([(name, 0.9 - place / 10) for place, name in enumerate(leads["lead_id"].to_pylist())])
    calls, totals = called(tmp_path, ranked, leads, Capacity(calls_per_owner=3, explore_share=0))
    # Bob's own come first, so he has room for one; Ann for two; nobody is in the south.
    assert lists(calls) == {"Ann": ["n1", "n3", "a"], "Bob": ["n2", "b1", "b2"], "Cay": ["c"]}
    assert totals["Ann"]["value_of_next_call"] == pytest.approx(0.6)  # n4 waits in the pool of the north
    assert totals["Cay"]["value_of_next_call"] is None
    assert totals[None]["value_of_next_call"] == pytest.approx(0.6)


def test_a_call_is_valued_by_what_it_is_expected_to_bring(tmp_path):
    leads = owned([("a", "Ann", None), ("b", "Ann", None), ("c", "Ann", None)])
    ranked = ranking([("a", 0.5), ("b", 0.4), ("c", 0.3)], expected_value=[10.0, 30.0, 20.0])
    calls, totals = called(tmp_path, ranked, leads, BEST)
    assert [(call["lead_id"], call["value"]) for call in calls] == [("b", 30.0), ("c", 20.0)]
    assert (totals[None]["value_of_next_call"], totals[None]["valued_by"]) == (10.0, "expected_value")


@pytest.mark.parametrize("amounts", [None, [50.0, None, 10.0, None]])
def test_a_withheld_probability_is_called_by_its_rank_and_told_by_nobody(tmp_path, amounts):
    leads = owned([(name, "Ann", None) for name in "abcd"])
    more = {} if amounts is None else {"expected_value": pa.array(amounts, pa.float64())}
    ranked = ranking([("a", 0.5), ("b", None), ("c", 0.1), ("d", None)], **more)
    calls, totals = called(tmp_path, ranked, leads, Capacity(calls_per_owner=3, explore_share=0))
    assert [call["lead_id"] for call in calls] == ["a", "b", "c"]
    assert [(calls[1][name]) for name in ("probability", "value")] == [None, None]
    assert totals["Ann"]["expected_wins"] == pytest.approx(0.6)
    assert (totals["Ann"]["calls_without_probability"], totals["Ann"]["value_of_next_call"]) == (1, None)


def test_where_every_probability_is_withheld_the_rank_decides(tmp_path):
    leads = owned([(name, "Ann", None) for name in "bac"])
    ranked = ranking([("b", None), ("a", None), ("c", None)], expected_value=pa.nulls(3, pa.float64()))
    calls, totals = called(tmp_path, ranked, leads, BEST)
    assert [call["lead_id"] for call in calls] == ["b", "a"]
    assert totals[None]["expected_wins"] is None
    assert totals[None]["wins_high"] is None


def test_a_ranking_by_the_scorecard_is_called_by_points_and_promises_no_wins(tmp_path):
    leads = owned([("a", "Ann", None), ("b", "Ann", None), ("c", "Ann", None)])
    ranked = ranking([("c", None), ("a", None), ("b", None)], points=[120.0, 40.0, 10.0])
    calls, totals = called(tmp_path, ranked, leads, BEST, ranked_by="scorecard")
    assert [(call["lead_id"], call["value"]) for call in calls] == [("c", 120.0), ("a", 40.0)]
    assert {call["expected_wins"] for call in calls} == {None}
    assert (totals[None]["valued_by"], totals[None]["value_of_next_call"]) == ("points", 10.0)
    unknown = ("expected_wins", "wins_low", "wins_high", "wins_per_call", "gini")
    assert {totals[None][name] for name in unknown} == {None}


def test_single_reps_have_their_own_number_and_without_a_number_for_all_only_they_have_a_list(tmp_path):
    leads = owned([(f"{owner}{n}", owner, "N") for owner in ("Ann", "Bob") for n in range(3)])
    ranked = ranking([(name, 0.5) for name in leads["lead_id"].to_pylist()])
    all_but = Capacity(calls_per_owner=1, owners={"Bob": 3}, explore_share=0)
    assert {k: len(v) for k, v in lists(called(tmp_path, ranked, leads, all_but)[0]).items()} == {
        "Ann": 1, "Bob": 3,
    }  # fmt: skip
    calls, totals = called(tmp_path, ranked, leads, Capacity(owners={"Bob": 2}, explore_share=0))
    assert list(lists(calls)) == ["Bob"]
    assert totals[None]["leads"] == 3  # those of Ann are her own affair


def test_who_makes_no_calls_hands_his_leads_to_the_territory(tmp_path):
    leads = owned([("a", "Ann", "N"), ("b", "Bob", "N"), ("s", "Ann", "S")])
    ranked = ranking([("a", 0.5), ("b", 0.4), ("s", 0.3)])
    gone = Capacity(calls_per_owner=2, owners={"Ann": 0}, explore_share=0)
    calls, totals = called(tmp_path, ranked, leads, gone)
    assert lists(calls) == {"Bob": ["a", "b"]}
    assert (totals["Ann"]["calls"], totals["Ann"]["capacity"]) == (0, 0)


def test_a_stated_territory_takes_a_reps_leads_elsewhere_off_his_list(tmp_path):
    leads = owned([("n1", "Ann", "N"), ("n2", "Ann", "N"), ("s", "Ann", "S"), ("b", "Bob", "N")])
    ranked = ranking([("n1", 0.5), ("n2", 0.4), ("s", 0.3), ("b", 0.2)])
    usual = Capacity(calls_per_owner=3, explore_share=0)
    assert lists(called(tmp_path, ranked, leads, usual)[0])["Ann"] == ["n1", "n2", "s"]
    south = Capacity(calls_per_owner=3, territories={"Ann": "S"}, explore_share=0)
    assert lists(called(tmp_path, ranked, leads, south)[0]) == {"Ann": ["s"], "Bob": ["n1", "n2", "b"]}


def test_a_rep_who_owns_nothing_yet_takes_what_his_territory_has(tmp_path):
    leads = owned([("n", None, "N"), ("s", None, "S"), ("b", "Bob", "S")])
    new = Capacity(owners={"Eve": 5}, territories={"Eve": "N"}, explore_share=0)
    calls, _ = called(tmp_path, ranking([("n", 0.5), ("s", 0.4), ("b", 0.3)]), leads, new)
    assert lists(calls) == {"Eve": ["n"]}


@pytest.mark.parametrize("columns", ["", "territory", "owner territory"])
def test_without_any_owner_there_is_one_list_for_everybody(tmp_path, columns):
    leads = owned([("a", None, "N"), ("b", None, "S"), ("c", None, "N")]).select(
        ["lead_id", *columns.split()]
    )
    calls, totals = called(tmp_path, ranking([("a", 0.5), ("b", 0.4), ("c", 0.3)]), leads, BEST)
    assert lists(calls) == {None: ["a", "b"]}
    assert totals[None]["capacity"] == 2


def test_what_spreadsheets_run_is_disarmed_in_the_csv_alone(tmp_path):
    calls, _ = called(tmp_path, ranking([("=1+1", 0.5)]), owned([("=1+1", "@Ann", "N")]), BEST)
    assert (calls[0]["lead_id"], calls[0]["owner"]) == ("=1+1", "@Ann")
    with (tmp_path / "calls.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["lead_id"], row["owner"]) == ("'=1+1", "'@Ann")
    assert list(row) == pq.read_schema(tmp_path / "calls.parquet").names


def test_a_night_made_anew_on_the_same_day_draws_the_same_and_the_next_day_does_not(tmp_path):
    leads = owned([(f"L{n}", "Ann", "N") for n in range(99)])
    ranked = ranking([(f"L{n}", 0.5) for n in range(99)])
    half = Capacity(calls_per_owner=20, explore_share=0.5)
    days = ("2026-06-30T00:00:00", "2026-06-30T13:37:00", "2026-07-01T00:00:00")
    first, later, next_day = (called(tmp_path, ranked, leads, half, as_of=day)[0] for day in days)
    assert sum(call["why"] == "explore" for call in first) == 10
    assert first == later != next_day


NAMES = st.sampled_from(["Ann", "Bob", "Cay", None])
PLACES = st.sampled_from(["N", "S", None])


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.tuples(NAMES, PLACES, st.floats(0.01, 0.99)), min_size=1, max_size=40),
    st.integers(1, 8),
    st.dictionaries(st.sampled_from(["Ann", "Bob", "Dan"]), st.integers(0, 6)),
    st.floats(0, 1),
    st.integers(0, 99),
)
def test_no_lead_is_called_twice_nobody_beyond_capacity_and_the_same_seed_gives_the_same_list(
    rows, calls_per_owner, owners, share, seed
):
    chances = sorted((chance for *_, chance in rows), reverse=True)
    leads = owned([(f"L{n}", owner, territory) for n, (owner, territory, _) in enumerate(rows)])
    ranked = ranking([(f"L{n}", chance) for n, chance in enumerate(chances)])
    capacity = Capacity(calls_per_owner, owners, {"Dan": "N"}, share)
    with tempfile.TemporaryDirectory() as name:
        calls, totals = called(Path(name), ranked, leads, capacity, seed=seed)
        again, _ = called(Path(name), ranked, leads, capacity, seed=seed)
    assert calls == again
    named = [call["lead_id"] for call in calls]
    assert len(named) == len(set(named))
    found = lists(calls)
    assert all(len(mine) <= owners.get(owner, calls_per_owner) for owner, mine in found.items())
    of_lead = {f"L{n}": (owner, territory) for n, (owner, territory, _) in enumerate(rows)}
    for call in calls:
        owner, territory = of_lead[call["lead_id"]]
        assert call["territory"] == territory
        if owner is not None and owners.get(owner) != 0:
            assert call["owner"] == owner
        assert 0 < call["selection_probability"] <= 1
    assert sum(total["calls"] for total in totals.values() if total["by"] == "owner") == len(calls)
