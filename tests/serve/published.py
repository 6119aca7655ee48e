"""A published run drawn by hand, for what reads runs: a few leads, no training, every file of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from serve import part_rows, runs

AS_OF = "2026-06-30T00:00:00+00:00"
NAME = "20260630T000000Z-aaaaaaaaaaaa"
TEXT, NUMBER, COUNT, MOMENT = pa.string(), pa.float64(), pa.int64(), pa.timestamp("us")
RANKING = {
    "rank": COUNT, "lead_id": TEXT, "ranked_by": TEXT, "probability": NUMBER, "probability_low": NUMBER,
    "probability_high": NUMBER, "probability_withheld": TEXT, "score": NUMBER, "grade": TEXT, "route": TEXT,
    "expected_value": NUMBER, "tags": TEXT, "margin": NUMBER, "margin_base": NUMBER, "margin_fit": NUMBER,
    "rank_before": COUNT, "change": NUMBER, "change_1": TEXT, "for_1": TEXT, "against_1": TEXT,
}  # fmt: skip
LEADS = {
    "lead_id": TEXT, "owner": TEXT, "territory": TEXT, "source": TEXT, "campaign": TEXT, "account_id": TEXT,
    "created_at": MOMENT, "stage": TEXT, "stage_at": MOMENT, "touches": COUNT, "last_touch_at": MOMENT,
    "last_touch_kind": TEXT, "last_touch_direction": TEXT,
}  # fmt: skip
REASONS = {
    "lead_id": TEXT, "rank_in_row": COUNT, "direction": TEXT, "family": TEXT, "stem": TEXT, "feature": TEXT,
    "value": TEXT, "contribution": NUMBER, "points": NUMBER, "sentence": TEXT, "is_changeable": pa.bool_(),
    "evidence_rate": NUMBER, "evidence_low": NUMBER, "evidence_high": NUMBER, "evidence_leads": COUNT,
}  # fmt: skip
CHANGES = {
    "lead_id": TEXT, "rank_before": COUNT, "probability_before": NUMBER,
    **dict.fromkeys(("change", "new_facts", "time_passing", "model", "calibration", "total"), NUMBER),
}  # fmt: skip
TIMELINE = {
    "lead_id": TEXT, "occurred_at": MOMENT, "kind": TEXT, "place": TEXT, "campaign": TEXT, "direction": TEXT,
    "duration_seconds": NUMBER, "stage": TEXT,
}  # fmt: skip
CALLS = {
    "owner": TEXT, "territory": TEXT, "place": COUNT, "lead_id": TEXT, "probability": NUMBER, "value": NUMBER,
    "why": TEXT, "selection_probability": NUMBER, "expected_wins": NUMBER,
}  # fmt: skip
IN_PARTS = ("ranking.parquet", "reasons.parquet")
CURVE = {"margins": [-5.0, 5.0], "log_odds": [-5.0, 5.0]}
Rows = Sequence[Mapping[str, Any]]


def publish(
    folder: Path,
    leads: Rows,
    *,
    name: str = NAME,
    as_of: str = AS_OF,
    publish_columns: Mapping[str, pa.DataType] | None = None,
    without: Sequence[str] = (),
    part_leads: int | None = None,
    **files: Rows,
) -> runs.Run:
    """Publish leads, the best first; what is not said is null.

    Parameters
    ----------
    leads
        Columns of ``ranking.parquet`` and of ``leads.parquet``; ``rank`` counts from 1 where none is given.
    publish_columns
        Further columns of the ranking, behind its own.
    without
        Files that the run does not have, by name without their ending.
    part_leads
        Leads of a part of the ranking, and rows of a part of the reasons; None: each is one file.
    files
        Rows of ``reasons``, ``changes``, ``change_reasons``, ``timeline`` and ``calls``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ranked = [
        {"rank": place, "ranked_by": "model", "probability": 0.5, "score": 50.0, **lead}
        for place, lead in enumerate(leads, start=1)
    ]
    tables = {
        "ranking": (RANKING | dict(publish_columns or {}), ranked),
        "leads": (LEADS, ranked),
        "reasons": (REASONS, files.get("reasons", ())),
        "changes": (CHANGES, files.get("changes", ())),
        "change_reasons": (REASONS | {"part": TEXT}, files.get("change_reasons", ())),
        "timeline": (TIMELINE, files.get("timeline", ())),
        "calls": (CALLS, files.get("calls", ())),
    }
    before = {"previous_run": "before", "both": 1, "new": 0, "departed": 0}
    manifest = {
        "as_of": as_of,
        "counts": {"ranked": len(leads), "opted_out": 0, "tables": []},
        "erased": 0,
        "changes": before if files.get("changes") else None,
        "ranked_by": "model",
        "ranked_because": "a model is in force",
        "model": {"base_rate": 0.1, "calibration": CURVE},
    }
    with runs.staging(folder) as staged:
        for file, (columns, rows) in tables.items():
            if file not in without:
                _write(_table(columns, rows), staged / f"{file}.parquet", part_leads)
        return runs.publish(staged, folder, name, manifest)


def _write(table: pa.Table, file: Path, part_leads: int | None) -> None:
    if part_leads is None or file.name not in IN_PARTS:
        pq.write_table(table, file)
    else:
        part_rows.write(table.to_reader(), file, part_leads)


def _table(columns: Mapping[str, pa.DataType], rows: Rows) -> pa.Table:
    return pa.table(
        {name: pa.array([_read(row.get(name), kind) for row in rows], kind) for name, kind in columns.items()}
    )


def _read(value: Any, kind: pa.DataType) -> Any:
    return datetime.fromisoformat(value) if kind == MOMENT and isinstance(value, str) else value
