"""The model card as one HTML file: no script, no address, names escaped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.cards.cells import period, tables
from models.pages import filled


def page(card: Mapping[str, Any]) -> str:
    """The whole page.

    Parameters
    ----------
    card
        As `models.cards.card.card` made it.
    """
    values = {"card": card, "period": period(card["data"]), "tables": list(tables(card))}
    return filled("models.cards", "page.html", values)
