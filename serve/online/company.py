"""The company's figures that a night kept, for models that compare a lead with all leads of the company."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features import keys
from features.catalogue import Feature
from features.company import ALL, Company, hash_of, reading
from features.errors import ModelError, listed
from features.moments import naive_utc
from serve import runs
from serve.online.refusal import Problem, refused

FILE = "company.parquet"
KEY = Path(".leadrank") / "company.key"
"""Below the folder of ``params.yaml``: what the values in `FILE` were hashed with."""
_TABLE = "company"
_AGAIN = "run `leadrank score --if-exists replace`"


@dataclass(frozen=True)
class Kept:
    """What a night kept.

    Attributes
    ----------
    figures
        As `features.company.figures` made them.
    key
        What their values were hashed with.
    as_of
        The night's moment, naive UTC.
    """

    figures: pa.Table
    key: bytes
    as_of: datetime

    def put(self, backend: Any) -> Company:
        """The figures in an Ibis backend."""
        return Company(backend.create_table(_TABLE, self.figures), self.key, self.as_of)


def kept(run: runs.Run, home: Path) -> Kept | None:
    """The figures of a run; None if it has none, for its model needs none, or it is older than such files.

    Raises
    ------
    ModelError
        The file is damaged, or its key is gone or another.
    """
    if FILE not in run.manifest["files"]:
        return None
    if runs.damaged_files(run, only=FILE):
        raise ModelError(f"the file '{FILE}' of the ranking in force is damaged", hint=_AGAIN)
    figures, key = pq.read_table(run.folder / FILE), keys.read(home / KEY)
    if key is None or pc.index(figures.column("value"), hash_of(key, ALL)).as_py() < 0:
        raise ModelError(f"the key of '{FILE}', '{KEY}', is gone or another", hint=_AGAIN)
    return Kept(figures, key, naive_utc(datetime.fromisoformat(run.as_of)))


def check_kept(chosen: Sequence[Feature], company: Kept | None) -> None:
    """Refuse a model that compares a lead with all others where the night kept nothing of them.

    Raises
    ------
    ModelError
        A request that held a few leads would mislead it.
    """
    of_all = [feature.name for feature in reading(chosen)]
    if of_all and company is None:
        raise ModelError(
            f"the model reads {listed(of_all)}, which are made from all leads, and the ranking in force is "
            f"older than the file '{FILE}' that keeps them",
            hint=_AGAIN,
        )


def check_moment(as_of: datetime, company_as_of: datetime | None) -> None:
    """Refuse a moment before that of the figures: they know what came after it.

    Parameters
    ----------
    company_as_of
        Moment of the figures; None if the model reads none.

    Raises
    ------
    RefusedError
        ``as_of`` is before it.
    """
    if company_as_of is not None and as_of < company_as_of:
        raise refused(
            Problem(
                "as_of",
                f"must not be before {company_as_of.isoformat()}Z, the moment of the company's figures that "
                "the model compares with",
            )
        )
