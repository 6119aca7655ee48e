"""Pictures of a backtest, for MLflow and the report: PNG files, one claim each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.backtests.contenders import MODEL, NEWEST, RANDOM, SCORECARD, TODAY
from models.cards.pictures import COLOURS, FAINT, picture, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Rows = Sequence[Mapping[str, Any]]

COLOUR = {MODEL: COLOURS[0], SCORECARD: COLOURS[1], NEWEST: COLOURS[2], TODAY: COLOURS[3], RANDOM: FAINT}
_LEAST_LIFT_SHARE = 0.02  # the first few calls of a list say nothing but noise
_LONGEST = 48


def draw(folder: Path, found: Mapping[str, Any]) -> dict[str, Path]:
    """Draw what a backtest found.

    Parameters
    ----------
    folder
        Existing folder for the PNG files.
    found
        ``contenders``, ``differences``, ``curves``, ``ages``, ``slices``, ``origins``, ``calls_per_list``,
        ``lists``.

    Returns
    -------
    dict
        Path by name: ``deals``, ``capture``, ``lift``, ``amount`` (where amounts are known), ``origins``,
        ``ages``, ``slices`` (where one is judged).
    """
    plots: dict[str, Callable[[Axes], None]] = {
        "deals": lambda axes: _deals(axes, found),
        "capture": lambda axes: _capture(axes, found["curves"], "capture", "deals"),
        "lift": lambda axes: _lift(axes, found["curves"]),
        "origins": lambda axes: _origins(axes, found["origins"]),
        "ages": lambda axes: _ages(axes, found["ages"]),
    }
    if any(row["amount_capture"] is not None for row in found["curves"]):
        plots["amount"] = lambda axes: _capture(axes, found["curves"], "amount_capture", "value")
    judged = [row for row in found["slices"] if row["is_judged"]]
    if judged:
        plots["slices"] = lambda axes: _slices(axes, judged)
    heights = {"slices": 1.6 + 0.27 * len(judged), "deals": 1.6 + 0.5 * len(_names(found["contenders"]))}
    paths = {name: folder / f"{name}.png" for name in plots}
    for name, plot in plots.items():
        with picture(paths[name], size=(7.2, heights.get(name, 4.4))) as figure:
            plot(figure.add_subplot())
    return paths


def words(name: str) -> str:
    """A contender's name as people say it.

    >>> words("todays_order"), words("newest_first")
    ("today's order", 'newest first')
    """
    return name.replace("todays", "today's").replace("_", " ")


def _names(rows: Rows) -> list[str]:
    return list(dict.fromkeys(row["contender"] for row in rows))


def _deals(axes: Axes, found: Mapping[str, Any]) -> None:
    """Deals found by the calls of one list, with intervals."""
    rows = [row for row in found["contenders"] if row["figure"] == "deals_per_list"][::-1]
    for place, row in enumerate(rows):
        _dot(axes, place, row, COLOUR[row["contender"]])
        axes.annotate(
            f"{row['value']:.1f}", (row["value"], place), (0, 8), textcoords="offset points", ha="center"
        )
    axes.set_yticks(range(len(rows)), [words(row["contender"]) for row in rows])
    axes.tick_params(axis="y", length=0)
    axes.set(
        xlim=(0, None),
        ylim=(-0.6, len(rows) - 0.3),
        xlabel="deals among the calls of one list, 95 % interval",
    )
    axes.set_title(f"What {found['calls_per_list']:,} calls find\nmean of {found['lists']:,} lists")


def _capture(axes: Axes, curves: Rows, what: str, noun: str) -> None:
    for name in reversed(_names(curves)):
        rows = [row for row in curves if row["contender"] == name]
        share = [row["share"] for row in rows]
        top = next(row[what] for row in rows if row["share"] == 0.2)  # noqa: PLR2004  # the share told of
        style = "--" if name == RANDOM else "-"
        axes.plot(
            share, [row[what] for row in rows], style, color=COLOUR[name], label=f"{words(name)}: {top:.0%}"
        )
        if what == "capture" and name in (MODEL, SCORECARD):
            low, high = ([row[end] for row in rows] for end in ("low", "high"))
            axes.fill_between(share, low, high, color=COLOUR[name], alpha=0.15, linewidth=0)
    axes.axvline(0.2, color=FAINT, linewidth=0.8, linestyle=":")
    axes.set(
        xlim=(0, 1),
        ylim=(0, 1.01),
        xlabel="share of each list called, from the top",
        ylabel=f"share of the {noun} found",
    )
    axes.set_title(f"Share of the {noun} found" + (", 95 % bands" if what == "capture" else ""))
    _as_percent(axes)
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(
        handles[::-1], labels[::-1], loc="lower right", title="found in the first 20 %", alignment="left"
    )


def _lift(axes: Axes, curves: Rows) -> None:
    for name in reversed(_names(curves)):
        rows = [row for row in curves if row["contender"] == name and row["share"] >= _LEAST_LIFT_SHARE]
        style = "--" if name == RANDOM else "-"
        axes.plot(
            [r["share"] for r in rows],
            [r["lift"] for r in rows],
            style,
            color=COLOUR[name],
            label=words(name),
        )
    axes.set(
        xlim=(0, 1),
        ylim=(0, None),
        xlabel="share of each list called, from the top",
        ylabel="rate of deals there over the base rate",
    )
    axes.set_title("Lift: how much better than a random order")
    from matplotlib.ticker import PercentFormatter

    axes.xaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=None))
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], loc="upper right")


def _origins(axes: Axes, origins: Rows) -> None:
    """Capture at 20 % of each origin's lists."""
    known = [row for row in origins if row["capture_20"] is not None]
    at: list[Any] = [datetime.fromisoformat(row["at"]) for row in known]
    for name in known[0]["capture_20"]:
        if name != RANDOM:
            values = [_number(row["capture_20"][name]) for row in known]
            axes.plot(at, values, "o-", color=COLOUR[name], label=words(name), markersize=4)
    axes.axhline(0.2, color=FAINT, linestyle="--", label="random")
    axes.set(ylim=(0, None), ylabel="share of the deals in the first 20 %")
    axes.set_title("Origin by origin, each with its own training")
    axes.tick_params(axis="x", rotation=30, labelsize=8)
    _y_percent(axes)
    axes.legend(loc="best", ncols=2)


def _ages(axes: Axes, ages: Rows) -> None:
    """Aged minus fresh, on the same lists."""
    for place, row in enumerate(ages):
        _bar(axes, place, row["minus_fresh"] or {"value": 0.0, "low": 0.0, "high": 0.0}, COLOUR[MODEL])
    axes.axhline(0, color=FAINT, linestyle="--")
    labels = [f"{row['age_days']} days\n{row['origins']} origins" for row in ages]
    axes.set_xticks(range(len(ages)), labels)
    axes.set(
        xlim=(-0.6, len(ages) - 0.4),
        xlabel="age of the model",
        ylabel="share of the deals in the first 20 %,\nminus that of a fresh model, points",
    )
    axes.set_title("What it costs not to train again, 95 % interval")
    axes.yaxis.set_major_formatter(_points)


def _slices(axes: Axes, judged: Rows) -> None:
    """Model minus scorecard within each slice."""
    rows = list(judged)[::-1]
    for place, row in enumerate(rows):
        _dot(axes, place, row["minus_scorecard"], COLOUR[MODEL])
    axes.axvline(0, color=FAINT, linestyle="--")
    labels = [short(f"{row['slice']}: {row['group']} (n = {row['won_leads']:,})", _LONGEST) for row in rows]
    axes.set_yticks(range(len(rows)), labels)
    axes.tick_params(axis="y", length=0, labelsize=8)
    axes.set(
        ylim=(-0.6, len(rows) - 0.4),
        xlabel="share of the deals in the first 20 %,\nmodel minus scorecard, points, 95 % interval",
    )
    axes.set_title("Where the model is better (right of zero)\nn = won leads")
    axes.xaxis.set_major_formatter(_points)


def _dot(axes: Axes, place: int, row: Mapping[str, Any], colour: str) -> None:
    axes.hlines(place, row["low"], row["high"], color=colour, linewidth=1.6)
    axes.plot(row["value"], place, "o", color=colour, markersize=6)


def _bar(axes: Axes, place: int, row: Mapping[str, Any], colour: str) -> None:
    axes.vlines(place, row["low"], row["high"], color=colour, linewidth=1.6)
    axes.plot(place, row["value"], "o", color=colour, markersize=6)


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _points(share: float, _place: float = 0.0) -> str:
    """A difference of shares in percentage points, for an axis."""
    return "0" if abs(share) < 1e-9 else f"{share * 100:+g}"  # noqa: PLR2004  # rounding of a tick


def _y_percent(axes: Axes) -> None:
    from matplotlib.ticker import PercentFormatter

    axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=None))


def _as_percent(axes: Axes) -> None:
    from matplotlib.ticker import PercentFormatter

    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(xmax=1, decimals=None))
