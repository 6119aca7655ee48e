"""How the leakage audit reads on a terminal: every column for ``audit``, what to decide for ``train``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.terminal import say

Result = Mapping[str, Any]
MOST_UNKNOWN = 10  # fields of unknown moment that a training names; `leadrank audit` names them all


def audited(result: Result) -> None:
    """Each column that somebody declared or has to decide about, and how many others there are."""
    columns = result["columns"]
    shown = [c for c in columns if c["verdict"] != "keep" or c["attention"] or c["is_field"]]
    say(*(f"{_verdict(c):<19} '{c['column']}' — {c['evidence']}" for c in shown))
    counts = ", ".join(f"{count:,} {verdict}" for verdict, count in result["verdicts"].items())
    say(f"{result['rows']:,} rows ({result['positives']:,} won), {len(columns):,} columns: {counts}")
    if len(columns) > len(shown):
        say(f"{len(columns) - len(shown):,} features are cut at the moment, and nothing was found in them")
    if result["auc_used"] is not None:
        say(
            f"a quick model reaches a ROC-AUC of {result['auc_used']:.3f} on later rows, "
            f"{result['auc_declared']:.3f} with declared moments alone (`leadrank train --strict`)"
        )
    if result["report"] is not None:
        say(f"the whole audit is in {result['report']}")
    if any(c["verdict"] != "keep" for c in columns):
        say("to use a column all the same, name it with your reason under audit.allow in params.yaml")


def decisions(result: Result) -> Iterator[str]:
    """The lines of a training: what was left out and why, and what is used though somebody should look."""
    columns = result["columns"]
    for column in columns:
        why = f"'{column['column']}' — {column['evidence']}"
        if column["verdict"] == "refuse":
            yield f"left out as a leak: {why}"
        elif column["verdict"] == "quarantine":
            yield f"left out until you decide (audit.allow): {why}"
        elif column["allowed"] is not None:
            yield f"used although it was found: {why}"
        elif "suspect" in column["attention"] and column["is_used"]:
            yield f"suspect, still used: {why}"
    asked = [
        c for c in columns if c["verdict"] == "keep" and c["is_missed"] and "suspect" not in c["attention"]
    ]
    yield from (f"'{column['column']}' — {column['evidence']}" for column in asked[:MOST_UNKNOWN])
    if len(asked) > MOST_UNKNOWN:
        yield f"{len(asked) - MOST_UNKNOWN} more fields of unknown moment: `leadrank audit` names them"


def signal(result: Result) -> Iterator[str]:
    """A sentence where the model ranks no better than chance."""
    if result["no_signal"]:
        auc = result["metrics"]["model"]["roc_auc"]
        yield (
            f"no signal: the interval of the ROC-AUC ({auc['low']:.3f} to {auc['high']:.3f}) contains 0.5, "
            "so this model ranks no better than chance"
        )


def _verdict(column: Result) -> str:
    attention = ["suspect"] if "suspect" in column["attention"] else []
    unused = ["not used"] if column["verdict"] == "keep" and not column["is_used"] else []
    return ", ".join([column["verdict"], *attention, *unused])
