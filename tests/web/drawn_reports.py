"""Reports of a drawn night: two territories, one rep and one source of ordinary names, all others hostile."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from serve.reporting import names

STAGES = ("mql", "sql", "opportunity", "won")
MONTHS = (date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1), date(2026, 6, 1))
TERRITORIES = ("North", "South")
NOT_KNOWN_YET = "19,255 rows are left out, for their outcome is not known yet"
"""A limit as a training says it."""


def write(folder: Path, as_of: datetime, payloads: Sequence[str]) -> None:
    """Write ``reports`` into a staged run.

    Parameters
    ----------
    payloads
        Texts that stand where a team has its own: sources, campaigns, owners, stages, channels, sentences.
    """
    (folder / names.FOLDER).mkdir()
    tables = {
        names.SOURCES: _sources(payloads),
        names.SPEND: _spend(payloads),
        names.ATTRIBUTION: _attribution(payloads),
        names.FUNNEL: _funnel(payloads),
        names.DAYS: [_within(t, step=step, days=4.5, leads=9) for t in TERRITORIES for step in range(3)],
        names.MONTHS: [_month(t, month, 60 + 5 * at) for t in TERRITORIES for at, month in enumerate(MONTHS)],
        names.POOL: [_within(t, status=at, leads=40) for t in TERRITORIES for at in ("lead", payloads[2])],
        names.TEAM: [_desk(t, owner) for t in TERRITORIES for owner in ("Ann", payloads[1], None)],
        names.RESULTS: [_result(t, owner, period) for t in TERRITORIES for owner in ("Ann", payloads[1], None)
                        for period in (names.LAST, names.BEFORE)],
        names.JUDGED: [_judged(t, side, band) for t in TERRITORIES for side in (names.FOR, names.AGAINST)
                       for band in (1, 3, None)],
        names.HOLDOUT: [_group(t, group, payloads) for t in TERRITORIES for group in names.GROUPS],
        names.HOURS: [_within(t, owner="Ann", period=names.LAST, hours=12.5, leads=4) for t in TERRITORIES],
    }  # fmt: skip
    for name, rows in tables.items():
        pq.write_table(pa.Table.from_pylist(rows), folder / names.FOLDER / name)
    for name, told in ((names.ABOUT, _about(as_of)), (names.MODEL, _model(payloads))):
        (folder / names.FOLDER / name).write_text(json.dumps(told), encoding="utf-8")


def _within(territory: str, **values: Any) -> dict[str, Any]:
    return {"territory": territory, **values}


def _about(as_of: datetime) -> dict[str, Any]:
    return {
        "as_of": as_of.replace(tzinfo=None).isoformat(), "is_dated": True, "stages": STAGES,
        "window_days": 90, "least_leads": 30, "least_conversions": 5, "has_spend": True,
        "reporting_delay_days": 3, "holdout_share": 0.1,
        "sla_hours": 24.0, "returned_days": 7, "half_life_days": 30.0,
        "period_days": 90, "has_direction": True,
        "channels": ["campaign", "place"], "rules": names.RULES,
    }  # fmt: skip


def _sources(payloads: Sequence[str]) -> list[dict[str, Any]]:
    """A source with enough behind it, a hostile one with too little, and leads of no known source."""
    kinds = (("webinar", "spring", 80), (payloads[0], payloads[1], 9), (None, None, 40))
    return [
        _within(
            territory, source=source, campaign=campaign, month=month, leads=leads,
            is_mature=month != MONTHS[-1],
            **{name: leads // (at + 2) for at, name in enumerate(("mature", *STAGES))},
            **{f"mature_{stage}": leads // (at + 4) for at, stage in enumerate(STAGES)},
            amount_won=10_000.0, open=leads // 3, expected_wins=2.5, expected_value=25_000.0,
        )
        for territory in TERRITORIES for source, campaign, leads in kinds for month in MONTHS
    ]  # fmt: skip


def _spend(payloads: Sequence[str]) -> list[dict[str, Any]]:
    kinds = (("webinar", "spring"), (payloads[0], payloads[1]))
    return [
        {"source": source, "campaign": campaign, "month": MONTHS[0], "cost": 900.0, "cost_mature": 800.0}
        for source, campaign in kinds
    ]


def _attribution(payloads: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {"by": by, "rule": rule, **_within(territory, channel=channel, wins=2.5, amount=100.0)}
        for by in ("campaign", "place") for rule in names.RULES for territory in TERRITORIES
        for channel in ("pricing", payloads[3], names.OTHERS, None)
    ]  # fmt: skip


def _funnel(payloads: Sequence[str]) -> list[dict[str, Any]]:
    steps = (("lead", "mql"), ("mql", payloads[0]), (payloads[0], "won"))
    return [
        _within(territory, step=step, from_stage=before, to_stage=after, entered=90, mature=80, converted=20)
        for territory in TERRITORIES
        for step, (before, after) in enumerate(steps)
    ]


def _month(territory: str, month: date, leads: int) -> dict[str, Any]:
    counts = {stage: leads // (at + 2) for at, stage in enumerate(STAGES)}
    returned = {names.AT_ONCE: 4, names.AFTER: 3}
    return _within(territory, month=month, leads=leads, **counts, **returned, won_fast=1)


def _desk(territory: str, owner: str | None) -> dict[str, Any]:
    moved = {"both": 35, "new": 5, "departed": 4, "expected_wins_change": -1.5}
    return _within(territory, owner=owner, leads=90, open=40, calls=25, expected_wins=4.5, **moved)


def _result(territory: str, owner: str | None, period: str) -> dict[str, Any]:
    counts = {"created": 30, "accepted": 12, names.AT_ONCE: 4, names.AFTER: 3, "won": 2}
    began = {"started": 18, "in_time": 6, "waiting": 1}
    return _within(territory, owner=owner, period=period, **counts, amount_won=20_000.0, **began)


def _judged(territory: str, side: str, band: int | None) -> dict[str, Any]:
    counts = {"leads": 60, "mature": 45, "converted": 9, "won": 10}
    return _within(territory, side=side, rank_band=band, chance_band=band, **counts)


def _group(territory: str, group: str, payloads: Sequence[str]) -> dict[str, Any]:
    counts = {"leads": 450, "mature": 400, "converted": 60} if group == names.TREATED else \
             {"leads": 50, "mature": 40, "converted": 6}  # fmt: skip
    drawn = {"group": group, "experiment": payloads[0], "since": datetime(2026, 3, 1)}  # noqa: DTZ001  # as DuckDB has it
    return _within(territory, **drawn, **counts, amount=2_000.0, amount_squared=9e6)


def _model(payloads: Sequence[str]) -> dict[str, Any]:
    figure = {"value": 0.6, "low": 0.5, "high": 0.7}
    figures = dict.fromkeys(("roc_auc", "capture_20", "lift_10"), figure)
    return {
        "ranked_by": "model", "name": payloads[4], "version": "1", "digest": "d", "made_with": {},
        "predicts": "probability that a lead reaches the stage 'won' within 90 days",
        "data": {"rows": 35_820, "base_rate": 0.08}, "age_days": 98.0,
        "figures": dict.fromkeys(("model", "scorecard", "newest_first"), figures),
        "reliability": [{"forecast": share, "rate": share * 0.9, "rows": 700} for share in (0.01, 0.05, 0.3)],
        "families": [{"family": "fit", "features": 13, "share": 0.4, "strongest": [payloads[5], "industry"]},
                     {"family": "stage", "features": 2, "share": None, "strongest": []}],
        "refused": [{"column": payloads[1], "evidence": payloads[0], "verdict": "refuse"}],
        "slices": [], "limits": [NOT_KNOWN_YET, payloads[6]],
    }  # fmt: skip
