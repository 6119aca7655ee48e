"""The sentences that a sales manager reads say what stands in the raw tables: counted again in SQL."""
# ruff: noqa: S608  # the queries are made of the lines below

from __future__ import annotations

import re
from datetime import datetime

import duckdb
import pyarrow.parquet as pq
import pytest

NIGHT = "TIMESTAMPTZ '2026-06-30 00:00:00+00'"
KNOWN = f"occurred_at < {NIGHT} AND recorded_at < {NIGHT}"
DAYS = f"(epoch_us({NIGHT}) - epoch_us(occurred_at)) / 86400e6"
MOMENTS = "{'occurred_at': 'TIMESTAMPTZ', 'recorded_at': 'TIMESTAMPTZ'}"
OWN = ("campaign", "source", "country", "industry", "employees", "revenue", "seniority", "department", "role")
TOUCHES = {
    "touches": "count(*)",
    "inbound_touches": "count(*) FILTER (direction = 'in')",
    "active_days": "count(DISTINCT date_trunc('day', occurred_at))",
    "distinct_kinds": "count(DISTINCT kind)",
    "kind_touches": "count(*) FILTER (kind = '{each}')",
    "kind_touches_ever": "count(*) FILTER (kind = '{each}')",
    "place_visits": "count(*) FILTER (place = '{each}')",
    "duration_seconds": "sum(duration_seconds)",
    "days_since_last_touch": f"min({DAYS})",
    "days_since_inbound": f"min({DAYS}) FILTER (direction = 'in')",
    "days_since": f"min({DAYS}) FILTER (kind = '{{each}}')",
    "days_since_first": f"max({DAYS}) FILTER (kind = '{{each}}')",
    "inbound_share": "avg((direction = 'in')::INT)",
}
"""What each stem counts of a lead's touches in its window."""
OUTCOMES = {"days_since_stage": f"min({DAYS}) FILTER (stage = '{{each}}')", "stages": "count(*)"}
CODE = re.compile(r"\b[a-z]+_[a-z_0-9]+\b|[{}\[\]]|\bnan\b|\bNone\b")


@pytest.fixture(scope="module")
def crm(demo):
    """The raw tables, without the rows that the load turned away or dropped."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        data = demo.home / "data"
        connection.execute(
            f"CREATE TABLE leads AS SELECT * FROM read_csv('{data}/leads.csv', all_varchar=true)"
        )
        for name, source in (
            ("touches", f"read_parquet('{data}/touches.parquet')"),
            ("outcomes", f"read_csv('{data}/outcomes.csv', types={MOMENTS})"),
        ):
            connection.execute(f"CREATE TABLE {name} AS SELECT DISTINCT * FROM {source} WHERE {KNOWN}")
        yield connection


@pytest.fixture(scope="module")
def reasons(demo):
    run = demo.home / "runs" / demo.result["score"]["run_id"]
    assert datetime.fromisoformat(demo.result["score"]["as_of"]).date().isoformat() == "2026-06-30"
    return pq.read_table(run / "reasons.parquet").to_pylist()


def parts(reason) -> tuple[str, str, int | None]:
    """Stem without its value, that value, and the window in days."""
    stem, _, each = reason["stem"].partition("[")
    window = re.search(r"_(\d+)d$", reason["feature"])
    return stem, each.rstrip("]"), int(window.group(1)) if window else None


def counted(crm, kind: tuple[str, str, int | None]) -> dict[str, object] | None:
    """By lead, what the raw tables say of one stem, value and window; None if this test knows no query."""
    stem, each, days = kind
    if stem in OWN and not each:
        return dict(crm.execute(f"SELECT lead_id, {stem} FROM leads").fetchall())
    table, queries = ("outcomes", OUTCOMES) if stem in OUTCOMES else ("touches", TOUCHES)
    if stem not in queries:
        return None
    inside = "true" if days is None else f"{DAYS} <= {days}"
    query = f"SELECT lead_id, {queries[stem].format(each=each)} FROM {table} WHERE {inside} GROUP BY lead_id"
    return dict(crm.execute(query).fetchall())


def test_each_sentence_stands_on_what_the_raw_tables_say(crm, reasons):
    by_kind: dict[tuple[str, str, int | None], list[dict]] = {}
    for reason in reasons:
        by_kind.setdefault(parts(reason), []).append(reason)
    checked = {}
    for kind, same in by_kind.items():
        expected = counted(crm, kind)
        if expected is None:
            continue
        checked[kind] = len(same)
        for reason in same:
            assert is_same(reason["value"], expected.get(reason["lead_id"], 0)), reason
    assert sum(checked.values()) > 0.5 * len(reasons), checked
    assert len({stem for stem, *_ in checked}) >= 10, checked


def is_same(value: str, expected: object) -> bool:
    try:
        return float(value) == pytest.approx(float(expected), abs=1e-4)
    except ValueError:
        return value == str(expected)


def test_a_count_is_said_as_the_number_that_it_is(reasons):
    counts = [
        r for r in reasons if parts(r)[0] in {"inbound_touches", "touches", "active_days", "kind_touches"}
    ]
    assert counts
    for reason in counts:
        said = {int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", reason["sentence"])}
        value = int(float(reason["value"]))
        assert value in said or value in {0, 1}, reason["sentence"]


def test_no_sentence_has_a_column_name_a_placeholder_or_an_empty_value(reasons):
    for reason in reasons:
        assert not CODE.search(reason["sentence"]), reason["sentence"]
        assert reason["sentence"].strip() == reason["sentence"] != ""


def test_the_page_of_twenty_leads_is_one_of_the_demo():
    from tests.test_docs import DOCS

    page = DOCS["reading.md"]
    assert page.count("## Rank ") == 20
    assert not re.findall(r"points: .*\b[a-z]+_[a-z_]+\b", page)
