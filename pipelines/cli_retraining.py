"""Commands that keep the model young: train again when it is due, and look at the challenger on trial."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines import told_retrain
from pipelines.console import AsJson, ParamsFile, app, in_its_language, now, opened, progress_for, show


@app.command()
def retrain(
    params: ParamsFile = Path("params.yaml"),
    is_forced: Annotated[bool, typer.Option("--force", help="Train whatever the policy says.")] = False,
    is_dry: Annotated[bool, typer.Option("--dry-run", help="Only tell what is due, and why.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check, audit, train, backtest and promote, when the section retrain of params.yaml asks for it."""
    from pipelines import retrain as command

    given, home = opened(params)
    outcome = command.run(
        given, home, now=now(), progress=progress_for(as_json), is_forced=is_forced, is_dry=is_dry
    )
    show(outcome.result, in_its_language(told_retrain.retrained, given), as_json)
    if outcome.refusal is not None:
        raise outcome.refusal


@app.command()
def shadow(params: ParamsFile = Path("params.yaml"), as_json: AsJson = False) -> None:
    """Show how the challenger's lists differ from the champion's, night by night."""
    from pipelines import shadowing as command

    given, home = opened(params)
    show(command.show(given, home), in_its_language(told_retrain.shadowed, given), as_json)
