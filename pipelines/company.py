"""The file of the company's figures: what scoring a lead now has to know of all others."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from features import keys
from features.build import cached
from features.company import figures, reading
from features.errors import StorageError
from features.moments import naive_utc
from pipelines.inputs import Inputs
from pipelines.params import Params
from pipelines.rankers import ByModel, ByScorecard
from serve.online.company import FILE, KEY


def write(
    staged: Path, params: Params, home: Path, inputs: Inputs, by: ByModel | ByScorecard, as_of: datetime
) -> None:
    """Write the figures that the model's features need of all leads; nothing if they need none."""
    chosen = reading(by.features(params, inputs)) if isinstance(by, ByModel) else []
    if not chosen:
        return
    key = _key(home / KEY)
    table = figures(inputs.tables, by.vocabulary, chosen, as_of=naive_utc(as_of), key=key, keep=cached)
    table.order_by("kind", "column", "value").to_parquet(staged / FILE)


def _key(path: Path) -> bytes:
    """The key of a project: the same one every night, so that a night can be made again and compared."""
    known = keys.read(path)
    if known is not None:
        return known
    key = keys.drawn()
    try:
        keys.write(path, key)
    except OSError as error:
        raise StorageError(
            f"'{KEY}' cannot be written", hint="free or fix the disk, then score again"
        ) from error
    return key
