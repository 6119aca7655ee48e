"""How a retraining and a trial read on a terminal, in the language of the ranking's sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from features.catalogue import ENGLISH, Language
from models.labels import marked
from models.phrases import spoken
from pipelines.terminal import say, show_table

Result = Mapping[str, Any]
ACTIONS = {
    "train": marked("A training is due"),
    "promote": marked("A promotion is due"),
    "wait": marked("Nothing is due"),
}
STEPS = {
    "check": marked("check"),
    "audit": marked("audit"),
    "train": marked("train"),
    "backtest": marked("backtest"),
    "promote": marked("promote"),
}
NIGHTS = (
    marked("night"), marked("leads"), marked("same first tenth"), marked("same calls"),
    marked("rank correlation"), marked("moved far"), marked("expected wins"), marked("seconds"),
)  # fmt: skip
NOTHING = "-"


def retrained(result: Result, words: Language = ENGLISH) -> None:
    """What was due and why, each step, and who is in force."""
    due = ACTIONS[result["action"]]
    say(words.text(due))
    say(*(f"  {spoken(rule['says'], words)}" for rule in result["because"]))
    if failure := result["last_failure"]:
        said = words.text("the latest attempt failed on {moment} (code {code}): {reason}")
        say(said.format(moment=failure["as_of"][:10], code=failure["code"], reason=failure["reason"]))
    rows = [_step(step, words) for step in result["steps"]]
    if refused := result["refused"]:
        rows.append((_named(refused["step"], words), NOTHING, refused["reason"]))
    if rows:
        show_table([*(words.text(name) for name in (marked("step"), marked("seconds"))), ""], rows)
    say(*_in_force(result, words))


def trial(told: Result, words: Language = ENGLISH) -> None:
    """How the trial of a challenger went after a night."""
    if failed := told.get("failed"):
        said = words.text("the challenger was not compared (code {code}): {reason}; the ranking stands")
        say(said.format(**failed))
        return
    said = words.text("version {version} is on trial: {nights} of {of} nights; `leadrank shadow` shows it")
    say(said.format(version=told["version"], nights=told["nights"], of=told["of"]))


def shadowed(result: Result, words: Language = ENGLISH) -> None:
    """The nights of the challenger, and the slices of the latest one."""
    if result["challenger"] is None:
        say(words.text("There is no challenger."))
        return
    said = words.text("version {version} beside version {champion}: {nights} of {of} nights")
    numbers = {name: result[name] for name in ("champion", "nights", "of")}
    say(said.format(version=result["challenger"], **numbers))
    if not result["reports"]:
        return
    show_table([words.text(name) for name in NIGHTS], [_night(night, words) for night in result["reports"]])
    columns = (
        marked("slice"), marked("value"), marked("leads"), marked("mean probability"),
        marked("in the first tenth"),
    )  # fmt: skip
    parts = result["reports"][-1]["slices"]
    if parts:
        show_table([words.text(name) for name in columns], [_slice(part, words) for part in parts])
    say(words.text("Two figures are the champion's and the challenger's."))


def _step(step: Result, words: Language) -> tuple[str, str, str]:
    seconds = NOTHING if step["seconds"] is None else words.number(f"{step['seconds']:,.0f}")
    said = words.text("; ").join(_summary(step["step"], step["summary"], words))
    return _named(step["step"], words), seconds, said


def _named(step: str, words: Language) -> str:
    name = STEPS[step]
    return words.text(name)


def _summary(step: str, found: Result, words: Language) -> Iterator[str]:
    from models.cards.cells import shown  # it imports NumPy, and `--help` must answer at once
    from models.cards.words import called

    if "left_out" in found:
        yield words.text("left out: {why}").format(why=spoken(found["left_out"], words))
    elif step == "check":
        numbers = {part: words.number(f"{found[part]:,}") for part in ("accepted", "read")}
        yield words.text("{accepted} of {read} rows accepted").format(**numbers)
    elif step == "audit":
        names = words.text(", ").join(found["excluded"])
        yield words.text("left out: {why}").format(why=names) if names else words.text("nothing is left out")
    elif step == "train":
        yield words.text("version {version}").format(version=found["version"])
        yield from (
            f"{called(name, words)} {shown(value, words)}" for name, value in found["figures"].items()
        )
    elif step == "backtest":
        yield f"{called('capture_20', words)} {shown(found['capture_20'], words)}"
    else:
        said = words.text("version {version} instead of version {before}")
        yield said.format(version=found["version"], before=found["instead_of"])


def _in_force(result: Result, words: Language) -> Iterator[str]:
    if result["champion"] is None:
        yield words.text("no version is in force")
    elif result["is_new_champion"]:
        yield words.text("version {version} is in force now: the next night ranks with it").format(
            version=result["champion"]
        )
    else:
        yield words.text("version {version} stays in force").format(version=result["champion"])


def _night(night: Result, words: Language) -> tuple[str, ...]:
    calls, wins = night["calls"], night["expected_wins_first_tenth"]
    return (
        night["as_of"][:10],
        words.number(f"{night['leads']:,}"),
        words.number(f"{night['first_tenth']['same_share']:.0%}"),
        NOTHING if calls is None else words.number(f"{calls['same_share']:.0%}"),
        NOTHING if night["rank_correlation"] is None else words.number(f"{night['rank_correlation']:.3f}"),
        words.number(f"{night['moved']['share']:.0%}"),
        _two(wins, ".1f", words),
        words.number(f"{night['seconds']:,.1f}"),
    )


def _slice(part: Result, words: Language) -> tuple[str, ...]:
    return (
        part["slice"],
        part["value"],
        words.number(f"{part['leads']:,}"),
        _two(part["mean_probability"], ".1%", words),
        _two(part["first_tenth"], ",d", words),
    )


def _two(sides: Mapping[str, Any], look: str, words: Language) -> str:
    """The champion's figure and the challenger's."""
    ends = (sides["champion"], sides["challenger"])
    return " · ".join(NOTHING if end is None else words.number(format(end, look)) for end in ends)
