"""The command that says how large an experiment has to be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from pipelines.console import AsJson, ParamsFile, app, opened, progress_for, show
from pipelines.terminal import say


@app.command()
def holdout(
    lift: Annotated[
        float, typer.Option(help="Rise of the rate that must not be missed; 0.2: a fifth.")
    ] = 0.2,
    base_rate: Annotated[
        float | None,
        typer.Option(help="Part of the leads that convert; default: that of the last year.", min=0, max=1),
    ] = None,
    leads_a_week: Annotated[
        float | None, typer.Option(help="Leads that come in a week; default: of the last 12 weeks.", min=1)
    ] = None,
    share: Annotated[
        float | None,
        typer.Option(help="Part in the control group; default: holdout.share, else 0.1.", min=0.01, max=0.5),
    ] = None,
    power: Annotated[
        float, typer.Option(help="Chance to see the rise if it is there.", min=0.5, max=0.999)
    ] = 0.8,
    alpha: Annotated[
        float, typer.Option(help="Chance to see one where there is none.", min=0.001, max=0.5)
    ] = 0.05,
    params: ParamsFile = Path("params.yaml"),
    as_json: AsJson = False,
) -> None:
    """Say how many leads, and weeks, a control group needs to show what the ranking is worth."""
    from pipelines import holdout as command

    given, home = opened(params)
    asked = command.Asked(lift, power, alpha, base_rate, leads_a_week, share)
    show(command.run(given, home, asked, progress=progress_for(as_json)), _told, as_json)


def _told(result: Mapping[str, float]) -> None:
    say(
        f"to see a rise from {result['base_rate']:.2%} to {result['base_rate'] * (1 + result['lift']):.2%} "
        f"with a chance of {result['power']:.0%} (and one where there is none: {result['alpha']:.1%}):",
        f"{result['treated']:,} leads that the ranking steers and {result['control']:,} of a control group "
        f"of {result['share']:.0%}",
        f"with {result['leads_a_week']:,.0f} leads a week: {result['weeks']:,} weeks, "
        f"and {result['then_days']} days until the last of them is mature",
    )
