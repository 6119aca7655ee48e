"""What the monitor leaves of each run, and what Prometheus reads of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest
from prometheus_client import CollectorRegistry

from features.errors import StorageError
from serve.monitoring import metrics, store
from serve.monitoring.figure import Figure

FIGURES = [
    Figure("drift", "touches_30d", "psi", 0.3, reference="training", weight=0.05, level="alarm", because="x"),
    Figure("drift", "model", "psi", 0.04, reference="training", rows=1545),
]


def verdict(day: str, level: str = "ok") -> dict:
    return {
        "run_id": f"2026-06-{day}-a",
        "as_of": f"2026-06-{day}T00:00:00+00:00",
        "level": level,
        "retrain": False,
        "advice": "nothing to do",
        "reasons": [],
        "figures": {"model_drift|training": 0.04, "alarms|": 0.0},
    }


def test_before_the_first_run_there_is_no_verdict(tmp_path):
    assert store.latest(tmp_path) is None
    assert store.history(tmp_path, "drift", "model").num_rows == 0


def test_the_latest_verdict_is_that_of_the_latest_moment_and_not_of_the_last_look(tmp_path):
    store.write(tmp_path, verdict("30", "alarm"), FIGURES)
    store.write(tmp_path, verdict("23"), FIGURES)
    assert store.latest(tmp_path)["as_of"].startswith("2026-06-30")


def test_a_second_look_takes_the_place_of_the_first(tmp_path):
    store.write(tmp_path, verdict("30", "alarm"), FIGURES)
    store.write(tmp_path, verdict("30"), FIGURES[:1])
    assert [one["level"] for one in store.verdicts(tmp_path)] == ["ok"]
    assert pq.read_table(tmp_path / store.FOLDER / "2026-06-30-a.parquet").num_rows == 1


def test_a_figure_is_followed_over_the_runs_in_the_order_of_their_moments(tmp_path):
    for day in ("30", "23"):
        store.write(tmp_path, verdict(day), FIGURES)
    found = store.history(tmp_path, "drift", "model")
    assert found["as_of"].to_pylist() == ["2026-06-23T00:00:00+00:00", "2026-06-30T00:00:00+00:00"]
    assert found["value"].to_pylist() == [0.04, 0.04]


def test_a_torn_verdict_hides_no_other(tmp_path):
    store.write(tmp_path, verdict("23"), FIGURES)
    (tmp_path / store.FOLDER / "torn.json").write_text('{"as_of": "2026-07', encoding="utf-8")
    assert store.latest(tmp_path)["run_id"] == "2026-06-23-a"


def test_no_column_of_the_table_is_of_a_lead():
    assert not [name for name in store.SCHEMA.names if "lead" in name]


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / ".leadrank").write_text("a file", encoding="utf-8")
    with pytest.raises(StorageError, match="cannot be written"):
        store.write(tmp_path, verdict("30"), FIGURES)


def test_a_node_exporter_reads_level_moment_and_figures(tmp_path):
    path = tmp_path / "leadrank.prom"
    metrics.write(path, verdict("30", "alarm"))
    lines = path.read_text(encoding="utf-8").splitlines()
    assert "leadrank_monitor_level 2.0" in lines
    assert 'leadrank_monitor_figure{figure="model_drift",reference="training"} 0.04' in lines
    assert [path.name for path in tmp_path.iterdir()] == ["leadrank.prom"]  # nothing half written beside it


def test_what_is_shown_is_the_verdict_of_now_and_nothing_of_the_one_before():
    registry = CollectorRegistry()
    gauges = metrics.Gauges(registry)
    gauges.show(verdict("23", "alarm") | {"retrain": True, "figures": {"skew|rebuilt": 0.5, "score|": None}})
    assert registry.get_sample_value("leadrank_monitor_retrain") == 1
    gauges.show(verdict("30"))
    assert registry.get_sample_value("leadrank_monitor_retrain") == 0
    assert registry.get_sample_value("leadrank_monitor_level") == 0
    at = datetime(2026, 6, 30, tzinfo=UTC).timestamp()
    assert registry.get_sample_value("leadrank_monitor_as_of_seconds") == at
    named = {"figure": "skew", "reference": "rebuilt"}
    assert registry.get_sample_value("leadrank_monitor_figure", named) is None


def test_metrics_that_cannot_be_written_are_told(tmp_path):
    with pytest.raises(StorageError, match=r"leadrank\.prom"):
        metrics.write(tmp_path / "absent" / "leadrank.prom", verdict("30"))
