"""Whole leads: what is written with or after the outcome is found, what merely goes with it is not."""

import numpy as np
import pyarrow as pa
import pytest

from features.catalogue import FeatureSpec
from models.audit.hindsight import look_back
from models.audit.leads import Leads
from models.audit.win_rates import is_win_rate
from models.coded import coded

WON, LOST, OPEN = "won", "lost", "open"


def spec(kind: str) -> FeatureSpec:
    return FeatureSpec("field", "field", "fit", kind, "field: {value}")


class Crm:
    """2,000 leads over 400 days; a lead is decided after 20 to 160 days, and one in six is won.

    About one in five is open today, mostly among the young. Nights of training: half way to the closing.
    """

    def __init__(self) -> None:
        self.rng = np.random.default_rng(11)
        n = self.n = 2000
        self.created = np.sort(self.rng.uniform(0, 400, n))[::-1].copy()
        takes = self.rng.uniform(20, 160, n)
        is_open = takes > self.created
        self.closed = np.where(is_open, np.nan, self.created - takes)
        self.won = ~is_open & (self.rng.random(n) < 1 / 6)
        self.lost = ~is_open & ~self.won
        self.open = is_open
        self.night = np.where(is_open, self.created / 2, self.created - takes / 2)  # days ago

    def found(self, values: object, kind: str = "number", *, is_date: bool = False) -> dict[str, str]:
        """Severity by detector; of a date ``values`` are days ago."""
        today = pa.chunked_array([pa.array(values)])
        past = pa.chunked_array([pa.array(np.asarray(values, float) - self.night)]) if is_date else today
        leads = Leads(pa.table({"field": today}), self.won, self.lost, self.created, self.closed)
        rows = pa.table({"field": past})
        dates = {"field"} if is_date else set()
        return {f.detector: f.severity for f in look_back(rows, leads, [spec(kind)], dates=dates)}


@pytest.fixture(scope="module")
def crm() -> Crm:
    return Crm()


def only(values: object, part: np.ndarray) -> pa.Array:
    return pa.array(values, mask=~part)


# ── dates ────────────────────────────────────────────────────────────────────────────────────────


def as_date(crm: Crm, days_ago: np.ndarray) -> dict[str, str]:
    return crm.found(days_ago, is_date=True)


@pytest.mark.parametrize("later", [0, 1, 15])
def test_a_date_of_the_closing_or_later_is_refused(crm, later):
    assert as_date(crm, crm.closed - later)["date"] == "refuse"


def test_a_date_that_only_won_or_only_lost_leads_have_is_refused(crm):
    for part in (crm.won, crm.lost):
        assert as_date(crm, np.where(part, crm.closed, np.nan))["date"] == "refuse"


def test_a_date_of_the_last_change_is_refused_although_open_leads_have_it_too(crm):
    assert as_date(crm, np.where(crm.open, 3.0, crm.closed))["date"] == "refuse"


def test_a_date_before_the_creation_is_not_touched(crm):
    assert as_date(crm, crm.created + 10) == {}
    assert as_date(crm, crm.created) == {}


def test_a_planned_date_lies_ahead_of_open_leads_too_and_is_a_suspect(crm):
    assert as_date(crm, crm.created - 60) == {"date": "suspect"}


# ── filled at the end ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("end", [WON, LOST])
@pytest.mark.parametrize("exceptions", [0.0, 0.05])
def test_a_field_that_is_filled_when_a_lead_ends_is_refused(crm, end, exceptions):
    has = getattr(crm, end) ^ (crm.rng.random(crm.n) < exceptions)
    words = crm.rng.choice(["price", "timing"], crm.n)
    assert crm.found(only(words, has), "category")["closing"] == "refuse"
    assert crm.found(np.where(has, 1.0, 0.0))["closing"] == "refuse"  # a flag is never empty


def test_a_field_that_is_filled_at_every_closing_is_refused(crm):
    assert crm.found(only(crm.rng.choice(["a", "b"], crm.n), ~crm.open), "category")["closing"] == "refuse"


def test_a_field_of_the_season_differs_between_old_and_new_leads_and_is_not_touched(crm):
    quarter = (crm.created // 90).astype(int).astype(str)
    assert crm.found(quarter, "category") == {}


def test_a_field_that_came_or_went_with_the_years_is_not_touched(crm):
    words = crm.rng.choice(["x", "y"], crm.n)
    assert crm.found(only(words, crm.created > 90), "category") == {}
    assert crm.found(only(words, crm.created < 90), "category") == {}


def test_what_a_closing_wrote_may_stand_in_a_lead_that_was_reopened():
    reopened = Crm()
    again = reopened.lost & (reopened.rng.random(reopened.n) < 0.3)
    reopened.lost &= ~again
    reopened.open |= again
    has = reopened.lost | again
    words = reopened.rng.choice(["price", "timing"], reopened.n)
    assert reopened.found(only(words, has), "category")["closing"] == "refuse"


# ── a copy of the outcome ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("is_inverted", [False, True])
def test_a_copy_of_the_outcome_with_three_percent_noise_is_refused(crm, is_inverted):
    copy = crm.won ^ (crm.rng.random(crm.n) < 0.03) ^ is_inverted
    assert crm.found(copy.astype(float))["copy"] == "refuse"
    assert crm.found(np.where(copy, "customer", "prospect"), "category")["copy"] == "refuse"


def test_a_copy_of_the_fast_wins_alone_is_not_kept(crm):
    fast = crm.won & (crm.created - crm.closed < 90)
    assert crm.found((fast ^ (crm.rng.random(crm.n) < 0.01)).astype(float))["copy"] in {
        "refuse",
        "quarantine",
    }


def test_an_honest_strong_score_is_not_touched(crm):
    assert crm.found(crm.rng.normal(size=crm.n) + crm.won) == {}


# ── win rates ────────────────────────────────────────────────────────────────────────────────────


def rate_by(groups: np.ndarray, won: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Share of won leads by group, for each lead."""
    size = groups.max() + 1
    share = np.bincount(groups[part & won], minlength=size) / np.bincount(groups[part], minlength=size)
    return share[groups]


@pytest.mark.parametrize("digits", [2, 3, 15])
@pytest.mark.parametrize("scale", [1, 100])
@pytest.mark.parametrize("is_of_closed", [False, True])
def test_an_owners_win_rate_over_all_time_is_refused(crm, digits, scale, is_of_closed):
    owner = crm.rng.integers(0, 12, crm.n)
    part = ~crm.open if is_of_closed else np.ones(crm.n, bool)
    rate = np.round(rate_by(owner, crm.won, part) * scale, digits - (2 if scale == 100 else 0))
    assert crm.found(rate).get("win_rate") == "refuse"


def test_a_rate_that_was_measured_on_other_leads_is_not_touched(crm):
    owner = np.random.default_rng(3).integers(0, 12, crm.n)
    for seed in range(20):
        elsewhere = np.random.default_rng(seed).random(crm.n) < 1 / 6
        assert crm.found(np.round(rate_by(owner, elsewhere, np.ones(crm.n, bool)), 3)) == {}


def test_an_honest_rate_of_owners_who_differ_much_misses_by_a_standard_error(crm):
    for seed in range(10):
        rng = np.random.default_rng(seed)
        owner = rng.integers(0, 12, crm.n)
        chance = np.linspace(0.05, 0.6, 12)[owner]
        won, before = rng.random(crm.n) < chance, rng.random(crm.n) < chance
        leads = Leads(pa.table({"field": crm.won}), won, ~won, crm.created, crm.closed)
        everybody = np.ones(crm.n, bool)
        for rate, is_leak in (
            (rate_by(owner, won, everybody), True),
            (rate_by(owner, before, everybody), False),
        ):
            column = pa.chunked_array([rate])
            assert is_win_rate(column, coded(column, "number"), leads) == is_leak


# ── ids ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("step", [1, 1000])
def test_a_number_that_grows_with_creation_or_closing_is_refused(crm, step):
    order = np.argsort(np.argsort(-crm.created)).astype(float) * step
    assert crm.found(order)["identity"] == "refuse"
    end = np.where(crm.open, -1.0, crm.closed)  # open leads come last
    assert crm.found(np.argsort(np.argsort(-end)).astype(float) * step)["identity"] == "refuse"


def test_a_whole_amount_in_no_order_is_not_touched(crm):
    assert crm.found(np.round(crm.rng.lognormal(12, 1, crm.n))) == {}


def test_evidence_holds_no_value(crm):
    leads = Leads(
        pa.table({"field": only(np.full(crm.n, "secret"), crm.won)}),
        crm.won,
        crm.lost,
        crm.created,
        crm.closed,
    )
    found = look_back(leads.table, leads, [spec("category")])
    assert found
    assert not [f for f in found if "secret" in f.evidence]
