"""The leakage audit as one HTML file with its pictures inside: no script, no address, no value of a lead."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from features.catalogue import ENGLISH, Language
from models.audit.audit import Audit
from models.audit.verdicts import VERDICTS, ColumnReport
from models.cards.pictures import FAINT, STYLE
from models.labels import marked
from models.pages import Filters, filled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {"refuse": "#a3262f", "quarantine": "#d9822b", "keep": "#1f5fa8"}
MOST_BARS, LONGEST_NAME = 24, 36


@dataclass(frozen=True)
class Section:
    """One table of the page."""

    title: str
    caption: str
    columns: tuple[ColumnReport, ...]


@dataclass(frozen=True)
class Picture:
    """One picture: what it claims, and its SVG in base64."""

    claim: str
    data: str


def page(audit: Audit, words: Language = ENGLISH) -> str:
    """The whole page in a language; pictures speak English.

    Parameters
    ----------
    audit
        With evidence in words that hold no field values; names of columns are escaped here.
    """
    values = {
        "audit": audit,
        "sections": list(_sections(audit)),
        "pictures": list(_pictures(audit)),
        "verdicts": VERDICTS,
    }
    filters: Filters = {
        "figure": lambda value: "-" if value is None else words.number(f"{value:.3f}"),
        "signed": lambda value: words.number(f"{value:+.3f}"),
        "percent": lambda value: "-" if value is None else words.number(f"{value:.0%}"),
    }
    return filled("models.audit", "page.html", values, filters=filters, words=words)


def _sections(audit: Audit) -> Iterator[Section]:
    left_out = tuple(c for c in audit.columns if c.verdict != "keep")
    asked = tuple(c for c in audit.columns if c.verdict == "keep" and c.attention)
    rest = tuple(c for c in audit.columns if c.verdict == "keep" and not c.attention)
    every = (
        Section(
            marked("Left out"),
            marked("They know the outcome, or look so much like it that a person has to decide."),
            left_out,
        ),
        Section(
            marked("To look at"),
            marked("Kept, but a person should say since when their value is known."),
            asked,
        ),
        Section(marked("Kept"), marked("Nothing was found."), rest),
    )
    yield from (section for section in every if section.columns)


def _pictures(audit: Audit) -> Iterator[Picture]:
    measured = [c for c in audit.columns if c.figures.get("loss")]
    if measured:
        measured.sort(key=lambda c: -(c.figures["loss"] or 0))
        yield _drawn(marked("What the model loses without each column"), measured, _losses)
    filled = [c for c in audit.columns if c.is_field and c.figures.get("fill_tonight") is not None]
    if filled:
        filled.sort(key=lambda c: -abs((c.figures["fill_past"] or 0) - (c.figures["fill_tonight"] or 0)))
        yield _drawn(marked("Filled in the past and tonight"), filled, _fills)


def _drawn(
    claim: str, columns: Sequence[ColumnReport], plot: Callable[[Axes, Sequence[ColumnReport]], None]
) -> Picture:
    """A horizontal picture of the first columns, drawn without any global state of matplotlib."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    shown = list(columns[:MOST_BARS])[::-1]
    with rc_context({**STYLE, "svg.hashsalt": "leadrank"}):
        figure = Figure(figsize=(8.2, 1.4 + 0.26 * len(shown)), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        plot(axes, shown)
        axes.set_yticks(range(len(shown)), [_short(column.column) for column in shown])
        axes.tick_params(axis="y", length=0, labelsize=8.5)
        axes.set(ylim=(-0.6, len(shown) - 0.4))
        part = f": {len(shown)} of {len(columns)}" if len(columns) > len(shown) else ""
        axes.set_title(f"{claim}{part}")
        drawn = BytesIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    return Picture(claim, base64.b64encode(drawn.getvalue()).decode("ascii"))


def _losses(axes: Axes, columns: Sequence[ColumnReport]) -> None:
    from matplotlib.patches import Patch

    losses = [column.figures["loss"] or 0.0 for column in columns]
    bars = axes.barh(range(len(columns)), losses, height=0.7)
    for bar, column in zip(bars, columns, strict=True):
        bar.set_color(COLOURS[column.verdict])
    axes.axvline(0, color=FAINT, linewidth=0.8)
    axes.set_xlabel("ROC-AUC on later rows; left of zero: better without it, which is chance or drift")
    handles = [Patch(color=colour, label=verdict) for verdict, colour in COLOURS.items()]
    axes.legend(handles=handles, loc="lower right")


def _fills(axes: Axes, columns: Sequence[ColumnReport]) -> None:
    from matplotlib.ticker import PercentFormatter

    then = [column.figures["fill_past"] or 0.0 for column in columns]
    now = [column.figures["fill_tonight"] or 0.0 for column in columns]
    places = range(len(columns))
    axes.hlines(places, then, now, color=FAINT, linewidth=1.5, zorder=1)
    axes.scatter(
        then, places, color=[COLOURS[c.verdict] for c in columns], zorder=2, label="rows of the past"
    )
    axes.scatter(now, places, facecolor="white", edgecolor="#1d2733", zorder=2, label="open leads tonight")
    axes.xaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    axes.set(xlim=(-0.02, 1.02), xlabel="share with a value")
    axes.legend(loc="lower center", ncols=2, frameon=True, edgecolor="none", framealpha=0.9)


def _short(name: str) -> str:
    """A name that fits; a dollar sign would begin a formula."""
    cut = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
    return cut.replace("$", r"\$")
