"""The command that does not end: messages about leads that have just become worth a call."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines import told_watch
from pipelines.console import AsJson, ParamsFile, app, now, opened, show


@app.command()
def watch(
    every: Annotated[
        float, typer.Option(help="Seconds from one look at the sources to the next.", min=1)
    ] = 30,
    is_once: Annotated[bool, typer.Option("--once", help="Look once, deliver what waits, and end.")] = False,
    params: ParamsFile = Path("params.yaml"),
    as_json: AsJson = False,
) -> None:
    """Tell of each lead whose points reach scorecard.mql_points, as soon as the tables say so."""
    from pipelines import watch as command

    if is_once:
        show(command.once(*opened(params), now=now), told_watch.looked, as_json)
    else:
        command.run(*opened(params), every=every, now=now)
