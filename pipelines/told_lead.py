"""What ``leadrank explain`` says on a terminal: the way to the probability as bars, reasons, what changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.terminal import say, show_table
from pipelines.told import chance, why_withheld, without_model
from serve.labels import NAMES

BAR = 24
"""Characters of the longest bar."""


def lead(result: Mapping[str, Any]) -> None:
    """One lead with all its reasons."""
    grade = f", grade {result['grade']} ({_named(result['route'])})" if result.get("grade") else ""
    say(
        f"{result['lead_id']}: rank {result['rank']:,}, probability {chance(result)}, "
        f"score {result['score']:.0f}{grade} (run {result['run_id']})",
        *without_model(result),
        *why_withheld(result),
    )
    if result["steps"]:
        longest = max(abs(step["points"]) for step in result["steps"])
        steps = [
            (_named(step["name"]), f"{step['points']:+.1f}", _bar(step["points"] / longest))
            for step in result["steps"]
        ]
        show_table(("from the base", "points", ""), steps)
    reasons = [
        (f"{r['points']:+.1f} points", _named(r["family"]), _sentence(r), _evidence(r, result["base_rate"]))
        for r in result["reasons"]
    ]
    show_table(("strength", "family", "reason", "leads like this"), reasons)
    if (helps := result["would_help"]) is not None:
        now = "" if helps["now"] is None else f" (now: {helps['now']})"
        say(f"leads that differ only in this stand {helps['points']:+.1f} points: {helps['then']}{now}")
    if result["change"] is not None:
        _tell_change(result["change"], result["rank"])
    if result["html"] is not None:
        say(f"the page is in {result['html']}")


def trace(result: Mapping[str, Any]) -> None:
    """A lead from raw facts to rank."""
    say(f"{result['lead_id']} as of {result['as_of']}, model version {result['model']['version']}")
    for name, facts in result["facts"].items():
        say(f"{name}: {facts['known']:,} known, {facts['later']:,} not yet known")
    rows = [
        (
            feature["name"],
            _value(feature["value"]),
            f"{feature['contribution']:+.4f}",
            feature["sentence"] or "",
        )
        for feature in result["features"]
    ]
    show_table(("feature", "value", "log-odds", "in words"), rows)
    families = [(_named(name), f"{total:+.6f}") for name, total in result["families"].items()]
    show_table(
        ("", "log-odds"),
        [("base", f"{result['base']:+.6f}"), *families, ("margin", f"{result['margin']:+.6f}")],
    )
    low, high = result["probability_low"], result["probability_high"]
    say(f"probability {result['probability']:.4%} ({low:.2%} to {high:.2%}), score {result['score']:.1f}")
    if (published := result["published"]) is None:
        say("nothing is published of this moment")
    elif published["rank"] is None:
        say(f"run {published['run_id']} does not rank it: it was not open")
    else:
        differ = ", ".join(published["features_differ"][:5]) or "none"
        say(f"run {published['run_id']} ranks it {published['rank']:,}; features that differ today: {differ}")
        if published["probability_withheld"]:
            say(f"its ranking withholds the probability: {published['probability_withheld']}")


def _value(value: object) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _tell_change(change: Mapping[str, Any], rank: int) -> None:
    points = "" if change["points"] is None else f"{change['points']:+.1f} points, "
    say(f"since {change['previous_run']}: {points}rank {change['rank_before']:,} → {rank:,}")
    rows = [(f"{r['points']:+.1f} points", _named(r["part"]), r["sentence"]) for r in change["reasons"]]
    show_table(("moved by", "because of", "reason"), rows)


def _sentence(reason: Mapping[str, Any]) -> str:
    return str(reason["sentence"]) + (" (in your hands)" if reason["is_changeable"] else "")


def _evidence(reason: Mapping[str, Any], base_rate: float | None) -> str:
    """What became of earlier leads with such a value, against all."""
    if reason["evidence_rate"] is None or base_rate is None:
        return ""
    return f"{reason['evidence_rate']:.1%} of {reason['evidence_leads']:,} against {base_rate:.1%}"


def _bar(share: float) -> str:
    """A bar of -1 to 1, to the left or to the right."""
    blocks = round(abs(share) * BAR)
    return blocks * "█" if share >= 0 else blocks * "░"


def _named(code: str) -> str:
    return NAMES.get(code, code.replace("_", " "))
