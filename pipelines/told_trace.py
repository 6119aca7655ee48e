"""What ``leadrank trace`` says on a terminal: one lead from raw facts to rank.

Features keep their column names: they are what a data scientist looks up, beside the sentence of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from features.catalogue import ENGLISH, Language
from models.labels import named
from pipelines.terminal import say, show_table
from pipelines.told_ranking import reason

Result = Mapping[str, Any]
MOST_DIFFERENT = 5


def trace(result: Result, words: Language = ENGLISH) -> None:
    """A lead from raw facts to rank."""
    say(
        words.text("{lead} as of {moment}, model version {version}").format(
            lead=result["lead_id"], moment=result["as_of"], version=result["model"]["version"]
        ),
        *(_facts(name, facts, words) for name, facts in result["facts"].items()),
    )
    show_table(
        (words.text("feature"), words.text("value"), words.text("log-odds"), words.text("in words")),
        [_feature(feature, words) for feature in result["features"]],
    )
    sums = [
        (words.text("base"), result["base"]),
        *((named(name, words), total) for name, total in result["families"].items()),
        (words.text("margin"), result["margin"]),
    ]
    show_table(("", words.text("log-odds")), [(name, words.number(f"{total:+.6f}")) for name, total in sums])
    say(_probability(result, words), *_published(result["published"], words))


def _facts(name: str, facts: Result, words: Language) -> str:
    return words.text("{table}: {known} known, {later} not yet known").format(
        table=name, known=words.number(f"{facts['known']:,}"), later=words.number(f"{facts['later']:,}")
    )


def _feature(feature: Result, words: Language) -> tuple[str, ...]:
    added = words.number(f"{feature['contribution']:+.4f}")
    return feature["name"], _value(feature["value"], words), added, feature["sentence"] or ""


def _value(value: object, words: Language) -> str:
    if isinstance(value, float):
        return words.number(f"{value:g}")
    return "" if value is None else str(value)


def _probability(result: Result, words: Language) -> str:
    return words.text("probability {probability} ({low} to {high}), score {score}").format(
        probability=words.number(f"{result['probability']:.4%}"),
        low=words.number(f"{result['probability_low']:.2%}"),
        high=words.number(f"{result['probability_high']:.2%}"),
        score=words.number(f"{result['score']:.1f}"),
    )


def _published(published: Result | None, words: Language) -> list[str]:
    """How the published run ranks the lead, and what is not as it was."""
    if published is None:
        return [words.text("nothing is published of this moment")]
    if published["rank"] is None:
        return [words.text("run {run} does not rank it: it was not open").format(run=published["run_id"])]
    differ = ", ".join(published["features_differ"][:MOST_DIFFERENT]) or words.text("none")
    said = words.text("run {run} ranks it {rank}; features that differ today: {names}").format(
        run=published["run_id"], rank=words.number(f"{published['rank']:,}"), names=differ
    )
    if (why := published["probability_withheld"]) is None:
        return [said]
    withholds = words.text("its ranking withholds the probability: {why}")
    return [said, withholds.format(why=reason(why, words))]
