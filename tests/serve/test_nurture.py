"""The nurture list: what leads like these consumed in a stage before they went on to the next."""

from __future__ import annotations

import csv
from itertools import chain

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.stats import binomtest

from features.tables import Field
from features.vocabulary import Vocabulary, Word
from serve.lists.consumed import content_of, kinds_of, role_of
from serve.lists.evidence import Evidence
from serve.lists.nurture import write_nurture
from tests.serve.nights import AS_OF, MOMENTS, TEXTS, table

WORDS = Vocabulary().knowing(kinds=["webinar", "white_paper", "call", "pricing_visit"], places=())
NEEDS_FOUR = Evidence(kinds=2, window_days=30, horizon_days=60, delay_days=3, min_leads=4)
ENTERED, CONSUMED, ADVANCED = "2026-01-01", "2026-01-10", "2026-02-15"


def stays(name, number, *, role="buyer", kind=None, at=CONSUMED, advanced=None, stage="mql", born=ENTERED):
    """So many leads that entered the funnel alike: their rows of leads, touches and outcomes."""
    ids = [f"{name}{n}" for n in range(number)]
    return (
        [(lead, role, born) for lead in ids],
        [(lead, kind, at, at, "in") for lead in ids if kind],
        [(lead, stage, advanced, advanced) for lead in ids if advanced],
    )


TYPICAL = (
    stays("w", 8, kind="webinar", advanced=ADVANCED),
    stays("p", 4, kind="white_paper"),
    stays("n", 28),
)
"""40 leads: all 8 of the webinar advanced, none of the 4 with a white paper, nobody else."""


def nurtured(folder, *groups, evidence=NEEDS_FOUR, words=WORDS, tonight=(("x", "buyer"),), routes=None):
    """The list of a night and its evidence; ``tonight`` leads are new and routed to nurture."""
    born, touched, moved = (list(chain(*rows)) for rows in zip(*groups, strict=True))
    born = [*born, *((lead, role, "2026-06-29") for lead, role in tonight)]
    leads = table(born, lead_id=TEXTS, role=TEXTS, created_at=MOMENTS)
    touches = table(
        touched, lead_id=TEXTS, kind=TEXTS, occurred_at=MOMENTS, recorded_at=MOMENTS, direction=TEXTS
    )
    outcomes = table(moved, lead_id=TEXTS, stage=TEXTS, occurred_at=MOMENTS, recorded_at=MOMENTS)
    outcomes = outcomes.append_column("row_number", pa.array(range(len(moved)), pa.int64()))
    tables = {"leads": leads, "touches": touches, "outcomes": outcomes}
    return written(folder, tables, tonight, routes or ["nurture"] * len(tonight), evidence, words)


def written(folder, tables, tonight, routes, evidence=NEEDS_FOUR, words=WORDS, role="role"):
    ranked = pa.table(
        {
            "rank": range(1, len(tonight) + 1),
            "lead_id": [lead for lead, *_ in tonight],
            "probability": pa.array([0.1] * len(tonight)),
            "grade": pa.array(["A4"] * len(tonight)),
            "route": pa.array(routes, TEXTS),
        }
    )
    pq.write_table(ranked, folder / "ranking.parquet")
    with duckdb.connect() as connection:
        for name, rows in tables.items():
            connection.register(name, rows)
        columns = {name: rows.column_names for name, rows in tables.items()}
        write_nurture(connection, folder, evidence, as_of=AS_OF, tables=columns, role=role, words=words)
        left = {name for (name,) in connection.execute("SHOW TABLES").fetchall()}
        assert left == set(tables)  # nothing of ours stays behind
    files = (folder / f"{name}.parquet" for name in ("nurture", "nurture_content"))
    return tuple(pq.read_table(file).to_pylist() for file in files)


def claims(content, role="buyer"):
    return [row["content"] for row in content if row["role"] == role and row["place"] is not None]


def test_a_lead_is_offered_what_those_who_advanced_had_consumed(tmp_path):
    (row,), content = nurtured(tmp_path, *TYPICAL)
    assert (row["lead_id"], row["stage"], row["role"], row["alike_by"]) == (
        "x", "lead", "buyer", "stage and role",
    )  # fmt: skip
    assert (row["content_1"], row["lift_1"], row["leads_1"], row["content_2"]) == ("webinar", 5.0, 8, None)
    webinar = next(c for c in content if c["content"] == "webinar" and c["role"] == "buyer")
    assert (webinar["leads"], webinar["advanced"], webinar["base_leads"]) == (8, 8, 40)
    assert (webinar["rate"], webinar["base_rate"]) == (1.0, 0.2)
    interval = binomtest(8, 8).proportion_ci(0.95, method="wilson")
    assert webinar["rate_low"] == pytest.approx(interval.low, abs=1e-4)


def test_what_did_not_lift_is_counted_and_not_offered(tmp_path):
    _, content = nurtured(tmp_path, *TYPICAL)
    paper = next(c for c in content if c["content"] == "white_paper" and c["role"] == "buyer")
    assert (paper["leads"], paper["lift"], paper["place"]) == (4, 0.0, None)


@pytest.mark.parametrize(("consumers", "is_claimed"), [(3, False), (4, True)])
def test_below_the_floor_nothing_is_said(tmp_path, consumers, is_claimed):
    _, content = nurtured(tmp_path, stays("w", consumers, kind="webinar", advanced=ADVANCED), stays("n", 30))
    assert [c["content"] for c in content if c["role"] == "buyer"] == ["webinar"] * is_claimed


def test_what_chance_explains_is_not_offered(tmp_path):
    half = [
        stays("w", 3, kind="webinar", advanced=ADVANCED), stays("v", 3, kind="webinar"),
        stays("m", 12, advanced=ADVANCED), stays("n", 22),
    ]  # fmt: skip
    _, content = nurtured(tmp_path, *half)  # 3 of 6 against 15 of 40: a lift of 1.3 that may be none
    webinar = next(c for c in content if c["role"] == "buyer")
    assert webinar["lift"] == pytest.approx(4 / 3)
    assert webinar["rate_low"] < webinar["base_rate"]
    assert webinar["place"] is None


@pytest.mark.parametrize(
    ("at", "is_seen"),
    [
        ("2025-12-31T23:59:59", False),
        ("2026-01-01", True),
        ("2026-01-30T23:59:59", True),
        ("2026-01-31", False),  # thirty days after entering
    ],
)
def test_content_counts_in_the_first_days_of_the_stage(tmp_path, at, is_seen):
    groups = [stays("w", 8, kind="webinar", at=at, advanced=ADVANCED), stays("n", 32)]
    assert claims(nurtured(tmp_path, *groups)[1]) == ["webinar"] * is_seen


@pytest.mark.parametrize(
    ("advanced", "leads", "moved"),
    [
        ("2026-01-30T23:59:59", 32, 0),  # gone before the look: no row
        ("2026-01-31", 40, 8),
        ("2026-03-31T23:59:59", 40, 8),
        ("2026-04-01", 40, 0),  # sixty days after the look
    ],
)
def test_an_advance_counts_from_the_look_to_the_end_of_the_horizon(tmp_path, advanced, leads, moved):
    groups = [stays("w", 8, kind="webinar", advanced=advanced), stays("v", 4, kind="webinar"), stays("n", 28)]
    _, content = nurtured(tmp_path, *groups)
    webinar = next(c for c in content if c["role"] == "buyer")
    assert (webinar["base_leads"], webinar["advanced"]) == (leads, moved)


@pytest.mark.parametrize(("born", "is_mature"), [("2026-03-29", True), ("2026-03-29T00:00:01", False)])
def test_a_stay_counts_once_its_horizon_and_the_delay_are_over(tmp_path, born, is_mature):
    """30 + 60 + 3 days before tonight, June 30, lies March 29."""
    young = stays("w", 4, kind="webinar", at="2026-04-02", born=born)
    _, content = nurtured(tmp_path, young, stays("n", 30))
    assert [c["content"] for c in content if c["role"] == "buyer"] == ["webinar"] * is_mature


@pytest.mark.parametrize("stage", ["lost", "disqualified", "returned_at_once", "recycled"])
def test_going_back_is_no_advance(tmp_path, stage):
    groups = [stays("w", 8, kind="webinar", advanced=ADVANCED, stage=stage), stays("n", 32)]
    assert claims(nurtured(tmp_path, *groups)[1]) == []


@pytest.mark.parametrize("kind", ["call", "pricing_visit"])
def test_only_what_a_team_can_offer_is_content(tmp_path, kind):
    groups = [stays("w", 8, kind=kind, advanced=ADVANCED), stays("n", 32)]
    assert nurtured(tmp_path, *groups)[1] == []


def test_what_the_team_sent_was_not_consumed(tmp_path):
    leads, touched, moved = stays("w", 8, kind="webinar", advanced=ADVANCED)
    sent = [(*touch[:-1], "out") for touch in touched]
    assert nurtured(tmp_path, (leads, sent, moved), stays("n", 32))[1] == []


def test_facts_of_tonight_and_later_are_not_seen(tmp_path):
    """Recorded at the moment itself: an advance, and what would be a stage of tonight's lead."""
    leads, touched, moved = stays("w", 8, kind="webinar", advanced=ADVANCED)
    late = [(lead, stage, at, "2026-06-30") for lead, stage, at, _ in moved]
    own = [("x", "mql", "2026-06-30", "2026-06-29")]
    (row,), content = nurtured(tmp_path, (leads, touched, [*late, *own]), stays("n", 32))
    assert row["stage"] == "lead"
    assert {c["advanced"] for c in content} == {0}
    typed_later = [(*touch[:3], "2026-06-30", "in") for touch in touched]
    assert nurtured(tmp_path, (leads, typed_later, moved), stays("n", 32))[1] == []


@pytest.mark.parametrize(("flag", "since"), [(1, None), (None, "2026-06-01"), (0, "2026-06-01")])
def test_nothing_is_learned_from_leads_that_have_opted_out(tmp_path, flag, since):
    ids = [f"w{n}" for n in range(8)] + [f"n{n}" for n in range(32)]
    gone = {"w": (flag, since), "n": (None, None)}
    leads = table(
        [(lead, ENTERED, *gone[lead[0]]) for lead in ids],
        lead_id=TEXTS, created_at=MOMENTS, opted_out=pa.float64(), opted_out_at=MOMENTS,
    )  # fmt: skip
    _, touched, moved = stays("w", 8, kind="webinar", advanced=ADVANCED)
    touches = table(
        touched, lead_id=TEXTS, kind=TEXTS, occurred_at=MOMENTS, recorded_at=MOMENTS, direction=TEXTS
    )
    outcomes = table(moved, lead_id=TEXTS, stage=TEXTS, occurred_at=MOMENTS, recorded_at=MOMENTS)
    outcomes = outcomes.append_column("row_number", pa.array(range(8), pa.int64()))
    tables = {"leads": leads, "touches": touches, "outcomes": outcomes}
    _, content = written(tmp_path, tables, [("n0",)], ["nurture"], role=None)
    assert bool(content) == (flag == 0)  # a flag that says no takes the date back


def test_a_role_without_claims_is_told_what_holds_for_its_stage(tmp_path):
    tonight = (("x", "buyer"), ("y", "user"), ("z", None))
    rows, content = nurtured(tmp_path, *TYPICAL, tonight=tonight)
    assert [(row["alike_by"], row["content_1"]) for row in rows] == [
        ("stage and role", "webinar"), ("stage", "webinar"), ("stage", "webinar"),
    ]  # fmt: skip
    assert claims(content, role=None) == ["webinar"]


def test_leads_are_alike_by_the_stage_that_they_are_in(tmp_path):
    in_mql = [("x", "mql", "2026-05-01", "2026-05-01")]
    (row,), _ = nurtured(tmp_path, *TYPICAL, ([], [], in_mql))
    assert (row["stage"], row["alike_by"], row["content_1"]) == ("mql", None, None)


def test_only_the_route_nurture_is_listed_by_rank_and_safe_for_spreadsheets(tmp_path):
    tonight = (("a", "buyer"), ("=b", "buyer"), ("c", "buyer"))
    rows, _ = nurtured(tmp_path, *TYPICAL, tonight=tonight, routes=["nurture", "nurture", "call_now"])
    assert [row["lead_id"] for row in rows] == ["a", "=b"]
    with (tmp_path / "nurture.csv").open(newline="", encoding="utf-8") as file:
        assert [row["lead_id"] for row in csv.DictReader(file)] == ["a", "'=b"]


def test_without_dated_tables_the_list_stands_and_claims_nothing(tmp_path):
    tables = {"leads": table([("x", "Ann")], lead_id=TEXTS, owner=TEXTS)}
    (row,), content = written(tmp_path, tables, [("x",)], ["nurture"], role=None)
    assert (row["lead_id"], row["owner"], row["stage"], row["content_1"]) == ("x", "Ann", None, None)
    assert content == []


def test_a_ranking_without_routes_has_an_empty_list(tmp_path):
    tables = {"leads": table([("x",)], lead_id=TEXTS)}
    assert written(tmp_path, tables, [("x",)], [None], role=None) == ([], [])


def test_a_column_that_names_the_content_goes_before_the_kind(tmp_path):
    assert content_of(["kind", "asset", "content"]) == "asset"
    assert content_of(["kind"]) == "kind"
    leads = table([(f"w{n}", ENTERED) for n in range(8)] + [(f"n{n}", ENTERED) for n in range(32)],
                  lead_id=TEXTS, created_at=MOMENTS)  # fmt: skip
    touches = table(
        [(f"w{n}", "some_word_of_theirs", CONSUMED, CONSUMED, "ROI guide") for n in range(8)],
        lead_id=TEXTS, kind=TEXTS, occurred_at=MOMENTS, recorded_at=MOMENTS, asset=TEXTS,
    )  # fmt: skip
    outcomes = table(
        [(f"w{n}", "mql", ADVANCED, ADVANCED) for n in range(8)],
        lead_id=TEXTS, stage=TEXTS, occurred_at=MOMENTS, recorded_at=MOMENTS,
    )  # fmt: skip
    outcomes = outcomes.append_column("row_number", pa.array(range(8), pa.int64()))
    tables = {"leads": leads, "touches": touches, "outcomes": outcomes}
    (row,), _ = written(tmp_path, tables, [("n0",)], ["nurture"], role=None)
    assert (row["content_1"], row["leads_1"]) == ("ROI guide", 8)


def test_a_kind_is_content_by_what_it_means_in_the_teams_words():
    words = Vocabulary({"messe": Word("event"), "brief": Word("email_sent"), "web": Word("visit", "direct")})
    assert kinds_of(words.knowing(kinds=["webinar", "unsubscribe"], places=())) == ["messe", "webinar"]


@pytest.mark.parametrize(
    ("columns", "fields", "role"),
    [
        (["role", "seniority"], {}, "role"),
        (["role", "seniority"], {"role": Field("category", "current")}, "seniority"),
        (["role"], {"role": Field("category", "tracked")}, None),
        (["title_seniority"], {"role": Field("category")}, "title_seniority"),
        (["industry"], {}, None),
    ],
)
def test_the_role_is_a_column_whose_past_is_what_it_is_today(columns, fields, role):
    assert role_of(columns, fields) == role
