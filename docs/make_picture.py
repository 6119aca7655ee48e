"""Draw `docs/ranking.svg`: what the terminal shows of a published demo ranking.

Runs the commands themselves on the folder of a demo, so no figure in the picture is made by hand:

    make demo
    .venv/bin/python docs/make_picture.py demo
"""
# ruff: noqa: INP001  # a script beside the manual, not a package

from __future__ import annotations

import io
import os
import re
import sys
from contextlib import redirect_stdout
from datetime import datetime
from pathlib import Path
from unittest.mock import patch

from rich.console import Console
from rich.text import Text

from pipelines import cli, cli_nightly, show
from pipelines.params import load

COLUMNS = 104
TOP = 4
PICTURE = Path(__file__).with_name("ranking.svg")


def picture(folder: Path) -> str:
    """The SVG of `leadrank current` and of `leadrank explain` for the first lead.

    Parameters
    ----------
    folder
        Working folder of a demo, with a published ranking.
    """
    home = folder.resolve()
    params = load(home / "params.yaml")
    ranked_at = datetime.fromisoformat(str(show.runs(params, home)["runs"][0]["as_of"]))
    first = show.current(params, home, 1, now=ranked_at)["leads"][0]["lead_id"]
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    for command in (f"current --top {TOP}", f"explain {first}"):
        console.print(f"[bold]$ leadrank {command}[/]", highlight=False)
        console.print(Text.from_ansi(_shown(command, home, ranked_at)))
    return _without_addresses(console.export_svg(title="leadrank", unique_id="leadrank"))


def _shown(command: str, home: Path, now: datetime) -> str:
    """What the command prints on a terminal; the folder by its name, wherever it lies."""
    terminal = {"COLUMNS": str(COLUMNS), "FORCE_COLOR": "1"}
    with (
        patch.dict(os.environ, terminal),
        patch.object(cli_nightly, "now", lambda: now),
        redirect_stdout(io.StringIO()) as out,
    ):
        cli.app([*command.split(), "--params", str(home / "params.yaml")], standalone_mode=False)
    return out.getvalue().replace(str(home), home.name)


def _without_addresses(svg: str) -> str:
    """The picture without fonts and links from elsewhere: a reader's own monospaced font is used."""
    return re.sub(r"\s*@font-face \{.*?\}|<!--.*?-->", "", svg, flags=re.DOTALL)


if __name__ == "__main__":
    PICTURE.write_text(picture(Path(sys.argv[1])), encoding="utf-8")
