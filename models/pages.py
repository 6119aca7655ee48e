"""Pages from templates: every value escaped, a missing one refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

Filters = Mapping[str, Callable[..., Any]]


def filled(package: str, template: str, values: Mapping[str, Any], *, filters: Filters | None = None) -> str:
    """A page.

    Parameters
    ----------
    package
        Import name of the package that the template lies in.
    template
        Its file name.
    values
        What the template names.
    filters
        Ways to show values, by the name that the template uses.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= dict(filters or {})
    text = (files(package) / template).read_text(encoding="utf-8")
    return environment.from_string(text).render(values)
