"""How models that single values of a category have of their own read on a terminal: which, and why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def lines(result: Mapping[str, Any]) -> Iterator[str]:
    """What ``train`` says of models that values have of their own; none where nobody asked."""
    found = result.get("segment_models")
    if found is None:
        return
    name, values = found["by"], found["values"]
    if not values:
        yield f"segments.by: the model reads no '{name}', so one model serves all leads"
        return
    compared = [value for value in values if "tried" in value]
    used = sum(value["share"] > 0 for value in compared)
    counts = (
        f"{len(compared)} of {len(values)} values of {name} have outcomes enough for a model of their own"
    )
    if not used:
        yield f"{counts}, and none is surely better: one model serves all leads" if compared else counts
    else:
        yield f"{counts}, and {used} {'is' if used == 1 else 'are'} surely better:"
    yield from (f"  {_compared(name, value)}" for value in compared)
    if found["whole"] is not None:
        loss, auc = found["whole"]["log_loss"], found["whole"]["roc_auc"]
        yield (
            f"  all later leads: log loss {loss['challenger']:.4f} instead of {loss['champion']:.4f} "
            f"({_interval(loss)}), ROC-AUC {auc['challenger']:.3f} instead of {auc['champion']:.3f}"
        )


def _compared(name: str, value: Mapping[str, Any]) -> str:
    how = "by its own model" if value["tried"] == 1 else "half by its own model"
    before, after = value["calibrate"], value["test"]
    text = (
        f"{name} '{value['value']}' {how}: {value['why']}, log loss {before['tried']:.4f}, "
        f"by that of all leads {before['pooled']:.4f} (difference {_interval(before)})"
    )
    return f"{text}; on the test slice {_interval(after)}" if after["rows"] else text


def _interval(found: Mapping[str, Any]) -> str:
    return f"{found['difference']:+.4f}, {found['low']:+.4f} to {found['high']:+.4f}"
