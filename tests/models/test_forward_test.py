"""What a training keeps of its forward test comes back as it was, and names no lead."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from models.cards.forward_test import ForwardTest, figure_rows, load
from tests.serve.small import bundle as small_bundle

TEST = pa.table(
    {
        "snapshot_id": [4, 5, 6],
        "lead_id": ["L7", "L2", "L7"],
        "as_of": pa.array([datetime(2026, 1, day, tzinfo=UTC) for day in (1, 1, 8)]),
        "label": [0.0, 1.0, 1.0],
        "margin": [-2.0, -1.0, 0.5],
        "probability": [0.1, 0.3, 0.6],
    }
)
FIGURES = {
    "model": {"n": 3, "roc_auc": {"value": 1.0, "low": 0.5, "high": 1.0}},
    "newest_first": {"roc_auc": 0.5},
}


def test_the_test_comes_back_as_it_was(tmp_path):
    kept = ForwardTest.of(TEST, {"newest_first": np.array([-3.0, -np.inf, -1.0])}, FIGURES)
    found = load(kept.save(tmp_path / "test"))
    assert found.rows.equals(kept.rows)
    assert found.figures == FIGURES
    assert found.label.tolist() == [0, 1, 1]
    assert found.probability.tolist() == [0.1, 0.3, 0.6]
    assert {name: order.tolist() for name, order in found.orders.items()} == {
        "newest_first": [-3.0, -np.inf, -1.0]
    }


def test_rows_of_one_lead_stay_together_and_its_id_stays_away(tmp_path):
    folder = ForwardTest.of(TEST, {}, FIGURES).save(tmp_path / "test")
    first, second, third = load(folder).rows.column("lead").to_pylist()
    assert first == third != second
    assert all(b"L7" not in file.read_bytes() for file in folder.iterdir())


def test_a_lead_has_the_same_number_in_every_training():
    other = TEST.set_column(1, "lead_id", pa.array(["L2", "L9", "L1"]))
    numbers = [ForwardTest.of(t, {}, FIGURES).rows.column("lead").to_pylist() for t in (TEST, other)]
    assert numbers[0][1] == numbers[1][0]
    assert len({*numbers[0], *numbers[1]}) == 4


def test_slices_come_back_and_are_no_orders(tmp_path):
    parts = {"source": np.array(["web", "fair", "web"], dtype=object)}
    found = load(ForwardTest.of(TEST, {}, FIGURES, slices=parts).save(tmp_path / "test"))
    assert found.slices["source"].tolist() == ["web", "fair", "web"]
    assert found.orders == {}


def test_the_model_of_the_first_pass_comes_back_if_it_was_kept(tmp_path):
    assert load(ForwardTest.of(TEST, {}, FIGURES).save(tmp_path / "without")).first is None
    found = load(ForwardTest.of(TEST, {}, FIGURES, first=small_bundle()).save(tmp_path / "with"))
    assert found.first.digest == small_bundle().digest


def test_every_figure_of_every_contender_is_one_row():
    assert [tuple(row.values()) for row in figure_rows(FIGURES)] == [
        ("model", "n", 3, None, None),
        ("model", "roc_auc", 1.0, 0.5, 1.0),
        ("newest_first", "roc_auc", 0.5, None, None),
    ]


def test_an_untrained_order_gets_the_interval_that_the_bootstrap_of_leads_gives():
    rng = np.random.default_rng(3)
    label, order = rng.integers(0, 2, 300).astype(float), rng.integers(-5, 5, 300).astype(float)
    order += 3 * label
    rows = pa.table({"lead": np.arange(300) // 3, "label": label, "newest_first": order})
    found = ForwardTest(rows, {"model": FIGURES["model"], "newest_first": {"roc_auc": 0.5}}).with_intervals()
    drawn = [rng.integers(0, 100, 100) for _ in range(400)]
    places = [(lead[:, None] * 3 + np.arange(3)).ravel() for lead in drawn]
    low, high = np.percentile([roc_auc_score(label[at], order[at]) for at in places], [2.5, 97.5])
    assert found["model"] == FIGURES["model"]
    assert found["newest_first"]["roc_auc"]["value"] == 0.5
    assert found["newest_first"]["roc_auc"]["low"] == pytest.approx(low, abs=0.02)
    assert found["newest_first"]["roc_auc"]["high"] == pytest.approx(high, abs=0.02)
