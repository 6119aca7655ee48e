"""The command that shows the reports of the ranking in force."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines import told_reports
from pipelines.console import AsJson, ParamsFile, app, in_its_language, opened, show


class ReportName(StrEnum):
    """The reports there are."""

    SOURCES = "sources"
    FUNNEL = "funnel"
    TEAM = "team"
    MODEL = "model"


@app.command()
def report(
    name: ReportName,
    territory: Annotated[
        list[str], typer.Option(help="Count the leads of this territory only; may be repeated.")
    ] = [],  # noqa: B006  # Typer copies it
    html: Annotated[Path | None, typer.Option(help="Write the report to this file, as a page.")] = None,
    params: ParamsFile = Path("params.yaml"),
    as_json: AsJson = False,
) -> None:
    """Show what the ranking in force says of sources, funnel, team or model."""
    from pipelines import report as command

    given, home = opened(params)
    result = command.run(given, home, name.value, territories=territory, html=html)
    show(result, in_its_language(told_reports.report, given), as_json)
