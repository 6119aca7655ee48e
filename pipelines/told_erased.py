"""What a person reads of an erasure: what went, and what remains where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.terminal import say, show_table

Result = Mapping[str, Any]


def erased(result: Result) -> None:
    """What went from which files, and what remains."""
    verb = "would go" if result["is_dry"] else "are gone"
    say(
        f"{_leads(result['asked'])} and {result['merged']} records merged with them, "
        f"{result['there']} of these in the table 'leads'",
        f"rows in {len(result['runs'])} published runs {verb}",
    )
    if not result["there"] and not result["runs"]:
        say("neither the table nor a published run knows them: are the ids spelt as in the table?")
    rows = [
        (run["run_id"], name, f"{count:,}") for run in result["runs"] for name, count in run["files"].items()
    ]
    rows += [("", name, f"{count:,}") for name, count in result["beside"].items()]
    if result["state_rows"]:
        rows.append(("the page", "feedback, audit log, saved views", f"{result['state_rows']:,}"))
    if result["sql_rows"] is not None:
        rows.append(("database", "leadrank_ranking", f"{result['sql_rows']:,}"))
    if result["object_runs"]:
        rows += [("object store", name, "replaced by a copy without them") for name in result["object_runs"]]
    if rows:
        show_table(("run", "file", "rows"), rows)
    if result["leftovers"]:
        say(f"{result['leftovers']} unfinished runs, scratch folders and indexes of the page {verb}")
    for file in result["holding"]:
        say(f"LOOK AT {file}: it names one of the leads, or cannot be read")
    show_table(("what remains", "why"), [(part["where"], part["why"]) for part in result["remains"]])


def _leads(count: int) -> str:
    return f"{count:,} lead" if count == 1 else f"{count:,} leads"
