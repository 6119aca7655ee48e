"""A ranking without a model: points, the rules that gave them, and nothing that looks like a probability."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.points.rule import Rule
from serve import batch, by_scorecard, ledger
from serve.batch import Shown
from tests.serve.small import SPECS

RULES = (
    Rule("opens_7d", 70, at_least=3),
    Rule("opens_7d", 40, at_least=9),
    Rule("source", -20, equals="fair", label="met at a fair"),
    Rule("days_since_last_touch", -30, is_missing=True),
)
#        lead  opens  source  silence   points   cut
LEADS = [
    ("L1", 2.0, "web", 4.0),  # 0
    ("L2", 3.0, "fair", 4.0),  # 70 - 20 = 50
    ("L3", 9.0, "web", 4.0),  # 110, cut to 100
    ("L4", 3.0, "web", None),  # 70 - 30 = 40
    ("L5", 0.0, "fair", None),  # -50, cut to 0
]


@pytest.fixture(scope="module")
def ranked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranked")
    names = ("lead_id", "opens_7d", "source", "days_since_last_touch")
    columns = dict(zip(names, zip(*LEADS, strict=True), strict=True))
    pq.write_table(pa.table({n: list(v) for n, v in columns.items()}), folder / "features.parquet")
    card = by_scorecard.Card(RULES, {spec.name: spec for spec in SPECS}, mql_points=50)
    shown = Shown(publish_columns=["owner"])
    assert by_scorecard.score_leads(card, folder / "features.parquet", folder, shown=shown) == len(LEADS)
    with duckdb.connect() as connection:
        connection.register("leads", pa.table({"lead_id": columns["lead_id"], "owner": ["Ann"] * 5}))
        ledger.write_nothing(folder)
        batch.write_ranking(connection, folder, shown=shown, ranked_by=by_scorecard.RANKED_BY)
    return folder, pq.read_table(folder / "ranking.parquet")


def test_leads_are_ranked_by_points_though_both_ends_are_cut(ranked):
    table = ranked[1]
    assert table.column("lead_id").to_pylist() == ["L3", "L2", "L4", "L1", "L5"]
    assert table.column("points").to_pylist() == [110, 50, 40, 0, -50]
    assert table.column("score").to_pylist() == [100, 50, 40, 0, 0]


def test_a_lead_is_marketing_qualified_from_the_threshold_on(ranked):
    assert ranked[1].column("is_mql").to_pylist() == [True, True, False, False, False]


def test_every_row_says_that_the_card_ranked_it_and_none_has_a_probability(ranked):
    folder, table = ranked
    assert set(table.column("ranked_by").to_pylist()) == {"scorecard"}
    for name in ("probability", "probability_low", "probability_high", "margin"):
        assert table.column(name).null_count == len(LEADS)
    header, first, *_ = (folder / "ranking.csv").read_text(encoding="utf-8").splitlines()
    said = dict(zip(header.split(","), first.split(","), strict=True))
    assert (said["ranked_by"], said["probability"]) == ("scorecard", "")


def test_the_rules_that_held_are_the_reasons_most_points_first(ranked):
    table = ranked[1]
    rows = {row["lead_id"]: row for row in table.to_pylist()}
    assert (rows["L3"]["for_1"], rows["L3"]["for_2"]) == ("9 opens in 7 days", "9 opens in 7 days")
    assert rows["L2"]["against_1"] == "met at a fair"
    assert [rows["L5"][f"against_{place}"] for place in (1, 2)] == [
        "not known: … days ago",
        "met at a fair",
    ]
    assert rows["L1"]["for_1"] is None
    reasons = pq.read_table(ranked[0] / "reasons.parquet").to_pylist()
    assert {r["lead_id"]: r["points"] for r in reasons if r["direction"] == "against"}["L2"] == -20


def test_the_card_speaks_the_language_that_is_asked_for(ranked, tmp_path):
    card = by_scorecard.Card(RULES, {spec.name: spec for spec in SPECS}, mql_points=50)
    by_scorecard.score_leads(card, ranked[0] / "features.parquet", tmp_path, shown=Shown(language="ru"))
    sentences = pq.read_table(tmp_path / "reasons.parquet").column("sentence").to_pylist()
    assert "нет данных: … days ago" in sentences  # the sentence itself is nobody's but this test's


def test_the_points_by_feature_add_up(ranked):
    folder, table = ranked
    kept = pq.read_table(folder / "contributions.parquet").to_pylist()
    total = {row["lead_id"]: sum(v for name, v in row.items() if name != "lead_id") for row in kept}
    assert total == dict(
        zip(table.column("lead_id").to_pylist(), table.column("points").to_pylist(), strict=True)
    )
