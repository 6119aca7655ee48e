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
# # Review a model
#
# The champion of the registry: how good it was on later leads, whether its probabilities came true, what it
# looks at, and why three leads of tonight's ranking stand where they stand.
#
# It works on any folder in which `leadrank train` and `leadrank score` have run; `make demo` makes one.

# %% tags=["parameters"]
FOLDER = "../demo"  # the folder of params.yaml

# %%
import tempfile
import warnings
from pathlib import Path

warnings.filterwarnings("ignore", message="IProgress not found")  # shap's progress bars: none is shown here

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import shap
from IPython.display import Image, display

from models.cards.forward_test import figure_rows
from models.cards.pictures import COLOURS, STYLE, draw
from models.cards.shap_view import explanation
from models.explaining import Explainer
from models.reasons import family_totals
from pipelines.champion import champion, forward_test
from pipelines.params import load
from serve import queries, runs

plt.rcParams.update(STYLE)

# %% [markdown]
# ## Which model
#
# The bundle is fetched from MLflow, checked against its registered digest, and loaded as data.

# %%
home = Path(FOLDER).resolve()
params = load(home / "params.yaml")
model = champion(params, home)
bundle = model.bundle
pd.Series(
    {
        "model": f"{params.tracking.model} version {model.version}",
        "digest": model.digest[:16],
        "predicts": bundle.target.name,
        "training rows": f"{bundle.window.rows:,}",
        "converted": f"{bundle.window.positives:,}",
        "first moment": (bundle.window.first_as_of or "none")[:10],
        "last moment": (bundle.window.last_as_of or "none")[:10],
        "features": len(bundle.specs),
        "trees": f"{len(bundle.target.blend.boosters)} boosters",
    },
    name="champion",
).to_frame()

# %% [markdown]
# ## How good on later leads
#
# The forward test of its training: rows later than any that its trees or its calibration had seen, with a gap
# as long as the horizon between them. The intervals (95 %) resample leads, not rows, for the snapshots of one
# lead are one piece of evidence.
#
# The three rivals are what a team could do without this model: the **scorecard** of `params.yaml`, calling
# the **newest first**, and a **logistic regression** on the same features. The scorecard and newest first
# give an order, not a probability, so they have no calibration figures.

# %%
test = forward_test(params, home)
figures = pd.DataFrame(figure_rows(test.with_intervals()))
tested = test.figures["model"]
contenders, names = (
    list(test.figures),
    [name for name in tested if name not in ("n", "positives", "base_rate")],
)
print(f"{tested['n']:,} test rows, {tested['positives']:,} converted; base rate {tested['base_rate']:.1%}")

measured = figures[figures.figure.isin(names)]
texts = [f"{row.value:.3f} ({row.low:.3f} to {row.high:.3f})" for row in measured.itertuples()]
table = measured.assign(text=texts).pivot_table(
    index="figure", columns="contender", values="text", aggfunc="first"
)
table.reindex(index=names, columns=contenders).fillna("-")

# %%
figure, axes_row = plt.subplots(1, 3, figsize=(11, 2.6), sharey=True, layout="constrained")
titles = {
    "roc_auc": "ROC-AUC",
    "lift_10": "Lift in the first 10 %",
    "capture_20": "Won leads found in the first 20 %",
}
chance = {"roc_auc": 0.5, "lift_10": 1.0, "capture_20": 0.2}
for axes, (name, title) in zip(axes_row, titles.items(), strict=True):
    rows = figures[figures.figure == name].set_index("contender").reindex(contenders[::-1])
    ends = [rows.value - rows.low, rows.high - rows.value]
    axes.errorbar(rows.value, range(len(rows)), xerr=ends, fmt="none", ecolor="#6b7785", capsize=3)
    axes.scatter(rows.value, range(len(rows)), color=[COLOURS[c != "model"] for c in rows.index], zorder=3)
    axes.axvline(chance[name], color="#9aa5b1", linestyle="--", linewidth=1)
    axes.set(yticks=range(len(rows)), yticklabels=[c.replace("_", " ") for c in rows.index])
    axes.set(title=title, ylim=(-0.5, len(rows) - 0.5))
plt.show()

# %% [markdown]
# Dashed: any order at all. Real sales data gives a ROC-AUC of .63 to .75 forward in time; above .9 suspect a
# leak before you rejoice. Where the intervals of two contenders overlap widely, this test cannot tell them
# apart: more history can.
#
# ## Curves
#
# The same rows, drawn. Reliability first: the points should lie on the line within their intervals, because
# expected values and routes are computed from these probabilities. (These intervals count rows, several of
# which may be one lead, so they are a little too narrow.)

# %%
with tempfile.TemporaryDirectory() as scratch:
    others = {name.replace("_", " "): order for name, order in test.orders.items()}
    ends = (tested["roc_auc"]["low"], tested["roc_auc"]["high"])
    pictures = draw(Path(scratch), test.label == 1, test.probability, others=others, auc_interval=ends)
    for picture in pictures.values():
        display(Image(data=picture.read_bytes(), width=620))

# %% [markdown]
# The last picture answers the sales manager's question: if the team can call only the first tenth of the
# list, which share of the won leads is in it, for each way of making the list?
#
# ## What the model looks at
#
# Exact SHAP contributions (path-dependent TreeSHAP) of every lead in the ranking in force, in log-odds: base
# plus the contributions of a lead are its margin. Red is a high value of the feature, blue a low one, grey a
# category. A dot to the right raised that lead's chance.

# %%
run = runs.current(home / params.score.runs)
features = pq.read_table(run.folder / "features.parquet")
explained = Explainer(bundle).explain(features)
shown = explanation(explained, features, bundle.specs)
is_same = run.manifest["model"]["digest"] == model.digest
print(
    f"run {run.run_id}: {features.num_rows:,} leads, published with {'this' if is_same else 'ANOTHER'} model"
)
shap.plots.beeswarm(shown, max_display=16, show=False, plot_size=(9, 6.5))
plt.xlabel("contribution to the margin, log-odds")
plt.title("What moves tonight's leads")
plt.show()

# %%
totals = family_totals(explained.contributions, bundle.specs)
strength = pd.Series({family: np.abs(total).mean() for family, total in totals.items()}).sort_values()
figure, axes = plt.subplots(figsize=(7, 0.5 * len(strength) + 1.2), layout="constrained")
axes.barh(strength.index, strength, height=0.6, color=COLOURS[0])
for place, (family, value) in enumerate(strength.items()):
    count = sum(spec.family == family for spec in bundle.specs)
    axes.text(value + 0.01 * strength.max(), place, f"{count} features", va="center", fontsize=9)
axes.set(xlabel="mean |sum of the family's contributions|, log-odds", xlim=(0, 1.2 * strength.max()))
axes.set_title("Which family of features moves the ranking")
plt.show()

# %% [markdown]
# **Fit** is who the lead is, **behaviour** and **recency** what they did and when, **stage** how far they
# have come, **account** what their colleagues do. A ranking that moves by fit alone is the same list every
# morning; one that moves by stage alone tells sales what sales has typed in.
#
# ## Three leads
#
# The first of the ranking, the one in the middle, and the last. Each waterfall starts at the base margin, the
# model's answer when it knows nothing of a lead, and ends at the lead's margin. Below it are the sentences
# that the sales manager reads; "points" are percentage points of probability.


# %%
def show(rank: int) -> None:
    """One lead: its standing, its waterfall, and its published reasons."""
    lead = queries.top_leads(run, rank)[-1]
    place = features.column("lead_id").to_pylist().index(lead["lead_id"])
    chance = "withheld" if lead["probability"] is None else f"{lead['probability']:.1%}"
    print(f"rank {rank:,}: {lead['lead_id']}, probability {chance}")
    shap.plots.waterfall(shown[place], max_display=12, show=False)
    plt.show()
    said = pd.DataFrame(queries.reasons(run, lead["lead_id"]), columns=["points", "family", "sentence"])
    display(said.style.hide().format("{:+.1f}", subset="points"))


show(1)

# %%
show((features.num_rows + 1) // 2)

# %%
show(features.num_rows)

# %% [markdown]
# **Before you trust it.** Do the reasons sound like sales, not like bookkeeping? Does a field appear that is
# filled in only after the outcome? (`leadrank train` names what its leakage audit left out and what it
# suspects.) Does the base rate of the test agree with what `explore_history` shows for recent weeks?
