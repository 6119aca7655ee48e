"""Commands for the rights of the persons whom leads are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from features.errors import InputError
from pipelines import told_erased
from pipelines.console import AsJson, ParamsFile, app, now, opened, progress_for, show


@app.command()
def erase(
    lead_id: Annotated[str | None, typer.Argument(help="The lead; see also --lead-file.")] = None,
    lead_file: Annotated[
        Path | None, typer.Option(help="Text file with one lead a line: no id in the shell's history.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Number of the request; kept with the tombstone.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would go.")] = False,
    params: ParamsFile = Path("params.yaml"),
    as_json: AsJson = False,
) -> None:
    """Take a lead out of every published run and file, and keep it out; say what remains and where."""
    from pipelines import erase as command

    leads = [*([] if lead_id is None else [lead_id]), *([] if lead_file is None else _lines(lead_file))]
    result = command.run(
        *opened(params),
        lead_ids=leads,
        reason=reason,
        on=now(),
        is_dry=dry_run,
        progress=progress_for(as_json),
    )
    show(result, told_erased.erased, as_json)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError):
        raise InputError(
            f"file '{path.name}' cannot be read", hint="write one lead id a line, in UTF-8"
        ) from None
