"""``leadrank report``: what a published run says of sources, funnel, team and model, as a file or as data."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from features.errors import ModelError, StorageError
from pipelines.params import Params
from serve import runs
from serve.reporting.reading import REPORTS
from serve.reporting.values import values
from serve.runs import Run


def run(
    params: Params,
    home: Path,
    name: str,
    *,
    territories: Sequence[str] = (),
    html: Path | None = None,
    language: str | None = None,
) -> dict[str, Any]:
    """A report of the ranking in force.

    Parameters
    ----------
    name
        ``sources``, ``funnel``, ``team`` or ``model``.
    territories
        Whose leads are counted; none named: everybody's.
    html
        File that receives it as a page.
    language
        Of the page; None: that of the ranking's sentences.

    Returns
    -------
    dict
        ``run_id``, ``as_of``, ``name``, ``territories`` (None: all), ``html`` (None without one), ``report``.

    Raises
    ------
    ModelError
        No ranking is published yet.
    InputError
        The ranking in force was published without reports.
    StorageError
        A file of the reports cannot be read.
    """
    night = runs.current(home / params.score.runs)
    if night is None:
        raise ModelError("no ranking is published yet", hint="run `leadrank train`, then `leadrank score`")
    report = REPORTS[name](night.folder, frozenset(territories) if territories else None)
    if html is not None:
        write_page(html, page(night, name, report, language or params.score.language))
    return {
        "run_id": night.run_id,
        "as_of": night.as_of,
        "name": name,
        "territories": sorted(territories) or None,
        "html": None if html is None else str(html),
        "report": report,
    }


def page(night: Run, name: str, report: dict[str, Any], language: str) -> str:
    """The report as one HTML file: no script, no address, its style inside."""
    from serve.web.rendering import environment  # the web libraries take a second to import

    css = (files("serve.web") / "static" / "app.css").read_text(encoding="utf-8")
    told = {"css": css, "as_of": night.as_of, "run_id": night.run_id, "language": language, "theme": "auto"}
    template = environment(language).get_template("reports/file.html")
    return template.render({**told, **values(name, report, is_file=True)})


def write_page(path: Path, text: str) -> None:
    """Write a page of its own where somebody asked for it.

    Raises
    ------
    StorageError
        There is no such folder, or the disk refuses.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"the report '{path}' cannot be written", hint=os.strerror(error.errno or 0).lower()
        ) from error
