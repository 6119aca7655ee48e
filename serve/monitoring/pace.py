"""Whether a night took longer, or more memory, than nights like it usually take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from models.labels import marked
from models.phrases import Phrase
from serve.monitoring.figure import OK, WARNING, Figure, Part
from serve.runs import Run

FEWEST_NIGHTS = 5
"""Earlier nights without which nothing is usual."""
TIMES, SECONDS = 2.0, 30.0
"""A stage is slow from so many times its usual seconds on, and by so many more at least."""
MEMORY_TIMES, MEMORY_MIB = 1.5, 512.0
SLOWER = marked("'{subject}' took {value:.0f} seconds, usually {against:.0f}")
LARGER = marked("the night took {value:.0f} MiB of memory, usually {against:.0f}")

Stages = Mapping[str, Mapping[str, Any]]


def pace(run: Run, earlier: Sequence[Run]) -> Part:
    """Seconds of each stage, and the greatest memory, against the median of earlier nights.

    Parameters
    ----------
    earlier
        Runs before it. A night built on another scores few leads, so it is compared with its like only.

    Returns
    -------
    Part
        Figures of kind ``pace``, subject a stage or ``memory``; none of a run of before stages were kept, and
        none before there are five earlier nights.
    """
    tonight = _stages(run)
    like = [_stages(other) for other in earlier if _is_whole(other) == _is_whole(run)]
    like = [stages for stages in like if stages]
    if not tonight or len(like) < FEWEST_NIGHTS:
        return Part(())
    figures = [
        _seconds(name, float(stage["seconds"]), [float(s[name]["seconds"]) for s in like if name in s])
        for name, stage in tonight.items()
    ]
    return Part((*(figure for figure in figures if figure is not None), _memory(tonight, like)))


def _is_whole(run: Run) -> bool:
    return run.manifest.get("changed_since") is None


def _stages(run: Run) -> Stages:
    return {str(stage["stage"]): stage for stage in run.manifest.get("resources", ())}


def _seconds(name: str, value: float, others: Sequence[float]) -> Figure | None:
    if len(others) < FEWEST_NIGHTS:
        return None
    usual = median(others)
    limit = max(TIMES * usual, usual + SECONDS)
    return _figure(name, "seconds", value, usual, limit, SLOWER)


def _memory(tonight: Stages, like: Sequence[Stages]) -> Figure:
    usual = median(_peak(stages) for stages in like)
    limit = max(MEMORY_TIMES * usual, usual + MEMORY_MIB)
    return _figure("memory", "peak_mib", _peak(tonight), usual, limit, LARGER)


def _peak(stages: Stages) -> float:
    return max(float(stage["peak_mib"]) for stage in stages.values())


def _figure(subject: str, measure: str, value: float, usual: float, limit: float, words: str) -> Figure:
    is_over = value > limit
    return Figure(
        kind="pace",
        subject=subject,
        measure=measure,
        value=value,
        reference="earlier",
        against=usual,
        limit=limit,
        level=WARNING if is_over else OK,
        because=Phrase(words, subject=subject, value=value, against=usual) if is_over else "",
    )
