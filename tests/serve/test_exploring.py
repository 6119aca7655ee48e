"""The drawn slice of a list: as large as it should be, drawn with the probability that is written down."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serve.lists.exploring import chosen_sql

DAY = "2026-06-30"


def chosen(lists: dict[str, tuple[int, int]], share: float, *, seeds=(7,), day: str = DAY) -> list[dict]:
    """What is chosen of lists of (calls, members), for each seed: rows by list and place."""
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE _lists (list VARCHAR, calls BIGINT, members BIGINT)")
        connection.executemany("INSERT INTO _lists VALUES (?, ?, ?)", [(n, *of) for n, of in lists.items()])
        connection.execute(
            "CREATE TABLE _members AS SELECT list, list || '-' || i AS lead_id, i AS rank, 1 / i AS worth "
            "FROM (SELECT list, unnest(range(1, members + 1)) AS i FROM _lists)"
        )
        found = []
        for seed in seeds:
            query = chosen_sql(share, seed=seed, day=day)
            rows = connection.execute(f"FROM ({query}) ORDER BY list, place").to_arrow_table()
            found.append(rows.to_pylist())
    return found


LISTS = st.dictionaries(
    st.sampled_from(["ann", "bob", "cay"]), st.tuples(st.integers(0, 12), st.integers(1, 30)), min_size=1
)


@settings(max_examples=40, deadline=None)
@given(LISTS, st.floats(0, 1), st.integers(0, 1_000))
def test_a_list_is_as_long_as_it_has_room_for_and_its_probabilities_add_up_to_that(lists, share, seed):
    (rows,) = chosen(lists, share, seeds=[seed])
    for name, (calls, members) in lists.items():
        mine = [row for row in rows if row["list"] == name]
        length = min(calls, members)
        assert sum(row["is_called"] for row in mine) == length
        assert sum(row["selection_probability"] for row in mine) == pytest.approx(length)
        assert all(row["selection_probability"] > 0 for row in mine if row["is_called"])
        drawn = sum(row["is_drawn"] for row in mine)
        assert drawn in ({0} if members <= calls else {int(share * calls), int(share * calls) + 1})
        best = [row["place"] for row in mine if row["is_called"] and not row["is_drawn"]]
        assert best == list(range(1, length - drawn + 1))  # those that are not drawn are the first


def nights(calls: int, members: int, share: float) -> list[list[dict]]:
    """The same list under thirty seeds and forty names: draws that have nothing to do with each other."""
    lists = {f"rep{name:02}": (calls, members) for name in range(40)}
    found = chosen(lists, share, seeds=range(30))
    return [rows[at : at + members] for rows in found for at in range(0, len(rows), members)]


@pytest.mark.parametrize(("calls", "share"), [(5, 0.3), (4, 0.5), (3, 0.1), (6, 1.0)])
def test_over_many_nights_each_lead_is_called_as_often_as_its_probability_says(calls, share):
    drawn = nights(calls, 12, share)
    called = np.array([[row["is_called"] for row in night] for night in drawn])
    said = np.array([row["selection_probability"] for row in drawn[0]])
    assert all([row["selection_probability"] for row in night] == said.tolist() for night in drawn)
    spread = np.sqrt(said * (1 - said) / len(drawn))
    assert (abs(called.mean(axis=0) - said) <= 4 * spread + 1e-9).all()
    assert said[-1] > 0  # even the last lead has a chance
    slices = np.mean([sum(row["is_drawn"] for row in night) for night in drawn])
    assert slices == pytest.approx(calls * share, abs=4 * np.sqrt(0.25 / len(drawn)))


def test_weighting_by_the_inverse_gives_the_sum_over_all_leads():
    """Horvitz and Thompson: what the probabilities are written down for."""
    drawn = nights(5, 12, 0.4)
    estimates = [
        sum(row["worth"] / row["selection_probability"] for row in night if row["is_called"])
        for night in drawn
    ]
    error = np.std(estimates) / np.sqrt(len(estimates))
    assert abs(np.mean(estimates) - sum(row["worth"] for row in drawn[0])) < 4 * error


def test_the_same_seed_and_day_draw_the_same_and_others_do_not():
    def drawn(seed, day):
        (rows,) = chosen({"ann": (10, 200)}, 0.5, seeds=[seed], day=day)
        return {row["lead_id"] for row in rows if row["is_drawn"]}

    assert drawn(7, DAY) == drawn(7, DAY)
    assert drawn(7, DAY) != drawn(8, DAY)
    assert drawn(7, DAY) != drawn(7, "2026-07-01")


def test_a_list_with_room_for_all_draws_nobody():
    (rows,) = chosen({"ann": (3, 3)}, 0.5)
    assert [(row["is_called"], row["is_drawn"], row["selection_probability"]) for row in rows] == [
        (True, False, 1.0)
    ] * 3
