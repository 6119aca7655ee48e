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
# # Add a feature and see if it helps
#
# Five lines make a feature. Whether the model is better for it is another question, and most ideas are not:
# the library says nearly everything already. Here is how to ask before you keep it.
#
# It works on any folder with `params.yaml` and tables that have dates; `make demo` makes one. The feature
# lives in a temporary folder, nothing is registered, and the folder stays as it was.

# %% tags=["parameters"]
FOLDER = "../demo"  # the folder of params.yaml

# %%
import importlib
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import ibis
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from matplotlib.ticker import PercentFormatter

from models.audit.association import wilson
from models.cards.pictures import COLOURS, FAINT, STYLE
from models.coded import lead_numbers
from models.fitting.rows import mature_rows
from models.promoting.paired import Pair, differences
from models.training import train as fit
from models.weights import weights_of
from pipelines import leaks, made_features
from pipelines.asking import evenly, question
from pipelines.inputs import opened
from pipelines.offering import offered
from pipelines.params import load
from pipelines.progress import Progress
from pipelines.train import options, table_of

plt.rcParams.update({**STYLE, "figure.figsize": (8, 3.6), "figure.constrained_layout.use": True})
BLUE, ORANGE = COLOURS[:2]
LEVEL = 1.96  # standard errors of a 95 % interval
PER_LEAD = 6  # moments of a lead
MOST = 2  # so many and more are one group of the picture

# %% [markdown]
# ## The idea
#
# Who talks to us for long is serious. A file of one function says it: `on` names the rows that the function
# receives (the lead's touches, **already cut** at the moment), `days` makes one feature per window, `says`
# is the sentence of a reason, the docstring what it measures.

# %%
FAMILY = "my_features"
MODULE = '''
from features.catalogue import feature


@feature(on="touches", days=(7, 30), empty=0, says="{value:.0f} calls over five minutes in {days} days")
def long_calls(touch):
    """Calls of more than five minutes in the window, in calls; 0 if none."""
    return touch.count(where=(touch.kind == "call") & (touch.duration_seconds > 300))
'''
stack = ExitStack()
scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="leadrank-")))
(scratch / f"{FAMILY}.py").write_text(MODULE, encoding="utf-8")
sys.path.append(str(scratch))
mine = importlib.import_module(FAMILY)

# %% [markdown]
# ## Its test: a drawn table
#
# One call just over five minutes, one of exactly five, a meeting that is longer still: one counts. A row
# exactly on the boundary shows a `>` that should have been `>=`.

# %%
drawn = pa.table({"kind": ["call", "call", "meeting"], "duration_seconds": [301, 300, 301]})
counted = mine.long_calls(ibis.memtable(drawn)).to_pyarrow().as_py()
print(f"long calls in the drawn table: {counted}")
assert counted == 1  # noqa: S101  # what a test does

# %% [markdown]
# ## In the table
#
# `features.modules` of `params.yaml` names the file; here the parameters are changed in memory only. At
# most six moments of a lead are enough to compare on: intervals are drawn by leads, and more moments of one
# tell little new.

# %%
home, quiet = Path(FOLDER).resolve(), Progress(is_quiet=True)
plain = load(home / "params.yaml")
with_mine = plain.features.model_copy(update={"modules": [*plain.features.modules, FAMILY]})
fewer = plain.train.model_copy(update={"max_per_lead": min(PER_LEAD, plain.train.max_per_lead)})
params = plain.model_copy(update={"features": with_mine, "train": fewer})
inputs = stack.enter_context(opened(params, home, quiet))
asked = question(params, inputs)
offer = offered(params, inputs)
table = table_of(inputs, asked.snapshots, offer.features, offer.vocabulary)
new = [feature.spec for feature in offer.features if feature.family == FAMILY]
print(f"{table.num_rows:,} rows, {len(offer.features)} features, {len(new)} of them new")
pd.DataFrame(
    [
        {"name": s.name, "measures": s.doc, "0": s.sentence(0.0), "1": s.sentence(1.0), "3": s.sentence(3.0)}
        for s in new
    ]
).style.hide()

# %% [markdown]
# Does it go with the outcome at all? The share of rows that were won, by the feature's value, with a 95 %
# interval (Wilson). This is the feature **alone**: what others say already is not taken off.

# %%
longest = new[-1].name
seen = pd.DataFrame({"value": table.column(longest).to_pandas(), "won": table.column("label").to_pandas()})
groups = seen.groupby(seen.value.clip(upper=MOST)).won.agg(["size", "sum"])
low, high = wilson(groups["sum"].to_numpy(float), groups["size"].to_numpy(float), z=LEVEL)
share = groups["sum"] / groups["size"]
figure, axes = plt.subplots()
axes.errorbar(groups.index, share, yerr=[share - low, high - share], fmt="o", color=BLUE, capsize=4)
axes.axhline(seen.won.mean(), color=FAINT, linestyle="--", linewidth=1)
names = [f"{int(v)}{' or more' if v == MOST else ''}" for v in groups.index]
labels = [f"{name}\nn = {size:,}" for name, size in zip(names, groups["size"], strict=True)]
axes.set(xticks=groups.index, xticklabels=labels, xlabel=longest, ylabel="share won", ylim=(0, None))
axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
axes.set_title(f"Won with {names[0]}: {share.iloc[0]:.1%}; with {names[-1]}: {share.iloc[-1]:.1%}")
plt.show()

# %% [markdown]
# ## Without it, and with it
#
# Two trainings on the **same rows** with the same leakage audit, judged on the same later rows that neither
# has seen; and a third like the first, with **another seed**: what chance alone does to a training. They
# are fitted in this process with one shape of trees and two bags, all alike, and nothing reaches MLflow.

# %%
found = leaks.audited(params, inputs, evenly(asked, mature_rows(table)), offer.features, asked.even)
clean = [feature.spec for feature in leaks.kept(offer.features, found)]
old = [spec for spec in clean if spec.family != FAMILY]
quick = replace(options(params), shapes=("shallow",), bags=2, fewest_bags=2, resamples=20)
ways = {
    "without": (old, quick),
    "with the feature": (clean, quick),
    "without, another seed": (old, replace(quick, seed=quick.seed + 1)),
}
horizon, trained, seconds = float(params.train.horizon_days), {}, {}
for way, (specs, how) in ways.items():
    before = time.perf_counter()
    trained[way] = fit(table, specs, how, stage=params.train.stage, horizon_days=horizon)
    seconds[way] = time.perf_counter() - before
specs = [model.bundle.specs for model in trained.values()]
used = [spec.name for spec in specs[1] if spec.family == FAMILY]
print(f"{len(specs[0])} features without, {len(specs[1])} with; in use: {', '.join(used) or 'none'}")

# %% [markdown]
# The later **leads** are drawn again and again, and two models measured on them (paired bootstrap, 95 %, as
# `leadrank promote` compares a challenger). An interval that holds zero says: these rows cannot tell the two
# apart. A difference no greater than another seed makes is chance as well, whatever its interval.

# %%
test = trained["without"].test
label, weight = np.asarray(test.column("label").cast("float64")), weights_of(test)
chances = {way: np.asarray(model.test.column("probability")) for way, model in trained.items()}
compared = {}
for way in list(ways)[1:]:
    pair = Pair(label, chances["without"], chances[way], lead_numbers(test), {}, weight)
    compared[way] = pd.DataFrame(differences(pair, capacity_share=0.2)).T
    for figure_name, row in compared[way].iterrows():
        interval = f"{row.difference:+.4f} ({row.low:+.4f} to {row.high:+.4f})"
        print(f"{way}: {figure_name} {row.challenger:.4f}, without {row.champion:.4f}, {interval}")
loss, by_chance = (one.loc["log_loss"] for one in compared.values())
is_sure = loss.high < 0 or loss.low > 0
is_more = abs(loss.difference) > abs(by_chance.difference)
verdict = ("it helps" if loss.difference < 0 else "it harms") if is_sure and is_more else "nobody can tell"
print(f"{len(label):,} later rows, {pair.positives:,} of them won. Does it help? {verdict}")

# %%
shown = {"log_loss": "log loss, turned round", "roc_auc": "ROC-AUC", "capture": "wins in the first fifth"}
figure, axes_row = plt.subplots(1, len(shown), figsize=(11, 1.9), sharey=True)
for axes, (name, title) in zip(axes_row, shown.items(), strict=True):
    rows = pd.DataFrame([one.loc[name, ["low", "difference", "high"]] for one in compared.values()])
    rows = -rows if name == "log_loss" else rows
    axes.hlines([0, 1], rows.low, rows.high, color=[BLUE, FAINT], linewidth=2)
    axes.scatter(rows.difference, [0, 1], color=[BLUE, FAINT], s=60, zorder=3)
    axes.axvline(0, color=ORANGE, linestyle="--", linewidth=1)
    axes.set(title=title, ylim=(1.5, -0.5), yticks=[0, 1], yticklabels=list(compared))
    axes.set_xlabel("worse  ←  than without  →  better")
    axes.locator_params(axis="x", nbins=5)
figure.suptitle(f"Does the feature help? {verdict.capitalize()}", x=0.01, ha="left", fontsize=12)
plt.show()

# %% [markdown]
# ## What it costs
#
# `leadrank features --costs` measures what each family takes for tonight's leads: seconds of the
# processors, each family computed alone, and bytes of its columns.

# %%
night = made_features.run(
    params,
    home,
    out=scratch / "night.parquet",
    as_of=None,
    rows=None,
    is_history=False,
    has_costs=True,
    progress=quiet,
)
costs = pd.DataFrame(night["costs"]).set_index("family").sort_values("seconds")
own = costs.loc[FAMILY]
tonight = pq.read_table(scratch / "night.parquet", columns=[longest]).column(longest)
with_one = pc.sum(pc.greater(tonight, 0)).as_py()
print(f"{with_one:,} of {night['rows']:,} open leads had a long call in the last {new[-1].days} days")
print(f"{FAMILY}: {own.seconds:.2f} s and {own.bytes:,.0f} bytes for {night['rows']:,} leads")
print(f"training: {seconds['without']:.0f} s without, {seconds['with the feature']:.0f} s with it")
costs.style.format("{:,.2f}", subset="seconds").format("{:,.0f}", subset=["features", "bytes"])

# %% [markdown]
# ## Keep it, or not
#
# If it helps: put the file beside `params.yaml`, name it under `features.modules`, and `leadrank train`;
# the gates of `leadrank promote` ask the same question once more, with all bags. If nobody can tell: leave
# it out. A feature that says nothing new still costs seconds every night, and can drift, and may become the
# reason that a colleague reads. Before you give an idea up, ask on more rows: an interval as wide as this
# one hides small gains.

# %%
stack.close()  # removes the feature's folder and the scratch database
sys.path.remove(str(scratch))
