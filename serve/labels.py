"""Labels of pages in the reader's language; sentences of features have catalogues of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from features.languages import Language, catalogue, language

NAMES: Mapping[str, str] = {
    "base": "typical lead",
    "total": "this lead",
    "fit": "fit",
    "interest": "interest",
    "behaviour": "behaviour",
    "recency": "timing",
    "stage": "stage",
    "source": "source",
    "account": "account",
    "follow_up": "follow-up",
    "generic": "other actions",
    "new_facts": "new facts",
    "time_passing": "time passing",
    "model": "model",
    "calibration": "calibration",
    "call_now": "call now",
    "fast_track": "fast-track",
    "nurture": "nurture",
    "hold": "hold",
}
"""Words for codes of ours; a team's own routes and families are shown with spaces for underscores."""
_LOCALES = Path(__file__).parent / "locales"


@lru_cache
def labels(code: str) -> Language:
    """The texts of pages in a language; read once.

    Raises
    ------
    ParameterError
        There is no such language.
    """
    spoken = language(code)
    if code == "en":
        return spoken
    return replace(spoken, texts=catalogue(_LOCALES / code / "LC_MESSAGES" / "pages.po", code))


def named(code: str, spoken: Language) -> str:
    """A family, route or part of a change in words."""
    return spoken.text(NAMES[code]) if code in NAMES else code.replace("_", " ")
