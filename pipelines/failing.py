"""How a command ends that could not do its work: one JSON line without field values."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

from features.errors import LeadrankError
from pipelines.progress import Progress


def line(error: LeadrankError, progress: Progress) -> dict[str, Any]:
    """What is told of a failure."""
    return {
        "code": error.code,
        "stage": error.place.stage or progress.stage_name,
        "file": error.place.file,
        "row": error.place.row,
        "column": error.place.column,
        "reason": error.reason,
        "run_id": None,
        "current_run_id": _current_run_id(progress.runs),
        "hint": error.hint,
    }


def told(error: Exception) -> LeadrankError:
    """An error that is none of ours: the machine has refused, or it is a bug."""
    from features.machine import refusal

    return refusal(error) or bug(error)


def bug(error: Exception) -> LeadrankError:
    """An unexpected error, told by its type and place: its message could hold a lead's data."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames]
    return LeadrankError(
        f"unexpected {type(error).__name__} at {' > '.join(ours[-4:])}",
        hint="please report it with this line; the last published ranking is in force",
    )


def _current_run_id(runs: Path | None) -> str | None:
    """The ranking that stays in force after a failure."""
    if runs is None:
        return None
    from serve.runs import current_or_none

    run = current_or_none(runs)
    return None if run is None else run.run_id
