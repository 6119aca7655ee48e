"""The command line: ``leadrank COMMAND``.

Reads options and the clock, calls one command, prints its result, and turns errors into exit codes and one
JSON line on stderr. Heavy libraries are imported by the command that needs them.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from features.errors import LeadrankError, ParameterError
from pipelines import (
    failing,
    told,
    told_audit,
    told_backtest,
    told_lead,
    told_points,
    told_promotion,
    told_ranking,
    told_runs,
    told_trace,
)
from pipelines.progress import Progress

if TYPE_CHECKING:
    from pipelines.params import Params  # pydantic is slow to import, and `--help` must answer at once

app = typer.Typer(
    name="leadrank",
    add_completion=False,
    rich_markup_mode=None,  # its help takes a fifth of a second to import
    pretty_exceptions_enable=False,
    help="Turns a company's CRM history into a ranked, explained list of leads every night.",
)

ParamsFile = Annotated[
    Path, typer.Option("--params", help="Parameter file; table paths start at its folder.")
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else there.")
]
Rows = Annotated[
    Path | None,
    typer.Option(help="Explicit rows: lead_id, as_of[, label]; flat: a table like the one trained on."),
]
Pictures = Annotated[Path | None, typer.Option(help="Folder that receives the curves as PNG files, too.")]
AsOf = Annotated[
    str | None, typer.Option("--as-of", help="The moment, ISO 8601 in UTC; default: this midnight.")
]
PROGRESS = Progress()


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
    _print({"path": str(result.path), "proposals": list(result.summary)}, told.proposals, as_json)


@app.command()
def check(params: ParamsFile = Path("params.yaml"), as_json: AsJson = False) -> None:
    """Read every table, print what was accepted and what was quarantined, and why."""
    from pipelines import checks as command

    _print(command.run(*_opened(params), progress=_progress(as_json)), told.checked, as_json)


@app.command()
def audit(
    params: ParamsFile = Path("params.yaml"),
    rows: Rows = None,
    report: Annotated[Path | None, typer.Option(help="HTML file that receives the whole audit.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say of every column whether it knows the outcome: keep, quarantine or refuse, with the evidence."""
    from pipelines import audit as command

    result = command.run(*_opened(params), rows=rows, report=report, progress=_progress(as_json))
    _print(result, told_audit.audited, as_json)


@app.command()
def train(
    params: ParamsFile = Path("params.yaml"),
    rows: Rows = None,
    pictures: Pictures = None,
    is_strict: Annotated[
        bool, typer.Option("--strict", help="Use only fields whose `time:` is declared in params.yaml.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train on the history, measure on later leads, log to MLflow and register."""
    from pipelines import train as command

    result = command.run(
        *_opened(params), rows=rows, pictures=pictures, is_strict=is_strict, progress=_progress(as_json)
    )
    _print(result, told.trained, as_json)


@app.command()
def backtest(
    params: ParamsFile = Path("params.yaml"),
    report: Annotated[Path | None, typer.Option(help="HTML file that receives the whole backtest.")] = None,
    as_json: AsJson = False,
) -> None:
    """Replay the past: the model, trained anew at each origin, against the scorecard and plain orders."""
    from pipelines import backtest as command

    result = command.run(*_opened(params), report=report, progress=_progress(as_json))
    _print(result, told_backtest.backtested, as_json)


@app.command()
def score(
    params: ParamsFile = Path("params.yaml"),
    as_of: AsOf = None,
    accept_gate: Annotated[list[str], typer.Option(help="Publish though this gate found something.")] = [],  # noqa: B006
    reason: Annotated[str, typer.Option(help="Why it may; recorded with the run.")] = "",
    as_json: AsJson = False,
) -> None:
    """Rank and explain every open lead and publish the run; the same night again changes nothing."""
    from pipelines import score as command
    from serve.gates.finding import Accepted

    given, home = _opened(params)
    accepted = Accepted(tuple(accept_gate), reason)
    progress = _progress(as_json)
    result = command.run(given, home, as_of=_moment(as_of), progress=progress, accepted=accepted)
    _print(result, _in_its_language(told_ranking.ranking, given), as_json)


@app.command()
def predict(
    rows: Annotated[Path, typer.Option(help="lead_id, as_of; flat: a table like the one trained on.")],
    out: Annotated[Path, typer.Option(help="CSV or Parquet file to write, one row per row, same order.")],
    params: ParamsFile = Path("params.yaml"),
    as_json: AsJson = False,
) -> None:
    """Write the probability of each given row."""
    from pipelines import predict as command

    result = command.run(*_opened(params), rows=rows, out=out, progress=_progress(as_json))
    _print(result, told.predicted, as_json)


@app.command()
def explain(
    lead_id: str,
    params: ParamsFile = Path("params.yaml"),
    html: Annotated[Path | None, typer.Option(help="Write the lead's page to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say why a lead stands where it stands in the ranking in force."""
    from pipelines import show as command

    given, home = _opened(params)
    result = command.explain(given, home, lead_id, html=html)
    _print(result, _in_its_language(told_lead.lead, given), as_json)


@app.command()
def trace(
    lead_id: str, params: ParamsFile = Path("params.yaml"), as_of: AsOf = None, as_json: AsJson = False
) -> None:
    """Follow one lead from raw facts to rank, each number with those that it is made of."""
    from pipelines import trace as command

    moment = None if as_of is None else _moment(as_of)
    given, home = _opened(params)
    result = command.run(given, home, lead_id, as_of=moment, progress=_progress(as_json))
    _print(result, _in_its_language(told_trace.trace, given), as_json)


@app.command()
def current(
    params: ParamsFile = Path("params.yaml"),
    top: Annotated[int, typer.Option(help="Leads to show.", min=0)] = 10,
    as_json: AsJson = False,
) -> None:
    """Show the ranking in force."""
    from pipelines import show as command

    given, home = _opened(params)
    _print(
        command.current(given, home, top, now=now()),
        _in_its_language(told_ranking.ranking, given),
        as_json,
    )


@app.command()
def runs(params: ParamsFile = Path("params.yaml"), as_json: AsJson = False) -> None:
    """List the published runs."""
    from pipelines import show as command

    _print(command.runs(*_opened(params)), told_runs.run_list, as_json)


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
        _print(one_page.shown(*_opened(params), points), told_points.points, as_json)
    elif card is not None:
        _print(command.card(*_opened(params), card), told_promotion.card, as_json)
    else:
        _print(command.models(*_opened(params)), told.model_list, as_json)


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
        *_opened(params), version=version, rows=rows, forced_for=reason, progress=_progress(as_json)
    )
    _print(result, told_promotion.promoted, as_json)


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
        _print(command.ranking(*_opened(params), run_id=which, reason=reason), told_runs.rolled_back, as_json)
        return
    result = command.model(*_opened(params), version=which, reason=reason, progress=_progress(as_json))
    _print(result, told_promotion.rolled_back, as_json)


@app.command()
def gc(
    keep: Annotated[int | None, typer.Option(help="Latest runs that stay.", min=1)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would go.")] = False,
    params: ParamsFile = Path("params.yaml"),
    as_json: AsJson = False,
) -> None:
    """Remove old runs, but never the one in force or one that is being read."""
    from pipelines import collecting

    _print(collecting.run(*_opened(params), keep=keep, is_dry=dry_run), told_runs.collected, as_json)


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="Folder to make.")] = Path("demo"),
    leads: Annotated[int, typer.Option(help="Leads to generate.", min=200)] = 5_000,
    seed: Annotated[int, typer.Option(help="Start of the random numbers.")] = 7,
    data_only: Annotated[bool, typer.Option("--data-only", help="Only write the tables.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a demo CRM with a known truth, train on it and publish a ranking."""
    from pipelines.demo import command

    result = command.run(folder, leads=leads, seed=seed, data_only=data_only, progress=_progress(as_json))
    _print(result, told.demo, as_json)


def main() -> NoReturn:
    """Run a command; every way it ends has its exit code (design §9)."""
    signal.signal(signal.SIGTERM, _stopped)
    try:
        # Typer returns the code of its own exits, Ctrl-C's 130 among them, and None after a command.
        code = app(sys.argv[1:] or ["--help"], standalone_mode=False)
    except LeadrankError as error:
        _fail(error)
    except SystemExit as ended:
        # Typer's own way out of a pipe that nobody reads is 1, which is none of our codes.
        sys.exit(128 + signal.SIGPIPE if ended.code == 1 else ended.code)
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(128 + signal.SIGINT)
    except typer.TyperException as error:  # all usage errors of the command line
        _fail(ParameterError(error.format_message(), hint="see `leadrank COMMAND --help`"))
    except Exception as error:  # noqa: BLE001  # the one place that may: whatever is left is our bug
        _fail(failing.bug(error))
    sys.exit(code or 0)


def _fail(error: LeadrankError) -> NoReturn:
    """End with the error's code and one JSON line on stderr, without field values."""
    sys.stderr.write(json.dumps(failing.line(error, PROGRESS), ensure_ascii=False) + "\n")
    sys.exit(error.code)


def _stopped(_signal: int, _frame: object) -> NoReturn:
    sys.exit(128 + signal.SIGTERM)


def _opened(path: Path) -> tuple[Params, Path]:
    """The parameters, and the folder that relative paths start at."""
    from pipelines.params import load

    params, home = load(path), path.resolve().parent
    PROGRESS.runs = home / params.score.runs
    return params, home


def _in_its_language(shown: Callable[..., None], params: Params) -> Callable[[Mapping[str, Any]], None]:
    """A way to read a ranking, with labels in the language of its sentences."""
    from models.labels import labels

    return partial(shown, words=labels(params.score.language))


def _progress(as_json: bool) -> Progress:
    PROGRESS.is_quiet = as_json and not sys.stderr.isatty()
    return PROGRESS


def now() -> datetime:
    """The clock; nothing below the command line reads it."""
    return datetime.now(tz=UTC)


def _moment(text: str | None) -> datetime:
    """The given moment in UTC, or the midnight that began this day."""
    if text is None:
        return now().replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ParameterError(
            "--as-of is not a moment", hint="write it like 2026-06-30 or 2026-06-30T00:00Z"
        ) from None


def _print(result: Mapping[str, Any], shown: Callable[[Mapping[str, Any]], None], as_json: bool) -> None:
    """Print a result as one JSON object, or as a person reads it."""
    if as_json:
        sys.stdout.write(json.dumps(result, ensure_ascii=False, default=str) + "\n")
    else:
        shown(result)
