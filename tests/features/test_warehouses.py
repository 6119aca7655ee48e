"""The SQL for BigQuery, Snowflake and Databricks: written, parsed, names and types bound; never run there."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import ibis
import pytest
import sqlglot
from sqlglot import exp
from sqlglot.errors import OptimizeError
from sqlglot.schema import MappingSchema

from features.build import KEYS
from tests.features.drawn import install
from tests.features.oracle.engines import built, differences, one_of_each
from tests.features.random_history import arrow, history
from tests.features.warehouses import WAREHOUSES, found, heard, in_steps, names, read_back, spelled, written

PAGE = Path(__file__).resolve().parents[2] / "docs" / "warehouses.md"


# ── what is promised ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("warehouse", WAREHOUSES)
def test_every_feature_is_in_the_sql_that_is_read_back(warehouse):
    (last,) = [query for query in written(warehouse).queries if query.name == "features"]
    assert set(last.tree.named_selects) == {spelled(name, warehouse) for name in (*KEYS, *names())}


UNWRITTEN = {"bigquery": {"past_nights", "drawn_for"}, "snowflake": {"past_nights", "drawn_for"}}
"""Which of many past moments are learned from is drawn by a hash that Ibis cannot write for these two."""


@pytest.mark.parametrize("warehouse", WAREHOUSES)
def test_only_the_draw_of_past_moments_cannot_be_written(warehouse):
    unwritten = written(warehouse).unwritten
    assert set(unwritten) == UNWRITTEN.get(warehouse, set())
    assert all("HexDigest" in reason for reason in unwritten.values())


UNKNOWN = {"bigquery": {"ieee_divide"}}
"""Functions that sqlglot takes for the user's own; BigQuery's manual has this one."""


@pytest.mark.parametrize("warehouse", WAREHOUSES)
def test_no_function_is_written_that_the_dialect_does_not_know(warehouse):
    assert written(warehouse).warnings == ()
    unknown = found(warehouse, exp.Anonymous, exp.AnonymousAggFunc, exp.Command)
    assert {node.name for node, _ in unknown} == UNKNOWN.get(warehouse, set())


@pytest.mark.slow  # a minute and a half
@pytest.mark.spark
def test_the_sql_for_databricks_gives_on_spark_what_duckdb_gives(spark):
    def of_spark(table):
        return spark.sql(str(ibis.to_sql(table, dialect="databricks", pretty=False)))

    rows, chosen = history(5, leads=20), one_of_each()
    install(ibis.pyspark.connect(spark), **arrow(rows))
    theirs = in_steps(
        rows,
        chosen,
        make=lambda name, table: of_spark(table).cache().createOrReplaceTempView(name),
        fetch=lambda table: of_spark(table).toArrow().to_pydict(),
    )
    spark.catalog.clearCache()
    assert differences(built(ibis.duckdb.connect(), rows, chosen), theirs) == []


# ── what the manuals of the warehouses do not allow, though it parses ────────────────────────────


BY_PAIR = {
    "last_touch_kind", "last_gap_days", "last_hour", "last_weekday", "first_place", "last_place",
    "first_campaign", "last_campaign", "first_keyword", "last_keyword", "top_place_90d", "latest_stage",
    "colleague_stage", "last[campaign]", "last[resource]", "last[score]", "last[weight]",
    "earlier_rate[first.keyword]", "earlier_leads[first.keyword]", "best_word_rate[first.keyword]",
    "worst_word_rate[first.keyword]",
}  # fmt: skip
"""The value at the greatest pair of moment and row. BigQuery refuses to order a STRUCT; Snowflake's manual
does not say how it orders an OBJECT. Databricks orders a STRUCT field by field, as DuckDB and Spark do."""


@pytest.mark.parametrize("warehouse", ["bigquery", "snowflake"])
def test_these_features_look_for_the_greatest_of_pairs(warehouse):
    by_pair = [who for node, who in found(warehouse, exp.ArgMax, exp.ArgMin) if not is_scalar(node)]
    assert set().union(*by_pair) == BY_PAIR


def is_scalar(node: exp.Expression) -> bool:
    """Whether what is ordered by is of a type with an order of its own."""
    return bool(node.expression.is_type(*exp.DataType.TEMPORAL_TYPES, *exp.DataType.NUMERIC_TYPES))


OF_WORDS = {
    f"{rate}[{of}]" for rate in ("best_word_rate", "worst_word_rate") for of in ("city", "first.keyword")
}
OF_PEERS = OF_WORDS | {
    f"{name}[{of}]"
    for name in ("earlier_rate", "earlier_leads")
    for of in ("source", "campaign", "city", "first.keyword", "account.sector", "account.employees")
}


def test_what_adds_days_to_a_moment_asks_bigquery_for_another_type_of_moment():
    """Ibis writes TIMESTAMP_ADD, in the manual for a TIMESTAMP; ours, without a zone, is a DATETIME."""
    added = [who for node, who in found("bigquery", exp.TimestampAdd) if not node.this.is_type("timestamptz")]
    assert set().union(*added) == OF_PEERS | {"labels"}


def test_a_text_and_each_of_its_words_have_names_of_their_own():
    """Else a name stands for two things in one SELECT of BigQuery, without a table before it."""
    of_words = set[str]()
    for unnested, who in found("bigquery", exp.Unnest):
        columns = unnested.parent_select.find_all(exp.Column)
        words = {column.name for column in columns if column.table == unnested.alias_or_name}
        if words & {column.name for column in unnested.find_all(exp.Column)}:
            of_words |= who
    assert of_words == set()


def test_two_features_have_one_name_on_bigquery():
    times = Counter(spelled(name, "bigquery") for name in names())
    twice = {name for name in names() if times[spelled(name, "bigquery")] > 1}
    assert twice == {"last_campaign", "last[campaign]"}


AGES = {"age_days", "gap_days", "days_after_creation"}
"""Columns of a history. In Snowflake's manual a quotient of whole numbers has six decimal places: an age
would be right to a tenth of a second only. Shares of counts are so too, but rounded to six places anyway."""


@pytest.mark.parametrize("warehouse", WAREHOUSES)
def test_no_age_is_a_quotient_of_whole_numbers(warehouse):
    whole = exp.DataType.INTEGER_TYPES
    aliases = {
        node.find_ancestor(exp.Alias)
        for node, _ in found(warehouse, exp.Div)
        if node.this.is_type(*whole) and node.expression.is_type(*whole)
    }
    assert AGES & {alias.alias for alias in aliases if alias is not None} == set()


# ── the checks themselves ────────────────────────────────────────────────────────────────────────


def test_a_column_that_is_not_there_is_noticed():
    rows = ibis.table({"a": "int64", "b": "int64"}, name="rows")
    schema = MappingSchema({"rows": {"b": "BIGINT"}}, dialect="snowflake", normalize=False)
    with pytest.raises(OptimizeError, match="Unknown column: a"):
        read_back("query", rows.select("a"), "snowflake", schema)


def test_what_a_dialect_lacks_is_heard():
    with heard() as lines:
        sqlglot.parse_one("SELECT a FROM rows FOR UPDATE").sql("bigquery")
    assert len(lines) == 1


# ── docs/warehouses.md ───────────────────────────────────────────────────────────────────────────


def test_the_manual_names_what_is_not_promised():
    text = PAGE.read_text(encoding="utf-8")
    for name in BY_PAIR | OF_PEERS:
        assert f"`{name.partition('[')[0]}" in text, name


@pytest.mark.slow  # every feature twice; here DuckDB stands for the warehouse
def test_the_comparison_of_the_manual_runs(monkeypatch, capsys):
    block = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
    monkeypatch.setattr(ibis.duckdb, "connect", lambda connect=ibis.duckdb.connect, **_: connect())
    exec(block.replace("ibis.snowflake", "ibis.duckdb"), {})  # noqa: S102  # our own page
    assert capsys.readouterr().out == "[]\n"
