"""One run of MLflow: the experiment it belongs to, and how it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from models.tracking.address import artifact_root


def experiment_id(client: Any, uri: str, name: str) -> str:
    """Id of the experiment; a new one when the folder was moved, as MLflow keeps absolute paths."""
    root = artifact_root(uri)
    for number in count(1):
        numbered = name if number == 1 else f"{name} ({number})"
        found = client.get_experiment_by_name(numbered)
        if found is None:
            return str(client.create_experiment(numbered, artifact_location=root and str(root)))
        is_here = root is None or found.artifact_location.removeprefix("file://") == str(root)
        if is_here and found.lifecycle_stage == "active":
            return str(found.experiment_id)
    raise AssertionError  # count() has no end


@contextmanager
def finished(client: Any, run_id: str) -> Iterator[None]:
    """End the run: as failed, unless the block went through."""
    status = "FAILED"
    try:
        yield
        status = "FINISHED"
    finally:
        client.set_terminated(run_id, status)
