"""The files of a training beside a SQLite database: where they are, and a word added to them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from features.errors import ModelError, StorageError
from models.tracking.address import database, here
from models.tracking.versions import Version

TEST, AUDIT, CARD, VIEWS = "test", "audit", "model", "views"
MODEL, BUNDLE = "model", "bundle"
"""Folders of a run: what the forward test left, the audit's page, the card beside the bundle, the tables
behind the pictures of the whole model; the model."""


def run_folder(uri: str, version: Version) -> str:
    """The present address of all that a version's training left."""
    return here(uri, version.artifact_uri).removesuffix(f"/{MODEL}")


def check_there(uri: str, version: Version, source: str) -> None:
    """Refuse a folder that is gone from beside the database; a server answers for itself.

    Raises
    ------
    ModelError
        There is no such folder.
    """
    if database(uri) is not None and not Path(source).is_dir():
        raise ModelError(
            f"the files of model version {version.version} are gone",
            hint="bring 'mlartifacts' back beside the database, or run `leadrank train`",
        )


def write(uri: str, version: Version, path: str, data: Mapping[str, Any]) -> None:
    """Write a JSON file beside the database; MLflow would write where the folder was before it moved.

    Raises
    ------
    StorageError
        The disk refuses.
    """
    file = Path(run_folder(uri, version)) / path
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(data, indent=1), encoding="utf-8")
    except OSError as error:
        raise StorageError(f"'{path}' cannot be written", hint=os.strerror(error.errno or 0)) from error
