"""The model card as one HTML file: no script, no address, names escaped."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from models.cards.cells import period, tables


def page(card: Mapping[str, Any]) -> str:
    """The whole page.

    Parameters
    ----------
    card
        As `models.cards.card.card` made it.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string((files("models") / "card_page.html").read_text(encoding="utf-8"))
    return template.render(card=card, period=period(card["data"]), tables=list(tables(card)))
