"""What runs remember replaces what is reconstructed, and every difference is named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.catalogue import Feature
from features.families import full_catalogue
from features.memory import current_features, is_present, recall, scored
from features.tables import Field
from tests.features.drawn import drawn, fetched, install

FIELDS = {
    "leads": {
        "industry": Field("category"),
        "seats": Field("number", time="current"),
        "mood": Field("category", time="current"),
    }
}
NIGHTS = [datetime(2026, 3, day) for day in (1, 2, 3)]  # noqa: DTZ001  # as kept


def feature(name, kind="number"):
    return Feature(name, name, "behaviour", kind, "{value}", on="touches", compute=lambda t: t.count())


OPENS, SOURCE, FRESH = feature("opens"), feature("source", "category"), feature("fresh")


@pytest.fixture
def backend():
    return ibis.duckdb.connect()


def reconstructed():
    """Lead a on three nights, lead b on the first."""
    return pa.table(
        {
            "snapshot_id": [0, 1, 2, 3],
            "lead_id": ["a", "b", "a", "a"],
            "as_of": pa.array([NIGHTS[0], NIGHTS[0], NIGHTS[1], NIGHTS[2]], pa.timestamp("us")),
            "opens": [1.0, 2.0, None, 4.0],
            "source": ["web", None, "web", "fair"],
            "fresh": [0.5, 0.5, 0.5, 0.5],
            "label": [0.0, 1.0, 0.0, 1.0],
        }
    )


def published(folder, night, **columns):
    """A run's features: leads a, b and one that training does not ask about."""
    path = folder / f"{night:%d}.parquet"
    table = {
        "snapshot_id": [7, 8, 9],
        "lead_id": ["b", "a", "other"],
        "as_of": pa.array([night] * 3, pa.timestamp("us")),
        **columns,
    }
    pq.write_table(pa.table(table), path)
    return {str(path): list(table)}


def test_equal_values_are_no_skew_and_current_fields_come_from_the_memory_alone(backend, tmp_path):
    files = published(
        tmp_path, NIGHTS[0],
        opens=[2.0 + 1e-10, 1.0, 9.0], source=pa.array([None, "web", "x"]), seats=[20.0, 10.0, 0.0],
    )  # fmt: skip
    files |= published(tmp_path, NIGHTS[1], opens=pa.array([5.0, None, 9.0]), mood=["glad", "sad", "glad"])
    got = recall(backend, reconstructed(), [OPENS, SOURCE, FRESH], FIELDS, files)
    assert (got.remembered, got.reconstructed) == (3, 1)
    assert got.skew == {"opens": 0.0, "source": 0.0}  # no run had 'fresh'
    assert [current.name for current in got.features] == ["seats", "mood"]
    rows = got.table.to_pydict()
    assert rows["seats"] == [10, 20, None, None]
    assert rows["mood"] == [None, None, "sad", None]
    assert rows["opens"] == [1, pytest.approx(2), None, 4]
    assert rows["fresh"] == [0.5] * 4
    assert rows["label"] == [0, 1, 0, 1]


def test_a_value_that_was_overwritten_is_named_and_the_remembered_one_is_used(backend, tmp_path):
    files = published(
        tmp_path, NIGHTS[0], opens=[2.0 + 1e-8, 1.0, 9.0], source=pa.array(["ad", "web", "x"])
    ) | published(tmp_path, NIGHTS[1], opens=[2.0, 0.0, 1.0])
    got = recall(backend, reconstructed(), [OPENS, SOURCE], FIELDS, files)
    assert got.skew == {"opens": pytest.approx(2 / 3), "source": 0.5}
    assert got.table["source"].to_pylist() == ["web", "ad", "web", "fair"]
    assert got.table["opens"].to_pylist() == [1, 2.0 + 1e-8, 0, 4]


def test_a_null_that_a_run_had_is_remembered_and_a_column_that_it_lacked_is_not(backend, tmp_path):
    files = published(tmp_path, NIGHTS[0], opens=pa.array([None, None, 1.0])) | published(
        tmp_path, NIGHTS[2], source=["web", "fair", "x"]
    )
    got = recall(backend, reconstructed(), [OPENS, SOURCE], FIELDS, files)
    assert got.table["opens"].to_pylist() == [None, None, None, 4]
    assert got.skew == {"opens": 1.0, "source": 0.0}


def test_without_runs_everything_is_reconstructed(backend):
    got = recall(backend, reconstructed(), [OPENS], FIELDS, {})
    assert (got.table, got.features, got.remembered, got.reconstructed) == (reconstructed(), (), 0, 4)


LEADS = """
    lead_id | created_at | industry | mood
    --------+------------+----------+------
    a       | 2026-01-01 | metal    | sad
    b       | 2026-01-01 | wood     |
"""
ASKED = """
    snapshot_id | lead_id | as_of
    ------------+---------+-----------
    0           | a       | 2026-03-01
    1           | b       | 2026-03-01
"""


def test_a_current_field_has_its_value_now_and_none_in_the_past(backend):
    tables = install(backend, leads=drawn(LEADS), asked=drawn(ASKED))
    fields = {"leads": {"mood": Field("category", time="current")}}
    chosen = current_features(fields)
    for is_now, expected in ((True, ["sad", None]), (False, [None, None])):
        rows = scored(tables["asked"], tables, chosen, fields, is_now=is_now)
        assert fetched(backend, rows.order_by("snapshot_id"))["mood"] == expected


def test_no_other_feature_reads_a_current_field_tonight(backend):
    """Else tonight's count of known answers would be higher than the same lead's in training."""
    leads = "lead_id | created_at | budget | need | timeline\n--+--\na | 2026-01-01 | 5 | yes | soon\n"
    tables = install(backend, leads=drawn(leads), asked=drawn(ASKED))
    fields = {"leads": {"budget": Field("category"), "need": Field("category")}}
    fields["leads"]["timeline"] = Field("category", time="current")
    chosen = [f for f in full_catalogue().expand({}) if f.name == "bant_known"]
    rows = scored(tables["asked"], tables, [*chosen, *current_features(fields)], fields, is_now=True)
    got = fetched(backend, rows.order_by("snapshot_id"))
    assert (got["bant_known"][0], got["timeline"][0]) == (2, "soon")


def test_the_present_is_less_than_a_day_before_the_latest_fact():
    known_until = datetime(2026, 3, 2, tzinfo=UTC)
    assert is_present(known_until - timedelta(days=1), known_until)
    assert not is_present(known_until - timedelta(days=1, microseconds=1), known_until)
    assert is_present(known_until + timedelta(days=30), known_until)
