"""What a person reads of one look at the sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.terminal import say


def looked(result: Mapping[str, Any]) -> None:
    """How many leads have crossed, and what became of the messages."""
    say(f"{result['leads']:,} open leads: {result['crossed']:,} new messages ({result['seconds']:.1f} s)")
    if result["waiting"] is None:
        say("they stay in the outbox .leadrank/outbox.db: watch.url_env names no address")
    else:
        say(f"{result['delivered']:,} delivered, {result['waiting']:,} waiting")
