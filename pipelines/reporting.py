"""The reports as a step of ``leadrank score``: figures by territory, and what is known of the model."""

from __future__ import annotations

import json
import tempfile
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from features.errors import LeadrankError
from features.moments import naive_utc
from models import registry
from pipelines.champion import Champion
from pipelines.deferring import PATIENCE_SECONDS, within
from pipelines.feedback import SAID as SAID_COLUMNS
from pipelines.inputs import Inputs
from pipelines.params import Params
from pipelines.rankers import DEFERRED, ByModel, ByScorecard
from serve.reporting import model, writing
from serve.reporting.judged import SAID
from serve.reporting.plan import Plan
from serve.runs import Run


def write_reports(
    params: Params,
    home: Path,
    inputs: Inputs,
    by: ByModel | ByScorecard,
    staged: Path,
    *,
    as_of: datetime,
    touches: str,
    previous: Run | None,
) -> None:
    """Write the folder ``reports`` of the staged run.

    Parameters
    ----------
    touches
        Table of the touches with the leads that visitors became.
    previous
        The run that the ledger compares with; None without one.
    """
    plan = Plan(
        as_of=naive_utc(as_of).isoformat(),
        window_days=params.train.horizon_days,
        delay_days=params.train.reporting_delay_days,
        sla_hours=params.reports.sla_hours,
        returned_days=params.features.returned_days,
        half_life_days=params.features.half_life_days,
        tables=_columns(inputs),
        touches=touches,
        holdout_share=params.holdout.share or None,
    )
    writing.write(inputs.connection, staged, plan, previous=previous)
    card = card_of(params, home, by) if isinstance(by, ByModel) else None
    model.write(staged, as_of=as_of, ranked_by=by.ranked_by, card=card, model=_named(by))


def _columns(inputs: Inputs) -> dict[str, tuple[str, ...]]:
    """Columns of the loaded tables, and of what was said on the page where it counts."""
    found = {name: tuple(table.columns) for name, table in inputs.tables.items()}
    return found if inputs.said is None else {**found, SAID: tuple(SAID_COLUMNS.names)}


def _named(by: ByModel | ByScorecard) -> dict[str, Any]:
    """What a reader calls the ranker by."""
    if isinstance(by, ByScorecard):
        return {"name": by.ranked_by, "digest": by.digest}
    made_with = dict(by.champion.bundle.made_with)
    return {
        "name": by.name,
        "version": by.champion.version,
        "digest": by.digest,
        "made_with": made_with,
    }


def card_of(params: Params, home: Path, by: ByModel) -> dict[str, Any] | None:
    """The model card of the champion: the copy of this project, else that of the registry, which is kept.

    None where neither has it, or MLflow does not answer: a ranking does not wait for its card.
    """
    kept = home / ".leadrank" / "cards" / f"{by.digest}.json"
    if not kept.is_file() and (by.tracking == DEFERRED or not _keep(params, home, by.champion, kept)):
        return None
    try:
        found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


def _keep(params: Params, home: Path, champion: Champion, kept: Path) -> bool:
    """Whether the card could be copied from the registry."""
    uri = registry.anchored(params.tracking.uri, home)
    try:
        text = within(PATIENCE_SECONDS, partial(_fetched, uri, params.tracking.model, champion.digest))
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = kept.with_suffix(".new")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(kept)
    except (LeadrankError, OSError, StopIteration):
        return False
    return True


def _fetched(uri: str, name: str, digest: str) -> str:
    """The card of the version with a digest, as text."""
    version = next(version for version in registry.versions(uri, name) if version.digest == digest)
    with tempfile.TemporaryDirectory(prefix="leadrank-") as scratch:
        return (registry.fetch_card(uri, version, Path(scratch)) / "card.json").read_text(encoding="utf-8")
