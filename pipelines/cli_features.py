"""The command that writes feature tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines import told
from pipelines.console import AsJson, ParamsFile, app, moment_of, opened, progress_for, show


@app.command()
def features(
    out: Annotated[Path, typer.Option(help="CSV or Parquet file to write, one row per lead and moment.")],
    params: ParamsFile = Path("params.yaml"),
    as_of: Annotated[
        str | None,
        typer.Option(help="Open leads of this moment, ISO 8601 in UTC; default: the tables' own present."),
    ] = None,
    rows: Annotated[
        Path | None, typer.Option(help="Rows of your own in place of a night: lead_id, as_of.")
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="The labelled rows that training learns from.")
    ] = False,
    costs: Annotated[
        bool, typer.Option("--costs", help="Also measure seconds and bytes of each family.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the feature table of a night, of given rows, or of the history."""
    from pipelines import made_features as command

    given, home = opened(params)
    result = command.run(
        given,
        home,
        out=out,
        as_of=None if as_of is None else moment_of(as_of),
        rows=rows,
        is_history=history,
        has_costs=costs,
        progress=progress_for(as_json),
    )
    show(result, told.features_made, as_json)
