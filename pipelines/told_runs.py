"""What a person reads of published runs: which there are, which came back, which are gone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.terminal import say, show_table

Result = Mapping[str, Any]
MEBIBYTE = 1 << 20


def run_list(result: Result) -> None:
    """Published runs; the one in force is marked, and those that were withdrawn."""
    rows = [
        (
            "→" if run["run_id"] == result["current"] else "✗" if run["withdrawn"] else "",
            run["run_id"],
            run["as_of"],
            run["ranked_by"],
            run["leads"],
        )
        for run in result["runs"]
    ]
    show_table(("", "run", "as of", "ranked by", "leads"), rows)
    if result["damaged"]:
        say(
            f"Damaged, and no run any more: {', '.join(result['damaged'])}.",
            "Score such a night again, or move its folder away.",
        )


def rolled_back(result: Result) -> None:
    """Which ranking is in force again."""
    say(
        f"In force again: {result['run_id']} ({result['as_of'][:10]}), instead of {result['instead_of']}.",
        "The same night does not put that one back; the next night's ranking comes into force as always.",
    )


def collected(result: Result) -> None:
    """What is gone, or would be."""
    verb = "would go" if result["is_dry"] else "are gone"
    leftovers = f", {result['leftovers']} unfinished ones" if result["leftovers"] else ""
    say(f"{len(result['removed'])} runs{leftovers} {verb}: {result['bytes'] / MEBIBYTE:,.1f} MiB")
    if result["in_use"]:
        say(f"{len(result['in_use'])} stay because somebody reads them: try again later")


def carried(result: Result) -> None:
    """What the SQL tables have now."""
    new, gone = len(result["loaded"]), len(result["removed"])
    say(f"In force in the SQL tables: {result['run_id']}; {new} runs are new there, {gone} are gone.")
