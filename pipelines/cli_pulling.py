"""The command of a host that shows what another one has scored."""

from __future__ import annotations

from pathlib import Path

from pipelines import told_runs
from pipelines.console import AsJson, ParamsFile, app, opened, progress_for, show


@app.command()
def pull(params: ParamsFile = Path("params.yaml"), as_json: AsJson = False) -> None:
    """Fetch the ranking in force from the object store of sinks.objects, and put it in force here."""
    from pipelines import pull as command

    show(command.run(*opened(params), progress=progress_for(as_json)), told_runs.pulled, as_json)
