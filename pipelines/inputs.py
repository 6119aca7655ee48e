"""Open the declared tables: load, check, and hand them to the steps as Ibis tables."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from features.backend import Engine, engine, environment, workspace
from features.errors import GateError
from features.ingest import Loaded, load
from features.ingest.quarantine import Counts
from features.ingest.spark_tables import Exporter
from features.snapshots import known_until
from features.tables import Field, Source
from features.tombstones import read as tombstones_of
from pipelines import directing, feedback
from pipelines.params import Params
from pipelines.progress import Progress


class Opening(Protocol):
    """How a command opens the tables: `opened`, or what has them open for several commands."""

    def __call__(self, params: Params, home: Path, progress: Progress, /) -> AbstractContextManager[Inputs]:
        """The inputs, for the time of a block."""


@dataclass(frozen=True)
class Inputs:
    """The loaded history.

    Attributes
    ----------
    backend
        Ibis DuckDB backend that holds the tables.
    engine
        What computes features of many leads from them.
    tables
        Ibis tables by canonical name.
    loaded
        Counts, ignored columns and digest of the load.
    fields
        Declared fields by table and name.
    is_flat
        Whether there is one table with the outcome in it.
    said
        Counts of what people said on the page and ``outcomes`` has beside its own rows; None: nothing.
    """

    backend: Any
    engine: Engine
    tables: Mapping[str, Any]
    loaded: Loaded
    fields: Mapping[str, Mapping[str, Field]]
    is_flat: bool
    said: Counts | None = None

    @property
    def connection(self) -> Any:
        """The DuckDB connection below the backend."""
        return self.backend.con


@contextmanager
def opened(
    params: Params,
    home: Path,
    progress: Progress,
    *,
    is_prediction: bool = False,
    said_until: datetime | None = None,
) -> Iterator[Inputs]:
    """Load all declared tables into a scratch database that is removed afterwards.

    Parameters
    ----------
    home
        Folder of ``params.yaml``.
    is_prediction
        Whether the rows are asked about: their duplicates stay, missing ids are made, no gate closes.
    said_until
        Moment before which what people said on the page counts; None: the tables' own present, so that
        feedback makes no old export look as if it held later outcomes.

    Raises
    ------
    ParameterError
        A name of ``train.monotone`` is no feature.
    InputError
        A table breaks its contract.
    GateError
        More rows than ``check.max_quarantine_share`` of a table are quarantined.
    StorageError
        The list of erased leads is damaged, or its key is gone; or the state of the page cannot be read.
    UpstreamError
        A database does not answer.
    """
    is_flat = "outcomes" not in params.tables
    asked_for = ("leads",) if is_flat else ("rows",)
    if str(home) not in sys.path:
        sys.path.append(str(home))  # features.modules are found beside params.yaml
    fields = fields_of(params, is_flat=is_flat)
    directing.check(params.train.monotone, fields, modules=params.features.modules)
    with workspace(home) as backend, engine(params.engine.asked(home), backend, home) as computing:
        with progress.stage("reading tables"):
            loaded = load(
                backend.con,
                with_clicks(params),
                folder=home,
                generate_ids=is_prediction,
                keep_duplicates_of=asked_for if is_prediction else (),
                keep_columns=params.score.publish_columns,
                environment=environment(),
                exporter=exporter(computing),
                tombstones=tombstones_of(home),
            )
        if not is_prediction:
            gate_quarantine(loaded, params.check.max_quarantine_share)
        tables, said = {name: backend.table(name) for name in params.tables}, None
        if not is_flat:
            loaded, said = feedback.merged(
                params, home, backend.con, loaded, lambda: said_until or known_until(tables)
            )
        yield Inputs(
            backend=backend,
            engine=computing,
            tables=tables,
            loaded=loaded,
            fields=fields,
            is_flat=is_flat,
            said=said,
        )


def exporter(computing: Engine) -> Exporter | None:
    """The engine, if it reads tables of Spark."""
    return computing if isinstance(computing, Exporter) else None


def with_clicks(params: Params) -> dict[str, Source]:
    """The sources, with the columns of `ads.click_id`: they are loaded, and no feature reads them."""
    leads = params.tables["leads"]
    clicks = {name: Field("category", "current") for name in params.ads.click_id.values()}
    return {**params.tables, "leads": replace(leads, fields={**clicks, **leads.fields})}


def fields_of(params: Params, *, is_flat: bool) -> dict[str, dict[str, Field]]:
    """The declared fields; a flat start has no moments, so days before the moment mean nothing there."""
    return {
        name: {n: f for n, f in source.fields.items() if not (is_flat and f.kind == "timestamp")}
        for name, source in params.tables.items()
    }


def format_of(path: Path) -> Any:
    """``parquet`` or ``csv``, by the file's suffix."""
    return "parquet" if path.suffix.lower() in {".parquet", ".pq"} else "csv"


def gate_quarantine(loaded: Loaded, max_share: float) -> None:
    """Refuse a load in which too many rows of a table are quarantined."""
    for counts in loaded.counts.values():
        if counts.quarantined > max_share * counts.read:
            raise GateError(
                f"{counts.quarantined} of {counts.read} rows of '{counts.table}' are quarantined, "
                f"more than {max_share:.0%}",
                hint="mend the file (`leadrank check` names the lines) or check.max_quarantine_share",
            )
