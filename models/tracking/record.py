"""What is kept of one piece of work, whoever does the keeping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from models.tracking.flat import Json


@dataclass(frozen=True)
class Record:
    """One run: numbers, words and files.

    Attributes
    ----------
    params
        Nested mappings become ``section.key``; values are cut at 500 characters.
    metrics
        Values that are None or not finite are left out.
    tags
        Words about the run.
    pictures
        PNG files by name.
    folders
        Folders by name, copied as they are.
    """

    params: Mapping[str, Json]
    metrics: Mapping[str, float | None]
    tags: Mapping[str, str]
    pictures: Mapping[str, Path] = field(default_factory=dict)
    folders: Mapping[str, Path] = field(default_factory=dict)
