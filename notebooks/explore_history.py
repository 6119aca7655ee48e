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
# # Explore the history
#
# What is in the CRM tables, what was turned away, how leads move through the funnel, and which part of it is
# decided already. Read this before training: a model learns what the history holds, its faults included.
#
# It works on any folder with `params.yaml` and tables that have dates; `make demo` makes one.

# %% tags=["parameters"]
FOLDER = "../demo"  # the folder of params.yaml

# %%
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import PercentFormatter

from features import funnel, maturity
from features.questions import past
from features.snapshots import known_until
from models.audit.association import wilson
from models.cards.pictures import COLOURS, FAINT, STYLE
from pipelines import checks
from pipelines.asking import plan
from pipelines.inputs import opened
from pipelines.params import load
from pipelines.progress import Progress

plt.rcParams.update({**STYLE, "figure.figsize": (9, 4.2), "figure.constrained_layout.use": True})
BLUE, ORANGE = COLOURS[:2]
PERCENT = PercentFormatter(xmax=1, decimals=None)
FEW_ROWS, FEW_WON = 50, 10  # with fewer, a rate is noise

# %% [markdown]
# ## The tables
#
# The tables are loaded exactly as `leadrank check`, `train` and `score` load them, into a scratch database
# that the last cell removes. No row disappears: **read = accepted + quarantined + deduplicated + erased**.

# %%
home = Path(FOLDER).resolve()
params = load(home / "params.yaml")
stack = ExitStack()
inputs = stack.enter_context(opened(params, home, Progress(is_quiet=True)))
leads, touches, outcomes = (inputs.tables[name] for name in ("leads", "touches", "outcomes"))
known_at = params.train.as_of or known_until(inputs.tables)
window = funnel.Window(params.train.horizon_days, params.train.reporting_delay_days, known_at)

counted = checks.counted(inputs)
pd.DataFrame(counted["counts"]).set_index("table").style.format("{:,}")

# %% [markdown]
# Rows in quarantine, by reason, with the first line of each in its file. They are not used; mend them at the
# source. A reason with many rows usually means one wrong declaration in `params.yaml`.

# %%
quarantine = pd.DataFrame(
    checks.quarantined(inputs), columns=["table", "reason", "column", "rows", "first_line"]
)
quarantine.fillna({"column": "(whole row)"}).style.hide()

# %%
print("In the files, but not declared, so not used:", counted["ignored_columns"] or "nothing")
print(f"The history is known until {known_at:%Y-%m-%d}.")

# %% [markdown]
# ## The funnel
#
# Of the leads that entered one stage, how many reached the next within the horizon, and after how many days?
# Only leads that **had** the whole horizon (and the reporting delay) are counted. Whoever entered later is
# undecided: counting those as not converted would make every recent campaign look bad.

# %%
steps = funnel.conversions(leads, outcomes, window).to_pandas()
steps["step"] = steps.from_stage + " → " + steps.to_stage
steps["share"] = steps.converted / steps.mature
steps["low"], steps["high"] = wilson(steps.converted.to_numpy(float), steps.mature.to_numpy(float), z=1.96)
shown = [
    "step",
    "mature",
    "converted",
    "immature",
    "share",
    "low",
    "high",
    "days_q1",
    "days_median",
    "days_q3",
]
rates, days = ["share", "low", "high"], ["days_q1", "days_median", "days_q3"]
steps[shown].style.hide().format("{:.1%}", subset=rates).format("{:.1f}", subset=days, na_rep="-")

# %%
figure, (left, right) = plt.subplots(1, 2, sharey=True, width_ratios=(3, 2))
y = np.arange(len(steps))
left.barh(y, steps.share, height=0.55, color=BLUE)
left.errorbar(
    steps.share,
    y,
    xerr=[steps.share - steps.low, steps.high - steps.share],
    fmt="none",
    ecolor="#333",
    capsize=3,
)
for place, row in zip(y, steps.itertuples(), strict=True):
    left.text(row.high + 0.02, place, f"{row.share:.0%} of {row.mature:,}", va="center", fontsize=9)
left.set(
    yticks=y, yticklabels=steps.step, xlabel=f"share that converted within {window.days} days, 95 % interval"
)
left.set(xlim=(0, min(1.25, steps.high.max() + 0.3)))
left.xaxis.set_major_formatter(PERCENT)
left.invert_yaxis()
right.hlines(y, steps.days_q1, steps.days_q3, color=FAINT, linewidth=6)
right.plot(steps.days_median, y, "o", color=ORANGE, markersize=8)
right.set(xlabel="days between the stages: median, middle half", xlim=(0, None))
left.set_title("How many go on")
right.set_title("How long it takes")
plt.show()

# %% [markdown]
# **How to read it.** A long bar with a short time is a step that nobody needs a model for. The last row, from
# marketing-qualified to won, is what the ranking is about: few make it, and it takes weeks.
#
# ## Maturity: immature is not lost
#
# A lead created last week has not been won. It has not been lost either. Left: leads by month of creation,
# dark where the whole horizon is over. Right: the orange line is the share that was won so far; it has to
# fall towards today, for time is missing there. The blue points, mature leads won **within** the horizon, can
# be compared.

# %%
months = maturity.leads_by_month(leads, outcomes, window, stage=params.train.stage).to_pandas()
months["young"] = months.leads - months.mature
judged = months[months.mature >= FEW_ROWS]
low, high = wilson(judged.reached_in_window.to_numpy(float), judged.mature.to_numpy(float), z=1.96)
in_time = judged.reached_in_window / judged.mature

figure, (left, right) = plt.subplots(1, 2)
left.bar(months.month, months.mature, width=25, color=BLUE, label="mature")
left.bar(months.month, months.young, width=25, bottom=months.mature, color=FAINT, label="immature: undecided")
left.set(ylabel="leads created in the month", ylim=(0, 1.25 * months.leads.max()), title="What can be judged")
left.legend(loc="upper left", ncols=2)
right.plot(
    months.month, months.reached / months.leads, "-", color=ORANGE, label="of all leads, until now: misleads"
)
right.errorbar(
    judged.month, in_time, [in_time - low, high - in_time], fmt="o", color=BLUE, capsize=2,
    label=f"of mature leads, within {window.days} days (95 %)",
)  # fmt: skip
right.set(ylabel=f"share {params.train.stage}", title="What was reached")
right.set(ylim=(0, 1.3 * max(high.max(), (months.reached / months.leads).max())))
right.yaxis.set_major_formatter(PERCENT)
right.legend(loc="upper left")
for axes in (left, right):
    axes.tick_params(axis="x", rotation=40)
plt.show()

# %% [markdown]
# The model learns from **snapshots**: an open lead at a past moment, and whether it was won within the
# horizon after it. The same rule holds: young snapshots are left out of training, not counted as lost.

# %%
whole = replace(plan(params), max_rows=None)  # counting needs no sample, and rows of one are drawn by label
asked = past(inputs.backend, inputs.tables, whole)
snapshots = maturity.snapshots_by_month(asked).to_pandas()
nights = maturity.rates_by_night(asked.mature).to_pandas()
rows, positives = int(nights.rows.sum()), int(nights.positives.sum())
print(f"{rows:,} mature snapshots, {positives:,} of them converted ({positives / rows:.1%})")
print(f"{asked.immature:,} immature snapshots are left out")

# %%
figure, axes = plt.subplots(figsize=(9, 3.2))
axes.bar(snapshots.month, snapshots.mature, width=25, color=BLUE, label=f"mature: {rows:,}")
axes.bar(
    snapshots.month, snapshots.immature, width=25, bottom=snapshots.mature, color=FAINT,
    label=f"immature, left out: {asked.immature:,}",
)  # fmt: skip
axes.set(ylabel="snapshots", title="Snapshots by month of their moment")
axes.legend(loc="upper left")
plt.show()

# %% [markdown]
# ## Base rate by week
#
# The share of open leads that were won within the horizon, for each moment of training. Grey: 95 % interval
# (Wilson). A drift here is a change of the market, of the product or of how the CRM is kept; the test slice
# of the forward split lies at the right end, so a model trained on the left has to live with it.

# %%
rate = nights.positives / nights.rows
low, high = wilson(nights.positives.to_numpy(float), nights.rows.to_numpy(float), z=1.96)
figure, axes = plt.subplots()
axes.fill_between(
    nights.as_of, low, high, color=FAINT, alpha=0.35, linewidth=0, label="95 % interval of the week"
)
axes.plot(nights.as_of, rate, color=BLUE, marker="o", markersize=3, label="share won within the horizon")
axes.axhline(positives / rows, color=ORANGE, linestyle="--", label=f"all weeks: {positives / rows:.1%}")
steady = high[nights.rows >= FEW_ROWS]
axes.set(ylim=(0, 1.1 * (steady.max() if len(steady) else high.max())), ylabel="base rate")
axes.set_title(f"Base rate by week: n = {nights.rows.min():,} to {nights.rows.max():,} open leads a week")
axes.yaxis.set_major_formatter(PERCENT)
axes.legend(loc="upper right")
plt.show()

# %% [markdown]
# Neighbouring weeks hold mostly the same leads, so their points move together: the curve looks smoother than
# its evidence.
#
# ## Touches before the end
#
# What happened in the 90 days before a lead was won or lost? Each dot is the share of those leads with at
# least one touch of the kind. A kind on which the dots lie far apart tells the two ends apart. This looks
# **back from the end**, so it describes; it does not forecast. A meeting that belongs to the closing itself
# shows here, too.

# %%
before = funnel.touches_before(touches, outcomes, days=90).to_pandas()
before["share"] = before.leads_with / before.leads
kinds = before.pivot_table(index="kind", columns="stage", values="share", fill_value=0.0)
kinds = kinds.reindex(columns=["won", "lost"], fill_value=0.0).sort_values("won")
closed = before.groupby("stage").leads.max()

figure, axes = plt.subplots(figsize=(9, 0.34 * len(kinds) + 1.4))
y = np.arange(len(kinds))
axes.hlines(y, kinds.min(axis=1), kinds.max(axis=1), color=FAINT, linewidth=3)
for stage, colour in (("won", BLUE), ("lost", ORANGE)):
    axes.plot(
        kinds[stage], y, "o", color=colour, markersize=8, label=f"{stage} (n = {closed.get(stage, 0):,})"
    )
axes.set(
    yticks=y, yticklabels=kinds.index, xlim=(0, 1), xlabel="leads with such a touch in their last 90 days"
)
axes.set_title("What happens before a lead is won or lost")
axes.xaxis.set_major_formatter(PERCENT)
axes.legend(loc="lower right")
plt.show()

# %% [markdown]
# ## Quality of the sources
#
# Judged on mature leads only, with the number of leads beside each point. Sources with fewer than ten won
# leads are grey: their order is chance. Cost is the spend of the same days, divided by what it brought; a
# cheap lead that is never won is the most expensive kind.

# %%
sources = funnel.by_source(leads, outcomes, window).to_pandas().fillna({"source": "unknown"})
if "spend" in inputs.tables:
    sources = sources.merge(funnel.cost_by_source(inputs.tables["spend"], window).to_pandas(), how="left")
    for name, per in (("cost per lead", sources.leads), ("per mql", sources.mql), ("per won", sources.won)):
        sources[name] = (sources.cost / per).where(per > 0)
sources.style.hide().format(precision=0, thousands=",", na_rep="-")

# %%
sources = sources[sources.leads > 0].assign(share=lambda t: t.won / t.leads).sort_values("share")
low, high = wilson(sources.won.to_numpy(float), sources.leads.to_numpy(float), z=1.96)
colours = np.where(sources.won < FEW_WON, FAINT, BLUE)
figure, axes = plt.subplots(figsize=(9, 0.4 * len(sources) + 1.4))
y = np.arange(len(sources))
axes.hlines(y, low, high, color=colours, linewidth=2)
axes.scatter(sources.share, y, color=colours, s=60, zorder=3)
for place, end, row in zip(y, high, sources.itertuples(), strict=True):
    axes.text(
        end + 0.003, place, f"{row.won:,} of {row.leads:,}", va="center", fontsize=9, backgroundcolor="white"
    )
axes.axvline(sources.won.sum() / sources.leads.sum(), color=ORANGE, linestyle="--", label="all sources")
axes.set(yticks=y, yticklabels=sources.source, xlim=(0, 1.15 * high.max()))
axes.set(xlabel=f"mature leads won within {window.days} days of their creation, 95 % interval")
axes.set_title("Which sources bring customers")
axes.xaxis.set_major_formatter(PERCENT)
axes.legend(loc="lower right")
plt.show()

# %%
stack.close()  # removes the scratch database

# %% [markdown]
# **Next.** `leadrank train`, then the notebook `review_model`.
