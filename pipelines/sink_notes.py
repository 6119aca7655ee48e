"""What another system still lacks of the published runs, noted before each attempt to carry it there.

So a crash between the publish and the other system is made good by the next night, or on request.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from features.errors import StorageError


def noted(home: Path, file: str) -> dict[str, Any]:
    """``runs`` (ids) and ``reason`` of a note; no runs where there is none, or it is damaged."""
    try:
        found = json.loads((home / ".leadrank" / file).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    is_note = isinstance(found, dict) and isinstance(found.get("runs"), list)
    return found if is_note else {"runs": [], "reason": None}


def note(home: Path, file: str, names: set[str], *, reason: str | None = None) -> None:
    """Replace a note, or take it away if nothing is lacking.

    Raises
    ------
    StorageError
        The disk refuses.
    """
    path = home / ".leadrank" / file
    try:
        if not names:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps({"runs": sorted(names), "reason": reason}), encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        raise StorageError(
            f"the note '{file}' cannot be written",
            hint="free or fix the disk, then `leadrank publish --resume`",
        ) from error
