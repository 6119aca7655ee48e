"""What ``leadrank explain`` says on a terminal: the way to the probability as bars, reasons, what changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from features.catalogue import ENGLISH, Language
from models.labels import marked, named
from pipelines.terminal import say, show_table
from pipelines.told_ranking import chance, why_withheld, without_model

Result = Mapping[str, Any]

REASONS = (marked("strength"), marked("family"), marked("reason"), marked("leads like this"))
BAR = 24
"""Characters of the longest bar."""


def lead(result: Result, words: Language = ENGLISH) -> None:
    """One lead with all its reasons."""
    say(_standing(result, words), *without_model(result, words), *why_withheld(result, words))
    if result["steps"]:
        longest = max(abs(step["points"]) for step in result["steps"])
        steps = [
            (named(step["name"], words), _signed(step["points"], words), _bar(step["points"] / longest))
            for step in result["steps"]
        ]
        show_table((words.text("from the base"), words.text("points"), ""), steps)
    _tell_reasons(result, words)
    if (helps := result["would_help"]) is not None:
        say(_would_help(helps, words))
    if result["change"] is not None:
        _tell_change(result["change"], result["rank"], words)
    if result["html"] is not None:
        say(words.text("the page is in {path}").format(path=result["html"]))


def _standing(result: Result, words: Language) -> str:
    text = words.text("{lead}: rank {rank}, probability {probability}, score {score}").format(
        lead=result["lead_id"],
        rank=words.number(f"{result['rank']:,}"),
        probability=chance(result, words),
        score=f"{result['score']:.0f}",
    )
    if result.get("grade"):
        route = named(result["route"], words)
        text += words.text(", grade {grade} ({route})").format(grade=result["grade"], route=route)
    return text + words.text(" (run {run})").format(run=result["run_id"])


def _tell_reasons(result: Result, words: Language) -> None:
    rows = [
        (
            _points(reason["points"], words),
            named(reason["family"], words),
            _sentence(reason, words),
            _evidence(reason, result["base_rate"], words),
        )
        for reason in result["reasons"]
    ]
    names = (
        words.text("strength"),
        words.text("family"),
        words.text("reason"),
        words.text("leads like this"),
    )
    show_table(names, rows)


def _would_help(helps: Result, words: Language) -> str:
    text = words.text("leads that differ only in this stand {points} points: {then}").format(
        points=_signed(helps["points"], words), then=helps["then"]
    )
    return text if helps["now"] is None else text + words.text(" (now: {now})").format(now=helps["now"])


def _tell_change(change: Result, rank: int, words: Language) -> None:
    points = "" if change["points"] is None else f"{_points(change['points'], words)}, "
    since = words.text("since {run}").format(run=change["previous_run"])
    ranks = words.text("rank {before} → {now}").format(
        before=words.number(f"{change['rank_before']:,}"), now=words.number(f"{rank:,}")
    )
    say(f"{since}: {points}{ranks}")
    rows = [
        (_points(reason["points"], words), named(reason["part"], words), reason["sentence"])
        for reason in change["reasons"]
    ]
    show_table((words.text("moved by"), words.text("because of"), words.text("reason")), rows)


def _sentence(reason: Result, words: Language) -> str:
    mark = f" ({words.text('in your hands')})" if reason["is_changeable"] else ""
    return f"{reason['sentence']}{mark}"


def _evidence(reason: Result, base_rate: float | None, words: Language) -> str:
    """What became of earlier leads with such a value, against all."""
    if reason["evidence_rate"] is None or base_rate is None:
        return ""
    return words.text("{rate} of {leads} against {base}").format(
        rate=words.number(f"{reason['evidence_rate']:.1%}"),
        leads=words.number(f"{reason['evidence_leads']:,}"),
        base=words.number(f"{base_rate:.1%}"),
    )


def _points(points: float, words: Language) -> str:
    return words.text("{points} points").format(points=_signed(points, words))


def _signed(points: float, words: Language) -> str:
    return words.number(f"{points:+.1f}")


def _bar(share: float) -> str:
    """A bar of -1 to 1, to the left or to the right."""
    blocks = round(abs(share) * BAR)
    return blocks * "█" if share >= 0 else blocks * "░"
