"""A report as a page: that of the run in force, summed over what the viewer may see."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from fastapi import Request
from fastapi.responses import HTMLResponse

from features.errors import InputError
from serve.reporting.files import Row, Territories
from serve.reporting.names import DATA_DRIVEN
from serve.reporting.reading import REPORTS
from serve.reporting.values import TITLES, values
from serve.views.scope import Scope
from serve.web.place import place_of
from serve.web.rendering import page
from serve.web.rules import Viewer


def shown(request: Request, viewer: Viewer, name: str, *, rule: str = DATA_DRIVEN) -> HTMLResponse:
    """The page of a report; before the first run that has it, a page that says so."""
    index = place_of(request).following.index()
    report = None if index is None else _report(name, index.run.folder, territories_of(viewer.scope))
    if report is None:
        return page(request, viewer, "report.html", title=TITLES[name], report=None)
    return page(request, viewer, "report.html", **values(name, report, rule=rule))


def territories_of(scope: Scope) -> Territories:
    """The territories whose sums somebody may see: none where they see their own leads only.

    >>> territories_of(Scope(frozenset({"North"}), owner="Ann"))
    frozenset()
    """
    return scope.territories if scope.owner is None else frozenset()


@lru_cache(maxsize=64)
def _report(name: str, run: Path, territories: Territories) -> Row | None:
    """A run never changes, so neither do its reports; None if it was published without them."""
    try:
        return REPORTS[name](run, territories)
    except InputError:
        return None
