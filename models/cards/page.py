"""The model card as one HTML file: no script, no address, names escaped."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from features.catalogue import ENGLISH, Language
from models.cards.cells import tables
from models.cards.opening import data_lines, predicts, title
from models.cards.view_cells import view_tables
from models.labels import marked
from models.pages import embedded, filled

CLAIMS = {
    "importance": marked("What moves the ranking"),
    "beeswarm": marked("What moves each lead"),
    "dependence": marked("How contributions go with values"),
}


def page(
    card: Mapping[str, Any], words: Language = ENGLISH, *, pictures: Mapping[str, Path] | None = None
) -> str:
    """The whole page in a language; pictures speak English.

    Parameters
    ----------
    card
        As `models.cards.card.card` made it.
    pictures
        PNG files by name; those of ``CLAIMS`` are shown.
    """
    drawn = pictures or {}
    values = {
        "card": card,
        "title": title(card, words),
        "predicts": predicts(card, words),
        "data_lines": list(data_lines(card, words)),
        "tables": [*tables(card, words), *view_tables(card, words)],
        "pictures": {name: embedded(drawn[name]) for name in CLAIMS if name in drawn},
        "claims": CLAIMS,
    }
    return filled("models.cards", "page.html", values, words=words)
