"""How two lists differ: against a slow count by hand, on the boundary of each cut, and naming nobody."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.stats import spearmanr

from features.errors import StorageError
from serve import shadow
from serve.shadow import Both, both, difference


def drawn(rank, shadow_rank, *, probability=None, slices=None):
    """Two orders of the same leads; probabilities fall with the place."""
    rank, other = np.asarray(rank), np.asarray(shadow_rank)
    own = 1 / (1.0 + rank) if probability is None else np.asarray(probability, dtype=float)
    return Both(rank, other, own, 1 / (2.0 + other), slices or {})


def test_the_same_list_is_the_same_in_every_figure():
    told = difference(drawn(np.arange(1, 41), np.arange(1, 41)), calls=7)
    assert told["rank_correlation"] == 1
    assert told["first_tenth"] == {"leads": 4, "same_share": 1.0}
    assert told["calls"] == {"leads": 7, "same_share": 1.0}
    assert told["moved"] == {"leads": 0, "share": 0.0}


def test_figures_are_those_of_a_slow_count():
    random = np.random.default_rng(3)
    rank, other = random.permutation(200) + 1, random.permutation(200) + 1
    told = difference(drawn(rank, other), calls=30)
    assert told["rank_correlation"] == pytest.approx(spearmanr(rank, other).statistic)
    tenth = {i for i in range(200) if rank[i] <= 20} & {i for i in range(200) if other[i] <= 20}
    calls = {i for i in range(200) if rank[i] <= 30} & {i for i in range(200) if other[i] <= 30}
    assert told["first_tenth"]["same_share"] == len(tenth) / 20
    assert told["calls"]["same_share"] == len(calls) / 30
    own = {i: 1 / (1.0 + rank[i]) for i in range(200)}
    assert told["expected_wins"]["champion"] == pytest.approx(sum(own.values()))
    best = sum(own[i] for i in range(200) if rank[i] <= 20)
    assert told["expected_wins_first_tenth"]["champion"] == pytest.approx(best)


def test_a_lead_that_moves_by_a_tenth_of_the_list_has_not_moved_far():
    rank = np.arange(1, 21)
    by_two, by_three = rank.copy(), rank.copy()
    by_two[[0, 2]] = 3, 1
    by_three[[0, 3]] = 4, 1
    assert difference(drawn(rank, by_two), calls=None)["moved"]["leads"] == 0
    assert difference(drawn(rank, by_three), calls=None)["moved"]["leads"] == 2


def test_more_calls_than_leads_are_all_leads_and_one_lead_has_no_correlation():
    told = difference(drawn([1], [1]), calls=25)
    assert (told["calls"]["leads"], told["rank_correlation"]) == (1, None)


def test_a_withheld_probability_is_in_no_mean_of_either_model():
    told = difference(drawn([1, 2, 3], [1, 2, 3], probability=[0.5, np.nan, 0.1]), calls=None)
    assert told["mean_probability"] == {"champion": 0.3, "challenger": pytest.approx((1 / 3 + 1 / 5) / 2)}
    assert told["expected_wins"] == {"champion": 0.6, "challenger": pytest.approx(1 / 3 + 1 / 5)}
    assert told["expected_wins_first_tenth"]["champion"] == 0.5
    nobody = difference(drawn([1, 2], [2, 1], probability=[np.nan, np.nan]), calls=None)
    assert nobody["mean_probability"] == {"champion": None, "challenger": None}
    assert nobody["psi"] is None


@pytest.mark.parametrize(("leads", "told"), [(19, []), (20, ["web"])])
def test_a_slice_of_fewer_than_twenty_leads_is_not_told(leads, told):
    source = np.array(["web"] * leads + ["fair"] * 5, dtype=object)
    rank = np.arange(1, leads + 6)
    found = difference(drawn(rank, rank[::-1], slices={"source": source}), calls=None)["slices"]
    assert [part["value"] for part in found] == told


def test_rows_of_other_leads_are_refused(tmp_path):
    for name, leads in (("features", ["a", "b"]), ("more", ["a", "c"])):
        pq.write_table(pa.table({"lead_id": leads, f"of_{name}": [1.0, 2.0]}), tmp_path / f"{name}.parquet")
    with pytest.raises(StorageError, match="other leads"):
        list(shadow._rows(tmp_path / "features.parquet", tmp_path / "more.parquet"))


def test_two_files_go_together_however_their_rows_are_grouped(tmp_path, monkeypatch):
    monkeypatch.setattr(shadow, "CHUNK_ROWS", 4)
    leads = [f"L{n}" for n in range(11)]
    for name, group in (("features", 3), ("more", 5)):
        table = pa.table({"lead_id": leads, "both": [name] * 11, f"of_{name}": list(range(11))})
        pq.write_table(table, tmp_path / f"{name}.parquet", row_group_size=group)
    rows = list(shadow._rows(tmp_path / "features.parquet", tmp_path / "more.parquet"))
    assert [piece.num_rows for piece in rows] == [4, 4, 3]
    joined = pa.concat_tables(rows)
    assert joined.column("lead_id").to_pylist() == leads
    assert joined.column("of_features").to_pylist() == joined.column("of_more").to_pylist() == list(range(11))
    assert set(joined.column("both").to_pylist()) == {"more"}  # what was built for the challenger counts


class Fixed:
    """A challenger that says what stands in a column."""

    def __init__(self, _bundle):
        pass

    def score(self, table):
        chance = table.column("chance").to_numpy()
        return type("Scores", (), {"probability": chance, "margin": np.zeros(len(chance))})


def test_the_challenger_orders_by_probability_then_by_lead_and_no_id_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(shadow, "Scorer", Fixed)
    features = pa.table({"lead_id": ["Lb", "La", "Lc"], "chance": [0.5, 0.5, 0.9], "source": ["x", "y", "x"]})
    ranking = pa.table({"lead_id": ["La", "Lb", "Lc"], "rank": [1, 2, 3], "probability": [0.3, 0.2, 0.1]})
    pq.write_table(features, tmp_path / "features.parquet")
    pq.write_table(ranking, tmp_path / "ranking.parquet")
    found = both(None, tmp_path, None)
    assert found.rank.tolist() == [2, 1, 3]  # in the order of the features
    assert found.shadow_rank.tolist() == [3, 2, 1]
    assert found.probability.tolist() == [0.2, 0.3, 0.1]
    text = json.dumps(difference(found, calls=None))
    assert not any(lead in text for lead in ("La", "Lb", "Lc"))
    pq.write_table(ranking.slice(0, 2), tmp_path / "ranking.parquet")
    with pytest.raises(StorageError, match="of other leads"):
        both(None, tmp_path, None)
