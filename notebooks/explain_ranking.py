# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Explain a ranking to a sales team
#
# Tonight's list, for the people who call: who is on it and why, how to read a probability and a grade, what
# changed since last night, what lies in your own hands, and how many wins to expect. Nothing here is computed
# anew that the ranking has published; leads are named by their ids.
#
# It works on any folder in which `leadrank train` and `leadrank score` have run; `make demo` makes one.

# %% tags=["parameters"]
FOLDER = "../demo"  # the folder of params.yaml

# %%
import shutil
import tempfile
import warnings
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

warnings.filterwarnings("ignore", message="IProgress not found")  # progress bars: none is shown here

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from models.audit.association import wilson
from models.cards.pictures import COLOURS, FAINT, STYLE
from pipelines import score
from pipelines.champion import forward_test
from pipelines.helping import Helper
from pipelines.params import load
from pipelines.progress import Progress
from pipelines.sink_sections import Sinks
from serve import queries, runs
from serve.gates.finding import GATES, Accepted
from serve.lead import CHANGE_PARTS, explained
from serve.lists.wins import wins_interval

plt.rcParams.update({**STYLE, "figure.figsize": (9, 4.2), "figure.constrained_layout.use": True})
BLUE, ORANGE, GREEN = COLOURS[:3]
LEAST = 1e-9  # log-odds; less is a rounding
PERCENT = PercentFormatter(xmax=1, decimals=0)
LEVEL = 1.96  # standard errors of a 95 % interval

# %% [markdown]
# ## Tonight's list

# %%
home, stack = Path(FOLDER).resolve(), ExitStack()
params = load(home / "params.yaml")
run = runs.current(home / params.score.runs)
ranking = pq.read_table(run.folder / "ranking.parquet").to_pandas()
as_of = datetime.fromisoformat(run.as_of)
days, stage = params.train.horizon_days, params.train.stage
totals = pd.DataFrame(queries.call_totals(run, None))
team = totals[totals["by"] == "all"].iloc[0]
print(f"{len(ranking):,} open leads as of {as_of:%Y-%m-%d}, ranked by the {ranking.ranked_by[0]}")
print(f"{team.calls:,} of them are on the call list of {len(totals) - 1} reps")

# %% [markdown]
# The first ten. The probability is the chance to be won within the horizon; *low* and *high* are the ends of
# its 90 % interval. *For* is the strongest reason to call, *against* the strongest not to.

# %%
columns = ["rank", "lead_id", "owner", "probability", "probability_low", "probability_high", "grade", "route"]
percents = [name for name in columns if name.startswith("probability")]
first = ranking.head(10)[[*columns, "for_1", "against_1"]]
first.style.hide().format("{:.0%}", subset=percents, na_rep="withheld")

# %% [markdown]
# ## How to read a probability
#
# Of ten leads at 20 % two are won, not all and not none: a probability is right or wrong for **many** leads
# only. Here is what the model had said of later leads that it had never seen, and what became of them. The
# nearer the points are to the line, the more a percentage can be taken at its word.

# %%
test = forward_test(params, home)
said = pd.DataFrame({"said": test.probability, "won": test.label, "counts": test.weight})
said["band"] = pd.qcut(said.said, [0, 0.5, 0.7, 0.8, 0.9, 0.95, 1], labels=False, duplicates="drop")
said = said.assign(expected=said.said * said.counts, came=said.won * said.counts)
bands = said.groupby("band").agg(
    rows=("won", "size"), counts=("counts", "sum"), expected=("expected", "sum"), came=("came", "sum")
)
bands = bands.assign(said=bands.expected / bands.counts, came_true=bands.came / bands.counts)
low, high = wilson((bands.came_true * bands.rows).to_numpy(), bands.rows.to_numpy(float), z=LEVEL)

# %%
figure, axes = plt.subplots(figsize=(6, 4.4))
most = 1.1 * max(high.max(), bands.said.max())
axes.plot([0, most], [0, most], "--", color=FAINT, label="said = came true")
ends = [bands.came_true - low, high - bands.came_true]
axes.errorbar(
    bands.said, bands.came_true, yerr=ends, fmt="o", color=BLUE, capsize=3, label="later leads, 95 %"
)
axes.set(xlabel="what the model said, on average", ylabel=f"share {stage} within {days} days")
axes.set(xlim=(0, most), ylim=(0, most), title="What was said, and what came true")
axes.xaxis.set_major_formatter(PERCENT)
axes.yaxis.set_major_formatter(PERCENT)
axes.legend(loc="upper left")
plt.show()

# %% [markdown]
# ## How to read a grade
#
# The letter is **who** the lead is (A fits best), the number is **what it does** (1 acts most). The two ask
# for different work: an A4 fits and is not ready, so it is nurtured; a D1 wants something now, so it is
# called soon. Leads tonight, and their mean probability:

# %%
graded = ranking.assign(fit=ranking.grade.str[0], acts=ranking.grade.str[1])
counts = graded.pivot_table(index="fit", columns="acts", values="lead_id", aggfunc="count", fill_value=0)
means = graded.pivot_table(index="fit", columns="acts", values="probability", aggfunc="mean")
texts = counts.astype(str) + " leads, " + means.map("{:.1%}".format, na_action="ignore").fillna("-")
texts.style.background_gradient(cmap="Blues", axis=None, gmap=means.fillna(0).to_numpy())

# %%
ranking.groupby("route").agg(leads=("lead_id", "size"), mean_probability=("probability", "mean")).sort_values(
    "mean_probability", ascending=False
).style.format({"mean_probability": "{:.1%}"})

# %% [markdown]
# ## Why three leads stand where they stand
#
# The first, the one in the middle of the call list, and the last of the ranking. Each picture goes from the
# base (grey, the same for all: what the model would say if it knew nothing) to the lead's margin (dashed),
# one family of facts after the other. Margins are log-odds, for only in log-odds do reasons add up.


# %%
def waterfall(axes: Axes, lead: dict[str, Any]) -> None:
    """The way of one lead from the base to its margin, by family."""
    names = [name for name in lead if name.startswith("margin_") and name != "margin_base"]
    names.sort(key=lambda name: -abs(lead[name]))
    added = np.array([lead[name] for name in names])
    starts = lead["margin_base"] + added.cumsum() - added
    axes.barh(range(len(added)), added, left=starts, color=np.where(added > 0, BLUE, ORANGE))
    axes.axvline(lead["margin_base"], color=FAINT)
    axes.axvline(lead["margin"], color="#1d2733", linewidth=1, linestyle="--")
    axes.set(yticks=range(len(added)), yticklabels=[name[7:].replace("_", " ") for name in names])


listed = pd.DataFrame(queries.calls(run, None)).lead_id
on_list = ranking[ranking.lead_id.isin(listed)]
chosen = [ranking.lead_id.iloc[0], on_list.lead_id.iloc[len(on_list) // 2], ranking.lead_id.iloc[-1]]
leads = [explained(run, lead_id) for lead_id in chosen]
figure, axes_row = plt.subplots(1, 3, figsize=(12, 2.8), sharex=True)
for axes, lead in zip(axes_row, leads, strict=True):
    waterfall(axes, lead)
    chance = "withheld" if lead["probability"] is None else f"{lead['probability']:.1%}"
    axes.set(title=f"{lead['lead_id']}: rank {lead['rank']:,}, {chance}", xlabel="margin, log-odds")
    axes.invert_yaxis()
plt.show()

# %% [markdown]
# The reasons themselves, with their evidence. *Points* are percentage points of probability that the lead
# would lack (or gain) without this; *of earlier leads* is how many leads with such a value were won, beside
# the rate of all (`leadrank explain LEAD` says the same).

# %%
for lead in leads:
    said = pd.DataFrame(lead["reasons"])[["points", "family", "sentence", "evidence_rate", "evidence_leads"]]
    said.columns = ["points", "family", "reason", "of earlier leads", "so many"]
    base = "-" if lead["base_rate"] is None else f"{lead['base_rate']:.1%}"
    shown = said.style.hide().set_caption(f"{lead['lead_id']}, rank {lead['rank']:,}; of all: {base}")
    formats = {"points": "{:+.1f}", "of earlier leads": "{:.1%}", "so many": "{:,.0f}"}
    display(shown.format(formats, na_rep="-"))

# %% [markdown]
# A reason is what the model looked at, not a cause: a lead does not buy *because* its campaign was a webinar.
# What each feature adds alone, not by family, is drawn in `review_model`.
#
# ## What changed since last night
#
# Where only one night is published (a demo), the night before is ranked in a folder of its own, and tonight
# again after it: the same model, facts and ranks, now with a night to compare with. Nothing of it is
# published here.

# %%
compared = run
if run.manifest.get("changes") is None:
    scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="leadrank-"))) / "nights"
    left_behind = shutil.ignore_patterns(params.score.runs, "mlartifacts", "*.lock")
    shutil.copytree(home, scratch, ignore=left_behind)
    unwatched = params.monitor.model_copy(update={"at_score": False})
    alone = params.model_copy(
        update={"sinks": Sinks(), "monitor": unwatched}
    )  # nothing goes to other systems
    gates = Accepted(GATES, "ranked for a notebook")
    for night in (as_of - timedelta(days=1), as_of):
        score.run(alone, scratch, as_of=night, progress=Progress(is_quiet=True), accepted=gates)
    compared = runs.current(scratch / params.score.runs)
changes = pq.read_table(compared.folder / "changes.parquet").to_pandas()
moved = changes.change.abs() >= 1
print(f"{len(changes):,} leads stood on both lists; {moved.sum():,} of them moved by a point or more")

# %%
parts = [part for part in CHANGE_PARTS if changes[part].abs().max() > LEAST]
order = changes.sort_values("total")
movers = pd.concat([order.head(5), order.tail(5)]).drop_duplicates("lead_id")
figure, axes = plt.subplots(figsize=(9, 0.34 * len(movers) + 1.3))
for sign in (1, -1):
    ends = np.zeros(len(movers))
    for part, colour in zip(parts, COLOURS, strict=False):
        added = np.where(np.sign(movers[part]) == sign, movers[part], 0.0)
        axes.barh(
            movers.lead_id, added, left=ends, color=colour, label=part.replace("_", " ") if sign > 0 else None
        )
        ends += added
axes.plot(movers.total, movers.lead_id, "D", color="#1d2733", markersize=5, label="in all")
axes.axvline(0, color=FAINT, linewidth=1)
axes.set(
    xlabel="change of the log-odds since the night before",
    title="Who fell and who rose most since the night before, and by what",
)
axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

# %%
news = [explained(compared, lead_id)["change"] for lead_id in movers.lead_id[::-1][:3]]
for lead_id, change in zip(movers.lead_id[::-1], news, strict=False):
    now = ranking.set_index("lead_id").loc[lead_id, "rank"]
    print(f"{lead_id}: rank {change['rank_before']:,} → {now:,}")
    for reason in change["reasons"][:3]:
        print(
            f"    {reason['points']:+.1f} points by {reason['part'].replace('_', ' ')}: {reason['sentence']}"
        )

# %% [markdown]
# *New facts* are news. *Time passing* is silence: nothing came, and the last visit is a day older. *Model*
# is another champion. *Calibration* is what the curve makes of all that: it stretches or shrinks the other
# parts.
#
# ## What lies in your own hands
#
# Of the first leads of the call list: the follow-up with which earlier leads of this kind stood higher. It
# compares leads that differ in this alone; it is no experiment, and doing it promises nothing.

# %%
helper = Helper(params, home)
helper.prepare(run)
helps = {lead_id: helper(run, lead_id) for lead_id in on_list.lead_id.head(40)}
found = pd.DataFrame([{"lead": lead, **told} for lead, told in helps.items() if told is not None])
print(f"of the first {len(helps)} leads on the call list, {len(found)} could gain by what the team does")
found[["lead", "now", "then", "points", "leads"]].head(10) if len(found) else found

# %% [markdown]
# ## Where the model has no say
#
# A probability is published only where enough later leads were won, or not, to check it. Elsewhere the lead
# has a rank and a score, which are enough to call in order, but nobody can say *how* likely: forecasts
# leave these out.

# %%
withheld = ranking.probability.isna()
why = queries.withheld(run)
print(f"{withheld.sum():,} of {len(ranking):,} leads have no probability: {why or 'nothing is withheld'}")
print(f"{run.manifest['counts']['opted_out']:,} more have opted out: they are on no list")
by_source = (
    ranking.assign(withheld=withheld)
    .groupby("source")
    .agg(leads=("lead_id", "size"), without_probability=("withheld", "sum"), best_rank=("rank", "min"))
)
by_source.sort_values("without_probability", ascending=False)

# %% [markdown]
# ## What to expect of it
#
# Of the first *n* leads about so many will be won. The band is what chance alone leaves around it (90 %),
# if the probabilities are right; whether they are is the picture above. Leads without a probability are
# left out of the sum, so it is a little too low where they stand.

# %%
chances = ranking.probability.fillna(0).to_numpy()
expected = chances.cumsum()
promised = {}
for most in [n for n in (10, 25, 50, 100, 200) if n <= len(chances)]:
    (low,), (high,) = wins_interval(chances[None, :most])
    promised[most] = {"expected": expected[most - 1], "low": low, "high": high}
    about = f"{expected[most - 1]:.0f} will be {stage}, between {low:.0f} and {high:.0f}"
    print(f"of the first {most} about {about}")
promised = pd.DataFrame(promised).T

# %%
figure, axes = plt.subplots(figsize=(8, 4))
n = np.arange(1, len(chances) + 1)
axes.plot(n, expected, color=BLUE, label="this list")
axes.plot(n, n * expected[-1] / len(n), "--", color=FAINT, label="any order")
ends = [promised.expected - promised.low, promised.high - promised.expected]
axes.errorbar(
    promised.index, promised.expected, yerr=ends, fmt="o", color=BLUE, capsize=4, label="90 % of outcomes"
)
axes.set(xlabel="leads called, from the top of the list", ylabel=f"expected to be {stage} within {days} days")
axes.set(xlim=(0, None), ylim=(0, None))
half = int(np.searchsorted(expected, expected[-1] / 2)) + 1
axes.set_title(f"Half of the wins to expect are among the first {half} of {len(n):,} leads")
axes.legend(loc="lower right")
plt.show()

# %% [markdown]
# And was it so before? In the forward test of the training, on later leads:

# %%
figures = test.with_intervals()["model"]
lift, capture = figures["lift_10"], figures["capture_20"]
print(f"{figures['n']:,} later rows, {figures['base_rate']:.1%} of them won")
print(f"the first tenth: {lift['value']:.1f} times as many ({lift['low']:.1f} to {lift['high']:.1f}, 95 %)")
print(f"the first fifth: {capture['value']:.0%} of all wins ({capture['low']:.0%} to {capture['high']:.0%})")

# %%
helper.close()
stack.close()  # removes the nights that were ranked for this notebook

# %% [markdown]
# **Ask your own.** `leadrank explain LEAD --html lead.html` writes the page of a lead, `leadrank calls
# --owner NAME` a rep's list. If a reason sounds wrong to those who know the lead, say so: the field behind
# it is worth a look.
