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
# # Read a month of monitoring
#
# A model learns from one time and ranks in another. What has moved since training, does it matter, how good
# were the lists whose outcomes are known by now, and what is to be done about an alarm? `leadrank score`
# measures it every night and `leadrank monitor` tells it of one; here are the nights side by side.
#
# It works on any folder with `params.yaml` and tables that have dates; `make demo` makes one.

# %% tags=["parameters"]
FOLDER = "../demo"  # the folder of params.yaml

# %%
import shutil
import tempfile
import warnings
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

warnings.filterwarnings("ignore", message="IProgress not found")  # progress bars: none is shown here

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from matplotlib.dates import ConciseDateFormatter

from models.cards.pictures import COLOURS, FAINT, STYLE
from pipelines import monitor, score, train
from pipelines.inputs import opened
from pipelines.params import load
from pipelines.progress import Progress
from pipelines.sink_sections import Sinks
from serve import runs
from serve.gates.finding import GATES, Accepted
from serve.monitoring import store
from serve.monitoring.realised import RealisedLimits, realised

plt.rcParams.update({**STYLE, "figure.figsize": (9, 3.6), "figure.constrained_layout.use": True})
BLUE, ORANGE, _, _, RED = COLOURS[:5]
FEW_NIGHTS = 4  # with fewer monitored ones there is no month to read
WEEKS = 4
FEW_WON = 10  # won leads without which a list of a small demo is not judged; usually 30

# %% [markdown]
# ## The nights
#
# Where the folder has a month of monitored nights, they are read as they are. Where it has not (a demo),
# they are made in a folder of their own, as they would have been: a model is trained on what was known
# **then**, ranks four nights a week apart whose outcomes are known by now, and tonight. (To rank the past
# with a model that has learned its outcomes would flatter it.) That model is a small one, with few features
# and trees, so that this takes seconds.

# %%
home, quiet, stack = Path(FOLDER).resolve(), Progress(is_quiet=True), ExitStack()
place, params = home, load(home / "params.yaml")
if len(store.verdicts(home)) < FEW_NIGHTS:
    tonight = datetime.fromisoformat(runs.current(home / params.score.runs).as_of)
    matures = timedelta(days=params.train.horizon_days + params.train.reporting_delay_days + 1)
    nights = [tonight - matures - timedelta(weeks=week) for week in range(WEEKS)]
    few = {"library_max": 20, "generic_max": 5, "kinds_max": 6, "places_max": 3, "values_max": 5}
    small = {"max_per_lead": 4, "bags": 1, "max_trees": 40, "horizons_days": (), "as_of": nights[-1]}
    changed = {
        "features": params.features.model_copy(update=few),
        "train": params.train.model_copy(update=small),
        "monitor": params.monitor.model_copy(update={"realised": RealisedLimits(min_outcomes=FEW_WON)}),
        "tracking": params.tracking.model_copy(update={"uri": "sqlite:///mlflow.db"}),
        "sinks": Sinks(),  # nothing goes to other systems
        "tags": {},
    }
    params = params.model_copy(update=changed)
    place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="leadrank-"))) / "month"
    own = shutil.ignore_patterns(params.score.runs, ".leadrank", "mlartifacts", "mlflow.db")
    shutil.copytree(home, place, ignore=own)
    train.run(params, place, rows=None, progress=quiet)
    gates = Accepted(GATES, "replayed for a notebook")
    for night in (tonight, *nights):  # the latest first: comparing with a night before takes longest
        score.run(params, place, as_of=night, progress=quiet, accepted=gates)
    latest_run = max(runs.published(place / params.score.runs), key=lambda run: run.as_of)
    monitor.run(params, place, run_id=latest_run.run_id, report=None, metrics=None, progress=quiet)
limits = params.monitor
verdicts = pd.DataFrame(store.verdicts(place)[::-1])
verdicts["night"] = pd.to_datetime(verdicts.as_of)
print(f"{len(verdicts)} monitored nights, {verdicts.night.min():%Y-%m-%d} to {verdicts.night.max():%Y-%m-%d}")

# %% [markdown]
# ## Start with the verdict
#
# One word a night: `ok`, `warning` or `alarm`; the reasons; and whether training again would mend it. Read
# the latest first. The advice comes from the worst reason: a fault of the source is to be mended **before**
# any training, for training would learn from it.

# %%
latest = store.latest(place)
print(f"{latest['as_of'][:10]}: {latest['level']}; {latest['advice']}")
for reason in latest["reasons"]:
    print(f"    {reason}")
verdicts[["as_of", "level", "retrain", "reasons"]].style.hide()

# %% [markdown]
# ## Has it moved?
#
# Two numbers tell most. **Features**: the population stability index of each feature against training,
# weighted by what the feature moves, so that a feature nobody's rank depends on does not cry wolf.
# **Scores**: the index of the scores, in which everything comes together. Dashed: from where it is an
# alarm.

# %%
followed = pd.json_normalize(verdicts.figures.tolist())
lines = {
    "model_drift|training": ("features, weighted by what they move", BLUE, limits.model_drift),
    "score_drift|training": ("scores", ORANGE, limits.drift),
}
figure, axes = plt.subplots()
for name, (label, colour, limit) in lines.items():
    axes.plot(verdicts.night, followed[name], "o-", color=colour, label=label)
    axes.axhline(limit, color=colour, linestyle="--", linewidth=1)
    print(f"{label}: {followed[name].iloc[-1]:.3f} in the latest night, an alarm from {limit}")
beyond = [label for name, (label, _, limit) in lines.items() if followed[name].iloc[-1] >= limit]
axes.set(ylabel="index (PSI) against training", ylim=(0, None))
axes.xaxis.set_major_formatter(ConciseDateFormatter(axes.xaxis.get_major_locator()))
axes.set_title(f"Beyond its limit in the latest night: {' and '.join(beyond) or 'nothing'}")
axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

# %% [markdown]
# ## Does it matter?
#
# Each feature of the latest night: to the right what moves the ranking, upwards what has moved itself. Only
# the corner up right, beyond both lines, is an alarm. Far up on the left are features that changed and that
# hardly any rank depends on: nobody is woken for these.

# %%
table = pq.read_table(place / store.FOLDER / f"{latest['run_id']}.parquet").to_pandas()
drift = table[(table.kind == "drift") & (table.measure == "psi") & (table.reference == "training")]
drift = drift[drift.subject != "model"].assign(matters=drift.value * drift.weight)
moved, alarmed = drift[drift.value >= limits.drift], drift[drift.level == "alarm"]
figure, axes = plt.subplots(figsize=(8, 4.2))
share = np.linspace(0, max(drift.weight.max() * 1.2, 0.02), 200)[1:]
corner = np.maximum(limits.drift, limits.matters / share)
axes.fill_between(share, corner, 10, color=RED, alpha=0.12, linewidth=0, label="alarm")
axes.scatter(drift.weight, drift.value, color=np.where(drift.level == "ok", BLUE, RED), s=30)
for row in drift.nlargest(3, "matters").itertuples():
    axes.annotate(row.subject, (row.weight, row.value), (5, 3), textcoords="offset points", fontsize=8)
top = 1.25 * max(drift.value.max(), limits.drift)
axes.set(xlim=(0, share[-1]), ylim=(-0.02 * top, top), ylabel="index (PSI) against training")
axes.set_xlabel("share of all contributions tonight")
axes.set_title(f"{len(moved)} of {len(drift)} features have shifted; {len(alarmed)} of them matter")
axes.legend(loc="upper right")
plt.show()
print(f"{len(moved)} of {len(drift)} features have shifted; {len(alarmed)} of them matter")

# %%
worst = drift.nlargest(8, "matters")[["subject", "value", "weight", "matters", "level"]]
worst.style.hide().format({"value": "{:.3f}", "weight": "{:.1%}", "matters": "{:.4f}"})

# %% [markdown]
# ## Were the lists right?
#
# Drift is a question; outcomes are the answer, and come a horizon late. Of each list whose outcomes are
# known by now: how many were won, beside what its own published probabilities made expect (leads whose
# probability was withheld are not in it). The bar is what chance leaves. Four lists a week apart share most
# of their leads, so they are **one** piece of evidence rather than four.

# %%
with opened(params, place, quiet) as inputs:
    matured = realised(
        inputs.backend,
        inputs.tables,
        place / params.score.runs,
        as_of=datetime.fromisoformat(latest["as_of"]),
        stage=params.train.stage,
        horizon_days=params.train.horizon_days,
        delay_days=params.train.reporting_delay_days,
        limits=params.monitor.realised,
    )
lists = matured.tables["realised_lists"].to_pylist()[0]
print(f"{lists['mature']} lists are mature, {lists['immature']} not yet")
judged = matured.tables["realised"].to_pandas() if "realised" in matured.tables else pd.DataFrame()
wins = judged[(judged.slice == "") & (judged.measure == "wins")].dropna(subset="value")
for row in wins.itertuples():
    print(
        f"{row.as_of[:10]}: {row.value:.0f} of {row.rows:,} leads were won, "
        f"{row.expected:.1f} expected ({row.expected_low:.1f} to {row.expected_high:.1f})"
    )

# %%
figure, axes = plt.subplots(figsize=(8, 3.2))
y = np.arange(len(wins))
axes.hlines(y, wins.expected_low, wins.expected_high, color=FAINT, linewidth=5, label="expected, 95 %")
axes.plot(wins.expected, y, "|", color="#1d2733", markersize=14)
axes.plot(wins.value, y, "o", color=BLUE, markersize=9, label="won")
axes.set(yticks=y, yticklabels=wins.as_of.str[:10], xlabel="won leads of the list")
axes.set(xlim=(0, None), ylim=(len(wins) - 0.5, -0.5))
inside = wins.value.between(wins.expected_low, wins.expected_high).sum()
axes.set_title(f"{inside} of {len(wins)} lists won what they promised")
axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

# %% [markdown]
# The order of the list is judged in the same way: means over the latest mature lists, as the verdict uses
# them. A figure is an alarm only if it lies **surely** further from what was expected than its limit
# allows.

# %%
quality = table[(table.kind == "realised") & (table.slice == "")]
columns = ["subject", "value", "low", "high", "against", "limit", "level"]
quality[columns].rename(columns={"against": "expected"}).style.hide().format(precision=3, na_rep="-")

# %% [markdown]
# ## What to do about an alarm
#
# Whatever is not `ok` in the latest night, the worst first. If nothing is, what came nearest to its limit.

# %%
bad = table[table.level != "ok"].sort_values("level")
near = table[table.limit.notna() & (table.kind != "realised")].assign(share=lambda t: t.value / t.limit)
for row in bad.itertuples():
    print(f"{row.level}: {row.because}")
if bad.empty:
    for row in near.nlargest(3, "share").itertuples():
        print(f"ok: {row.kind} of {row.subject} against {row.reference}: {row.share:.0%} of its limit")

# %% [markdown]
# | It says | Usual cause | Do |
# |---|---|---|
# | new leads of one segment are others | robots found a form, a bought list | mend the source |
# | a feature moved, or is missing | an export, a mapping, a tracker | mend it; do not train on it |
# | features or scores left training, slowly | market, offer, team | `leadrank retrain` |
# | skew | a field declared `static` is overwritten | declare it `tracked` or `current` |
# | wins or order fell short | leads, or the team's capacity | look at both, then train again |
#
# An alarm that was there on the very first night and has not grown since is not drift: something about the
# reference (too few leads to compare with), not about the market. A line that climbs is drift.
#
# To see an alarm on purpose: `leadrank demo bad --turns-bad SOURCE:WEEK` makes a CRM in which one source
# turns bad.

# %%
stack.close()  # removes the nights that were made for this notebook

# %% [markdown]
# **Next.** `leadrank monitor --report monitor.html` has the whole of one night; `docs/monitoring.md` says
# what each figure is and where the limits are set.
