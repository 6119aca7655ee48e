"""The learned points card as a step of training, and how a registered one is printed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from features.errors import ModelError
from models import registry
from models.points.fading import unfading
from models.points.learned import LEARNED_CARD, learned
from models.points.rule import Rule
from models.training import Trained
from pipelines.champion import fetched
from pipelines.params import Params

NO_LINE = {"left_out": "no line is steady over time"}


def with_points(trained: Trained, *, resamples: int, seed: int) -> tuple[Trained, dict[str, Any]]:
    """The training with a learned points card in its bundle, and the card's figures by contender."""
    found = learned(trained.first, trained.bundle.specs, resamples=resamples, seed=seed)
    kept = NO_LINE if found is None else found.as_json()
    figures = {} if found is None else {LEARNED_CARD: dict(found.figures)}
    return trained.with_extras({LEARNED_CARD: kept}), figures


def shown(params: Params, home: Path, version: str) -> dict[str, Any]:
    """The learned points card of a version.

    Returns
    -------
    dict
        ``version``, ``digest``, ``lines`` (``points`` and ``sentence``), ``rules`` as ``scorecard.rules``
        takes them (they were learned without fading, and say so), ``rounding`` and ``against_model``.

    Raises
    ------
    ModelError
        There is no such version, or its training found no steady line.
    """
    uri = registry.anchored(params.tracking.uri, home)
    model = fetched(uri, home, registry.version(uri, params.tracking.model, version))
    kept: Mapping[str, Any] = model.bundle.extras.get(LEARNED_CARD, NO_LINE)
    if "rules" not in kept:
        raise ModelError(
            f"version {version} has no learned points card: no line is steady over time",
            hint="add history or fields, then run `leadrank train`",
        )
    told = {name: kept[name] for name in ("lines", "rounding", "against_model")}
    told["rules"] = [unfading(Rule(**rule)).as_json() for rule in kept["rules"]]
    return {"version": version, "digest": model.digest, **told}
