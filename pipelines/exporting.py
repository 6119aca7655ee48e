"""The files of a run that other systems import: uploads of a CRM, values of clicks for ad platforms."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.inputs import Inputs
from pipelines.params import Params
from serve.sinks import ads, uploads
from serve.sinks.columns import sql_columns
from serve.sinks.platforms import PLATFORMS
from serve.sinks.targets import TARGETS

FOLDER, SUMMARY = "exports", "summary.json"


def export(params: Params, inputs: Inputs, staged: Path, *, as_of: datetime) -> None:
    """Write the files that ``exports`` and ``ads`` ask for, and beside them what they hold.

    ``exports/summary.json`` has ``crm`` (``name``, rows by file, texts that were ``cut``; null without one)
    and ``ads`` (``rows``, and leads ``left_out`` by the reason; by platform).

    Parameters
    ----------
    staged
        Folder of the run in the making, with ``ranking.parquet``.

    Raises
    ------
    ParameterError
        A column that was asked for is not there.
    InputError
        A row is too large for the CRM, or the ranking too wide for an SQL table.
    """
    if params.sinks.sql is not None:
        _fits(inputs, staged)
    if params.exports.crm is None and not params.ads.click_id:
        return
    (staged / FOLDER).mkdir(exist_ok=True)
    told = {"crm": _crm(params, inputs, staged), "ads": _ads(params, inputs, staged, as_of)}
    (staged / FOLDER / SUMMARY).write_text(json.dumps(told, indent=2, sort_keys=True), encoding="utf-8")


def _fits(inputs: Inputs, staged: Path) -> None:
    """Refuse before anything is published what the database could not hold."""
    ranked = inputs.connection.read_parquet(str(staged / "ranking.parquet"))
    sql_columns(dict(zip(ranked.columns, map(str, ranked.types), strict=True)))


def _crm(params: Params, inputs: Inputs, staged: Path) -> dict[str, Any] | None:
    crm = params.exports.crm
    if crm is None:
        return None
    written = uploads.write(
        inputs.connection,
        staged / "ranking.parquet",
        staged / FOLDER,
        name=crm,
        target=TARGETS[crm],
        fields=params.exports.fields,
    )
    return {"name": crm, **asdict(written)}


def _ads(params: Params, inputs: Inputs, staged: Path, as_of: datetime) -> dict[str, Any]:
    given = params.ads
    if not given.click_id or given.currency is None:
        return {}
    goals = ads.Goals(
        stage=params.train.stage,
        currency=given.currency,
        of=given.goals,
        names=given.names,
        amount=given.amount,
    )
    told: dict[str, Any] = {}
    for name, column in given.click_id.items():
        sent = ads.write(
            inputs.connection,
            staged / "ranking.parquet",
            staged / FOLDER / f"ads-{name}.csv",
            platform=PLATFORMS[name],
            click_id=column,
            goals=goals,
            as_of=as_of,
        )
        told[name] = asdict(sent)
    return told
