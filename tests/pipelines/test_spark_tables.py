"""Commands on tables of Spark's catalog, and on folders that Spark wrote."""

from __future__ import annotations

import pytest

from pipelines import params
from pipelines.merged_records import records_of
from tests.pipelines.ends import asked, failed

pytestmark = pytest.mark.spark

PARAMS = """\
engine: {name: spark}
tables:
  leads: {format: spark, spark_table: crm.leads, mapping: {lead_id: id}, fields: {size: {kind: number}}}
  touches: {format: parquet, path: touches}
  outcomes: {format: spark, spark_table: "parquet.`%s/outcomes`"}
"""
ROWS = {
    "touches": """
        SELECT '1' AS lead_id, 'visit' AS kind, TIMESTAMP '2024-07-02 10:00:00' AS occurred_at
        UNION ALL SELECT '2', '', TIMESTAMP '2024-07-02 10:00:00'
    """,
    "outcomes": "SELECT 2 AS lead_id, 'won' AS stage, TIMESTAMP '2024-07-03 10:00:00' AS occurred_at",
}


@pytest.fixture
def crm(spark, tmp_path):
    """A CRM of two leads in the catalog, a folder of touches and one of outcomes."""
    spark.sql(f"CREATE DATABASE crm LOCATION '{tmp_path}/warehouse'")
    spark.sql("CREATE TABLE crm.leads (id BIGINT, size DOUBLE, secret STRING) USING parquet")
    spark.sql("INSERT INTO crm.leads VALUES (1, 1.5, 'x'), (2, NULL, 'y')")
    for name, rows in ROWS.items():
        spark.sql(rows).coalesce(1).write.parquet(str(tmp_path / name))
    (tmp_path / "params.yaml").write_text(
        f"{PARAMS % tmp_path}check: {{max_quarantine_share: 1.0}}\n", encoding="utf-8"
    )
    yield tmp_path
    spark.sql("DROP DATABASE crm CASCADE")


def test_check_reads_tables_and_folders_of_spark(crm, leadrank):
    checked = asked(leadrank, "check", home=crm)
    read = {counts["table"]: (counts["read"], counts["accepted"]) for counts in checked["counts"]}
    assert (read["leads"], read["touches"], read["outcomes"]) == ((2, 2), (2, 1), (1, 1))
    assert checked["ignored_columns"]["leads"] == ["secret"]
    [away] = checked["quarantine"]
    assert away["first_file"].startswith("touches/part-00000-")
    assert (away["reason"], away["first_line"]) == ("missing_required", 2)
    assert list((crm / ".leadrank").glob("work-*")) == []


def test_check_names_a_table_that_is_gone(crm, spark, leadrank):
    spark.sql("DROP TABLE crm.leads")
    line = failed(leadrank, "check", home=crm)
    assert line["code"] == 2
    assert "'crm.leads'" in line["reason"]


def test_a_table_of_spark_is_not_watched(crm, leadrank):
    line = failed(leadrank, "watch", "--once", home=crm)
    assert line["code"] == 2
    assert line["hint"].endswith("declare that folder: tables.leads.path")


def test_a_lead_is_looked_up_in_its_table_of_spark(crm):
    found = records_of(params.load(crm / "params.yaml"), crm, frozenset({"1", "nobody"}))
    assert found.there == 1
