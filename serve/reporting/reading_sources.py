"""The report on sources as a reader sees it: sums over a scope, rates with intervals, costs if they are his.

A rate is of mature leads and what they did in their window; a cost per lead or stage is what was spent on the
days of mature leads over the same counts. Rows with too little behind them are marked and never ranked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from serve.reporting.files import Row, Territories, about, company, rows
from serve.reporting.names import ATTRIBUTION, RULES, SOURCES, SPEND
from serve.reporting.rates import mark, over, rate

SHOWN, HIDDEN, UNKNOWN = "shown", "hidden", "unknown"
"""Whether costs are told: yes; not to a reader of some territories; nobody recorded any."""
_SUMS = ("leads", "mature", "open")
_AMOUNTS = ("amount_won", "expected_wins", "expected_value")


def sources(run: Path, territories: Territories) -> Row:
    """Sources and campaigns, cohorts, attribution.

    Parameters
    ----------
    run
        Folder of a published run.
    territories
        Whose leads are counted; None: everybody's.

    Returns
    -------
    dict
        ``about``, ``cost`` (`SHOWN`, `HIDDEN` or `UNKNOWN`), ``total``, ``sources`` (ranked ones first, by
        the lower end of their win rate; each with its ``campaigns``), ``cohorts`` by month, ``attribution``.
        A row has ``place`` (None: not ranked) and ``mark`` (why not), ``leads``, ``mature``, ``open``,
        ``reached`` (so far) and ``rates`` by stage, ``amount_won``, ``expected_wins``, ``expected_value``,
        ``cost``, and ``cost_per`` lead and stage.
    """
    told = about(run)
    if not told["is_dated"]:
        return {
            "about": told,
            "cost": UNKNOWN,
            "total": None,
            "sources": [],
            "cohorts": [],
            "attribution": {},
        }
    stages = told["stages"]
    found = rows(run, SOURCES, territories, _sum_sql(stages, "source, campaign"))
    months = rows(run, SOURCES, territories, _sum_sql(stages, "month, is_mature"))
    cost = UNKNOWN if not told["has_spend"] else SHOWN if territories is None else HIDDEN
    spent = _spent(run) if cost == SHOWN else {}
    ranked = _ranked(_row(source, *part, told, spent) for source, part in _by_source(found, spent))
    return {
        "about": told,
        "cost": cost,
        "total": _total(found, told, spent),
        "sources": ranked,
        "cohorts": [{**_figures([row], told), "month": str(row["month"])[:7], "is_mature": row["is_mature"]}
                    for row in sorted(months, key=lambda row: row["month"])],
        "attribution": _attribution(run, territories, told),
    }  # fmt: skip


def _sum_sql(stages: Iterable[str], by: str) -> str:
    counts = [*_SUMS, *stages, *(f"mature_{stage}" for stage in stages)]
    sums = [f"sum({name})::BIGINT AS {name}" for name in counts]
    sums += [f"fsum({name}) AS {name}" for name in _AMOUNTS]
    return f"SELECT {by}, {', '.join(sums)} FROM seen GROUP BY {by} ORDER BY {by}"  # noqa: S608  # ours


def _spent(run: Path) -> dict[tuple[str | None, str | None], tuple[float, float]]:
    """Cost, and cost of the days of mature leads, by source and campaign."""
    sql = "SELECT source, campaign, fsum(cost) AS cost, fsum(cost_mature) AS mature FROM seen GROUP BY ALL"
    return {
        (row["source"], row["campaign"]): (row["cost"], row["mature"]) for row in company(run, SPEND, sql)
    }


def _by_source(
    found: list[Row], spent: Mapping[tuple[str | None, str | None], Any]
) -> Iterable[tuple[str | None, tuple[list[Row], list[tuple[str | None, list[Row]]]]]]:
    """Rows of each source, and of each campaign of it; those that cost and brought nobody among them."""
    keys = sorted({*((row["source"], row["campaign"]) for row in found), *spent}, key=_last_if_null)
    rows_of = {(row["source"], row["campaign"]): row for row in found}
    for source, group in groupby(keys, key=lambda key: key[0]):
        named = [(key[1], [rows_of[key]] if key in rows_of else []) for key in group]
        yield source, ([row for _, part in named for row in part], named)


def _last_if_null(key: tuple[str | None, ...]) -> list[tuple[bool, str]]:
    return [(part is None, part or "") for part in key]


def _row(
    source: str | None,
    found: list[Row],
    campaigns: list[tuple[str | None, list[Row]]],
    told: Row,
    spent: Mapping[tuple[str | None, str | None], tuple[float, float]],
) -> Row:
    of_source = [both for (name, _), both in spent.items() if name == source]
    inner = [
        {"campaign": name, **_figures(part, told), **_costs(part, told, _of(spent, source, name))}
        for name, part in campaigns
    ]
    shown = _ranked(inner) if any(name is not None for name, _ in campaigns) else []
    return {"source": source, **_figures(found, told), **_costs(found, told, of_source), "campaigns": shown}


def _of(
    spent: Mapping[tuple[str | None, str | None], tuple[float, float]],
    source: str | None,
    campaign: str | None,
) -> list[tuple[float, float]]:
    return [spent[source, campaign]] if (source, campaign) in spent else []


def _total(found: list[Row], told: Row, spent: Mapping[Any, tuple[float, float]]) -> Row:
    return {**_figures(found, told), **_costs(found, told, list(spent.values()))}


def _figures(found: list[Row], told: Row) -> Row:
    counts = {name: sum(row[name] for row in found) for name in _SUMS}
    stages = told["stages"]
    won = sum(row[f"mature_{stages[-1]}"] for row in found)
    return {
        **counts,
        **{name: _added(row[name] for row in found) for name in _AMOUNTS},
        "reached": {stage: sum(row[stage] for row in found) for stage in stages},
        "rates": {
            stage: rate(sum(row[f"mature_{stage}"] for row in found), counts["mature"]) for stage in stages
        },
        "mark": mark(counts["leads"], counts["mature"], won, told),
    }


def _costs(found: list[Row], told: Row, spent: list[tuple[float, float]]) -> Row:
    cost = sum(cost for cost, _ in spent) if spent else None
    mature = sum(mature for _, mature in spent) if spent else None
    counts = {"lead": sum(row["mature"] for row in found)}
    counts |= {stage: sum(row[f"mature_{stage}"] for row in found) for stage in told["stages"]}
    return {"cost": cost, "cost_per": {name: over(mature, count) for name, count in counts.items()}}


def _added(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _ranked(found: Iterable[Row]) -> list[Row]:
    """The rows with their ``place``: ranked ones first, the others as they came."""
    every = list(found)
    judged = sorted((row for row in every if row["mark"] is None), key=lambda row: -_low(row))
    places = [{**row, "place": place} for place, row in enumerate(judged, 1)]
    return [*places, *({**row, "place": None} for row in every if row["mark"] is not None)]


def _low(row: Row) -> float:
    """The lower end of the last stage's rate."""
    *_, last = row["rates"].values()
    return float(last["low"])


def _attribution(run: Path, territories: Territories, told: Row) -> Row:
    """By column of touches: credit of each channel by rule, that of most data-driven credit first."""
    sql = 'SELECT "by", rule, channel, fsum(wins) AS wins, fsum(amount) AS amount FROM seen GROUP BY ALL'
    found = rows(run, ATTRIBUTION, territories, sql)
    return {by: _channels([row for row in found if row["by"] == by]) for by in told["channels"]}


def _channels(found: list[Row]) -> list[Row]:
    credit = {(row["channel"], row["rule"]): row for row in found}
    names = {row["channel"] for row in found}
    shown = [
        {
            "channel": name,
            "wins": {rule: credit[name, rule]["wins"] if (name, rule) in credit else 0.0 for rule in RULES},
            "amount": {
                rule: credit[name, rule]["amount"] if (name, rule) in credit else None for rule in RULES
            },
        }
        for name in names
    ]
    return sorted(
        shown, key=lambda row: (row["channel"] is None, -row["wins"][RULES[-1]], row["channel"] or "")
    )
