"""How a ranking reads on a terminal, in the language of its sentences: the run, and its first leads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from features.catalogue import ENGLISH, Language
from models.labels import marked
from models.phrases import recognised, spoken
from pipelines import told_monitor, told_retrain
from pipelines.terminal import say, show_table

Result = Mapping[str, Any]
COLUMNS = (
    marked("rank"), marked("lead"), marked("probability"), marked("score"), marked("grade"), marked("change"),
    marked("for"), marked("against"),
)  # fmt: skip


def ranking(result: Result, words: Language = ENGLISH) -> None:
    """The run in force and its first leads."""
    ranked = words.counted("{n} lead", "{n} leads", result["counts"]["ranked"])
    said = words.text("{leads} as of {moment}, run {run}").format(
        leads=ranked, moment=result["as_of"], run=result["run_id"]
    )
    if not result.get("is_new", True):
        said += words.text(", published before and verified")
    folder = words.text("in {folder}").format(folder=result["folder"])
    say(
        said,
        *_built_on(result, words),
        folder,
        *_aged(result, words),
        *without_model(result, words),
        *_withheld(result, words),
    )
    say(*_quarantined(result, words), *_opted_out(result, words), *_listed(result, words))
    leads(result["leads"], words)
    say(*told_monitor.short(result.get("monitoring"), words))
    if on_trial := result.get("shadow"):
        told_retrain.trial(on_trial, words)


def _aged(result: Result, words: Language) -> Iterator[str]:
    """That the ranking is not of last night, and why; that nights are missing; that a database is behind."""
    days = int(result.get("age_days") or 0)
    if days:
        yield words.counted("it is {n} day old", "it is {n} days old", days)
    failure = result.get("last_failure")
    if failure:
        said = words.text("the ranking of {moment} was not published (code {code}): {reason}")
        yield said.format(moment=failure["as_of"], code=failure["code"], reason=failure["reason"])
    if missed := result.get("missed"):
        yield words.counted(
            "{n} night before this one has no ranking",
            "{n} nights before this one have no ranking",
            len(missed),
        )
    lacking = result.get("pending")
    if lacking:
        yield words.counted(
            "the SQL tables lack {n} run: `leadrank publish --resume` carries it there",
            "the SQL tables lack {n} runs: `leadrank publish --resume` carries them there",
            len(lacking["runs"]),
        )
    if lacking := result.get("pending_objects"):
        yield words.counted(
            "the object store lacks {n} run: `leadrank publish --resume` carries it there",
            "the object store lacks {n} runs: `leadrank publish --resume` carries them there",
            len(lacking["runs"]),
        )


def _built_on(result: Result, words: Language) -> Iterator[str]:
    """That most leads have the rows of another run."""
    if told := result.get("changed_since"):
        numbers = {name: words.number(f"{told[name]:,}") for name in ("rescored", "kept")}
        said = words.text("built on run {run}: {rescored} scored again, {kept} as they were")
        yield said.format(run=told["run_id"], **numbers)


def leads(rows: Sequence[Result], words: Language = ENGLISH) -> None:
    """Leads by rank: probability, score, and the first sentences for and against."""
    shown = [
        (
            words.number(f"{lead['rank']:,}"),
            lead["lead_id"],
            chance(lead, words),
            f"{lead['score']:.0f}",
            lead.get("grade") or "",
            "" if lead.get("change") is None else words.number(f"{lead['change']:+.1f}"),
            *(_lines(lead, direction) for direction in ("for", "against")),
        )
        for lead in rows
    ]
    show_table([words.text(name) for name in COLUMNS], shown)


def without_model(result: Result, words: Language = ENGLISH) -> list[str]:
    """What has to be said of a ranking that no model made."""
    if result["ranked_by"] == "model":
        return []
    why = result["ranked_because"]
    return [
        words.text("RANKED BY THE SCORECARD, not by a model: {why}").format(why=words.text(why)),
        words.text("the score is points of the card, 0 to 100; nobody has a probability"),
    ]


def chance(lead: Result, words: Language = ENGLISH) -> str:
    """A lead's probability in words."""
    if lead["probability"] is not None:
        return words.number(f"{lead['probability']:.1%}")
    return words.text("withheld") if lead.get("probability_withheld") else words.text("none")


def why_withheld(lead: Result, words: Language = ENGLISH) -> list[str]:
    """Why a lead has no probability; nothing where it has one."""
    why = lead.get("probability_withheld")
    return [words.text("the probability is withheld: {why}").format(why=reason(why, words))] if why else []


def reason(why: str, words: Language) -> str:
    """Why a probability is withheld, as a run keeps it."""
    from models.segments.floor import FEW, UNSEEN

    return spoken(recognised(why, FEW, UNSEEN), words)


def _withheld(result: Result, words: Language) -> Iterator[str]:
    """How many ranked leads have no probability, by the reason."""
    for why, number in result.get("withheld", {}).items():
        yield words.counted(
            "{n} lead has rank and score but no probability: {why}",
            "{n} leads have rank and score but no probability: {why}",
            number,
        ).replace("{why}", reason(why, words))


def _quarantined(result: Result, words: Language) -> Iterator[str]:
    turned_away = sum(table["quarantined"] for table in result["counts"]["tables"])
    if turned_away:
        yield words.counted(
            "{n} row is quarantined: `leadrank check` says why",
            "{n} rows are quarantined: `leadrank check` says why",
            turned_away,
        )


def _opted_out(result: Result, words: Language) -> Iterator[str]:
    """How many open leads are not ranked because they do not want to be; who they are, nobody is told."""
    if number := result["counts"].get("opted_out", 0):
        yield words.counted(
            "{n} lead has opted out and is not scored", "{n} leads have opted out and are not scored", number
        )


def _listed(result: Result, words: Language) -> Iterator[str]:
    """How many calls the night has listed, and how many leads to nurture."""
    listed = result.get("listed", {})
    if (calls := listed.get("calls")) is not None:
        yield words.counted(
            "{n} call is listed: `leadrank calls` shows it",
            "{n} calls are listed: `leadrank calls` shows them",
            calls,
        )
    if nurture := listed.get("nurture"):
        yield words.counted("{n} lead is to be nurtured", "{n} leads are to be nurtured", nurture)


def _lines(lead: Result, direction: str) -> str:
    said = [lead[name] for name in lead if name.startswith(f"{direction}_")]
    return "\n".join(sentence for sentence in said if sentence)
