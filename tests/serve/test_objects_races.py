"""The pointer of a store always has a whole run behind it, whoever else publishes, dies or tampers."""

from __future__ import annotations

import base64
import hashlib
import itertools
import threading
from dataclasses import replace

import pytest

from features.errors import LeadrankError, ParameterError, StorageError, UpstreamError
from features.ingest.objects import ConditionError, address
from features.ingest.objects_store import Store
from serve.runs import MANIFEST
from serve.sinks import objects, objects_sending
from serve.sinks.sql import Wanted
from tests.objects import BUCKET, SECRET
from tests.serve.stored import POINTER, Died, deliver, dying, pointer_of, published, whole


def test_a_crash_at_each_request_leaves_the_old_run_or_the_new_one_in_force_whole(
    store, tmp_path, monkeypatch
):
    monkeypatch.setattr(objects_sending, "PART_BYTES", 6_000)  # large.bin goes in two parts
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1)
    large = b"0123456789" * 1_000
    old = published(tmp_path, 1)
    deliver(old)
    new = published(tmp_path, 2, large=large)
    in_force = []
    for moment in itertools.count(1):
        try:
            with monkeypatch.context() as patched:
                dying(patched, moment)
                deliver(new)
            break
        except Died:
            in_force.append(whole(store))
            if in_force[-1] == old.run_id:  # begin anew: what was sent is not sent again
                _take_away(store, new)
    assert in_force == sorted(in_force)
    assert set(in_force) == {old.run_id, new.run_id}
    assert len(in_force) > 2 * len(new.manifest["files"])
    assert whole(store) == new.run_id


def _take_away(store, run):
    for key in store.keys(f"nightly/{run.run_id}/"):
        store.remove(key)


def test_of_two_publishers_that_race_the_later_night_ends_up_in_force(store, tmp_path):
    first, second = published(tmp_path / "a", 4), published(tmp_path / "b", 5)
    for _ in range(4):
        store.remove(POINTER)
        ready, failed = threading.Barrier(2), []

        def publish(run, ready=ready, failed=failed):
            ready.wait()
            try:
                deliver(run)
            except LeadrankError as error:
                failed.append(error)

        both = [threading.Thread(target=publish, args=(run,)) for run in (first, second)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        assert failed == []
        assert whole(store) == second.run_id


@pytest.mark.parametrize("day", [1, None])
def test_a_publisher_that_is_overtaken_between_look_and_put_looks_again(store, tmp_path, monkeypatch, day):
    if day is not None:
        deliver(published(tmp_path, day))
    mine, theirs = published(tmp_path, 3), published(tmp_path, 8)
    real, is_overtaken = Store.put, []

    def put(self, key, body, **conditions):
        if key == POINTER and not is_overtaken:
            is_overtaken.append(key)
            deliver(theirs)
        return real(self, key, body, **conditions)

    monkeypatch.setattr(Store, "put", put)
    assert deliver(mine).current == theirs.run_id
    assert whole(store) == theirs.run_id


@pytest.mark.usefixtures("store")
def test_an_answer_that_is_lost_after_the_put_does_no_harm(tmp_path, monkeypatch):
    run, real = published(tmp_path, 3), Store.put

    def put(self, key, body, **conditions):
        found = real(self, key, body, **conditions)
        if key == POINTER:
            raise ConditionError  # what botocore's second attempt is told
        return found

    monkeypatch.setattr(Store, "put", put)
    assert deliver(run).current == run.run_id


def test_a_store_that_keeps_no_conditions_is_refused_and_its_pointer_stays(store, tmp_path, monkeypatch):
    old = published(tmp_path, 1)
    deliver(old)
    real = Store.put
    for ignored in ("IfNoneMatch", "IfMatch"):

        def put(self, key, body, ignored=ignored, **conditions):
            return real(self, key, body, **{name: v for name, v in conditions.items() if name != ignored})

        monkeypatch.setattr(Store, "put", put)
        with pytest.raises(UpstreamError, match="keeps no conditions") as raised:
            deliver(published(tmp_path, 2))
        assert raised.value.code == 5
        assert whole(store) == old.run_id


@pytest.mark.parametrize("how", ["cut", "altered", "gone"])
def test_an_object_that_arrives_as_something_else_keeps_the_pointer_where_it_is(
    store, tmp_path, monkeypatch, how
):
    old = published(tmp_path, 1)
    deliver(old)
    real = Store.put

    def put(self, key, body, **conditions):
        found = real(self, key, body, **conditions)
        if key.endswith("large.bin"):
            noted = store.client.head_object(Bucket=BUCKET, Key=key)["Metadata"]
            other = {"cut": body[:-1], "altered": body[:-1] + b"?", "gone": b""}[how]
            store.client.put_object(Bucket=BUCKET, Key=key, Body=other, Metadata=noted)
            if how == "gone":
                store.remove(key)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(Store, "put", put)
        with pytest.raises(UpstreamError, match="came out another"):
            deliver(published(tmp_path, 2))
    assert whole(store) == old.run_id


def test_a_stores_own_checksum_is_compared_where_it_keeps_one(store, tmp_path, monkeypatch):
    real = Store.head
    wrong = {"is": False}

    def head(self, key):
        seen = real(self, key)
        if seen is None or not key.endswith("large.bin"):
            return seen
        digest = hashlib.sha256(b"other" if wrong["is"] else store.read(key)).digest()
        return replace(seen, checksum=base64.b64encode(digest).decode())

    monkeypatch.setattr(Store, "head", head)
    monkeypatch.setattr(
        Store, "blocks", lambda _, seen: pytest.fail("it was read") if "large" in seen.key else iter([b""])
    )
    monkeypatch.setattr(objects_sending, "_is_whole", _only_large(objects_sending._is_whole))
    run = published(tmp_path, 1)
    assert deliver(run).current == run.run_id
    wrong["is"] = True
    with pytest.raises(UpstreamError, match="came out another"):
        deliver(published(tmp_path, 2))
    assert pointer_of(store)["run_id"] == run.run_id


def _only_large(real):
    return lambda store, seen, entry, checksum: "large" not in seen.key or real(store, seen, entry, checksum)


def test_a_damaged_file_is_not_spread(store, tmp_path):
    old = published(tmp_path, 1)
    deliver(old)
    run = published(tmp_path, 2)
    (run.folder / "large.bin").write_bytes(b"?" * 100)
    with pytest.raises(StorageError, match=r"'large\.bin' of run"):
        deliver(run)
    assert whole(store) == old.run_id


def test_an_object_that_somebody_took_away_is_sent_again(store, tmp_path):
    run = published(tmp_path, 1)
    deliver(run)
    key = f"nightly/{pointer_of(store)['folder']}/large.bin"
    store.remove(key)
    assert deliver(run).loaded == (run.run_id,)
    assert whole(store) == run.run_id


def test_a_pointer_that_says_nothing_is_told(store, tmp_path):
    store.write(POINTER, b"what")
    with pytest.raises(StorageError, match="says nothing"):
        deliver(published(tmp_path, 1))


def test_a_bucket_that_is_missing_or_refuses_is_upstream_and_tells_no_secret(store, tmp_path, monkeypatch):
    run = published(tmp_path, 1)
    with pytest.raises(
        UpstreamError, match="the bucket of 's3://no-such-bucket/x' cannot be found"
    ) as raised:
        objects.deliver(address("s3://no-such-bucket/x"), Wanted(runs=(), in_force=run))
    assert raised.value.code == 5
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(UpstreamError) as raised:
        deliver(run)
    assert SECRET not in f"{raised.value}{raised.value.place}{raised.value.__cause__}"
    with pytest.raises(ParameterError):
        address(f"s3://me:{SECRET}@{BUCKET}/x")
    assert store.keys() == []


def test_a_run_that_loses_an_object_while_it_is_sent_is_not_pointed_at(store, tmp_path, monkeypatch):
    old = published(tmp_path, 1)
    deliver(old)
    real = Store.put

    def put(self, key, body, **conditions):
        if key.endswith(MANIFEST):
            store.remove(key.replace(MANIFEST, "large.bin"))
        return real(self, key, body, **conditions)

    with monkeypatch.context() as patched:
        patched.setattr(Store, "put", put)
        with pytest.raises(UpstreamError, match="went while it was sent"):
            deliver(published(tmp_path, 2))
    assert whole(store) == old.run_id
