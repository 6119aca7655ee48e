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
# # Features and leakage
#
# What the model is told of a lead, from which facts, and how we know that none of them comes from the future.
# A leak makes every figure look splendid until the first night on which it is not there.
#
# It works on any folder with `params.yaml` and tables that have dates, once `leadrank train` has run;
# `make demo` makes one.

# %% tags=["parameters"]
FOLDER = "../demo"  # the folder of params.yaml

# %%
import warnings
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

warnings.filterwarnings("ignore", message="IProgress not found")  # progress bars: none is shown here

import ibis
import ibis.expr.types as ir
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.dates import ConciseDateFormatter
from matplotlib.ticker import PercentFormatter

from features.build import KEYS
from features.known import as_known
from models.audit.alone import earlier_rows
from models.audit.page import COLOURS as VERDICT_COLOURS
from models.audit.worth import Worth
from models.cards.pictures import COLOURS, FAINT, STYLE
from models.explaining import Explainer
from models.tracing import traced
from pipelines.asked_features import features_of
from pipelines.asking import question
from pipelines.champion import champion
from pipelines.inputs import opened
from pipelines.leaks import audited
from pipelines.offering import offered
from pipelines.params import load
from pipelines.progress import Progress
from pipelines.train import table_of
from serve.gates.distances import counts, psi

plt.rcParams.update({**STYLE, "figure.figsize": (9, 4.2), "figure.constrained_layout.use": True})
BLUE, ORANGE = COLOURS[:2]
FEW_ROWS = 50  # with fewer, a share is noise
SHIFT = 0.25  # population stability index from which a distribution is said to have shifted
MOST = 10  # features of a picture

# %% [markdown]
# ## What there is, by family
#
# A family is a file of `features/`. Which features there are depends on the tables: a column that is not
# there feeds none, and the most common kinds and places of touches have copies of their own. Training takes
# the useful ones of these; each is explained in `docs/features.md`.

# %%
home, quiet = Path(FOLDER).resolve(), Progress(is_quiet=True)
params = load(home / "params.yaml")
stack = ExitStack()
inputs = stack.enter_context(opened(params, home, quiet))
asked = question(params, inputs)
offer = offered(params, inputs)
table = table_of(inputs, asked.even, offer.features, offer.vocabulary)
won = np.asarray(table.column("label")) > 0
print(f"{len(offer.features)} features of {table.num_rows:,} rows, {won.sum():,} of them won")

# %%
catalogue = pd.DataFrame([vars(feature.spec) for feature in offer.features])
families = catalogue.groupby("family", sort=False).agg(
    features=("name", "size"), for_example=("name", "first"), measures=("doc", "first")
)
families["measures"] = families.measures.str.split(". ", regex=False).str[0].str.split("\n").str[0]
families.sort_values("features", ascending=False)

# %% [markdown]
# ## On which facts they are cut
#
# Every row of the table is a lead **at a moment**. A fact counts if it happened *and was recorded* before
# that moment: what the CRM learned a second later, about whatever day, is not there. Here is one lead that
# was won later, at the moment in the midst of its history.

# %%
facts = ibis.union(
    inputs.tables["touches"].select("lead_id", "occurred_at", "recorded_at", what="kind"),
    inputs.tables["outcomes"].select("lead_id", "occurred_at", "recorded_at", what="stage"),
)
paired = facts.join(asked.even.filter(asked.even.label == 1).select("lead_id", "as_of"), "lead_id")
paired = paired.mutate(is_known=ibis.greatest(paired.occurred_at, paired.recorded_at) < paired.as_of)
sides = paired.group_by("lead_id", "as_of").aggregate(
    known=lambda t: t.is_known.sum(), every=lambda t: t.count()
)
richest = ibis.desc(ibis.least(sides.known, sides.every - sides.known))
example = sides.order_by(richest, "lead_id", "as_of").limit(1).to_pandas().iloc[0]
moment = example.as_of.to_pydatetime().replace(tzinfo=UTC)
print(f"{example.lead_id} on {moment:%Y-%m-%d}: {example.known} of {example.every} facts are known")

# %%
own = paired.filter((paired.lead_id == example.lead_id) & (paired.as_of == example.as_of)).to_pandas()
own = own.sort_values("occurred_at")
kinds = list(dict.fromkeys(own.what))
figure, axes = plt.subplots(figsize=(9, 0.3 * len(kinds) + 1.6))
for is_known, colour, label in (
    (True, BLUE, "known: features are made of it"),
    (False, FAINT, "not known yet"),
):
    rows = own[own.is_known == is_known]
    axes.scatter(rows.occurred_at, rows.what.map(kinds.index), s=45, color=colour, label=label)
axes.axvline(example.as_of, color=ORANGE, label="the moment")
axes.set(yticks=range(len(kinds)), yticklabels=[kind.replace("_", " ") for kind in kinds])
axes.xaxis.set_major_formatter(ConciseDateFormatter(axes.xaxis.get_major_locator()))
axes.set_title(f"Of the {example.every} facts of this lead, {example.known} count on {moment:%Y-%m-%d}")
axes.invert_yaxis()
axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

# %% [markdown]
# The champion's features of this lead at this moment, with what each adds to the margin, the strongest ten:
# the same numbers as `leadrank trace LEAD --as-of MOMENT`. The champion has learned from this lead, so its
# probability is no forecast here.

# %%
model = champion(params, home)
night = inputs.backend.create_table(
    "night", asked.even.filter(asked.even.as_of == example.as_of).select(*KEYS)
)
plain = features_of(params, inputs, model.bundle, night, is_now=False)
row = plain.filter(pc.equal(plain.column("lead_id"), example.lead_id))
told = traced(Explainer(model.bundle), row)
strongest = pd.DataFrame(told["features"]).head(10)[["name", "family", "value", "sentence", "contribution"]]
print(f"base {told['base']:+.3f}, margin {told['margin']:+.3f}, probability {told['probability']:.1%}")
strongest.style.hide().format({"contribution": "{:+.3f}"}, precision=4)

# %% [markdown]
# ## The proof: knowing more later changes nothing
#
# All leads of that night, again: with tables that **end** at the moment; with a touch and a win **added**
# to every lead, which happened the day before and were recorded at the very moment; and, so that the proof
# can fail, with the same two recorded one second earlier.


# %%
def with_more(recorded_at: datetime) -> dict[str, ir.Table]:
    """The tables, with a touch and a win more of each lead, which happened the day before the moment."""
    day_before = ibis.timestamp(example.as_of - timedelta(days=1))
    stamps = {"occurred_at": day_before, "recorded_at": ibis.timestamp(recorded_at)}
    found = dict(inputs.tables)
    for name, what in (("touches", {}), ("outcomes", {"stage": ibis.literal("won")})):
        of_night = found[name].semi_join(night, "lead_id").distinct(on="lead_id", keep="first")
        more = of_night.mutate(**stamps, **what).cast(found[name].schema())
        found[name] = ibis.union(found[name], more)
    return found


ways = {
    "tables that end at the moment": as_known(inputs.tables, moment),
    "more facts, recorded at the moment": with_more(example.as_of),
    "the same facts, recorded a second earlier": with_more(example.as_of - timedelta(seconds=1)),
}
names = [spec.name for spec in model.bundle.specs]
differing = {}
for way, tables in ways.items():
    again = features_of(params, replace(inputs, tables=tables), model.bundle, night, is_now=False)
    differing[way] = sum(not plain.column(name).equals(again.column(name)) for name in names)
    print(f"{way}: {differing[way]} of {len(names)} features differ for some of {plain.num_rows:,} leads")

# %% [markdown]
# Facts of **others** count, too (what colleagues of the account did, how many earlier leads of the source
# were won), and are cut at the same moment: that is why the tables were cut and fed for all leads of the
# night.
#
# ## Since when a field is true
#
# A touch has a date. A field of the lead has none, so `params.yaml` has to say it: `static` (true since the
# lead's creation), `tracked` (its past is in `field_history`, so the value *of the moment* is read) or
# `current` (only today's value is known: used tonight, never for a past moment).

# %%
found = audited(params, inputs, table, offer.features, asked.even)
own_fields = pd.DataFrame(
    [
        {"field": c.column, "time": c.time or "not said", "verdict": c.verdict, **c.figures}
        for c in found.columns
        if c.is_field
    ]
)
shares, aucs = ["fill_past", "fill_won", "fill_tonight"], ["auc_alone", "auc_alone_today"]
shown = own_fields[["field", "time", "verdict", *shares, *aucs]]
shown.style.hide().format("{:.0%}", subset=shares, na_rep="-").format("{:.3f}", subset=aucs, na_rep="-")

# %% [markdown]
# `auc_alone` is how well the field alone orders later leads; `auc_alone_today` is the same for a tracked
# field read as it stands **today**. What is gained there is knowledge of the outcome, not of the lead.
#
# ## What the audit says
#
# Declarations can be wrong, so every training audits every column. *Refused* columns know the outcome;
# *quarantined* ones look so much like it that a person has to decide (`audit.allow`, with a reason).

# %%
verdicts = found.as_json()["verdicts"]
print(", ".join(f"{verdict}: {count}" for verdict, count in verdicts.items()))
attention = [c for c in found.columns if c.verdict != "keep" or "suspect" in c.attention]
for report in attention:
    print(f"{report.column} ({', '.join([report.verdict, *report.attention])}): {report.evidence}")

# %%
own_fields = own_fields.sort_values("auc_alone")
colours = own_fields.verdict.map(VERDICT_COLOURS)
figure, (left, right) = plt.subplots(1, 2, sharey=True, figsize=(10, 0.3 * len(own_fields) + 1.4))
y = np.arange(len(own_fields))
left.hlines(y, 0.5, own_fields.auc_alone, color=colours, linewidth=2)
left.scatter(own_fields.auc_alone, y, color=colours, s=50, zorder=3)
left.axvline(0.5, color=FAINT, linewidth=1)
left.set(
    yticks=y, yticklabels=own_fields.field, xlabel="ROC-AUC on later rows of this field alone; .5 is chance"
)
left.set_title("A field that alone tells almost everything …")
right.hlines(y, own_fields.fill_won, own_fields.fill_tonight, color=FAINT, linewidth=2)
right.scatter(own_fields.fill_won, y, color=colours, s=110, zorder=3, label="rows that were won")
right.scatter(
    own_fields.fill_tonight, y, facecolor="white", edgecolor="#1d2733", s=30, zorder=4, label="open tonight"
)
right.set(xlim=(-0.03, 1.03), xlabel="share with a value")
right.xaxis.set_major_formatter(PercentFormatter(xmax=1))
right.set_title("… and is empty when it is wanted")
right.legend(loc="lower center")
plt.show()

# %% [markdown]
# ## What the leak would have promised
#
# The audit's quick model (few small trees, learned on earlier rows, judged on later ones; not the model of
# `train`) three times: without what is left out; with it, as a test on the past would measure it; and that
# same model on the nights it is made for, when the left-out fields are still empty for everybody.

# %%
specs = [feature.spec for feature in offer.features]
clean = [spec.name for spec in specs if spec.name not in found.left_out]
every = [spec.name for spec in specs]
earlier = pa.array(earlier_rows(table))
as_at_night = table
for name in found.left_out & set(every):
    column = table.column(name)
    emptied = pc.if_else(earlier, column, pa.scalar(None, column.type))
    as_at_night = as_at_night.set_column(table.column_names.index(name), name, emptied)
past, tonight = Worth.of(table, specs, won), Worth.of(as_at_night, specs, won)
reached = {
    **past.aucs({"without the leak": clean, "with the leak,\nmeasured on the past": every}),
    **tonight.aucs({"with the leak,\nat night": every}),
}
print(f"{len(past.later_won):,} later rows, {past.later_won.sum():,} of them won")
print(f"left out: {', '.join(sorted(found.left_out)) or 'nothing'}")
for name, auc in reached.items():
    print(f"{' '.join(name.split())}: ROC-AUC {auc:.3f}")

# %%
figure, axes = plt.subplots(figsize=(8, 2.4))
bars = axes.barh(
    list(reached), list(reached.values()), height=0.55, color=[BLUE, VERDICT_COLOURS["refuse"], ORANGE]
)
axes.bar_label(bars, [f"{auc:.2f}" for auc in reached.values()], padding=4)
axes.axvline(0.5, color=FAINT, linestyle="--", linewidth=1)
axes.set(xlim=(0.4, 1.08), xlabel="ROC-AUC of the audit's quick model; dashed: chance")
axes.set_title("What the test promises with the leak, and what the night gets")
axes.invert_yaxis()
plt.show()

# %% [markdown]
# With a leak a model learns to look at one column and neglects the others: the test shines, the night does
# not. This is why a ROC-AUC above .9 should be doubted before it is told. (If nothing is left out, all
# three are one.)
#
# ## What is missing, and what drifts
#
# By month of the moment. A share that jumps is a form that changed, an import, or a tool that was switched
# on: the model learns it as if it were a property of leads.

# %%
month = np.asarray(pc.floor_temporal(table.column("as_of"), unit="month")).astype("datetime64[M]")
months, sizes = np.unique(month, return_counts=True)
months = months[sizes >= FEW_ROWS]
at_months = [pa.array(month == one) for one in months]
parts = [table.filter(mask) for mask in at_months]
missing = pd.DataFrame(
    {name: [part.column(name).null_count / part.num_rows for part in parts] for name in every},
    index=months.astype(str),
)
moved = (missing.max() - missing.min()).nlargest(MOST)
print(f"{(missing.max() == 0).sum()} of {len(every)} features are never missing")
shown = missing[moved.index].T
shown.style.background_gradient(cmap="Blues", axis=None, vmin=0, vmax=1).format("{:.0%}")

# %% [markdown]
# **Drift** is measured against the first third of the months, by the population stability index (up to .1
# is usually called stable, .25 a shift; what chance alone gives is taken off).

# %%
first = pa.concat_tables(parts[: max(1, len(parts) // 3)])
kinds = {spec.name: spec.kind for spec in specs}


def apart(name: str, part: pa.Table) -> float:
    """PSI of one feature between the first months and a part."""
    return psi(*counts(first.column(name), part.column(name)))


used = [name for name in names if name in kinds]
drift = pd.DataFrame({name: [apart(name, part) for part in parts] for name in used}, index=missing.index)
latest = drift.tail(3).mean()
shifted = (latest >= SHIFT).sum()
print(f"{shifted} of {len(used)} features of the champion have shifted in the last three months")
shown = drift[latest.nlargest(MOST).index].T
shown.style.background_gradient(cmap="Oranges", axis=None, vmin=0, vmax=2 * SHIFT).format("{:.2f}")

# %% [markdown]
# Features that count all history drift where the history begins: a young CRM has only short pasts. Features
# that follow the calendar drift with the season. `leadrank score` asks the same of every night against the
# one before (the gates), and `read_monitoring` shows the weeks since the training.

# %%
stack.close()  # removes the scratch database

# %% [markdown]
# **Next.** `add_a_feature` for one of your own, `review_model` for what the model makes of them.
