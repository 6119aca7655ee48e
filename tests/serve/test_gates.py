"""A gate stays shut for what it is there for, and lets an ordinary night pass."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.spatial.distance import jensenshannon

from features.catalogue import FeatureSpec
from features.errors import GateError, ParameterError
from serve.gates.columns import features
from serve.gates.distances import counts, js, psi
from serve.gates.finding import Accepted, Finding, passed
from serve.gates.limits import Limits
from serve.gates.ranking import churn, score_drift, scores
from serve.gates.tables import freshness, rows

NIGHT = datetime(2026, 6, 30, tzinfo=UTC)
LIMITS = Limits()
N = 400


def found(findings):
    return [(finding.gate, finding.subject) for finding in findings]


def spec(name, kind):
    return FeatureSpec(name=name, stem=name, family="fit", kind=kind, says=name)


def written(path, **columns):
    pq.write_table(pa.table(columns), path)
    return path


@pytest.mark.parametrize(("now", "is_shut"), [(80, False), (79, True), (100, False), (5000, False)])
def test_a_fifth_of_the_rows_may_be_gone_and_not_one_more(now, is_shut):
    assert found(rows({"leads": 100}, {"leads": now}, LIMITS)) == [("rows", "leads")] * is_shut


def test_a_new_table_is_not_compared():
    assert not found(rows({}, {"spend": 3}, LIMITS))


@pytest.mark.parametrize("count", [65_535, 65_536, 1_000_000, 1_048_575, 1_048_576])
def test_a_count_at_which_exports_are_cut_is_asked_about(count):
    assert found(rows({"leads": count - 1}, {"leads": count}, LIMITS)) == [("rows", "leads")]
    assert not found(rows({"leads": count - 1}, {"leads": count - 2}, LIMITS))


def touches(*moments):
    connection = duckdb.connect()
    connection.execute("CREATE TABLE touches (recorded_at TIMESTAMP)")
    for moment in moments:
        connection.execute("INSERT INTO touches VALUES (?)", [moment.replace(tzinfo=None)])
    return connection


def fresh(connection, **given):
    limits = Limits(**given)
    return found(freshness(connection, {"touches": "recorded_at"}, NIGHT, limits))


def hourly(until, *, hours=200, step=1):
    return [until - timedelta(hours=step * hour, minutes=1) for hour in range(hours)]


def test_a_copy_of_yesterday_is_noticed_where_facts_come_every_hour():
    assert not fresh(touches(*hourly(NIGHT)))
    assert fresh(touches(*hourly(NIGHT - timedelta(days=1)))) == [("freshness", "touches")]


def test_a_table_may_be_silent_for_as_long_as_it_often_is():
    weekly = hourly(NIGHT - timedelta(days=9), hours=25, step=24 * 7)  # 1.5 weeks are usual
    assert not fresh(touches(*weekly))
    later = [moment - timedelta(days=2) for moment in weekly]
    assert fresh(touches(*later)) == [("freshness", "touches")]


def test_facts_of_the_future_make_nothing_fresh():
    moments = [*hourly(NIGHT - timedelta(days=2)), NIGHT + timedelta(hours=1)]
    assert fresh(touches(*moments)) == [("freshness", "touches")]


def test_days_of_freshness_may_be_said():
    moments = hourly(NIGHT - timedelta(days=2))
    assert not fresh(touches(*moments), freshness_days={"touches": 2.1})
    assert fresh(touches(*moments), freshness_days={"touches": 1.9}) == [("freshness", "touches")]


def test_a_table_with_few_facts_or_none_is_left_alone():
    assert not fresh(touches())
    assert not fresh(touches(*hourly(NIGHT - timedelta(days=50), hours=3)))


def compared(tmp_path, before, now, kind="number", known=None):
    names = {"a": pa.array(before)}, {"a": pa.array(now)}
    paths = [written(tmp_path / f"{place}.parquet", **columns) for place, columns in enumerate(names)]
    return found(features(*paths, [spec("a", kind)], {"a": known} if known else {}, LIMITS))


def test_what_many_leads_share_may_move_and_not_go_missing(tmp_path):
    old = written(tmp_path / "old.parquet", a=[1.0] * N)
    new = written(tmp_path / "new.parquet", a=[2.0] * N)
    gone = written(tmp_path / "gone.parquet", a=pa.array([None] * N, pa.float64()))
    assert found(features(old, new, [spec("a", "number")], {}, LIMITS)) == [("drift", "a")]
    assert not found(features(old, new, [spec("a", "number")], {}, LIMITS, shared={"a"}))
    assert found(features(old, gone, [spec("a", "number")], {}, LIMITS, shared={"a"})) == [("nulls", "a")]


def test_an_ordinary_night_passes(tmp_path):
    rng = np.random.default_rng(0)
    assert not compared(tmp_path, rng.normal(size=N), rng.normal(size=N + 9))
    values = rng.choice(["x", "y", None], N).tolist()
    assert not compared(tmp_path, values, values[5:], "category", ("x", "y"))


def test_a_storm_of_nulls_is_named_once(tmp_path):
    rng = np.random.default_rng(0)
    before = rng.normal(size=N)
    now = np.where(np.arange(N) < 0.31 * N, None, before)
    assert compared(tmp_path, before, now.tolist()) == [("nulls", "a")]
    assert compared(tmp_path, now.tolist(), before) == [("drift", "a")]  # fewer nulls are no storm


def test_new_categories_are_named_by_their_share(tmp_path):
    before = ["x", "y"] * (N // 2)
    now = ["z" if place < 0.21 * N else value for place, value in enumerate(before)]
    assert compared(tmp_path, before, now, "category", ("x", "y")) == [("unseen", "a")]


def test_numbers_and_categories_that_moved_are_named(tmp_path):
    rng = np.random.default_rng(0)
    assert compared(tmp_path, rng.normal(size=N), rng.normal(size=N) + 2) == [("drift", "a")]
    mirrored = compared(tmp_path, ["x"] * 380 + ["y"] * 20, ["x"] * 20 + ["y"] * 380, "category", ("x", "y"))
    assert mirrored == [("drift", "a")]


def test_few_leads_say_nothing(tmp_path):
    assert not compared(tmp_path, [0.0] * 99, [9.0] * 99)
    assert compared(tmp_path, [0.0] * 100, [9.0] * 100) == [("drift", "a")]


def test_distances_are_those_of_other_libraries():
    rng = np.random.default_rng(0)
    one, other = rng.integers(1, 50, (2, 7)).astype(float)
    assert js(one, other) == pytest.approx(jensenshannon(one, other, base=2) ** 2, abs=1e-12)
    assert psi(one * 1e6, one * 1e6) == 0
    p, q = one / one.sum(), other / other.sum()
    assert psi(one * 1e6, other * 1e6) == pytest.approx(((p - q) * np.log(p / q)).sum(), rel=1e-4)


def columns_of(*values):
    return [pa.chunked_array([part]) for part in values]


def test_bins_are_tenths_of_the_night_before():
    before = np.append(np.arange(100.0), np.nan)
    then, now = counts(*columns_of(before, np.array([-5.0, 1e9, np.nan, np.nan])))
    assert then.tolist() == [10, *[0, 10] * 9, 1]
    assert (now[0], now[18], now[19], now.sum()) == (1, 1, 2, 4)
    many, moved = counts(*columns_of(np.zeros(9), np.array([-1.0, 0.0, 0.0, 1.0])))
    assert (many.tolist(), moved.tolist()) == ([0, 9, 0, 0], [1, 2, 1, 0])
    one, other = counts(*columns_of(["b", "b", "a", None], ["c", "a"]))
    assert (one.tolist(), other.tolist()) == ([2, 1, 0, 1], [0, 1, 1, 0])


def ranking(path, margin):
    order = np.argsort(-np.asarray(margin), kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) + 1
    return written(path, lead_id=[f"L{place}" for place in range(len(order))], rank=rank, margin=margin)


def test_scores_must_be_numbers_and_tell_leads_apart(tmp_path):
    margin = np.random.default_rng(0).normal(size=N)
    path = tmp_path / "ranking.parquet"
    assert not found(scores(ranking(path, margin), "margin", LIMITS))
    for broken in (np.where(margin > 3, np.nan, margin), np.where(margin > 1, np.inf, margin)):
        is_broken = not np.isfinite(broken).all()
        assert found(scores(ranking(path, broken), "margin", LIMITS)) == [("scores", "margin")] * is_broken
    assert found(scores(ranking(path, np.zeros(N)), "margin", LIMITS)) == [("scores", "margin")]
    half = np.where(np.arange(N) <= N // 2, 0.0, margin)
    assert found(scores(ranking(path, half), "margin", LIMITS)) == [("scores", "margin")]
    assert not found(scores(ranking(path, np.where(np.arange(N) < N // 2, 0.0, margin)), "margin", LIMITS))


def test_the_first_tenth_stays_while_nothing_is_new(tmp_path):
    margin = np.random.default_rng(0).normal(size=N)
    before = ranking(tmp_path / "before.parquet", margin)
    assert not found(churn(before, ranking(tmp_path / "same.parquet", margin), LIMITS))
    first = np.argsort(-margin)
    for moved, is_shut in ((8, False), (9, True)):  # of forty, a fifth
        other = margin.copy()
        other[first[:moved]] = -9
        now = ranking(tmp_path / "now.parquet", other)
        assert found(churn(before, now, LIMITS)) == [("churn", "rank")] * is_shut


def test_scores_of_one_model_stay_where_they_are(tmp_path):
    margin = np.random.default_rng(0).normal(size=N)
    before = ranking(tmp_path / "before.parquet", margin)
    assert not found(score_drift(before, ranking(tmp_path / "now.parquet", margin + 0.1), "margin", LIMITS))
    now = ranking(tmp_path / "now.parquet", margin + 1)
    assert found(score_drift(before, now, "margin", LIMITS)) == [("score_drift", "margin")]


def test_a_gate_opens_for_a_reason_only():
    finding = Finding("rows", "leads", "'leads' has few rows", 0.5, 0.2)
    with pytest.raises(GateError, match="rows: 'leads' has few rows") as refused:
        passed([finding], Accepted())
    assert "--accept-gate rows --reason" in refused.value.hint
    told = passed([finding], Accepted(("rows",), "the archive was cleaned"))
    assert told == {
        "findings": [finding.as_json()],
        "accepted": ["rows"],
        "reason": "the archive was cleaned",
    }
    with pytest.raises(GateError):
        passed([finding], Accepted(("nulls",), "another gate"))
    for given in ((("rows",), " "), (("row",), "why"), ((), "why")):
        with pytest.raises(ParameterError):
            Accepted(*given)
