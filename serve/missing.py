"""Days for which no ranking was published: a scheduler that stood still is told by the next night."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from serve.runs import Run, before


def missed(folder: Path, run: Run) -> list[str]:
    """Dates between the run before and this one, ISO 8601, the earliest first; none before the first run."""
    earlier = before(folder, datetime.fromisoformat(run.as_of))
    if earlier is None:
        return []
    last, this = (datetime.fromisoformat(each.as_of).date() for each in (earlier, run))
    return [(last + timedelta(days=day)).isoformat() for day in range(1, (this - last).days)]
