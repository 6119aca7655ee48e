"""Leads leave the runs of an object store, also those that only the store has."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from serve import erasing, runs
from serve.sinks import objects
from serve.without import Gone
from tests.objects import BUCKET
from tests.serve.stored import PLACE, Died, deliver, dying, pointer_of, published, whole

GONE = Gone(frozenset({"B"}), frozenset())


def leads_in(store, prefix="nightly/"):
    """Every lead that any object of the store names."""
    found = set()
    for key in store.keys(prefix):
        if key.endswith(".parquet"):
            found |= set(pq.read_table(pa.BufferReader(store.read(key)))["lead_id"].to_pylist())
    return found


def test_an_erased_lead_leaves_the_store_and_the_pointer_follows(store, tmp_path):
    folder = tmp_path / "runs"
    old, new = published(folder, 1), published(folder, 2)
    deliver(new, old)
    assert leads_in(store) == {"A", "B"}
    before = pointer_of(store)["folder"]
    list(erasing.erase(folder, GONE))
    done = objects.erase(PLACE, folder, GONE, tmp_path / "work")
    assert done == objects.Erased((new.run_id, old.run_id), ())
    assert leads_in(store) == {"A"}
    assert whole(store) == new.run_id
    assert pointer_of(store)["folder"] != before
    assert objects.erase(PLACE, folder, GONE, tmp_path / "work").replaced == ()


def test_a_run_that_only_the_store_has_is_cleaned_too(store, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    theirs, without = published(there, 4), published(there, 3, leads=("A", "C"))
    deliver(theirs, without)
    mine = published(here, 2)
    deliver(mine)
    list(erasing.erase(here, GONE))
    done = objects.erase(PLACE, here, GONE, tmp_path / "work")
    assert done.replaced == (theirs.run_id, mine.run_id)
    assert leads_in(store) == {"A", "C"}
    assert whole(store) == theirs.run_id
    assert not list((tmp_path / "work").iterdir())
    stale = deliver(runs.find(there, theirs.run_id))  # that host was not told
    assert (stale.loaded, leads_in(store)) == ((), {"A", "C"})


def test_what_a_crash_left_of_a_run_is_erased_with_it(store, tmp_path):
    folder = tmp_path / "runs"
    deliver(published(folder, 1))
    store.write("nightly/20260603T000000Z-b/0123456789abcdef/ranking.parquet", b"half of leads")
    store.client.create_multipart_upload(Bucket=BUCKET, Key="nightly/20260603T000000Z-b/0123/large.bin")
    objects.erase(PLACE, folder, GONE, tmp_path / "work")
    assert not store.keys("nightly/20260603T000000Z-b/")
    assert not store.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads")


def test_a_crash_while_erasing_leaves_a_whole_run_in_force_and_the_next_attempt_ends_it(
    store, tmp_path, monkeypatch
):
    folder = tmp_path / "runs"
    run = published(folder, 1)
    deliver(run)
    list(erasing.erase(folder, GONE))
    moment = 0
    while True:
        moment += 1
        try:
            with monkeypatch.context() as patched:
                dying(patched, moment)
                objects.erase(PLACE, folder, GONE, tmp_path / "work")
            break
        except Died:
            assert whole(store) == run.run_id
    assert moment > 5
    assert leads_in(store) == {"A"}


def test_a_run_that_cannot_be_read_is_named(store, tmp_path):
    deliver(published(tmp_path / "there", 4))
    for key in store.keys("nightly/2026"):
        if key.endswith("large.bin"):
            store.write(key, b"?")
    done = objects.erase(PLACE, tmp_path / "here", GONE, tmp_path / "work")
    assert done == objects.Erased((), ("20260604T000000Z-a",))
    assert Path(tmp_path / "here").exists() is False
