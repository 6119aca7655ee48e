"""Commands of who sets leadrank up and trains: from the first look at the tables to the promoted model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from features.errors import ParameterError
from pipelines import told, told_audit, told_backtest, told_points, told_promotion
from pipelines.console import (
    AsJson,
    Figures,
    ParamsFile,
    Pictures,
    Rows,
    app,
    now,
    opened,
    progress_for,
    show,
)


@app.command()
def init(
    files: Annotated[list[Path], typer.Argument(help="Your CSV or Parquet files.")],
    outcome: Annotated[str | None, typer.Option(help="Flat start: the column that says who was won.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Accept every proposal.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing params.yaml.")] = False,
    as_json: AsJson = False,
) -> None:
    """Look at your files and write a commented params.yaml."""
    from pipelines import init as command

    result = command.run(files, folder=Path.cwd(), outcome=outcome, yes=yes, overwrite=force)
    show({"path": str(result.path), "proposals": list(result.summary)}, told.proposals, as_json)


@app.command()
def check(params: ParamsFile = Path("params.yaml"), as_json: AsJson = False) -> None:
    """Read every table, print what was accepted and what was quarantined, and why."""
    from pipelines import checks as command

    show(command.run(*opened(params), progress=progress_for(as_json)), told.checked, as_json)


@app.command()
def audit(
    params: ParamsFile = Path("params.yaml"),
    rows: Rows = None,
    report: Annotated[Path | None, typer.Option(help="HTML file that receives the whole audit.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say of every column whether it knows the outcome: keep, quarantine or refuse, with the evidence."""
    from pipelines import audit as command

    result = command.run(*opened(params), rows=rows, report=report, progress=progress_for(as_json))
    show(result, told_audit.audited, as_json)


@app.command()
def train(
    params: ParamsFile = Path("params.yaml"),
    rows: Rows = None,
    pictures: Pictures = None,
    figures: Figures = None,
    is_strict: Annotated[
        bool, typer.Option("--strict", help="Use only fields whose `time:` is declared in params.yaml.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train on the history, measure on later leads, log to MLflow and register."""
    from pipelines import train as command

    result = command.run(
        *opened(params),
        rows=rows,
        pictures=pictures,
        figures_to=figures,
        is_strict=is_strict,
        progress=progress_for(as_json),
    )
    show(result, told.trained, as_json)


@app.command()
def backtest(
    params: ParamsFile = Path("params.yaml"),
    report: Annotated[Path | None, typer.Option(help="HTML file that receives the whole backtest.")] = None,
    figures: Figures = None,
    as_json: AsJson = False,
) -> None:
    """Replay the past: the model, trained anew at each origin, against the scorecard and plain orders."""
    from pipelines import backtest as command

    result = command.run(*opened(params), report=report, figures_to=figures, progress=progress_for(as_json))
    show(result, told_backtest.backtested, as_json)


@app.command()
def predict(
    rows: Annotated[Path, typer.Option(help="lead_id, as_of; flat: a table like the one trained on.")],
    out: Annotated[Path, typer.Option(help="CSV or Parquet file to write, one row per row, same order.")],
    params: ParamsFile = Path("params.yaml"),
    as_json: AsJson = False,
) -> None:
    """Write the probability of each given row."""
    from pipelines import predict as command

    result = command.run(*opened(params), rows=rows, out=out, progress=progress_for(as_json))
    show(result, told.predicted, as_json)


@app.command()
def models(
    params: ParamsFile = Path("params.yaml"),
    card: Annotated[str | None, typer.Option(help="Print the model card of this version.")] = None,
    points: Annotated[
        str | None, typer.Option(help="Print the learned points card of this version, one page.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the registered models, or print the card of one."""
    from pipelines import one_page
    from pipelines import show as command

    if points is not None:
        show(one_page.shown(*opened(params), points), told_points.points, as_json)
    elif card is not None:
        show(command.card(*opened(params), card), told_promotion.card, as_json)
    else:
        show(command.models(*opened(params)), told.model_list, as_json)


@app.command()
def promote(
    version: Annotated[str | None, typer.Argument(help="Version; default: the challenger.")] = None,
    params: ParamsFile = Path("params.yaml"),
    rows: Rows = None,
    force: Annotated[bool, typer.Option("--force", help="Promote although a gate is shut.")] = False,
    reason: Annotated[str | None, typer.Option(help="Why it is forced; recorded in MLflow.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare a version with the champion on rows that neither has learned from, and put it in force."""
    from pipelines import promote as command

    if force != (reason is not None):
        raise ParameterError("--force and --reason go together", hint="write --force --reason 'why'")
    result = command.run(
        *opened(params), version=version, rows=rows, forced_for=reason, progress=progress_for(as_json)
    )
    show(result, told_promotion.promoted, as_json)


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="Folder to make.")] = Path("demo"),
    leads: Annotated[int, typer.Option(help="Leads to generate.", min=200)] = 5_000,
    seed: Annotated[int, typer.Option(help="Start of the random numbers.")] = 7,
    data_only: Annotated[bool, typer.Option("--data-only", help="Only write the tables.")] = False,
    serve: Annotated[bool, typer.Option("--serve", help="Then add users and serve the page.")] = False,
    turns_bad: Annotated[
        str | None, typer.Option(help="SOURCE:WEEK: its leads are bad from then on, to try the monitor.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a demo CRM with a known truth, train on it and publish a ranking."""
    from pipelines.demo import command

    if serve and (data_only or as_json):
        raise ParameterError("--serve does not go with --data-only or --json", hint="leave one of them out")

    result = command.run(
        folder,
        leads=leads,
        seed=seed,
        data_only=data_only,
        progress=progress_for(as_json),
        turns_bad=turns_bad,
    )
    show(result, told.demo, as_json)
    if serve:
        from pipelines import serving

        serving.run_demo(*opened(folder / "params.yaml"), clock=now)
