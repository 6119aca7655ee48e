"""The report on sources: counts, rates, costs, maturity, and what is told a reader of some territories."""

from __future__ import annotations

import pyarrow as pa
import pytest

from features.errors import InputError, StorageError
from serve.reporting.files import about, rows
from serve.reporting.rates import rate
from serve.reporting.reading_sources import HIDDEN, SHOWN, UNKNOWN, sources
from tests.serve.nights import MOMENTS, TEXTS, table
from tests.serve.reports import leads, outcomes, reported

MATURE = "2026-04-28"  # 60 + 3 days before June 30: the window and the delay have just ended
YOUNG = "2026-04-28T00:00:01"


def row_of(report, source):
    return next(row for row in report["sources"] if row["source"] == source)


@pytest.fixture
def drawn(tmp_path):
    """Five leads of two sources in two territories, and one of nobody's."""
    return reported(
        tmp_path,
        leads=leads(
            ("a", "2026-01-05", "N", "Ann", "fair"),
            ("b", "2026-01-20", "N", "Ann", "fair"),
            ("c", "2026-02-03", "S", "Bob", "fair"),
            ("d", "2026-06-01", "S", "Bob", "web"),
            ("e", "2026-02-03", None, None, "web"),
        ),
        outcomes=outcomes(
            ("a", "mql", "2026-01-10"), ("a", "won", "2026-02-01"),
            ("b", "mql", "2026-03-20"), ("b", "won", "2026-03-21"),  # the win is sixty days after: too late
            ("c", "mql", "2026-02-04"),
            ("d", "mql", "2026-06-02"), ("d", "won", "2026-06-03"),
            amounts=(("a", 100.0), ("b", 40.0), ("d", 7.5)),
        ),
        spend=table(
            [("2026-01-05", "fair", 30.0), ("2026-06-01", "fair", 1000.0), ("2026-02-03", "web", 8.0),
             ("2026-06-30", "web", 500.0)],
            date=MOMENTS, source=TEXTS, cost=pa.float64(),
        ),
        ranked={"c": 0.25, "e": 0.5},
        values={"c": 10.0},
    )  # fmt: skip


def test_every_count_of_a_source_is_that_of_its_leads(drawn):
    fair = row_of(sources(drawn, None), "fair")
    assert (fair["leads"], fair["mature"], fair["open"]) == (3, 3, 1)
    assert fair["reached"] == {"mql": 3, "sql": 0, "opportunity": 0, "won": 2}
    assert {stage: r["value"] for stage, r in fair["rates"].items()} == pytest.approx(
        {"mql": 1, "sql": 0, "opportunity": 0, "won": 1 / 3}
    )
    assert (fair["amount_won"], fair["expected_wins"], fair["expected_value"]) == (140.0, 0.25, 10.0)


def test_an_immature_win_is_reached_and_in_no_rate(drawn):
    web = row_of(sources(drawn, None), "web")
    assert (web["leads"], web["mature"], web["reached"]["won"]) == (2, 1, 1)
    assert web["rates"]["won"] == rate(0, 1)
    assert web["amount_won"] == 7.5


def test_a_cost_is_that_of_the_days_of_mature_leads_over_their_counts(drawn):
    """30 of the fair's 1,030 bought leads that are mature; what is spent on June 30 is not yet known."""
    report = sources(drawn, None)
    fair, web = row_of(report, "fair"), row_of(report, "web")
    assert report["cost"] == SHOWN
    assert fair["cost"] == 1030.0
    assert fair["cost_per"] == pytest.approx(
        {"lead": 10.0, "mql": 10.0, "sql": None, "opportunity": None, "won": 30.0}
    )
    assert (web["cost"], web["cost_per"]["lead"], web["cost_per"]["won"]) == (8.0, 8.0, None)
    assert report["total"]["cost"] == 1038.0


@pytest.mark.parametrize(("day", "mature"), [("2026-04-27", 5.0), ("2026-04-28", 0.0)])
def test_spend_of_a_day_is_mature_when_the_last_lead_of_the_day_is(tmp_path, day, mature):
    spend = table([(day, "fair", 5.0)], date=MOMENTS, source=TEXTS, cost=pa.float64())
    born = leads(("a", "2026-01-05", "N", "Ann", "fair"))
    run = reported(tmp_path, leads=born, outcomes=outcomes(), spend=spend)
    assert row_of(sources(run, None), "fair")["cost_per"]["lead"] == mature


def test_a_reader_of_a_territory_gets_its_sums_and_no_cost(drawn):
    report = sources(drawn, frozenset({"N"}))
    assert report["cost"] == HIDDEN
    assert [row["source"] for row in report["sources"]] == ["fair"]
    fair = row_of(report, "fair")
    assert (fair["leads"], fair["cost"], fair["cost_per"]["lead"]) == (2, None, None)
    assert report["total"]["leads"] == 2
    assert sum(row["leads"] for row in report["cohorts"]) == 2


def test_leads_without_a_territory_are_nobodys_but_everybodys(drawn):
    counted = [sources(drawn, frozenset({name}))["total"]["leads"] for name in ("N", "S")]
    assert (sum(counted), sources(drawn, None)["total"]["leads"]) == (4, 5)
    assert sources(drawn, frozenset())["total"]["leads"] == 0
    assert sources(drawn, frozenset())["sources"] == []


def test_without_a_table_of_spend_no_cost_is_known(tmp_path):
    run = reported(tmp_path, leads=leads(("a", "2026-01-05", "N", "Ann", "fair")), outcomes=outcomes())
    report = sources(run, None)
    assert (report["cost"], report["sources"][0]["cost"]) == (UNKNOWN, None)


@pytest.mark.parametrize(("born", "mature"), [(MATURE, 1), (YOUNG, 0)])
def test_a_lead_is_mature_once_window_and_delay_are_over(tmp_path, born, mature):
    run = reported(tmp_path, leads=leads(("a", born, "N", "Ann", "fair")), outcomes=outcomes())
    assert sources(run, None)["total"]["mature"] == mature


@pytest.mark.parametrize(
    ("at", "known", "reached", "won"),
    [
        ("2026-03-05T23:59:59", "2026-03-06", 1, 1),
        ("2026-03-06", "2026-03-06", 1, 0),  # sixty days after the creation: the window is over
        ("2026-03-05", "2026-06-30", 0, 0),  # recorded at the moment itself
        ("2026-06-30", "2026-06-29", 0, 0),  # happened at the moment itself
        ("2026-01-04", "2026-01-04", 1, 0),  # before the creation
    ],
)
def test_a_win_counts_in_the_window_and_as_far_as_it_is_known(tmp_path, at, known, reached, won):
    born = leads(("a", "2026-01-05", "N", "Ann", "fair"))
    run = reported(tmp_path, leads=born, outcomes=outcomes(("a", "won", at, known)))
    row = row_of(sources(run, None), "fair")
    assert (row["reached"]["won"], row["rates"]["won"]["value"]) == (reached, won)


@pytest.mark.parametrize(("born", "leads_counted"), [("2026-06-29T23:59:59", 1), ("2026-06-30", 0)])
def test_a_lead_created_at_the_moment_itself_is_not_seen(tmp_path, born, leads_counted):
    run = reported(tmp_path, leads=leads(("a", born, "N", "Ann", "fair")), outcomes=outcomes())
    assert sources(run, None)["total"]["leads"] == leads_counted


@pytest.mark.parametrize(("as_of", "is_mature"), [("2026-04-05", True), ("2026-04-04", False)])
def test_a_month_is_mature_when_its_last_possible_lead_is(tmp_path, as_of, is_mature):
    """January's last lead comes before February 1; sixty-three days later is April 5."""
    born = leads(("a", "2026-01-05", "N", "Ann", "fair"))
    run = reported(tmp_path, leads=born, outcomes=outcomes(), as_of=f"{as_of}T00:00:00")
    assert [(row["month"], row["is_mature"]) for row in sources(run, None)["cohorts"]] == [
        ("2026-01", is_mature)
    ]


def many(name, number, wins, born="2026-01-05"):
    ids = [f"{name}{n}" for n in range(number)]
    return [(lead, born, "N", "Ann", name) for lead in ids], [(lead, "won", born) for lead in ids[:wins]]


@pytest.mark.parametrize(
    ("number", "wins", "born", "mark"),
    [(30, 5, "2026-01-05", None), (29, 5, "2026-01-05", "few"), (30, 4, "2026-01-05", "few"),
     (30, 5, YOUNG, "immature")],
)  # fmt: skip
def test_a_row_with_too_little_behind_it_is_marked_and_never_ranked(tmp_path, number, wins, born, mark):
    sure, sure_won = many("sure", 40, 6)
    doubtful, doubtful_won = many("other", number, wins, born)
    run = reported(tmp_path, leads=leads(*sure, *doubtful), outcomes=outcomes(*sure_won, *doubtful_won))
    report = sources(run, None)
    other = row_of(report, "other")
    assert other["mark"] == mark
    assert (other["place"] is None) == (mark is not None)
    assert [row["place"] for row in report["sources"]] == ([1, 2] if mark is None else [1, None])


def test_ranked_sources_stand_by_the_lower_end_of_their_win_rate(tmp_path):
    """6 of 30 beats 5 of 30; 120 of 700 has a lower rate than 6 of 30 and a higher lower end."""
    parts = [many("small", 30, 6), many("less", 30, 5), many("large", 700, 120)]
    born, won = ([row for part in parts for row in part[side]] for side in (0, 1))
    run = reported(tmp_path, leads=leads(*born), outcomes=outcomes(*won))
    assert [row["source"] for row in sources(run, None)["sources"]] == ["large", "small", "less"]


def test_campaigns_stand_below_their_source_with_what_was_spent_on_them(tmp_path):
    drawn_leads = leads(
        ("a", "2026-01-05", "N", "Ann", "ads", "spring"), ("b", "2026-01-05", "N", "Ann", "ads", None),
        campaign=TEXTS,
    )  # fmt: skip
    spend = table(
        [("2026-01-05", "ads", "spring", 9.0), ("2026-01-05", "ads", "idle", 4.0)],
        date=MOMENTS, source=TEXTS, campaign=TEXTS, cost=pa.float64(),
    )  # fmt: skip
    run = reported(tmp_path, leads=drawn_leads, outcomes=outcomes(), spend=spend)
    (ads,) = sources(run, None)["sources"]
    found = [(row["campaign"], row["leads"], row["cost"]) for row in ads["campaigns"]]
    assert found == [("idle", 0, 4.0), ("spring", 1, 9.0), (None, 1, None)]
    assert (ads["leads"], ads["cost"]) == (2, 13.0)


def test_a_merged_record_is_not_counted_and_a_deleted_one_was_a_lead(tmp_path):
    drawn_leads = leads(
        ("a", "2026-01-05", "N", "Ann", "fair", "b", None),
        ("b", "2026-01-05", "N", "Ann", "fair", None, None),
        ("c", "2026-01-05", "N", "Ann", "fair", "c", "2026-02-01"),
        merged_into=TEXTS, deleted_at=MOMENTS,
    )  # fmt: skip
    run = reported(tmp_path, leads=drawn_leads, outcomes=outcomes(("a", "won", "2026-01-06")))
    total = sources(run, None)["total"]
    assert (total["leads"], total["reached"]["won"]) == (2, 0)


def test_a_history_without_moments_has_no_report_on_sources(tmp_path):
    run = reported(tmp_path, leads=table([("a", "fair")], lead_id=TEXTS, source=TEXTS))
    assert sources(run, None)["sources"] == []
    assert not (run / "reports" / "sources.parquet").exists()


def test_a_run_without_reports_says_so_and_a_damaged_file_is_told(drawn, tmp_path_factory):
    with pytest.raises(InputError, match="without reports"):
        about(tmp_path_factory.mktemp("old"))
    (drawn / "reports" / "sources.parquet").write_bytes(b"torn")
    with pytest.raises(StorageError, match="cannot be read"):
        rows(drawn, "sources.parquet", None, "SELECT * FROM seen")
    (drawn / "reports" / "about.json").write_text("[]", encoding="utf-8")
    with pytest.raises(StorageError, match="cannot be read"):
        about(drawn)
