"""Tables of an object store: the same tables as from files, and what is said when one cannot be had."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import InputError, ParameterError, StorageError, UpstreamError
from features.ingest import objects_store, objects_tables
from features.ingest.objects import ConditionError, address
from features.ingest.objects_store import Store
from features.ingest.sighting import sighting
from features.scratch import abandoned
from features.tables import Source
from tests.features.in_parts import ROWS, SIZE
from tests.features.ingested import Ingested
from tests.objects import BUCKET, SECRET
from tests.postgres import free_port

CSV = "lead_id,created_at,source\nL1,2024-01-01,web\nL2,2024-01-02,\nL3,soon,fair\n"
HERE = f"s3://{BUCKET}"


@pytest.fixture
def crm(tmp_path):
    return Ingested(tmp_path)


def part(first, last):
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({name: values[first:last] for name, values in ROWS.items()}), sink)
    return sink.getvalue().to_pybytes()


def in_parts(store, prefix="export/leads"):
    store.write(f"{prefix}/part-0.parquet", part(0, 2))
    store.write(f"{prefix}/part-1.parquet", part(2, 5))
    for name in ("_SUCCESS", ".part-0.parquet.crc"):
        store.write(f"{prefix}/{name}", b"no table")


def refused(crm, kind, path, **settings):
    with pytest.raises(kind) as caught:
        crm.load(path=path, **settings)
    assert SECRET not in str(caught.value)
    assert caught.value.hint
    return caught.value


def test_a_csv_object_is_the_same_table_as_the_file(crm, store):
    store.write("leads.csv", CSV)
    of_file = crm.load(content=CSV)
    rows, away = crm.rows("FROM leads"), crm.away
    of_object = crm.load(path=f"{HERE}/leads.csv")
    assert of_object.digest == of_file.digest
    assert crm.rows("FROM leads") == rows
    assert crm.away == away == [(4, "created_at", "not_a_timestamp")]
    assert not abandoned(crm.folder)
    assert not [path for path in (crm.folder / ".leadrank").rglob("*") if path.is_file()]


def test_an_object_of_many_blocks_is_the_same_table(crm, store, monkeypatch):
    monkeypatch.setattr(objects_store, "BLOCK_BYTES", 1000)  # also a last block that is not whole
    text = "lead_id,source\n" + "".join(f"L{row},{'x' * (row % 37)}\n" for row in range(900))
    assert len(text) > 10 * objects_store.AT_ONCE * 100
    store.write("leads.csv", text)
    assert crm.load(path=f"{HERE}/leads.csv").digest == crm.load(content=text).digest
    assert len(crm.column("source")) == 900


@pytest.mark.parametrize(
    "path", ["export/leads", "export/leads/", "export/leads/*.parquet", "export/*/part-[01].parquet"]
)
def test_a_folder_or_a_pattern_of_parts_is_the_same_table_as_one_file(crm, store, path):
    in_parts(store)
    store.write("export/leads-old/part-7.parquet", part(0, 1))  # begins like the folder, and is another
    (crm.folder / "leads.parquet").write_bytes(part(0, 5))
    settings = {"format": "parquet", "fields": SIZE}
    one = crm.load(path="leads.parquet", **settings)
    if "*/" in path:
        store.remove("export/leads-old/part-7.parquet")
    assert crm.load(path=f"{HERE}/{path}", **settings).digest == one.digest
    assert crm.column("lead_id") == ROWS["lead_id"]


def test_folders_called_key_value_are_columns_and_the_quarantine_names_the_object(crm, store):
    store.write("leads/source=web/part-0.parquet", _without_source(0, 2, stamp="soon"))
    store.write("leads/source=fair/part-0.parquet", _without_source(2, 5))
    crm.load(path=f"{HERE}/leads", format="parquet", fields=SIZE)
    assert crm.column("source") == ["fair"] * 3 + ["web"]
    assert crm.rows("SELECT file, line FROM quarantine") == [(f"{HERE}/leads/source=web/part-0.parquet", 1)]


def _without_source(first, last, *, stamp=None):
    columns = {name: list(values[first:last]) for name, values in ROWS.items() if name != "source"}
    if stamp is not None:
        columns["created_at"][0] = stamp
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue().to_pybytes()


def test_an_object_whose_key_looks_like_a_pattern_is_that_object(crm, store):
    store.write("leads[1].csv", CSV)
    store.write("leads1.csv", CSV + "L4,2024-01-03,web\n")
    assert crm.load(path=f"{HERE}/leads[1].csv").counts["leads"].read == 3


@pytest.mark.parametrize("marker", ["_temporary/0/part-2.parquet", "_delta_log/00.json"])
def test_a_folder_that_is_being_written_or_a_lakes_is_refused_like_a_local_one(crm, store, marker):
    in_parts(store)
    store.write(f"export/leads/{marker}", b"x")
    error = refused(crm, InputError, f"{HERE}/export/leads", format="parquet")
    assert f"'{HERE}/export/leads'" in error.reason
    assert "s3:/c" not in error.reason


def test_keys_that_no_file_can_have_are_refused(crm, store):
    in_parts(store)
    store.write("export/leads/../secret.parquet", part(0, 1))
    error = refused(crm, InputError, f"{HERE}/export/leads", format="parquet")
    assert "key that no file can have" in error.reason
    assert not (crm.folder / "secret.parquet").exists()


def test_marks_of_folders_are_no_parts(crm, store):
    in_parts(store)
    store.write("export/leads/", b"")
    store.write("export/leads_$folder$", b"")
    store.write("export/leads/deep_$folder$", b"")
    assert crm.load(path=f"{HERE}/export/leads", format="parquet").counts["leads"].read == 5


@pytest.mark.parametrize("path", ["nothing.csv", "nothing/*.parquet", "nothing/", ""])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.usefixtures("store")
def test_an_object_that_is_missing_breaks_the_contract(crm, path, kind):
    error = refused(crm, InputError, f"{HERE}/{path}", format=kind)
    assert error.code == 3
    assert f"{HERE}/{path}" in error.reason


@pytest.mark.parametrize("path", ["leads.csv", "leads/*.parquet"])
@pytest.mark.usefixtures("store")
def test_a_bucket_that_is_missing_is_named_as_such(crm, path):
    kind = path.rpartition(".")[2]
    error = refused(crm, InputError, f"s3://no-such-bucket/{path}", format=kind)
    assert "the bucket of" in error.reason


def test_a_path_without_a_bucket_is_not_shown_for_it_may_hold_keys(crm):
    error = refused(crm, ParameterError, f"s3://testing:{SECRET}@{BUCKET}/leads.csv")
    assert error.code == 2
    assert address(f"{HERE}/a/b").key == "a/b"


def test_a_store_that_is_down_is_upstream(crm, store, monkeypatch):
    store.write("leads.csv", CSV)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    error = refused(crm, UpstreamError, f"{HERE}/leads.csv")
    assert error.code == 5
    assert "does not answer" in error.reason


def test_an_endpoint_that_is_no_address_is_upstream(crm, store, monkeypatch):
    store.write("leads.csv", CSV)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"no address {SECRET}")
    assert refused(crm, UpstreamError, f"{HERE}/leads.csv").code == 5


def test_without_keys_it_is_said_that_there_are_none(crm, store, monkeypatch):
    store.write("leads.csv", CSV)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    error = refused(crm, UpstreamError, f"{HERE}/leads.csv")
    assert "no keys" in error.reason


def test_what_a_store_refuses_is_told_by_its_code_alone(crm, store, monkeypatch):
    from botocore.exceptions import ClientError

    store.write("leads.csv", CSV)
    said = {"Error": {"Code": "SignatureDoesNotMatch", "Message": f"your secret {SECRET} is wrong"}}

    def call(*_, **__):
        raise PermissionError(said["Error"]["Message"]) from ClientError(
            {**said, "ResponseMetadata": {"HTTPStatusCode": 403}}, "GetObject"
        )

    import s3fs

    monkeypatch.setattr(s3fs.S3FileSystem, "call_s3", call)
    error = refused(crm, UpstreamError, f"{HERE}/leads.csv")
    assert "refuses (SignatureDoesNotMatch)" in error.reason


def test_without_the_extra_it_is_said_how_to_install_it(crm, monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    error = refused(crm, ParameterError, f"{HERE}/leads.csv")
    assert "pip install 'leadrank[objects]'" in error.hint


def after_the_first_block(monkeypatch, act):
    """Have ``act`` called once a block was read."""
    real, calls = Store._block, []

    def block(self, seen, start):
        found = real(self, seen, start)
        if not calls:
            calls.append(start)
            act()
        return found

    monkeypatch.setattr(objects_store, "BLOCK_BYTES", 40)
    monkeypatch.setattr(objects_store, "AT_ONCE", 1)
    monkeypatch.setattr(Store, "_block", block)


@pytest.mark.parametrize("is_gone", [True, False])
def test_an_object_that_changes_while_it_is_read_is_refused(crm, store, monkeypatch, is_gone):
    store.write("leads.csv", CSV)
    other = CSV.replace("web", "ads")  # as long as it was
    key = "leads.csv"
    after_the_first_block(monkeypatch, lambda: store.remove(key) if is_gone else store.write(key, other))
    error = refused(crm, InputError, f"{HERE}/leads.csv")
    assert ("cannot be found" if is_gone else "changed while it was read") in error.reason


def test_a_part_that_comes_while_others_are_read_is_noticed(crm, store, monkeypatch):
    in_parts(store)
    after_the_first_block(monkeypatch, lambda: store.write("export/leads/part-9.parquet", part(0, 1)))
    error = refused(crm, InputError, f"{HERE}/export/leads", format="parquet")
    assert "changed while it was read" in error.reason


def test_a_connection_that_breaks_off_in_a_block_is_asked_again(store, tmp_path, monkeypatch):
    store.write("big", os.urandom(300))
    real, calls = Store._body, []

    def body(self, answer, key):
        calls.append(key)
        content = real(self, answer, key)
        if len(calls) < 3:
            raise UpstreamError("it broke off")
        return content

    with Store(BUCKET, stage="ingest") as opened:
        seen = opened.head("big")
        monkeypatch.setattr(Store, "_body", body)
        opened.fetch(seen, tmp_path / "big")
        assert (tmp_path / "big").read_bytes() == store.read("big")
        calls.clear()
        monkeypatch.setattr(Store, "_body", lambda *given: real(*given)[:5])
        with pytest.raises(ConditionError):
            opened.fetch(seen, tmp_path / "big")


def test_objects_that_do_not_fit_on_the_disk_are_not_begun(crm, store, monkeypatch):
    store.write("leads.csv", CSV)
    monkeypatch.setattr(objects_tables.shutil, "disk_usage", lambda _: _Full())
    error = refused(crm, StorageError, f"{HERE}/leads.csv")
    assert str(len(CSV)) in error.reason


class _Full:
    free = 3


def test_a_look_sees_that_an_object_or_a_part_is_new(store, tmp_path):
    store.write("leads.csv", CSV)
    in_parts(store)
    sources = {
        "leads": Source(path=f"{HERE}/leads.csv"),
        "touches": Source(path=f"{HERE}/export/leads", format="parquet"),
    }
    first = sighting(sources, tmp_path, {})
    assert sighting(sources, tmp_path, {}) == first
    store.write("leads.csv", CSV + "L9,,\n")
    second = sighting(sources, tmp_path, {})
    assert (second["leads"] != first["leads"], second["touches"]) == (True, first["touches"])
    store.write("export/leads/part-2.parquet", part(0, 1))
    assert sighting(sources, tmp_path, {})["touches"] != first["touches"]
    assert Path(tmp_path / ".leadrank").exists() is False
