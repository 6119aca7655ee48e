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
    if result["objects_removed"] is not None:
        say(f"{len(result['objects_removed'])} runs are gone from the object store")


def carried(result: Result) -> None:
    """What the SQL tables and the object store have now."""
    for where, told in (("the SQL tables", result), ("the object store", result["objects"])):
        if told is not None and told["run_id"] is not None:
            new, gone = len(told["loaded"]), len(told["removed"])
            say(f"In force in {where}: {told['run_id']}; {new} runs are new there, {gone} are gone.")


def pulled(result: Result) -> None:
    """Which ranking came from the object store."""
    how = "fetched and verified" if result["is_new"] else "was here already"
    say(f"In force in the object store: {result['run_id']} ({result['as_of'][:10]}), {how}.")
    if not result["is_in_force"]:
        say("A later night is in force here, and stays.")
    for name in ("replaced", "removed"):
        if result[name]:
            say(f"{len(result[name])} runs pulled earlier were {name}, as in the store.")
