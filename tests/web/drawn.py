"""Published nights drawn by hand, with texts that a page must not run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from serve import runs
from tests.web import drawn_reports

LEADS = 120
PAYLOADS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</textarea><svg onload=alert(1)>",
    "javascript:alert(1)",
    "{{7*7}}${alert(1)}",
    "'-alert(1)-'",
    "\u2028</script><script>alert(1)</script>",
)
"""Texts that a page would run if it took one of them for a part of itself."""
CREATED, REACHED, TOUCHED = (
    datetime(2026, month, day, 9, tzinfo=UTC).replace(tzinfo=None) for month, day in ((5, 1), (6, 1), (6, 28))
)
FAMILIES = ("fit", "behaviour", "stage")


def lead_ids() -> list[str]:
    """Half are of North, half of South, in turn; the first are those of the payloads."""
    return [f"L{number:03}" for number in range(LEADS)]


def publish(folder: Path, as_of: datetime, *, before: str | None = None, is_turned: bool = False) -> runs.Run:
    """Put a night in force.

    Parameters
    ----------
    before
        Id of the night before: with one there is a ledger.
    is_turned
        Whether the last lead comes first: another night's order.
    """
    ranked = lead_ids()[::-1] if is_turned else lead_ids()
    name = runs.run_id(as_of, "drawn", str(is_turned))
    folder.mkdir(exist_ok=True)
    with runs.staging(folder) as staged:
        _write(staged, "ranking", [_ranked(lead, place, before) for place, lead in enumerate(ranked, 1)])
        _write(staged, "reasons", [reason for lead in ranked for reason in _reasons(lead)])
        _write(staged, "leads", [_facts(lead) for lead in ranked])
        _write(staged, "timeline", [touch for lead in ranked for touch in _touches(lead)])
        _write(staged, "calls", [_call(lead, place) for place, lead in enumerate(ranked[:20], 1)])
        if before is not None:
            _write(staged, "changes", [_change(lead, place) for place, lead in enumerate(ranked, 1)])
            changed = [{**reason, "part": "new_facts"} for lead in ranked for reason in _reasons(lead)[:1]]
            _write(staged, "change_reasons", changed)
        drawn_reports.write(staged, as_of, PAYLOADS)
        return runs.publish(staged, folder, name, _manifest(as_of, before))


def _manifest(as_of: datetime, before: str | None) -> dict[str, Any]:
    changes = None if before is None else {"previous_run": before, "both": LEADS, "new": 0, "departed": 0}
    curve = {"margins": [-6.0, 6.0], "log_odds": [-6.0, 6.0]}
    return {
        "as_of": as_of.astimezone(UTC).isoformat(),
        "ranked_by": "model",
        "counts": {"ranked": LEADS, "opted_out": 0, "tables": []},
        "changes": changes,
        "language": "en",
        "gates": {"findings": [{"gate": "drift", "reason": PAYLOADS[0]}]},
        "model": {"name": "drawn", "version": "1", "base_rate": 0.08, "calibration": curve},
    }


def _ranked(lead: str, place: int, before: str | None) -> dict[str, Any]:
    number, chance = int(lead[1:]), 0.6 - 0.004 * place
    grade, route = [("A1", "call_now"), ("C1", "fast_track"), ("B3", "nurture"), ("D4", "hold")][number % 4]
    return {
        "rank": place,
        "lead_id": lead,
        "ranked_by": "model",
        "probability": chance,
        "probability_low": chance * 0.7,
        "probability_high": chance * 1.3,
        "probability_withheld": None,
        "score": 100.0 - place / 2,
        "grade": grade,
        "route": route,
        "expected_value": 1000 * chance,
        "tags": ["fast_close", "fast_close, high_value", None][number % 3],
        "margin": 0.5,
        "margin_base": -2.5,
        **dict.fromkeys((f"margin_{family}" for family in FAMILIES), 1.0),
        "rank_before": None if before is None else place % 3 + place,
        "change": None if before is None else float(place % 5 - 2),
        "change_1": None,
        **_sentences(lead),
        "name": PAYLOADS[number] if number < len(PAYLOADS) else f"Person {number}",
        "company": PAYLOADS[-number - 1] if number < len(PAYLOADS) else f"Company {number // 4}",
        "owner": f"Rep {number % 4}",
        "territory": ("North", "South")[number % 2],
        "source": ("organic", "paid_search")[number // 2 % 2],
    }


def _reasons(lead: str) -> list[dict[str, Any]]:
    number = int(lead[1:])
    payload = PAYLOADS[number % len(PAYLOADS)] if number < len(PAYLOADS) else "opportunity"
    said = [("for", "stage", f"latest stage: {payload}", 12.5), ("for", "fit", "seniority: director", 2.0),
            ("against", "follow_up", "first answer after 3 days", -1.5)]  # fmt: skip
    return [
        {
            "lead_id": lead, "rank_in_row": place, "direction": direction, "family": family, "stem": family,
            "feature": family, "value": payload, "contribution": points / 10, "points": points,
            "sentence": sentence, "is_changeable": family == "follow_up", "evidence_rate": 0.1,
            "evidence_low": 0.05, "evidence_high": 0.2, "evidence_leads": 200,
        }
        for place, (direction, family, sentence, points) in enumerate(said, 1)
    ]  # fmt: skip


def _sentences(lead: str) -> dict[str, str]:
    """The same sentences beside the rank."""
    first, second, against = (reason["sentence"] for reason in _reasons(lead))
    return {"for_1": first, "for_2": second, "against_1": against}


def _facts(lead: str) -> dict[str, Any]:
    row = _ranked(lead, 1, None)
    return {
        "lead_id": lead,
        **{name: row[name] for name in ("owner", "territory", "source")},
        "campaign": PAYLOADS[0],
        "account_id": f"A{int(lead[1:]) // 4}",
        "created_at": CREATED,
        "stage": "sql",
        "stage_at": REACHED,
        "touches": 2,
        "last_touch_at": TOUCHED,
        "last_touch_kind": "web_visit",
        "last_touch_direction": "in",
    }


def _touches(lead: str) -> list[dict[str, Any]]:
    touch = {"lead_id": lead, "kind": PAYLOADS[1], "place": PAYLOADS[2], "campaign": PAYLOADS[3]}
    return [
        {**touch, "occurred_at": TOUCHED, "direction": "in", "duration_seconds": None,
         "stage": None},
        {"lead_id": lead, "kind": None, "place": None, "campaign": None, "direction": None,
         "duration_seconds": None, "occurred_at": REACHED, "stage": "sql"},
    ]  # fmt: skip


def _call(lead: str, place: int) -> dict[str, Any]:
    why = ("best", "explore", "recycled")[place % 3]
    return {"owner": f"Rep {int(lead[1:]) % 4}", "territory": "North", "place": place, "lead_id": lead,
            "probability": 0.5, "value": 10.0, "why": why, "selection_probability": 1.0,
            "expected_wins": 0.5 * place}  # fmt: skip


def _change(lead: str, place: int) -> dict[str, Any]:
    parts = {"new_facts": 0.2, "time_passing": -0.1, "model": 0.0, "calibration": 0.0, "total": 0.1}
    return {"lead_id": lead, "rank_before": place + 1, "probability_before": 0.1, "change": 1.5, **parts}


def _write(folder: Path, name: str, rows: Sequence[dict[str, Any]]) -> None:
    pq.write_table(pa.Table.from_pylist(list(rows)), folder / f"{name}.parquet")
