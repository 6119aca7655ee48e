"""Figures of a training or a backtest as small files that `dvc metrics diff` and `dvc plots diff` read."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from features.errors import StorageError
from models.cards.card import calibration
from models.cards.curves import gains, precision
from models.cards.forward_test import ForwardTest

METRICS = "metrics.json"
DIGITS = 6
MODEL = "model"

Rows = Sequence[Mapping[str, Any]]


def of_training(folder: Path | None, told: Mapping[str, Any], test: ForwardTest) -> None:
    """Write what a training measured, if a folder was asked for.

    Parameters
    ----------
    folder
        Made if absent; receives ``metrics.json`` (one number a name), ``calibration.csv`` (``forecast``,
        ``rate``, ``rows`` of ten groups), ``gains.csv`` and ``precision.csv`` (``share`` of the list, and one
        column an order). None: nothing is written.
    told
        ``rows``, ``positives``, ``base_rate`` and ``metrics``, as ``train`` returns them.

    Raises
    ------
    StorageError
        The folder cannot be written.
    """
    if folder is None:
        return
    orders = {MODEL: test.probability, **test.orders}
    numbers = {name: told[name] for name in ("rows", "positives", "base_rate")}
    _write(
        folder,
        {**numbers, **flat(told["metrics"][MODEL], of_test=True)},
        {
            "calibration": calibration(test.label, test.probability, test.weight),
            "gains": gains(test.label, orders, test.weight),
            "precision": precision(test.label, orders, test.weight),
        },
    )


def of_backtest(folder: Path | None, told: Mapping[str, Any], curves: Rows) -> None:
    """Write what a backtest measured, if a folder was asked for.

    Parameters
    ----------
    folder
        As `of_training`; receives ``metrics.json`` and ``capture.csv`` (``share`` of the list, and what share
        of the wins is found there, one column a contender).
    told
        ``lists``, ``rows``, ``won_leads``, ``base_rate`` and ``contenders``, as ``backtest`` returns them.
    curves
        ``contender``, ``share`` and ``capture``.

    Raises
    ------
    StorageError
        The folder cannot be written.
    """
    if folder is None:
        return
    numbers = {name: told[name] for name in ("lists", "rows", "won_leads", "base_rate")}
    measured = {row["figure"]: row for row in told["contenders"] if row["contender"] == MODEL}
    along: dict[float, dict[str, Any]] = {}
    for row in curves:
        along.setdefault(row["share"], {"share": row["share"]})[row["contender"]] = row["capture"]
    _write(folder, {**numbers, **flat(measured)}, {"capture": [along[share] for share in sorted(along)]})


def flat(figures: Mapping[str, Any], *, of_test: bool = False) -> dict[str, float | None]:
    """One number a figure: its value where it has an interval.

    Parameters
    ----------
    of_test
        Whether counts are those of test rows, and called so.

    >>> flat({"n": 9, "roc_auc": {"value": 0.7, "low": 0.6, "high": 0.8}}, of_test=True)
    {'test_n': 9, 'roc_auc': 0.7}
    """
    counts = ("n", "positives", "base_rate") if of_test else ()
    return {
        f"test_{name}" if name in counts else name: found["value"] if isinstance(found, Mapping) else found
        for name, found in figures.items()
    }


def _write(folder: Path, numbers: Mapping[str, Any], tables: Mapping[str, Rows]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        told = {name: _rounded(number) for name, number in numbers.items() if number is not None}
        (folder / METRICS).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        for name, rows in tables.items():
            with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
                writer.writeheader()
                writer.writerows({key: _rounded(value) for key, value in row.items()} for row in rows)
    except OSError as error:
        raise StorageError(
            f"figures cannot be written to '{folder.name}'", hint=os.strerror(error.errno or 0)
        ) from error


def _rounded(value: Any) -> Any:
    """Six digits: the last ones of a sum are the machine's."""
    return round(value, DIGITS) if isinstance(value, float) else value
