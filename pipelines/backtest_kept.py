"""What a backtest leaves: one MLflow run with its tables, pictures and report, and the report as a file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import StorageError
from models import registry
from models.backtests.page import Report, page
from models.backtests.pictures import draw
from models.labels import labels
from pipelines import params as parameters
from pipelines.params import Params


def kept(
    params: Params, home: Path, scratch: Path, found: Mapping[str, Any], digest: str, report: Path | None
) -> str:
    """Log the run, and write the report where it was asked for.

    Parameters
    ----------
    scratch
        Existing folder for files on their way.
    found
        What the backtest found, with ``curves``.
    digest
        Digest of the data.
    report
        HTML file; None writes none.

    Returns
    -------
    str
        Id of the MLflow run.

    Raises
    ------
    StorageError
        The report cannot be written; nothing is logged then.
    """
    folders = {name: scratch / name for name in ("pictures", "tables", "report")}
    for folder in folders.values():
        folder.mkdir()
    pictures = draw(folders.pop("pictures"), found)
    text = page(Report(found, pictures), labels(params.score.language))
    (folders["report"] / "backtest.html").write_text(text, encoding="utf-8")
    pq.write_table(pa.Table.from_pylist(found["curves"]), folders["tables"] / "curves.parquet")
    for name in ("contenders", "differences", "ages", "slices", "origins"):
        _write_json(folders["tables"] / f"{name}.json", found[name])
    if report is not None:
        _write_report(report, text)
    return registry.log_run(
        registry.anchored(params.tracking.uri, home),
        params.tracking.experiment,
        registry.Record(
            params={
                "seed": params.seed,
                "train": params.train.model_dump(mode="json"),
                "backtest": params.backtest.model_dump(mode="json"),
            },
            metrics=dict(_metrics(found)),
            pictures=pictures,
            tags={
                "command": "backtest",
                "data_digest": digest,
                "params_digest": parameters.digest(params),
                "leadrank": metadata.version("leadrank"),
            },
            folders=folders,
        ),
    )


def _write_json(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    path.write_text(json.dumps(rows, indent=1, ensure_ascii=False), encoding="utf-8")


def _write_report(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"the report '{path.name}' cannot be written", hint=os.strerror(error.errno or 0)
        ) from error


def _metrics(found: Mapping[str, Any]) -> Iterator[tuple[str, float | None]]:
    """Every figure as numbers for MLflow: its value and the ends of its interval."""
    for table, prefix in (("contenders", ""), ("differences", "model_minus_")):
        for row in found[table]:
            name = f"{prefix}{row['contender']}.{row['figure']}"
            yield name, row["value"]
            yield f"{name}_low", row["low"]
            yield f"{name}_high", row["high"]
