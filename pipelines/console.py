"""What all commands share: the application, options, the clock, and how a result is printed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.errors import ParameterError
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
Figures = Annotated[
    Path | None,
    typer.Option(help="Folder that receives metrics.json and the curves as CSV files, for DVC and others."),
]
AsOf = Annotated[
    str | None, typer.Option("--as-of", help="The moment, ISO 8601 in UTC; default: this midnight.")
]
PROGRESS = Progress()


def group(name: str, text: str) -> typer.Typer:
    """Commands under one name, ``leadrank NAME …``; the text is their help."""
    made = typer.Typer(name=name, no_args_is_help=True, rich_markup_mode=None, help=text)
    app.add_typer(made)
    return made


def opened(path: Path) -> tuple[Params, Path]:
    """The parameters, and the folder that relative paths start at."""
    from pipelines.params import load

    params, home = load(path), path.resolve().parent
    PROGRESS.runs = home / params.score.runs
    return params, home


def in_its_language(shown: Callable[..., None], params: Params) -> Callable[[Mapping[str, Any]], None]:
    """A way to read a ranking, with labels in the language of its sentences."""
    from models.labels import labels

    return partial(shown, words=labels(params.score.language))


def progress_for(as_json: bool) -> Progress:
    """What the command says while it runs: nothing to a program that reads its JSON."""
    PROGRESS.is_quiet = as_json and not sys.stderr.isatty()
    return PROGRESS


def now() -> datetime:
    """The clock; nothing below the command line reads it."""
    return datetime.now(tz=UTC)


def moment_of(text: str | None) -> datetime:
    """The given moment in UTC, or the midnight that began this day."""
    if text is None:
        return now().replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ParameterError(
            "--as-of is not a moment", hint="write it like 2026-06-30 or 2026-06-30T00:00Z"
        ) from None


def show(result: Mapping[str, Any], shown: Callable[[Mapping[str, Any]], None], as_json: bool) -> None:
    """Print a result as one JSON object, or as a person reads it."""
    if as_json:
        sys.stdout.write(json.dumps(result, ensure_ascii=False, default=str) + "\n")
    else:
        shown(result)
