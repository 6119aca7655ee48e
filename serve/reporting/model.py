"""What a run keeps of the model that ranked it, so that a page need ask neither MLflow nor the model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from serve.reporting.names import FOLDER, MODEL

MOST_FEATURES = 5
"""Features that are named of each family."""


def write(
    staged: Path, *, as_of: datetime, ranked_by: str, card: Mapping[str, Any] | None, model: Mapping[str, Any]
) -> None:
    """Write ``model.json`` into the folder ``reports``.

    Parameters
    ----------
    card
        As `models.cards.card.card` made it when the model was trained; None where nobody has it any more.
    model
        ``name``, ``version``, ``digest`` and ``made_with``, as far as there is a model.
    """
    found = told(as_of=as_of, ranked_by=ranked_by, card=card, model=model)
    text = json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False)
    (staged / FOLDER / MODEL).write_text(text, encoding="utf-8")


def told(
    *, as_of: datetime, ranked_by: str, card: Mapping[str, Any] | None, model: Mapping[str, Any]
) -> dict[str, Any]:
    """What is kept.

    Returns
    -------
    dict
        ``ranked_by``, ``name``, ``version``, ``digest``, ``made_with``; of the card ``predicts``, ``data``,
        ``age_days`` (since the last moment that it learned from), ``figures`` by contender, ``reliability``
        (bins: ``forecast``, ``rate``, ``rows``), ``families`` (``family``, ``features``, ``share`` of all
        contributions, the ``strongest`` by name), ``refused`` columns, ``slices``, ``limits``. Without a card
        these are empty.
    """
    known = card or {}
    data = known.get("data")
    return {
        "ranked_by": ranked_by,
        **{name: model.get(name) for name in ("name", "version", "digest", "made_with")},
        "predicts": known.get("predicts"),
        "data": data,
        "age_days": _age_days(data, as_of),
        "figures": known.get("figures", {}),
        "reliability": known.get("calibration", []),
        "families": _families(known),
        "refused": known.get("leaks", []),
        "slices": known.get("slices", []),
        "limits": known.get("limits", []),
    }


def _age_days(data: Mapping[str, Any] | None, as_of: datetime) -> float | None:
    if data is None or data["last_as_of"] is None:
        return None
    last = datetime.fromisoformat(data["last_as_of"]).replace(tzinfo=as_of.tzinfo)
    return (as_of - last).total_seconds() / 86_400


def _families(card: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Families by their share of all contributions, the largest first; those nobody measured last."""
    views = card.get("views") or {}
    shares: Mapping[str, float] = views.get("families", {})
    strongest: dict[str, list[str]] = {}
    for row in views.get("features", []):
        strongest.setdefault(row["family"], []).append(row["feature"])
    found = [
        {
            "family": family,
            "features": count,
            "share": shares.get(family),
            "strongest": strongest.get(family, [])[:MOST_FEATURES],
        }
        for family, count in card.get("families", {}).items()
    ]
    return sorted(found, key=lambda row: (-(row["share"] or 0.0), row["family"]))
