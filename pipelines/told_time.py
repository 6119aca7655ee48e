"""What ``train`` says of the moments that it learned from: which, how late they are known, the memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

MOST_SKEWED = 10


def lines(result: Mapping[str, Any]) -> Iterator[str]:
    """Lines about the moments that a model learned from; none where there is nothing to say."""
    if result["sampled"]:
        yield (
            f"drawn {result['sampled']['rows']:,} of {result['sampled']['of']:,} snapshots (train.max_rows): "
            "each counts for those that were not"
        )
    if result.get("worked"):
        rows, since = result["worked"]["rows"], result["worked"]["since"]
        yield f"{rows:,} rows are of called leads, weighted: since {since} nobody else is learned from"
    if result["early"]:
        yield f"{result['early']:,} more rows were decided before their horizon was over: used, with weights"
    cycle = result["cycle"]
    if cycle and cycle["is_delay_too_short"]:
        yield (
            f"outcomes are recorded up to {cycle['reporting_delay_days']} days late (99 % of "
            f"{cycle['outcomes']:,}): raise train.reporting_delay_days, now {cycle['declared_delay_days']}"
        )
    if result["memory"]:
        yield from _memory(result["memory"])


def _memory(memory: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"{memory['remembered']:,} rows come from the memory of {memory['runs']:,} nights, "
        f"{memory['reconstructed']:,} were reconstructed"
    )
    for run_id in memory["damaged_runs"]:
        yield f"not remembered: run {run_id}, whose features are damaged"
    skew = list(memory["skew"].items())
    for name, share in skew[:MOST_SKEWED]:
        yield f"skew: '{name}' is not what was scored in {share:.1%} of the remembered rows"
    if len(skew) > MOST_SKEWED:
        yield f"skew: and {len(skew) - MOST_SKEWED:,} features more, see --json"
