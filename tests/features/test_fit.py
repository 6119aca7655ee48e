"""Features of who the lead is: there where their columns are, and counted by rule."""

from __future__ import annotations

from pathlib import Path

import ibis
import pytest

from features.build import available, feature_table
from features.catalogue import catalogue
from features.families import full_catalogue
from features.fit import own_fields
from features.ingest import load
from features.tables import Field, Source
from tests.features.drawn import drawn, fetched, install

SNAPSHOTS = """
    snapshot_id | lead_id | as_of
    ------------+---------+-----------------
    0           | a       | 2026-01-10 00:00
    1           | b       | 2026-01-10 00:00
    2           | c       | 2026-01-10 00:00
    3           | d       | 2026-01-10 00:00
"""
LEADS = """
    lead_id | email_class | phone_class | title_seniority | title_department | budget | need | authority
    --------+-------------+-------------+-----------------+------------------+--------+------+----------
    a       | business    | valid       | c_level         | it               | high   | yes  | ann
    b       | free        | invalid     | student         | other            |        | yes  |
    c       | invalid     | possible    | job_seeker      | other            |        |      |
    d       |             |             |                 |                  | low    |      |
"""
BANT = {name: Field("category", "static") for name in ("budget", "need", "authority")}


@pytest.fixture(scope="module")
def family():
    full_catalogue()
    return [feature for feature in catalogue if feature.family == "fit"]


def built(engine, family, leads, fields):
    tables = install(engine, snapshots=drawn(SNAPSHOTS), leads=leads)
    kept, _ = available(family, tables, {"leads": fields})
    table = feature_table(tables["snapshots"], tables, kept, {"leads": fields})
    return fetched(engine, table.order_by("snapshot_id"))


def test_bad_signs_are_counted_and_the_unknown_is_none(engine, family):
    leads = drawn(LEADS).append_column("has_company", [[1.0, 0.0, 1.0, 0.0]])
    leads = leads.append_column("is_competitor", [[0.0, 1.0, None, None]])
    got = built(engine, family, leads, {"is_competitor": Field("flag", "static")})
    assert got["negative_fit"] == [0, 5, 2, 1]
    assert got["email_class"] == ["business", "free", "invalid", None]
    assert got["title_department"] == ["it", "other", "other", None]


def test_known_bant_fields_are_counted_where_two_or_more_are_fields(engine, family):
    got = built(engine, family, drawn(LEADS), BANT)
    assert got["bant_known"] == [3, 1, 0, 1]
    one = built(engine, family, drawn(LEADS), {"budget": BANT["budget"]})
    assert "bant_known" not in one
    two = built(engine, family, drawn(LEADS), {"budget": BANT["budget"], "need": BANT["need"]})
    assert two["bant_known"] == [2, 1, 0, 1]


def test_what_is_not_there_is_left_out(engine, family):
    got = built(engine, family, drawn(LEADS).select(["lead_id", "phone_class", "row_number"]), {})
    assert {"phone_class", "negative_fit"} <= set(got)
    assert {"email_class", "title_seniority", "has_company", "bant_known"}.isdisjoint(got)
    assert got["negative_fit"] == [0, 1, 0, 0]
    bare = built(engine, family, drawn(LEADS).select(["lead_id", "row_number"]), {})
    assert set(bare) == {"snapshot_id", "lead_id", "as_of"}


def test_a_competitor_is_told_by_a_flag_only(engine, family):
    leads = drawn(LEADS).append_column("is_competitor", [["yes", "no", "1", None]])
    got = built(engine, family, leads, {"is_competitor": Field("category", "static")})
    assert got["negative_fit"] == [0, 3, 2, 0]


def test_every_feature_says_a_sentence(family):
    for feature in family:
        assert feature.sentence("business" if feature.kind == "category" else 1.0)


CANARIES = ("erika.mustermann", "mustermann-stahl", "901820", "Oberhofmeisterin", "Canary Works")


def test_no_personal_text_reaches_the_feature_table(tmp_path: Path, family, caplog):
    (tmp_path / "leads.csv").write_text(
        "lead_id,email,phone,title,company,website,won,size\n"
        "1,erika.mustermann@mustermann-stahl.de,030 901820,"
        "Oberhofmeisterin,Canary Works,mustermann-stahl.de,1,3\n"
        "2,,,,,,0,4\n",
        encoding="utf-8",
    )
    fields = {"size": Field("number", "static")}
    source = Source(path="leads.csv", outcome_column="won", fields=fields)
    backend = ibis.duckdb.connect()
    loaded = load(backend.con, {"leads": source}, folder=tmp_path)
    tables = {"leads": backend.table("leads")}
    snapshots = tables["leads"].select(
        "lead_id", snapshot_id="row_number", as_of=ibis.timestamp("2026-01-01")
    )
    kept, _ = available([*family, *own_fields({"leads": fields})], tables, {"leads": fields})
    table = feature_table(snapshots, tables, kept, {"leads": fields}).to_pyarrow()
    assert len(table.column_names) == 3 + 8  # seven classes, counts and flags of ours, and size
    seen = f"{table.to_pydict()} {loaded} {caplog.text}"
    assert not [text for text in CANARIES if text in seen]
