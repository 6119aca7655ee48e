"""How a report reads on a terminal: its main figures; the page and ``--json`` have all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from features.catalogue import ENGLISH, Language
from models.labels import marked, named
from pipelines.terminal import say, show_table
from serve.reporting.names import GROUPS

Result = Mapping[str, Any]
NOTHING = "-"
SOURCES = (
    marked("place"), marked("source"), marked("leads"), marked("mature"), marked("won"), marked("amount won"),
    marked("spent"),
)  # fmt: skip
FUNNEL = (marked("step"), marked("mature"), marked("rate"), marked("days: half"))
TEAM = (
    marked("rep"), marked("leads"), marked("open"), marked("calls tonight"), marked("accepted"),
    marked("returned at once"), marked("won"),
)  # fmt: skip
JUDGED = (
    marked("what was said"), marked("leads"), marked("mature"), marked("converted"), marked("won so far"),
)  # fmt: skip
SIDES = {"for": marked("accepted or worked"), "against": marked("handed back or not a fit")}
MODEL = (marked("family"), marked("features"), marked("share of all"))


def report(result: Result, words: Language = ENGLISH) -> None:
    """The main figures of one report."""
    told, name = result["report"], result["name"]
    tables = {"sources": _sources, "funnel": _funnel, "team": _team, "model": _model}
    columns, rows = tables[name](told, words)
    show_table([words.text(column) for column in columns], list(rows))
    if name == "team" and told["judged"]:
        then = marked("rank then") if told["judged"]["by"] == "rank" else marked("chance then")
        show_table(
            [words.text(column) for column in (JUDGED[0], then, *JUDGED[1:])], list(_judged(told, words))
        )
    say(*_notes(told, name, words))
    if result["html"] is not None:
        say(words.text("written to {file}").format(file=result["html"]))


def _sources(told: Result, words: Language) -> tuple[tuple[str, ...], Iterator[tuple[str, ...]]]:
    rows = (
        (
            _count(row["place"], words),
            row["source"] or words.text("unknown source"),
            _count(row["leads"], words),
            _count(row["mature"], words),
            _share(row["rates"]["won"], words),
            _count(row["amount_won"], words),
            _count(row["cost"], words),
        )
        for row in told["sources"]
    )
    return SOURCES, rows


def _funnel(told: Result, words: Language) -> tuple[tuple[str, ...], Iterator[tuple[str, ...]]]:
    rows = (
        (
            f"{named(step['from_stage'], words)} → {named(step['to_stage'], words)}",
            _count(step["mature"], words),
            _share(step["rate"], words),
            NOTHING if step["days"]["median"] is None else words.number(f"{step['days']['median']:,.1f}"),
        )
        for step in told["steps"]
    )
    return FUNNEL, rows


def _team(told: Result, words: Language) -> tuple[tuple[str, ...], Iterator[tuple[str, ...]]]:
    rows = (
        (
            rep["owner"] or words.text("without an owner"),
            *(_count(rep[figure], words) for figure in ("leads", "open", "calls")),
            *(_count(rep["last"][figure], words) for figure in ("accepted", "returned_at_once", "won")),
        )
        for rep in told["reps"]
    )
    return TEAM, rows


def _judged(told: Result, words: Language) -> Iterator[tuple[str, ...]]:
    """What became of leads of which people said something."""
    for row in told["judged"]["rows"]:
        side = SIDES[row["side"]]
        yield (
            words.text(side),
            _band(row, told["judged"]["by"], words),
            *(_count(row[figure], words) for figure in ("leads", "mature")),
            _share(row["rate"], words),
            _count(row["won"], words),
        )


def _band(row: Result, by: str, words: Language) -> str:
    """Ranks or chances of a band."""
    if not row["is_known"]:
        return NOTHING
    form = "{:,.0f}" if by == "rank" else "{:.0%}"
    first, last = (
        None if row[end] is None else words.number(form.format(row[end])) for end in ("from", "to")
    )
    if first is not None and last is not None:
        return words.text("{first} to {last}").format(first=first, last=last)
    if first is None:
        return words.text("below {most}").format(most=last)
    if by == "rank":
        return words.text("{first} and later").format(first=first)
    return words.text("{least} and more").format(least=first)


def _model(told: Result, words: Language) -> tuple[tuple[str, ...], Iterator[tuple[str, ...]]]:
    rows = (
        (
            named(row["family"], words),
            _count(row["features"], words),
            NOTHING if row["share"] is None else words.number(f"{row['share']:.0%}"),
        )
        for row in told["families"]
    )
    return MODEL, rows


def _notes(told: Result, name: str, words: Language) -> Iterator[str]:
    """What a reader of the table has to know."""
    if name == "model":
        yield from _holdout(told.get("holdout"), words)
        best = told["figures"].get("model", {}).get("capture_20")
        if best is not None:
            said = "Calling the first 20 % of the list finds {share} of the deals ({low} to {high})."
            ends = {"share": "value", "low": "low", "high": "high"}
            yield words.text(said).format(
                **{key: words.number(f"{best[of]:.1%}") for key, of in ends.items()}
            )
    elif not told["about"]["is_dated"]:
        yield words.text("Without moments of creation and outcomes there is nothing to report.")
    elif name == "sources" and told["cost"] == "hidden":
        yield words.text(
            "What was spent has no territory, so costs are shown only to those who see every lead."
        )


def _holdout(told: Result | None, words: Language) -> Iterator[str]:
    """What the ranking is worth, against leads that it does not steer."""
    if told is None:
        return
    for name, title in GROUPS.items():
        group = told["groups"][name]
        of_group = words.text("{group}: {leads} leads, {mature} mature, {rate} converted").format(
            group=words.text(title),
            leads=_count(group["leads"], words),
            mature=_count(group["mature"], words),
            rate=_share(group["rate"], words),
        )
        yield of_group
    if told["mismatch"]["is_mismatched"]:
        yield words.text("The groups are not as large as they were drawn: leads are missing on one side.")
    if told["ratio"] is None:
        yield words.text("Too few leads of the holdout are mature to judge what the ranking is worth.")
        return
    ends = {end: words.number(f"{told['ratio'][end]:.2f}") for end in ("value", "low", "high")}
    yield words.text(
        "Steered leads convert {value} times as often as those of the control group ({low} to {high})."
    ).format(**ends)


def _count(number: float | None, words: Language) -> str:
    return NOTHING if number is None else words.number(f"{number:,.0f}")


def _share(rate: Mapping[str, float] | None, words: Language) -> str:
    if rate is None:
        return NOTHING
    value, low, high = (words.number(f"{rate[end]:.1%}") for end in ("value", "low", "high"))
    return words.text("{value} ({low} to {high})").format(value=value, low=low, high=high)
