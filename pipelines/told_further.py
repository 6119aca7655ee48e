"""What ``train`` says beside the ranking target: horizons, stages, tags and expected value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def lines(result: Mapping[str, Any]) -> Iterator[str]:
    """One line each; none where nothing was asked."""
    for days, figures in result["horizons"].items():
        yield f"within {days} days: {_figures(figures)}"
    for stage, figures in result["stages"].items():
        yield f"stage {stage}: {_figures(figures)}"
    for tag, trial in result["tags"].items():
        yield f"tag {tag}: {_tag(trial)}"
    if result["expected_value"]:
        yield f"expected value: {_value(result['expected_value'])}"


def _figures(figures: Mapping[str, Any]) -> str:
    if "left_out" in figures:
        return f"left out, {figures['left_out']}"
    immature = f", {figures['immature']:,} not mature left out" if figures["immature"] else ""
    overlap = "; a little kind, for its window is longer than the gap" if figures.get("overlap_days") else ""
    return (
        f"ROC-AUC {figures['roc_auc']:.3f}, log loss {figures['log_loss']:.3f}, calibration error "
        f"{figures['calibration_error']:.3f} on {figures['n']:,} later rows ({figures['positives']:,} reached"
        f"{immature}){overlap}"
    )


def _tag(trial: Mapping[str, Any]) -> str:
    if "left_out" in trial:
        return f"left out, {trial['left_out']}"
    if trial["why_not"]:
        return f"not shown, {trial['why_not']}"
    return (
        f"shown from {trial['least_probability']:.1%}, precision {trial['precision']:.2f} on later rows "
        f"(n = {trial['n']:,}, base rate {trial['base_rate']:.2f}, floor {trial['precision_floor']:g})"
    )


def _value(found: Mapping[str, Any]) -> str:
    if "left_out" in found:
        return f"left out, {found['left_out']}"
    return (
        f"{found['ratio']:.2f} of what was booked on later rows ({found['low']:.2f}-{found['high']:.2f}, "
        f"{found['n']:,} won rows)"
    )
