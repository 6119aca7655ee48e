"""A ranking that is sorted on other machines has the parts that the command writes, to the byte."""

from __future__ import annotations

import shutil
from datetime import datetime

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serve import batch, part_rows, parts, sorting
from serve.batch import LEDGER, LEDGER_REASONS, RANKING, REASONS, SCORES, Shown
from tests.serve.elsewhere import Elsewhere

LEADS, PART = 2_500, 1_000
SHOWN = Shown(
    publish_columns=("Score", "company", "since", "is_new", "size"), reasons_for=2, reasons_against=1
)
LETTERS = ("a", "Z", "ä", "Ω", "😀", "-")


def drawn(rows=LEADS):
    """Scores with many ties, reasons, and what stands beside: all by file; lead ids differ in bytes only."""
    random = np.random.default_rng(4)
    lead = [f"{LETTERS[row % len(LETTERS)]}{row // len(LETTERS)}" for row in range(rows)]
    probability = random.integers(0, 40, rows) / 40
    why = [None if row % 7 else "too few" for row in range(rows)]
    scores = pa.table(
        {
            "lead_id": lead,
            "probability": probability,
            "probability_low": probability / 2,
            "probability_withheld": pa.array(why, pa.string()),
            "score": 100 - 100 * probability,
            "margin": np.where(random.integers(0, 2, rows), 0.0, -0.0) + random.integers(0, 2, rows),
        }
    )
    said = [(name, place, "for" if place < 3 else "against") for name in lead[::2] for place in (1, 2, 3)]
    reasons = pa.table(
        {
            "lead_id": [name for name, _, _ in said],
            "rank_in_row": [place for _, place, _ in said],
            "direction": [side for _, _, side in said],
            "sentence": [f"{name} {side} {place}" for name, place, side in said],
        }
    )
    return lead, scores, reasons


def staged(folder, rows=LEADS):
    """What lies in the folder of a night before it is ranked, in parts."""
    folder.mkdir()
    lead, scores, reasons = drawn(rows)
    grown = {name: part_rows.Growing(folder / name, PART) for name in (SCORES, REASONS)}
    for start in range(0, rows, PART):
        these = scores[start : start + PART]
        grown[SCORES].add(these, start)
        is_theirs = np.isin(
            reasons.column("lead_id").to_numpy(zero_copy_only=False), lead[start : start + PART]
        )
        grown[REASONS].add(reasons.filter(pa.array(is_theirs)), start)
    for one in grown.values():
        one.__exit__(None, None, None)
    moved = lead[5:900:5]
    ledger = {"lead_id": moved, "rank_before": range(len(moved)), "change": [0.5] * len(moved)}
    pq.write_table(pa.table(ledger), folder / LEDGER)
    said = {"lead_id": moved * 2, "sentence": ["less"] * len(moved) + ["more"] * len(moved)}
    points = {"points": [1.0] * len(moved) + [-2.0] * len(moved), "feature": ["f"] * 2 * len(moved)}
    pq.write_table(pa.table({**said, **points}), folder / LEDGER_REASONS)
    return folder


def leads(rows=LEADS):
    """The table of leads, with columns of every type; one is called as one of ours but for its capital."""
    lead, _, _ = drawn(rows)
    moments = [datetime(1890, 1, 1, 0, 0, 0, 123456), None, datetime(2026, 6, 30)]  # noqa: DTZ001  # as kept
    return pa.table(
        {
            "lead_id": lead[::-1],
            "Score": pa.array([float("nan"), None, 0.1] * rows, pa.float64())[:rows],
            "company": pa.array(["Müller, «x»", None] * rows, pa.string())[:rows],
            "since": pa.array(moments * rows, pa.timestamp("us"))[:rows],
            "is_new": pa.array([True, None, False] * rows, pa.bool_())[:rows],
            "size": pa.array([2**60, None] * rows, pa.int64())[:rows],
        }
    )


@pytest.fixture
def connection():
    with duckdb.connect() as opened:
        opened.register("leads", leads())
        yield opened


def bytes_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*.*")
        if path.is_file()
    }


def test_the_parts_and_the_csv_are_those_of_the_command_byte_for_byte(connection, tmp_path):
    here, there = staged(tmp_path / "here"), staged(tmp_path / "there")
    batch.write_ranking(connection, here, shown=SHOWN, part_leads=PART)
    engine = Elsewhere(tmp_path)
    sorting.write_ranking(engine, connection, there, shown=SHOWN, part_leads=PART)
    assert bytes_of(here) == bytes_of(there)
    assert [pq.read_metadata(part).num_rows for part in parts.of(there / RANKING)] == [1000, 1000, 500]
    assert not list(tmp_path.glob("ranking-*"))  # nothing is left in the shared folder
    assert not (there / SCORES).exists()  # it tells what is withheld


def test_ranks_are_those_of_a_slow_sort_by_bytes(connection, tmp_path):
    folder = staged(tmp_path / "there")
    _, scores, _ = drawn()
    sorting.write_ranking(Elsewhere(tmp_path), connection, folder, shown=SHOWN, part_leads=PART)
    rows = scores.to_pylist()
    rows.sort(key=lambda row: (-row["probability"], -row["margin"], row["lead_id"].encode()))
    found = pq.read_table(folder / RANKING).to_pylist()
    assert [row["lead_id"] for row in found] == [row["lead_id"] for row in rows]
    assert [row["rank"] for row in found] == list(range(1, LEADS + 1))
    assert {row["probability"] for row in found if row["probability_withheld"]} == {None}


def test_parts_of_a_ranking_need_not_be_as_large_as_parts_of_the_scores(connection, tmp_path):
    here, there = staged(tmp_path / "here"), staged(tmp_path / "there")
    batch.write_ranking(connection, here, shown=SHOWN, part_leads=1_300)
    sorting.write_ranking(Elsewhere(tmp_path), connection, there, shown=SHOWN, part_leads=1_300)
    assert bytes_of(here) == bytes_of(there)


@pytest.mark.spark
@pytest.mark.slow
def test_spark_sorts_as_the_command_does(spark, connection, tmp_path):  # noqa: ARG001  # one session for all
    from features.backend import workspace
    from features.engines.spark import Spark

    here, there = staged(tmp_path / "here"), staged(tmp_path / "there")
    batch.write_ranking(connection, here, shown=SHOWN, part_leads=PART)
    shared = tmp_path / "shared"
    shared.mkdir()
    with workspace(tmp_path) as home:
        engine = Spark(home, shared, master="local[2]", settings={}, seen=tmp_path)
        sorting.write_ranking(engine, connection, there, shown=SHOWN, part_leads=PART)
    assert bytes_of(here) == bytes_of(there)
    shutil.rmtree(shared)
