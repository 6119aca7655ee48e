"""Pictures of a whole model: what moves the ranking and each lead, and how contributions go with values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from models.cards.pictures import COLOURS, FAINT, picture, short
from models.cards.shap_view import explanation
from models.metrics import Vector
from models.views.dependence import Dependence
from models.views.importance import Importance
from models.views.overview import Overview

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_BARS, MOST_SWARMS, MOST_VALUES = 20, 16, 8
LONGEST_VALUE, LONGEST_TITLE = 18, 34
EDGES = (1, 99)  # percentiles of a number that its panel shows
COLUMNS = 3
CONTRIBUTION = "contribution, log-odds"
POINTS: Mapping[str, Any] = {"s": 5, "alpha": 0.35, "linewidth": 0, "color": COLOURS[0]}
RUG: Mapping[str, Any] = {"color": "#1d2733", "markersize": 9, "alpha": 0.25, "clip_on": False}
JITTER = 0.28 * np.sin(np.arange(1, 98) ** 2)  # within a row of points, so that they do not hide each other

Places: TypeAlias = npt.NDArray[np.intp]


def draw(folder: Path, seen: Overview) -> dict[str, Path]:
    """Draw what was seen of a model.

    Parameters
    ----------
    folder
        Existing folder for the PNG files.

    Returns
    -------
    dict
        Path by name: ``importance``, ``beeswarm``, ``dependence``.
    """
    rows = -(-len(seen.dependences) // COLUMNS)
    bars, swarms = (min(most, len(seen.specs)) for most in (MOST_BARS, MOST_SWARMS))
    plots: dict[str, tuple[Callable[[Figure], None], tuple[float, float]]] = {
        "importance": (lambda figure: _importance(figure, seen.importance), (7.2, 1.7 + 0.21 * bars)),
        "beeswarm": (lambda figure: _beeswarm(figure, seen), (8.4, 1.7 + 0.3 * swarms)),
        "dependence": (lambda figure: _dependences(figure, seen), (10.4, 0.6 + 2.7 * rows)),
    }
    paths = {name: folder / f"{name}.png" for name in plots}
    for name, (plot, size) in plots.items():
        with picture(paths[name], size=size) as figure:
            plot(figure)
    return paths


def _importance(figure: Figure, seen: Importance) -> None:
    """Mean absolute contribution of the strongest features with its interval, coloured by family."""
    axes = figure.add_subplot()
    shown = seen.order[:MOST_BARS][::-1]
    colours = {f: COLOURS[place % len(COLOURS)] for place, f in enumerate(seen.families)}
    ends = np.maximum([seen.strength - seen.low, seen.high - seen.strength], 0.0)
    axes.barh(
        [short(seen.specs[k].name) for k in shown],
        seen.strength[shown],
        xerr=ends[:, shown],
        height=0.7,
        color=[colours[seen.specs[k].family] for k in shown],
        error_kw={"ecolor": "#1d2733", "elinewidth": 0.8},
    )
    axes.tick_params(axis="y", length=0, labelsize=8)
    axes.set(xlabel="mean |contribution|, log-odds; 95 % interval over leads")
    axes.set(xlim=(0, None), ylim=(-0.6, len(shown) - 0.4))
    axes.set_title(f"What moves the ranking: top {len(shown)} of {len(seen.specs)} features")
    _family_legend(axes, seen.families, colours)


def _family_legend(axes: Axes, families: Mapping[str, float], colours: Mapping[str, str]) -> None:
    """The families, the strongest first, each with its share of all contributions."""
    from matplotlib.patches import Patch

    handles = [Patch(color=colours[f], label=f"{f}: {share:.0%} of all") for f, share in families.items()]
    axes.legend(handles=handles, loc="lower right", frameon=True, edgecolor="none", framealpha=0.9)


def _beeswarm(figure: Figure, seen: Overview) -> None:
    """Shap's own plot of the drawn rows; a feature that is a category has no colour."""
    import shap

    axes, top = figure.add_subplot(), seen.importance.order[:MOST_SWARMS]
    specs = [seen.specs[place] for place in top]
    shown = explanation(seen.explained.of_features(top), seen.table, specs)
    shown.feature_names = [short(spec.name) for spec in specs]
    with _settled_chance():
        shap.plots.beeswarm(
            shown, max_display=len(top), order=np.arange(len(top)), ax=axes, plot_size=None, show=False, s=9
        )
    axes.tick_params(axis="y", labelsize=8, length=0)
    axes.tick_params(axis="x", labelsize=9)
    axes.set_xlabel(CONTRIBUTION, fontsize=10)
    axes.set_title(
        f"What moves each lead: top {len(top)} of {len(seen.specs)} features\n"
        f"{len(seen.drawn):,} rows; grey: a category, or unknown"
    )


def _dependences(figure: Figure, seen: Overview) -> None:
    """A panel for each of the strongest features."""
    rows = -(-len(seen.dependences) // COLUMNS)
    for number, each in enumerate(seen.dependences):
        axes = figure.add_subplot(rows, COLUMNS, number + 1)
        plot = _number if each.kind == "number" else _category
        plot(axes, each, seen.drawn)
        axes.set_title(short(each.name, LONGEST_TITLE), fontsize=10)
        axes.tick_params(labelsize=8)


def _number(axes: Axes, each: Dependence, drawn: Places) -> None:
    """Rows as points, the mean of each tenth as a line, and each row's value as a rug below."""
    known = drawn[each.is_known[drawn]]
    low, high = _edges(each.values[each.is_known])
    seen = np.clip(each.values[known], low, high)
    axes.scatter(seen, each.contributions[known], **POINTS)
    middles = [float(np.median(each.values[group.rows])) for group in each.groups]
    axes.plot(middles, [group.contribution for group in each.groups], color=COLOURS[1], linewidth=1.4)
    axes.axhline(0, color=FAINT, linewidth=0.8, zorder=0)
    _unknown(axes, each)
    axes.plot(seen, np.zeros(len(seen)), "|", transform=axes.get_xaxis_transform(), **RUG)
    axes.set_xlim(low, high)
    axes.set_ylabel(CONTRIBUTION, fontsize=8)


def _edges(values: Vector) -> tuple[float, float]:
    """What a panel shows of a number: one far value must not press all others together."""
    if not len(values):
        return 0.0, 1.0
    low, high = (float(end) for end in np.percentile(values, EDGES))
    if low == high:
        low, high = float(values.min()), float(values.max())
    room = 0.03 * (high - low) or 0.5
    return low - room, high + room


def _unknown(axes: Axes, each: Dependence) -> None:
    """A dotted line at the mean contribution of unknown values, if there are any."""
    if each.unknown is None:
        return
    at = each.unknown.contribution
    axes.axhline(at, color=COLOURS[4], linestyle=":", linewidth=1.2)
    axes.annotate(
        f"unknown ({1 - each.is_known.mean():.0%})", (1, at), (-2, 2), xycoords=("axes fraction", "data"),
        textcoords="offset points", ha="right", fontsize=7, color=COLOURS[4],
    )  # fmt: skip


def _category(axes: Axes, each: Dependence, drawn: Places) -> None:
    """The most common values: rows as points, their mean as a bar, how many beside the name."""
    every = each.groups if each.unknown is None else (*each.groups, each.unknown)
    groups = sorted(every, key=lambda group: -len(group.rows))[:MOST_VALUES]
    groups.sort(key=lambda group: group.contribution)
    for place, group in enumerate(groups):
        mine = drawn[np.isin(drawn, group.rows)]
        at = place + np.resize(JITTER, len(mine))
        axes.scatter(each.contributions[mine], at, **POINTS)
        axes.plot([group.contribution] * 2, [place - 0.38, place + 0.38], color=COLOURS[1], linewidth=1.8)
    axes.axvline(0, color=FAINT, linewidth=0.8, zorder=0)
    names = [f"{short(group.word or '', LONGEST_VALUE)} ({len(group.rows):,})" for group in groups]
    axes.set_yticks(range(len(groups)), names)
    axes.set_ylim(-0.6, len(groups) - 0.4)
    axes.set_xlabel(CONTRIBUTION, fontsize=8)


@contextmanager
def _settled_chance() -> Iterator[None]:
    """Shap draws from NumPy's global numbers: the same ones each time, and nobody else notices."""
    before = np.random.get_state()  # noqa: NPY002  # shap reads it
    np.random.seed(0)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002
