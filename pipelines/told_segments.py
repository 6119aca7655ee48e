"""How segments read on a terminal: where probabilities came true, and whose probability is withheld."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

MOST_OUTSIDE = 5  # segments that `train` names; the model card has them all


def lines(result: Mapping[str, Any]) -> Iterator[str]:
    """What ``train`` says of segments; none where nothing tells leads apart."""
    parts = result["segments"]
    outside = sorted((part for part in parts if not part["is_inside"]), key=lambda part: -part["leads"])
    if parts:
        inside = f"{len(parts) - len(outside)} of {len(parts)} segments of later leads"
        ends = ", outside in:" if outside else ""
        yield f"the mean probability lies in the 95 % interval of what came true in {inside}{ends}"
    yield from (f"  {_outside(part)}" for part in outside[:MOST_OUTSIDE])
    if len(outside) > MOST_OUTSIDE:
        yield f"  and {len(outside) - MOST_OUTSIDE} others: the model card has them"
    if result["withheld"]:
        yield from _floor(result["withheld"])


def _outside(part: Mapping[str, Any]) -> str:
    return (
        f"{part['slice']} '{part['value']}': {part['forecast']:.1%} said, {part['rate']:.1%} "
        f"({part['rate_low']:.1%}-{part['rate_high']:.1%}) came true (n = {part['rows']:,} rows of "
        f"{part['leads']:,} leads)"
    )


def _floor(floor: Mapping[str, Any]) -> Iterator[str]:
    least, counts = floor["least_outcomes"], floor["outcomes"]
    below = sum(count < least for count in counts.values())
    if below:
        yield (
            f"no probability is published for {below} of {len(counts)} values of {floor['segment_by']}: "
            f"fewer than {least} won or not-won later leads"
        )
