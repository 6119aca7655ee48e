"""How a promotion, a rollback and a model card read on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from pipelines.terminal import say, show_table

Result = Mapping[str, Any]


def promoted(result: Result) -> None:
    """The paired figures, the gates, and who is in force now."""
    if not result["is_new"]:
        say(f"version {result['version']} is the champion already")
        return
    if result["figures"]:
        say(
            f"{result['rows']:,} rows of {result['leads']:,} leads that neither has learned from, "
            f"{result['positives']:,} of them positive"
        )
        show_table(
            ("", "champion", "challenger", "difference (95 %)"), list(map(_row, result["figures"].items()))
        )
    show_table(
        ("gate", "", ""),
        [(g["name"], "open" if g["is_open"] else "SHUT", g["says"]) for g in result["gates"]],
    )
    instead = "" if result["instead_of"] is None else f" instead of version {result['instead_of']}"
    forced = f", forced: {result['forced_for']}" if result["forced_for"] else ""
    say(f"version {result['version']} is the champion{instead}{forced}")
    say("next: `leadrank score`; to go back: `leadrank rollback --model --reason TEXT`")


def rolled_back(result: Result) -> None:
    """Which version is in force again."""
    if not result["is_new"]:
        say(f"version {result['version']} is the champion already; its files have the registered digest")
        return
    say(
        f"version {result['version']} is the champion again instead of version {result['instead_of']}, "
        f"digest {result['digest'][:12]}: {result['reason']}",
        "next: `leadrank score`",
    )


def card(result: Result) -> None:
    """The Markdown text as it is."""
    sys.stdout.write(result["text"])


def _row(entry: tuple[str, Mapping[str, float]]) -> tuple[str, ...]:
    name, figure = entry
    change = f"{figure['difference']:+.4f} ({figure['low']:+.4f} to {figure['high']:+.4f})"
    return name.replace("_", " "), f"{figure['champion']:.4f}", f"{figure['challenger']:.4f}", change
