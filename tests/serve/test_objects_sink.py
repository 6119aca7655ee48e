"""Runs in an object store: what is there, in which order it comes, and what is in force."""

from __future__ import annotations

import hashlib

import pytest

from features.ingest.objects_store import Store
from serve.runs import MANIFEST
from serve.sinks import objects, objects_runs, objects_sending
from tests.objects import BUCKET
from tests.serve.stored import PLACE, deliver, pointer_of, published, whole


def test_a_run_is_there_as_it_was_published_and_again_changes_nothing(store, tmp_path):
    run = published(tmp_path, 1)
    done = deliver(run)
    assert (done.loaded, done.current, done.removed) == ((run.run_id,), run.run_id, ())
    assert whole(store) == run.run_id
    assert pointer_of(store)["as_of"] == run.as_of
    before = store.versions()
    assert deliver(run).loaded == ()
    assert store.versions() == before  # not one object was written again


def test_a_manifest_is_the_same_bytes_and_its_digest_is_in_the_pointer(store, tmp_path):
    run = published(tmp_path, 1)
    deliver(run)
    told = pointer_of(store)
    content = store.read(f"nightly/{told['folder']}/{MANIFEST}")
    assert content == (run.folder / MANIFEST).read_bytes()
    assert told["manifest_sha256"] == hashlib.sha256(content).hexdigest()


@pytest.mark.usefixtures("store")
def test_the_manifest_comes_after_all_files_and_the_pointer_after_the_manifest(tmp_path, monkeypatch):
    run, order = published(tmp_path, 1), []
    real = Store.put

    def put(self, key, body, **conditions):
        order.append((key.rpartition("/")[2], dict(conditions)))
        return real(self, key, body, **conditions)

    monkeypatch.setattr(Store, "put", put)
    deliver(run)
    names = [name for name, _ in order]
    assert set(names[:4]) == {"ranking.parquet", "summary.json", "large.bin"}
    assert (names[4], order[-1]) == (MANIFEST, ("CURRENT", {"IfNoneMatch": "*"}))
    order.clear()
    deliver(published(tmp_path, 2))
    assert order[-1][0] == "CURRENT"
    assert set(order[-1][1]) == {"IfMatch"}


def test_a_large_file_goes_in_parts_and_comes_back_the_same(store, tmp_path, monkeypatch):
    monkeypatch.setattr(objects_sending, "PART_BYTES", 5 << 20)  # less is refused by S3, too
    large = b"0123456789" * (1 << 20) + b"end"
    run = published(tmp_path, 1, large=large)
    deliver(run)
    with Store(BUCKET, stage="test") as opened:
        folder = pointer_of(store)["folder"]
        seen = opened.head(f"nightly/{folder}/large.bin")
        assert seen.etag.strip('"').endswith("-3")
        manifest = objects_runs.fetch(opened, "nightly/", folder, tmp_path / "back")
    assert manifest == run.manifest
    assert (tmp_path / "back" / "large.bin").read_bytes() == large
    assert (tmp_path / "back" / "exports" / "summary.json").exists()


def test_files_in_folders_of_parts_are_sent_by_their_nested_names(store, tmp_path):
    run = published(tmp_path, 1)
    deliver(run)
    keys = store.keys(f"nightly/{pointer_of(store)['folder']}/")
    assert any(key.endswith("/reasons.parquet/ranking.parquet") for key in keys)
    assert any(key.endswith("/exports/summary.json") for key in keys)


def test_a_past_night_is_kept_and_does_not_come_into_force(store, tmp_path):
    late, early = published(tmp_path, 9), published(tmp_path, 3)
    deliver(late)
    assert deliver(early).current == late.run_id
    assert whole(store) == late.run_id
    with Store(BUCKET, stage="test") as opened:
        assert objects_runs.names(opened, "nightly/") == [late.run_id, early.run_id]


@pytest.mark.usefixtures("store")
def test_another_run_of_the_same_night_comes_into_force(tmp_path):
    deliver(published(tmp_path, 3, name="a"))
    again = published(tmp_path, 3, name="a-r2", leads=("A",))
    assert deliver(again).current == again.run_id


def test_the_pointer_moves_back_from_a_withdrawn_run_and_says_so(store, tmp_path):
    past, today = published(tmp_path, 3), published(tmp_path, 9)
    deliver(today)
    assert deliver(past, withdrawn={today.run_id: "wrong amounts"}).current == past.run_id
    assert pointer_of(store)["withdrawn"] == {today.run_id: "wrong amounts"}
    tomorrow = published(tmp_path, 10)
    deliver(tomorrow)  # from a host that does not know of it
    assert pointer_of(store)["withdrawn"] == {today.run_id: "wrong amounts"}
    assert deliver(today).current == tomorrow.run_id


def test_only_the_latest_nights_and_the_one_in_force_stay(store, tmp_path):
    nights = [published(tmp_path, day) for day in (1, 2, 3, 4)]
    store.write("nightly/notes/of-somebody.txt", b"mine")
    for run in nights:
        deliver(run)
    assert deliver(nights[0], withdrawn={nights[3].run_id: "x"}).current == nights[0].run_id
    removed = objects.prune(PLACE, 2)
    assert removed == (nights[1].run_id,)
    assert whole(store) == nights[0].run_id
    assert store.read("nightly/notes/of-somebody.txt") == b"mine"
    assert deliver(nights[3], keep=1).removed == (nights[0].run_id, nights[2].run_id)
