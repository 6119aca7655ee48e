"""An erased lead does not come back, whatever file it stands in; nobody else goes with it."""

from __future__ import annotations

import hashlib
import hmac
import json
import os

import pytest

from features import tombstones
from features.errors import StorageError
from features.tables import Field, Source
from tests.features.ingested import Ingested

LEADS = """\
lead_id,created_at,merged_into
ann,2026-01-01,
loser,2026-01-01,ann
older,2026-01-01,loser
bob,2026-01-01,
"""
TOUCHES = """\
lead_id,contact_id,visitor_id,occurred_at,kind
ann,,,2026-01-02,call
bob,,,2026-01-02,call
,of_ann,,2026-01-02,mail
,of_bob,,2026-01-02,mail
,,only_ann,2026-01-02,visit
,,both,2026-01-02,visit
bob,of_ann,,2026-01-02,meeting
nobody,,,2026-01-02,call
"""
OUTCOMES = "lead_id,stage,occurred_at\nann,won,2026-01-03\nolder,mql,2026-01-03\nbob,mql,2026-01-03\n"
HISTORY = "lead_id,field,changed_at,new_value\nann,size,2026-01-02,9\nbob,size,2026-01-02,1\n"
CONTACTS = "contact_id,lead_id\nof_ann,ann\nof_bob,bob\n"
IDENTITIES = (
    "visitor_id,lead_id,linked_at\nonly_ann,ann,2026-01-05\nboth,ann,2026-01-05\nboth,bob,2026-01-05\n"
)
FILES = {
    "leads": LEADS, "touches": TOUCHES, "outcomes": OUTCOMES, "field_history": HISTORY, "contacts": CONTACTS,
    "identities": IDENTITIES,
}  # fmt: skip


@pytest.fixture
def crm(tmp_path):
    held = Ingested(tmp_path)
    for name, text in FILES.items():
        held.write(f"{name}.csv", text)
    return held


def loaded(crm, names=FILES, **options):
    return crm.loads(
        {n: Source(f"{n}.csv") for n in names}, tombstones=tombstones.read(crm.folder), **options
    )


def bury(crm, *ids):
    return tombstones.bury(crm.folder, ids, erased_on="2026-07-01", reason="request 7")


def test_a_lead_all_its_facts_and_the_records_merged_into_it_are_dropped_and_counted(crm):
    before = loaded(crm).digest
    bury(crm, "ann")
    found = loaded(crm)
    assert {name: (c.read, c.accepted, c.erased) for name, c in found.counts.items()} == {
        "leads": (4, 1, 3),
        "touches": (8, 5, 3),
        "outcomes": (3, 1, 2),
        "contacts": (2, 1, 1),
        "field_history": (2, 1, 1),
        "identities": (3, 1, 2),
    }
    touches = crm.rows("SELECT lead_id, kind FROM touches ORDER BY row_number")
    assert touches == [
        ("bob", "call"),
        ("bob", "mail"),
        (None, "visit"),
        ("bob", "meeting"),
        ("nobody", "call"),
    ]
    assert found.digest != before


def test_the_facts_of_a_lead_that_the_table_has_no_more_are_dropped_too(crm):
    bury(crm, "nobody")
    assert loaded(crm).counts["touches"].erased == 1


def test_without_an_erased_lead_among_them_the_tables_are_as_before(crm):
    before = loaded(crm).digest
    bury(crm, "Ann", "an", "ann2")
    found = loaded(crm)
    assert found.digest == before
    assert all(counts.erased == 0 for counts in found.counts.values())


def test_an_id_is_known_however_it_is_written(crm):
    crm.write("leads.csv", "lead_id\n  Cafe\u0301\u00a0\nbob\n")
    bury(crm, "Caf\u00e9 ")
    loaded(crm, ["leads"])
    assert crm.column("lead_id") == ["bob"]


def test_a_row_number_is_nobodys_name(crm):
    crm.write("leads.csv", "size,won\n1,yes\n2,no\n")
    bury(crm, "row-1")
    source = Source("leads.csv", outcome_column="won", fields={"size": Field("number")})
    found = crm.loads({"leads": source}, tombstones=tombstones.read(crm.folder))
    assert found.counts["leads"].accepted == 2


def test_the_file_has_hmacs_of_rfc_2104_and_no_id(crm):
    stones = bury(crm, "ann")
    key = bytes.fromhex((crm.folder / tombstones.KEY).read_text())
    text = (crm.folder / tombstones.FILE).read_text()
    assert list(json.loads(text)["erased"]) == [hmac.new(key, b"ann", hashlib.sha256).hexdigest()]
    assert "ann" not in text
    assert len(stones.stones) == 1


def test_a_second_erasure_keeps_the_key_and_the_first_stone(crm):
    first = bury(crm, "ann")
    second = tombstones.bury(crm.folder, ["ann", "bob"], erased_on="2026-08-01", reason="request 8")
    assert second.key == first.key
    assert second.stones[first.pseudonym("ann")] == {"erased_on": "2026-07-01", "reason": "request 7"}
    assert len(second.stones) == 2


def test_two_projects_have_two_names_for_one_lead(tmp_path):
    names = set()
    for home in (tmp_path / "a", tmp_path / "b"):
        home.mkdir()
        names.add(tombstones.bury(home, ["ann"], erased_on="", reason="").pseudonym("ann"))
    assert len(names) == 2


@pytest.mark.parametrize("spoil", ["gone", "short", "no text"])
def test_without_the_key_nothing_is_loaded_and_nobody_comes_back(crm, spoil):
    bury(crm, "ann")
    key = crm.folder / tombstones.KEY
    key.unlink()
    if spoil != "gone":
        key.write_bytes(b"ab" if spoil == "short" else b"\xff")
    with pytest.raises(StorageError, match="their key"):
        tombstones.read(crm.folder)
    with pytest.raises(StorageError, match="their key"):
        bury(crm, "bob")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"erased": []}'])
def test_a_damaged_list_is_a_storage_error(crm, text):
    bury(crm, "ann")
    (crm.folder / tombstones.FILE).write_text(text)
    with pytest.raises(StorageError, match="damaged"):
        tombstones.read(crm.folder)


@pytest.mark.parametrize("mask", [0o000, 0o077])
def test_the_key_is_the_owners_and_the_list_the_groups_under_any_umask(crm, mask):
    before = os.umask(mask)
    try:
        bury(crm, "ann")
    finally:
        os.umask(before)
    modes = {name: (crm.folder / name).stat().st_mode & 0o777 for name in (tombstones.FILE, tombstones.KEY)}
    assert modes == {tombstones.FILE: 0o640, tombstones.KEY: 0o600}
    assert (crm.folder / ".leadrank").stat().st_mode & 0o777 == 0o700
