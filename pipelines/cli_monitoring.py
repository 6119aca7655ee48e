"""The command that looks after a published ranking: what has moved, and what it is worth by now."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines import told_monitor
from pipelines.console import AsJson, ParamsFile, app, in_its_language, opened, progress_for, show


@app.command()
def monitor(
    params: ParamsFile = Path("params.yaml"),
    run: Annotated[str | None, typer.Option(help="Run to look at; default: the one in force.")] = None,
    report: Annotated[Path | None, typer.Option(help="HTML file that receives everything found.")] = None,
    metrics: Annotated[
        Path | None, typer.Option(help="File for the textfile collector of a Prometheus node exporter.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what has moved since training and since last week, how good past rankings were, and what to do."""
    from pipelines import monitor as command

    given, home = opened(params)
    result = command.run(
        given, home, run_id=run, report=report, metrics=metrics, progress=progress_for(as_json)
    )
    show(result, in_its_language(told_monitor.monitored, given), as_json)
    command.check(result, given.monitor.fail_on)
