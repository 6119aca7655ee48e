"""Runs in an object store, drawn by hand: published, delivered, and looked at whole."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

from features.ingest.objects import address
from features.ingest.objects_store import Store
from serve import runs
from serve.runs import MANIFEST
from serve.sinks import objects, objects_pointer
from serve.sinks.sql import Wanted
from tests.objects import BUCKET
from tests.serve.rankings import ranking

PLACE = address(f"s3://{BUCKET}/nightly")
POINTER = "nightly/CURRENT"


def published(folder, day, *, leads=("A", "B"), name="a", large=b""):
    """Publish a night of June; a file of it in parts, and one in a folder."""
    with runs.lock(folder), runs.staging(folder) as staged:
        ranking(staged, [{"lead_id": lead, "probability": day / 30} for lead in leads])
        ranking(
            staged / "reasons.parquet", [{"lead_id": lead, "sentence": f"{lead} calls"} for lead in leads]
        )
        (staged / "exports").mkdir()
        (staged / "exports" / "summary.json").write_text(f'{{"day": {day}}}', encoding="utf-8")
        (staged / "large.bin").write_bytes(large or bytes([day]) * 100)
        manifest = {"as_of": datetime(2026, 6, day, tzinfo=UTC).isoformat(), "counts": {"ranked": len(leads)}}
        return runs.publish(staged, folder, f"202606{day:02}T000000Z-{name}", manifest)


def deliver(run, *others, **more):
    return objects.deliver(PLACE, Wanted(runs=others, in_force=run, **more))


def pointer_of(store):
    return json.loads(store.read(POINTER))


def whole(store, prefix="nightly/"):
    """The run in force, every file of which is there as its manifest has it."""
    with Store(BUCKET, stage="test") as opened:
        pointer, _ = objects_pointer.read(opened, prefix)
        if pointer is None:
            return None
        keys = {
            key.removeprefix(f"{prefix}{pointer.folder}/") for key in store.keys(f"{prefix}{pointer.folder}/")
        }
        manifest = json.loads(store.read(f"{prefix}{pointer.folder}/{MANIFEST}"))
        assert keys == {*manifest["files"], MANIFEST}
        for name, entry in manifest["files"].items():
            assert (
                hashlib.sha256(store.read(f"{prefix}{pointer.folder}/{name}")).hexdigest() == entry["sha256"]
            )
    assert manifest["run_id"] == pointer.run_id
    return pointer.run_id


class Died(BaseException):  # it is no error: the process is gone
    """The process is killed."""


def dying(monkeypatch, moment):
    """Die before the n-th request that writes anything, or right after it; the number of requests so far."""
    real, count = Store.ask, [0]

    def ask(self, method, **named):
        if not method.startswith(("put", "upload", "create", "complete", "delete")):
            return real(self, method, **named)
        for is_done in (False, True):
            count[0] += 1
            if count[0] >= moment:
                raise Died
            if not is_done:
                answer = real(self, method, **named)
        return answer

    monkeypatch.setattr(Store, "ask", ask)
    return count
