"""Of more snapshots than fit a sample is drawn that says of all of them what all would have said."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.moments import Moments
from features.questions import Plan, past
from features.sampling import Stratum, even, quotas, sampled
from features.snapshots import drawn_for
from tests.features.drawn import drawn, install

START = datetime(2025, 1, 1)  # noqa: DTZ001  # as an engine holds it


@pytest.fixture(scope="module")
def duck():
    return ibis.duckdb.connect()


def history(*, won, lost, months=12, seed=0, weights=("stands_for",), is_mature=None):
    """Labelled snapshots, one a lead, with moments over some months and weights from 1 up."""
    random, count = np.random.default_rng(seed), won + lost
    table = {
        "snapshot_id": np.arange(count),
        "lead_id": [f"L{number:05}" for number in range(count)],
        "as_of": [START + timedelta(days=int(day)) for day in random.integers(0, 30 * months, count)],
        "label": (np.arange(count) < won).astype(float),
        **{name: np.round(1 + random.gamma(1, 3, count), 4) for name in weights},
    }
    if is_mature is not None:
        table["is_mature"] = random.random(count) < is_mature
    return pa.table({**table, "as_of": pa.array(table["as_of"], pa.timestamp("us"))})


def sample(duck, table, max_rows):
    """The drawn rows by snapshot, and what is said of the draw."""
    rows, told = sampled(duck, install(duck, history=table)["history"], max_rows=max_rows)
    return {row["snapshot_id"]: row for row in rows.order_by("snapshot_id").to_pyarrow().to_pylist()}, told


def alike(rows, told):
    """The rows among which each of all had the same chance to be."""
    return [rows[number] for number in sorted(told.even.to_pyarrow()["snapshot_id"].to_pylist())]


def by_stratum(rows, value):
    """Sums by label, month, and whether the window is over."""
    found = defaultdict(float)
    for row in rows:
        found[row["label"], row["as_of"].strftime("%Y-%m"), row.get("is_mature", True)] += value(row)
    return dict(found)


def rate(rows, weight="stands_for"):
    return np.average([row["label"] for row in rows], weights=[row[weight] for row in rows])


def test_as_many_as_fit_are_left_alone_and_one_more_begins_the_draw(duck):
    table = history(won=10, lost=30, months=2)
    for max_rows in (None, 41, 40):
        rows, told = sample(duck, table, max_rows)
        assert told is None
        assert list(rows.values()) == table.to_pylist()
    rows, told = sample(duck, table, 39)
    assert (len(rows), told.rows, told.of) == (39, 39, 40)


@pytest.mark.parametrize(("won", "lost"), [(99, 901), (100, 900), (900, 100)])
def test_the_rarer_label_stays_whole_while_it_takes_half_of_the_rows(duck, won, lost):
    table = history(won=won, lost=lost)
    rows, _ = sample(duck, table, 200)
    rarer = float(won < lost)
    every = [row for row in table.to_pylist() if row["label"] == rarer]
    assert [row for row in rows.values() if row["label"] == rarer] == every  # with the weights they had
    assert len(rows) == 200


@pytest.mark.parametrize(("won", "lost"), [(101, 899), (899, 101), (500, 500)])
def test_beyond_that_each_label_has_half_of_the_rows(duck, won, lost):
    rows, _ = sample(duck, history(won=won, lost=lost), 200)
    assert sum(row["label"] for row in rows.values()) == 100


@pytest.mark.parametrize("max_rows", [200, 900])
def test_drawn_rows_of_a_label_and_month_stand_for_all_of_them(duck, max_rows):
    table = history(won=300, lost=1500, weights=("stands_for", "weight"), is_mature=0.7)
    rows, _ = sample(duck, table, max_rows)
    for name in ("stands_for", "weight"):
        found = by_stratum(rows.values(), lambda row, name=name: row[name])
        assert found == pytest.approx(by_stratum(table.to_pylist(), lambda row, name=name: row[name]))


def test_where_each_stood_for_itself_a_stratum_adds_up_to_its_size(duck):
    table = history(won=30, lost=1500)
    table = table.set_column(table.column_names.index("stands_for"), "stands_for", pa.array(np.ones(1530)))
    rows, _ = sample(duck, table, 200)
    size = by_stratum(table.to_pylist(), lambda _: 1)
    assert by_stratum(rows.values(), lambda row: row["stands_for"]) == pytest.approx(size)


def test_the_base_rate_is_that_of_all_snapshots_where_rows_alone_would_exaggerate(duck):
    table = history(won=400, lost=9600)
    rows, _ = sample(duck, table, 1000)
    assert rate(rows.values()) == pytest.approx(rate(table.to_pylist()))
    assert np.mean([row["label"] for row in rows.values()]) == 0.4


def test_means_that_no_stratum_holds_fast_are_those_of_all_snapshots_within_their_error(duck):
    """Of 40 draws the mean lies on the truth; one that forgot the weights would be an eighth too low."""
    errors = []
    for seed in range(40):
        table = history(won=400, lost=3600, seed=seed)
        value = np.random.default_rng(seed).normal(size=4000) - table["label"].to_numpy()
        rows, _ = sample(duck, table, 800)
        kept = [row["stands_for"] for row in rows.values()]
        errors.append(
            np.average(value[list(rows)], weights=kept) - np.average(value, weights=table["stands_for"])
        )
    assert np.mean(errors) == pytest.approx(0, abs=3 * np.std(errors) / np.sqrt(40))
    assert np.std(errors) < 0.1


def test_no_month_of_either_label_is_lost(duck):
    table = history(won=120, lost=20_000, months=36)
    rows, _ = sample(duck, table, 150)
    assert by_stratum(rows.values(), lambda _: 1).keys() == by_stratum(table.to_pylist(), lambda _: 1).keys()


def test_of_more_months_than_rows_the_labels_keep_what_they_stand_for(duck):
    table = history(won=200, lost=900, months=600)
    rows, told = sample(duck, table, 40)
    assert (len(rows), told.of) == (40, 1100)
    assert rate(rows.values()) == pytest.approx(rate(table.to_pylist()))


def test_the_draw_does_not_depend_on_the_order_of_the_rows(duck):
    table = history(won=300, lost=3000)
    shuffled = table.take(pa.array(np.random.default_rng(1).permutation(table.num_rows)))
    one, told = sample(duck, table, 500)
    evenly = alike(one, told)
    other, again = sample(duck, shuffled, 500)
    assert one == other
    assert evenly == alike(other, again)


def test_rows_of_leads_that_lasted_are_drawn_no_more_often_than_others(duck):
    """Their moments had to win a draw already; by the same hash they would win this one, too."""
    nights = [("lasting", n, day) for n in range(200) for day in range(60)]
    nights += [("quick", n, day) for n in range(200) for day in range(3)]
    moments = pa.array([START + timedelta(days=day) for *_, day in nights], pa.timestamp("us"))
    pairs = pa.table({"lead_id": [f"{kind}{n}" for kind, n, _ in nights], "as_of": moments})
    labelled = drawn_for(install(duck, pairs=pairs)["pairs"], max_per_lead=3).mutate(label=0.0)
    table = labelled.to_pyarrow()
    assert table.num_rows == 1200
    rows, _ = sample(duck, table, 400)
    lasting = sum(row["lead_id"].startswith("lasting") for row in rows.values())
    assert lasting == pytest.approx(200, abs=4 * np.sqrt(400 / 4))


def test_each_snapshot_has_the_same_chance_to_be_among_those_drawn_alike(duck):
    table = history(won=400, lost=9600)
    rows, told = sample(duck, table, 1000)
    evenly = alike(rows, told)
    assert len(evenly) > 500
    share = len(evenly) / 10_000
    size, kept = (by_stratum(of, lambda _: 1) for of in (table.to_pylist(), evenly))
    assert all(abs(kept.get(at, 0) - share * size[at]) <= 1 for at in size)
    assert np.mean([row["label"] for row in evenly]) == pytest.approx(0.04, abs=0.002)


LEADS = "lead_id | created_at\n--+--\n" + "\n".join(f"l{n} | 2026-01-0{1 + n % 9} 12:00" for n in range(60))
WINS = "lead_id | stage | occurred_at | recorded_at\n--+--+--+--\n" + "\n".join(
    f"l{n} | won | 2026-03-{10 + n} 12:00 |" for n in range(0, 20, 2)
)
LATER = "\n".join(f"l{n} | lost | 2026-05-30 12:00 |" for n in range(1, 60, 2))


def asked(duck, outcomes, *, max_rows=None, censoring="leave_out"):
    """Nights of sixty leads from January to April: their windows are over by the end of May."""
    plan = Plan("won", 30, Moments(every_days=7), 9, 0, datetime(2026, 6, 1, tzinfo=UTC), censoring, max_rows)
    return past(duck, install(duck, leads=drawn(LEADS), outcomes=drawn(outcomes)), plan)


@pytest.mark.parametrize("stage", ["won", "lost", "sql"])
def test_what_happened_after_the_label_windows_changes_nobody_s_draw(duck, stage):
    later = WINS + "\n" + LATER.replace("lost", stage)
    early, late = (asked(duck, text, max_rows=200).snapshots.to_pyarrow() for text in (WINS, later))
    assert early.num_rows == 200
    assert early.sort_by("snapshot_id") == late.sort_by("snapshot_id")


@pytest.mark.parametrize("censoring", ["leave_out", "weight"])
def test_a_question_tells_what_it_drew_and_keeps_the_rates_of_its_mature_rows(duck, censoring):
    whole = asked(duck, WINS + "\n" + LATER, censoring=censoring)
    part = asked(duck, WINS + "\n" + LATER, censoring=censoring, max_rows=200)
    count = whole.snapshots.count().to_pyarrow().as_py()
    assert whole.sample is None
    assert (part.sample.rows, part.sample.of) == (200, count)
    assert part.snapshots.count().to_pyarrow().as_py() == 200
    assert part.immature == whole.immature > 0
    one, other = (question.mature.to_pyarrow().to_pylist() for question in (whole, part))
    assert rate(other) == pytest.approx(rate(one))
    assert {"weight", "is_mature"}.isdisjoint(part.even.columns)
    numbers = {row["snapshot_id"] for row in other}
    assert {row["snapshot_id"] for row in part.even.to_pyarrow().to_pylist()} < numbers
    assert whole.even.count().to_pyarrow().as_py() == len(one)


def test_the_early_decided_keep_what_they_stand_for_when_a_sample_is_drawn(duck):
    whole, part = (asked(duck, WINS + "\n" + LATER, censoring="weight", max_rows=m) for m in (None, 150))
    one, other = (question.snapshots.to_pyarrow().to_pylist() for question in (whole, part))
    assert any(not row["is_mature"] for row in other)
    assert by_stratum(other, lambda row: row["weight"]) == pytest.approx(
        by_stratum(one, lambda row: row["weight"])
    )


SIZES = st.lists(st.integers(1, 400), min_size=1, max_size=30)


@settings(max_examples=200)
@given(SIZES, SIZES, st.integers(60, 300))
def test_quotas_add_up_and_take_of_each_stratum_no_more_than_it_has(lost, won, max_rows):
    sizes = [*((0.0, rows) for rows in lost), *((1.0, rows) for rows in won)]
    strata = [Stratum(number, label, rows) for number, (label, rows) in enumerate(sizes)]
    if sum(s.rows for s in strata) <= max_rows:
        return
    taken = quotas(strata, max_rows)
    assert sum(taken.values()) == max_rows
    assert all(1 <= taken[s.number] <= s.rows for s in strata)
    kept = even(strata, taken)
    share = min(taken[s.number] / s.rows for s in strata)
    assert all(kept[s.number] <= taken[s.number] for s in strata)
    assert all(abs(kept[s.number] - share * s.rows) < 2 for s in strata)
