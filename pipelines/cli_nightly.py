"""Commands of the night and of the morning: the published runs, and what stands in them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from features.errors import ParameterError
from pipelines import told_calls, told_lead, told_promotion, told_ranking, told_runs, told_trace
from pipelines.again import IfExists
from pipelines.console import (
    AsJson,
    AsOf,
    ParamsFile,
    app,
    in_its_language,
    moment_of,
    now,
    opened,
    progress_for,
    show,
)


@app.command()
def score(
    params: ParamsFile = Path("params.yaml"),
    as_of: AsOf = None,
    accept_gate: Annotated[list[str], typer.Option(help="Publish though this gate found something.")] = [],  # noqa: B006
    reason: Annotated[str, typer.Option(help="Why it may; recorded with the run.")] = "",
    if_exists: Annotated[
        IfExists,
        typer.Option(help="A night that stands: leave it, make it again and compare, or redo it."),
    ] = IfExists.SKIP,
    changed_since: Annotated[
        str | None,
        typer.Option(help="Score only leads that changed since this run of the day; --as-of is then now."),
    ] = None,
    top: Annotated[int, typer.Option(help="Leads to show; 0 keeps them out of logs.", min=0)] = 10,
    as_json: AsJson = False,
) -> None:
    """Rank and explain every open lead and publish the run; the same night again changes nothing."""
    from pipelines import score as command
    from serve.gates.finding import Accepted

    given, home = opened(params)
    accepted = Accepted(tuple(accept_gate), reason)
    result = command.run(
        given,
        home,
        as_of=now() if as_of is None and changed_since is not None else moment_of(as_of),
        progress=progress_for(as_json),
        accepted=accepted,
        if_exists=if_exists,
        changed_since=changed_since,
    )
    shown = {**result, "leads": result["leads"][:top]}
    if given.shadow.nights:
        from pipelines import shadowing

        shown["shadow"] = shadowing.after(given, home, result["run_id"], progress_for(as_json))
    show(shown, in_its_language(told_ranking.ranking, given), as_json)


@app.command()
def current(
    params: ParamsFile = Path("params.yaml"),
    top: Annotated[int, typer.Option(help="Leads to show.", min=0)] = 10,
    as_json: AsJson = False,
) -> None:
    """Show the ranking in force."""
    from pipelines import show as command

    given, home = opened(params)
    show(
        command.current(given, home, top, now=now()),
        in_its_language(told_ranking.ranking, given),
        as_json,
    )


@app.command()
def calls(
    params: ParamsFile = Path("params.yaml"),
    owner: Annotated[str | None, typer.Option(help="The rep, as in the column owner; default: all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show whom to call: the call list of the ranking in force."""
    from pipelines import calling as command

    given, home = opened(params)
    show(command.run(given, home, owner), in_its_language(told_calls.calls, given), as_json)


@app.command()
def explain(
    lead_id: str,
    params: ParamsFile = Path("params.yaml"),
    html: Annotated[Path | None, typer.Option(help="Write the lead's page to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say why a lead stands where it stands in the ranking in force."""
    from pipelines import show as command

    given, home = opened(params)
    result = command.explain(given, home, lead_id, html=html)
    show(result, in_its_language(told_lead.lead, given), as_json)


@app.command()
def trace(
    lead_id: str, params: ParamsFile = Path("params.yaml"), as_of: AsOf = None, as_json: AsJson = False
) -> None:
    """Follow one lead from raw facts to rank, each number with those that it is made of."""
    from pipelines import trace as command

    moment = None if as_of is None else moment_of(as_of)
    given, home = opened(params)
    result = command.run(given, home, lead_id, as_of=moment, progress=progress_for(as_json))
    show(result, in_its_language(told_trace.trace, given), as_json)


@app.command()
def runs(params: ParamsFile = Path("params.yaml"), as_json: AsJson = False) -> None:
    """List the published runs."""
    from pipelines import show as command

    show(command.runs(*opened(params)), told_runs.run_list, as_json)


@app.command()
def rollback(
    which: Annotated[str | None, typer.Argument(help="Version or run; default: the one before.")] = None,
    is_model: Annotated[bool, typer.Option("--model", help="Bring back an earlier model.")] = False,
    is_ranking: Annotated[bool, typer.Option("--ranking", help="Bring back an earlier ranking.")] = False,
    reason: Annotated[str, typer.Option(help="Why; recorded in MLflow, or beside the runs.")] = "",
    params: ParamsFile = Path("params.yaml"),
    as_json: AsJson = False,
) -> None:
    """Put an earlier model, or an earlier ranking, in force again, bit for bit."""
    from pipelines import rollback as command

    if is_model == is_ranking:
        raise ParameterError("say what to bring back", hint="write --model or --ranking")
    if is_ranking:
        show(command.ranking(*opened(params), run_id=which, reason=reason), told_runs.rolled_back, as_json)
        return
    result = command.model(*opened(params), version=which, reason=reason, progress=progress_for(as_json))
    show(result, told_promotion.rolled_back, as_json)


@app.command()
def publish(
    resume: Annotated[bool, typer.Option("--resume", help="Carry to other systems what they lack.")] = False,
    params: ParamsFile = Path("params.yaml"),
    as_json: AsJson = False,
) -> None:
    """Carry on a publish whose database or object store did not answer; the files are published already."""
    from pipelines import sinking

    if not resume:
        raise ParameterError("say what to publish", hint="write --resume; `leadrank score` publishes a night")
    show(sinking.resume(*opened(params)), told_runs.carried, as_json)


@app.command()
def gc(
    keep: Annotated[int | None, typer.Option(help="Latest runs that stay.", min=1)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would go.")] = False,
    params: ParamsFile = Path("params.yaml"),
    as_json: AsJson = False,
) -> None:
    """Remove old runs, but never the one in force or one that is being read."""
    from pipelines import collecting

    show(collecting.run(*opened(params), keep=keep, is_dry=dry_run), told_runs.collected, as_json)
