"""Leaks planted in the demo CRM are refused and named; honest fields beside them and the model stay."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from pipelines import leaks, train
from pipelines import params as parameters
from pipelines.asking import question
from pipelines.demo.generation import generate
from pipelines.inputs import opened
from pipelines.offering import offered
from pipelines.progress import Progress

pytestmark = [
    pytest.mark.timeout(900),
    # mlflow and its dependencies warn about themselves while they are imported.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
]
LEADS, SEED = 3_000, 11
QUIET = Progress(is_quiet=True)


class Planted:
    """The demo's leads with further columns: ``leaks`` and ``honest`` hold their kinds by name."""

    def __init__(self, home):
        self.home, self.rng = home, np.random.default_rng(0)
        self.as_of = generate(home, leads=LEADS, seed=SEED, with_truth=False).as_of
        self.table = pd.read_csv(home / "data" / "leads.csv", dtype=str)
        self.leaks, self.honest = {}, {}
        ends = pd.read_csv(home / "data" / "outcomes.csv", dtype=str)
        ends["at"] = pd.to_datetime(ends["occurred_at"], utc=True, format="ISO8601", errors="coerce")
        ends = ends[ends["stage"].isin(["won", "lost", "disqualified"])]
        self.end = self.table["lead_id"].map(ends.groupby("lead_id")["at"].min())
        self.won = self.table["lead_id"].isin(ends.loc[ends["stage"] == "won", "lead_id"]).to_numpy()
        self.lost = self.end.notna().to_numpy() & ~self.won
        self.created = pd.to_datetime(self.table["created_at"], utc=True, format="ISO8601", errors="coerce")
        self._leaks()
        self._honest()

    def _leaks(self):
        rng, n = self.rng, len(self.table)
        won, lost, end = self.won, self.lost, self.end
        later = pd.to_timedelta(rng.integers(1, 20, n), "D")
        few, noise = rng.random(n) < 0.05, rng.random(n) < 0.03
        words, copy = rng.choice(["price", "timing"], n), won ^ noise
        rate = pd.Series(won).groupby(self.table["owner"].fillna("?")).transform("mean")
        born, closed = self.created.rank(method="first").fillna(0), end.rank(method="first")
        last = closed.fillna(pd.Series(np.arange(n) + closed.max() + 1.0))
        self.leak("after_the_end", "timestamp", iso(end + later))
        self.leak("at_the_end", "timestamp", iso(end))
        self.leak("at_the_win", "timestamp", iso(end.where(won)))
        self.leak("filled_when_lost", "category", np.where(lost, words, None))
        self.leak("filled_when_lost_mostly", "category", np.where(lost ^ few, words, None))
        self.leak("copy_of_the_label", "number", copy.astype(int))
        self.leak("copy_inverted", "number", (~copy).astype(int))
        self.leak("copy_as_text", "category", np.where(copy, "customer", "prospect"))
        self.leak("owner_win_rate", "number", rate)
        self.leak("owner_win_rate_rounded", "number", rate.round(2))
        self.leak("grows_with_time", "number", born.astype(int))
        self.leak("grows_with_the_end", "number", last.astype(int))
        self.leak("as_text_with_prefix", "category", [f"OPP-{int(number):06d}" for number in last])

    def _honest(self):
        rng, n, won, born = self.rng, len(self.table), self.won, self.created
        before = pd.to_timedelta(rng.integers(0, 200, n), "D")
        self.fair("signed_up_on", "timestamp", iso(born - before))
        self.fair("entered_on", "timestamp", iso(born))
        self.fair("trial_ends_on", "timestamp", iso(born + pd.Timedelta("30D")))
        self.fair("quarter", "category", born.dt.strftime("%Y-%m").fillna("?"))
        self.fair("region", "category", rng.choice(list("abcdefgh"), n))
        self.fair("turnover", "number", rng.lognormal(12, 1, n).round())
        self.fair("budget", "number", np.where(rng.random(n) < np.where(won, 0.5, 0.35), 1000.0, np.nan))
        self.fair("fit", "number", rng.normal(size=n).round(2) + won)

    def leak(self, name, kind, values):
        self.table[name], self.leaks[name] = values, kind

    def fair(self, name, kind, values):
        self.table[name], self.honest[name] = values, kind

    def params(self, names):
        """The demo's parameters with the named planted columns, all declared static."""
        text = (files("pipelines.demo") / "params.yaml").read_text(encoding="utf-8")
        kinds = self.leaks | self.honest
        lines = "".join(f"      {name}: {{kind: {kinds[name]}, time: static}}\n" for name in names)
        self.table.to_csv(self.home / "data" / "planted.csv", index=False)
        text = text.replace("data/leads.csv", "data/planted.csv").replace(
            "    fields:\n", f"    fields:\n{lines}", 1
        )
        return parameters.parse(text)


def iso(moments):
    return moments.dt.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    return Planted(tmp_path_factory.mktemp("planted"))


@pytest.fixture(scope="module")
def verdicts(planted):
    """What the audit says of the user's own fields; the features of touches are left out for speed."""
    params = planted.params([*planted.leaks, *planted.honest])
    with opened(params, planted.home, QUIET) as inputs:
        asked, offer = question(params, inputs), offered(params, inputs)
        own = [feature for feature in offer.features if feature.family == "fit"]
        table = train.table_of(inputs, asked.mature, own, offer.vocabulary)
        found = leaks.audited(params, inputs, table, own, asked.mature)
    return {report.column: report for report in found.columns}


def test_each_planted_leak_is_refused_and_named(planted, verdicts):
    assert {name for name in planted.leaks if verdicts[name].verdict != "refuse"} == set()
    assert verdicts["onboarding_tier"].verdict == "refuse"  # the demo's own
    assert all(verdicts[name].evidence for name in planted.leaks)


def test_honest_fields_beside_them_are_kept(planted, verdicts):
    kept = {name: report for name, report in verdicts.items() if name not in planted.leaks}
    assert {name for name, report in kept.items() if report.verdict != "keep"} == {"onboarding_tier"}
    assert set(planted.honest) <= set(kept)


def test_the_evidence_says_what_gave_each_leak_away(verdicts):
    for name, words in {
        "after_the_end": "of its dates lie after the night",
        "filled_when_lost": "it is written when a lead is lost",
        "copy_of_the_label": "ROC-AUC of 0.9",
        "owner_win_rate": "shares of won leads",
        "grows_with_time": "in the order of their creation",
        "as_text_with_prefix": "values for",
    }.items():
        assert words in verdicts[name].evidence


@pytest.mark.slow
def test_the_model_is_as_good_as_one_that_never_saw_them(planted):
    def lift(names):
        params = planted.params(names)
        alone = params.train.model_copy(update={"stages": (), "horizons_days": ()})
        params = params.model_copy(update={"train": alone, "tags": {}})  # the ranking target is what is asked
        trained = train.run(params, planted.home, rows=None, progress=QUIET)
        return trained["metrics"]["model"]["lift_10"]["value"]

    lifts = [lift(names) for names in ([], list(planted.leaks))]
    print(f"\ntop-decile lift without the leaks {lifts[0]:.3f}, with them {lifts[1]:.3f}")  # noqa: T201
    assert lifts[1] == pytest.approx(lifts[0], rel=0.10)
