"""How a learned points card reads on a terminal: one page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipelines.terminal import say, show_table

LOSSES = {"roc_auc": "ROC-AUC", "capture": "capture in the best 20 %", "log_loss": "log loss"}


def points(result: Mapping[str, Any]) -> None:
    """The lines, what they cost against the model, and the rules to copy."""
    rows = [(f"{line['points']:+.0f}", line["sentence"]) for line in result["lines"]]
    show_table(("points", f"learned points card of version {result['version']}"), rows)
    found = result["against_model"]
    say(
        "on later rows, the card minus the model (95 % interval):",
        *(f"  {words}: {_change(found[name])}" for name, words in LOSSES.items()),
        f"whole points changed the ROC-AUC by {result['rounding']['roc_auc']:+.4f}",
        "\nto rank by it while no model is in force, copy into params.yaml:",
        "scorecard:",
        "  rules:",
        *(f"    - {json.dumps(rule, ensure_ascii=False)}" for rule in result["rules"]),
    )


def _change(figure: Mapping[str, float]) -> str:
    return f"{figure['difference']:+.3f} ({figure['low']:+.3f} to {figure['high']:+.3f})"
