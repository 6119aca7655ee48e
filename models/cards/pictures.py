"""Pictures of a model on its test rows, for MLflow and the report: four PNG files, one claim each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from models.audit.association import wilson
from models.cards.curves import found
from models.weights import mean, per_row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]

_BINS = 10
_MODEL, FAINT = "#1f5fa8", "#9aa5b1"
COLOURS = (
    "#1f5fa8",
    "#d9822b",
    "#3a8f5c",
    "#8a5bb0",
    "#b8443e",
    "#6b7785",
    "#2f9aa0",
    "#a8862c",
)  # one a family
STYLE: Mapping[str, object] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "axes.edgecolor": "#6b7785",
    "legend.frameon": False,
    "savefig.dpi": 130,
}


def draw(
    folder: Path,
    y: Flags,
    p: Floats,
    *,
    weight: Floats | None = None,
    others: Mapping[str, Floats] | None = None,
    auc_interval: tuple[float, float] | None = None,
) -> dict[str, Path]:
    """Draw the pictures of one target.

    Parameters
    ----------
    folder
        Existing folder for the PNG files.
    y
        Shape (n,), whether the row was won; both must occur.
    p
        Shape (n,), calibrated probability.
    weight
        Shape (n,), how often each row counts; None is once.
    others
        Other orders of the same rows, shape (n,), highest first, by name (``scorecard``, ``newest first``):
        further lines of ``gains``.
    auc_interval
        95 % interval that ``roc`` tells, as it was measured elsewhere; None: that of independent rows.

    Returns
    -------
    dict
        Path by name: ``reliability``, ``roc``, ``precision_recall``, ``gains``.
    """
    won, counts = np.asarray(y, dtype=bool), per_row(weight, len(y))
    plots: dict[str, Callable[[Axes], None]] = {
        "reliability": lambda axes: _reliability(axes, won, p, counts),
        "roc": lambda axes: _roc(axes, won, p, counts, auc_interval),
        "precision_recall": lambda axes: _precision_recall(axes, won, p, counts),
        "gains": lambda axes: _gains(axes, won, p, counts, others or {}),
    }
    paths = {name: folder / f"{name}.png" for name in plots}
    for name, plot in plots.items():
        with picture(paths[name]) as figure:
            plot(figure.add_subplot())
    return paths


@contextmanager
def picture(path: Path, *, size: tuple[float, float] = (6.4, 4.8)) -> Iterator[Figure]:
    """A figure (inches) that is written to the path; no global state and no window of matplotlib is used."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context(dict(STYLE)):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        yield figure
        figure.savefig(path, metadata={"Software": None})  # the same picture is the same bytes


def _reliability(axes: Axes, won: Flags, p: Floats, weight: Floats) -> None:
    """Predicted against observed rate in ten groups of equal size."""
    groups = np.array_split(np.argsort(p, kind="stable"), min(_BINS, len(p)))
    predicted = np.array([mean(p[group], weight[group]) for group in groups])
    rate = np.array([mean(won[group].astype(np.float64), weight[group]) for group in groups])
    size = np.array([float(len(group)) for group in groups])
    low, high = wilson(rate * size, size, z=1.96)
    top = 1.05 * max(float(high.max()), float(predicted.max()))
    axes.plot([0, top], [0, top], color=FAINT, linestyle="--", label="probability is right")
    # The last digit may put a bound of 0 wins on the wrong side of 0, and Matplotlib refuses that.
    beyond = np.maximum([rate - low, high - rate], 0.0)
    axes.errorbar(
        predicted, rate, beyond, fmt="o", color=_MODEL, capsize=3,
        label=f"{len(groups)} groups of about {size[0]:,.0f} rows, 95 % interval",
    )  # fmt: skip
    axes.set(xlim=(0, top), ylim=(0, top), xlabel="predicted probability", ylabel="share that was won")
    _titled(axes, "Do probabilities come true?", won)
    _as_percent(axes)
    axes.legend(loc="upper left")


def _roc(axes: Axes, won: Flags, p: Floats, weight: Floats, ends: tuple[float, float] | None) -> None:
    from sklearn.metrics import roc_auc_score, roc_curve

    false, true, _ = roc_curve(won, p, sample_weight=weight)
    auc = float(roc_auc_score(won, p, sample_weight=weight))
    low, high = ends or _auc_interval(auc, won)
    axes.plot([0, 1], [0, 1], color=FAINT, linestyle="--", label="chance: 0.500")
    axes.plot(false, true, color=_MODEL, label=f"model: {auc:.3f} (95 % interval {low:.3f} to {high:.3f})")
    axes.set(xlabel="share of the lost leads ranked above", ylabel="share of the won leads found")
    axes.set(xlim=(0, 1), ylim=(0, 1.01))
    _titled(axes, "ROC curve: won against lost", won)
    _as_percent(axes)
    axes.legend(loc="lower right", title="area under the curve", alignment="left")


def _auc_interval(auc: float, won: Flags) -> tuple[float, float]:
    """95 % interval of an AUC: Hanley and McNeil (1982), section IV."""
    wins, losses = float(won.sum()), float((~won).sum())
    same_loss, same_win = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = auc * (1 - auc) + (wins - 1) * (same_loss - auc**2) + (losses - 1) * (same_win - auc**2)
    margin = 1.96 * float(np.sqrt(spread / (wins * losses)))
    return max(0.0, auc - margin), min(1.0, auc + margin)


def _precision_recall(axes: Axes, won: Flags, p: Floats, weight: Floats) -> None:
    from sklearn.metrics import average_precision_score, precision_recall_curve

    precision, recall, _ = precision_recall_curve(won, p, sample_weight=weight)
    steady = recall >= min(1.0, 10 / won.sum())  # the first few leads say nothing but noise
    area = float(average_precision_score(won, p, sample_weight=weight))
    base = mean(won.astype(np.float64), weight)
    axes.axhline(base, color=FAINT, linestyle="--", label=f"base rate: {base:.1%}")
    axes.plot(recall[steady], precision[steady], color=_MODEL, label=f"model: average precision {area:.3f}")
    axes.set(xlabel="share of the won leads found", ylabel="share of the chosen leads that are won")
    axes.set(xlim=(0, 1), ylim=(0, min(1.01, 1.15 * float(precision[steady].max()))))
    _titled(axes, "Precision and recall", won)
    _as_percent(axes)
    axes.legend(loc="upper right")


def _gains(axes: Axes, won: Flags, p: Floats, weight: Floats, others: Mapping[str, Floats]) -> None:
    """Share of the wins among the first leads of the ranking."""
    axes.plot([0, 1], [0, 1], color=FAINT, linestyle="--", label="any order")
    for (name, order), colour in zip(others.items(), cycle(COLOURS[1:])):
        axes.plot(*found(won, order, weight), color=colour, label=_first_tenth(name, won, order, weight))
    axes.plot(*found(won, p, weight), color=_MODEL, label=_first_tenth("model", won, p, weight))
    axes.axvline(0.1, color=FAINT, linewidth=0.8, linestyle=":")
    axes.set(xlabel="share of the leads called, best first", ylabel="share of the won leads found")
    axes.set(xlim=(0, 1), ylim=(0, 1.01))
    _titled(axes, "Who calls the best leads first finds", won)
    _as_percent(axes)
    axes.legend(loc="lower right")


def _first_tenth(name: str, won: Flags, score: Floats, weight: Floats) -> str:
    captured = np.interp(0.1, *found(won, score, weight))
    return f"{name}: first 10 % find {captured:.0%}"


def short(name: str, most: int = 34) -> str:
    r"""A name that fits; a dollar sign would begin a formula.

    >>> short("a long name", 7), short("$")
    ('a long…', '\\$')
    """
    cut = name if len(name) <= most else f"{name[: most - 1]}…"
    return cut.replace("$", r"\$")


def _titled(axes: Axes, claim: str, won: Flags) -> None:
    axes.set_title(f"{claim}\nn = {len(won):,} rows, {won.sum():,} won")


def _as_percent(axes: Axes) -> None:
    from matplotlib.ticker import PercentFormatter

    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(xmax=1, decimals=None))
