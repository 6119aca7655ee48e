"""Pages from templates: every value escaped, a missing one refused, labels in the reader's language."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from features.catalogue import ENGLISH, Language
from models.phrases import spoken

Filters = Mapping[str, Callable[..., Any]]


def filled(
    package: str,
    template: str,
    values: Mapping[str, Any],
    *,
    filters: Filters | None = None,
    words: Language = ENGLISH,
) -> str:
    """A page.

    Parameters
    ----------
    package
        Import name of the package that the template lies in.
    template
        Its file name.
    values
        What the template names, beside ``_``, ``counted`` and ``language``.
    filters
        Ways to show values, by the name that the template uses, beside ``spoken``, ``whole`` and ``day``.
    words
        The reader's language: what ``_`` and the filters say.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "spoken": lambda text: spoken(text, words),
        "whole": lambda number: words.number(f"{number:,}"),
        "day": words.date,
        **(filters or {}),
    }
    own = {"_": words.text, "counted": words.counted, "language": words.code}
    text = (files(package) / template).read_text(encoding="utf-8")
    return environment.from_string(text).render({**own, **values})


def embedded(picture: Path) -> str:
    """A file in base64, for a page that must not ask for another one."""
    return base64.b64encode(picture.read_bytes()).decode("ascii")
