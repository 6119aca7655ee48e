"""Pictures as a step of training: the curves of the forward test and the views of the whole model."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from features.errors import StorageError
from models.cards.pictures import draw
from models.training import Trained
from models.views import pictures as views
from models.views.overview import Overview
from models.weights import weights_of


def drawn(
    folder: Path, trained: Trained, orders: Mapping[str, Any], seen: Overview, *, also: Path | None
) -> dict[str, Path]:
    """Draw curves on the test rows, and what was seen of the whole model, into a folder.

    Parameters
    ----------
    also
        A second folder, made if absent, that receives copies; None: no copies.

    Raises
    ------
    StorageError
        The second folder cannot be written.
    """
    auc = trained.report["metrics"]["roc_auc"]  # its interval resamples leads; rows would make it too narrow
    curves = draw(
        folder,
        trained.test.column("label").to_numpy() == 1,
        trained.test.column("probability").to_numpy(),
        weight=weights_of(trained.test),
        others={name.replace("_", " "): order for name, order in orders.items()},
        auc_interval=(auc["low"], auc["high"]),
    )
    pictures = {**curves, **views.draw(folder, seen)}
    if also is not None:
        _copy(pictures, also)
    return pictures


def _copy(pictures: Mapping[str, Path], folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for picture in pictures.values():
            shutil.copyfile(picture, folder / picture.name)
    except OSError as error:
        raise StorageError(
            f"pictures cannot be written to '{folder.name}'", hint=os.strerror(error.errno or 0)
        ) from error


def write(seen: Mapping[str, Any], folder: Path) -> Path:
    """Write ``views.json``, the tables behind the views, into a new folder, and return it."""
    folder.mkdir()
    (folder / "views.json").write_text(json.dumps(seen, indent=1, ensure_ascii=False), encoding="utf-8")
    return folder
