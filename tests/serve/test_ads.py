"""Conversion values for ad platforms: who is in the file, for which event, and what a click is worth."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from serve.sinks import ads
from serve.sinks.ads import Goals
from serve.sinks.platforms import PLATFORMS
from tests.serve.rankings import ranking

AS_OF = datetime(2026, 6, 30, tzinfo=UTC)
JUNE = datetime(2026, 6, 29, 14, 5, 0)  # noqa: DTZ001  # as a load keeps moments
WON = Goals("won", "EUR")


def lead(lead_id="1", **columns):
    return {
        "lead_id": lead_id,
        "gclid": "Cj0K-a_1",
        "created_at": JUNE,
        "source": "ads",
        "campaign": None,
    } | columns


def ranked(lead_id="1", **columns):
    return {
        "lead_id": lead_id,
        "probability": 0.2,
        "expected_value": 100.0,
        "probability_withheld": None,
    } | columns


def sent(folder: Path, leads, rows, goals=WON, platform="google"):
    """What was told, and the rows of the file."""
    types = {"created_at": pa.timestamp("us"), "opted_out": pa.float64(), "opted_out_at": pa.timestamp("us")}
    table = {n: pa.array([row.get(n) for row in leads], types.get(n, pa.string())) for n in leads[0]}
    with duckdb.connect() as connection:
        connection.register("given", pa.table(table))
        connection.execute("CREATE TABLE leads AS FROM given")
        told = ads.write(
            connection,
            ranking(folder, rows),
            folder / "ads.csv",
            platform=PLATFORMS[platform],
            click_id="gclid",
            goals=goals,
            as_of=AS_OF,
        )
    with (folder / "ads.csv").open(encoding="utf-8", newline="") as file:
        return told, list(csv.DictReader(file))


def test_a_click_is_worth_probability_times_expected_amount(tmp_path):
    told, rows = sent(tmp_path, [lead()], [ranked()])
    assert rows == [
        {
            "Google Click ID": "Cj0K-a_1",
            "Conversion Name": "leadrank won",
            "Conversion Time": "2026-06-29T14:05:00+00:00",
            "Conversion Value": "100.0",
            "Conversion Currency": "EUR",
        }
    ]
    assert (told.rows, told.left_out) == (1, {})


def test_a_campaign_goes_before_its_source_and_pays_by_its_own_stage(tmp_path):
    leads = [
        lead("1", gclid="a", campaign="brand"),
        lead("2", gclid="b"),
        lead("3", gclid="c", source="fair", campaign="other"),
    ]
    # 500 is expected of a won deal: 100 / 0.2.
    rows = [ranked(str(n), probability_mql=0.9, probability_sql=0.5) for n in (1, 2, 3)]
    goals = Goals("won", "EUR", of={"brand": "mql", "ads": "sql"}, names={"sql": "Qualified"})
    _, found = sent(tmp_path, leads, rows, goals)
    shown = [(row["Google Click ID"], row["Conversion Name"], row["Conversion Value"]) for row in found]
    assert shown == [
        ("a", "leadrank mql", "450.0"),
        ("b", "Qualified", "250.0"),
        ("c", "leadrank won", "100.0"),
    ]


@pytest.mark.parametrize(
    ("reason", "leads", "rows"),
    [
        ("withheld", lead(), ranked(probability=None, expected_value=None, probability_withheld="too few")),
        ("opted_out", lead(opted_out=1.0), ranked()),
        ("opted_out", lead(opted_out=None, opted_out_at=JUNE), ranked()),
        ("opted_out", lead(opted_out_at=JUNE), ranked()),
        ("no_click_id", lead(gclid=None), ranked()),
        ("no_click_id_of_a_platform", lead(gclid='=HYPERLINK("x")'), ranked()),
        ("no_creation_time", lead(created_at=None), ranked()),
        ("no_amount", lead(), ranked(expected_value=None)),
        ("no_probability", lead(source="ads"), ranked(probability_mql=None)),
    ],
)
def test_a_lead_is_left_out_for_a_reason_that_is_told(tmp_path, reason, leads, rows):
    goals = Goals("won", "EUR", of={"ads": "mql"}) if "probability_mql" in rows else WON
    told, found = sent(tmp_path, [leads], [rows], goals)
    assert (found, told.rows, told.left_out) == ([], 0, {reason: 1})


def test_a_table_without_creation_times_sends_nobody(tmp_path):
    told, found = sent(tmp_path, [{"lead_id": "1", "gclid": "a"}], [ranked()])
    assert (found, told.left_out) == ([], {"no_creation_time": 1})


def test_an_objection_that_was_taken_back_does_not_count(tmp_path):
    told, _ = sent(tmp_path, [lead(opted_out=0.0, opted_out_at=JUNE)], [ranked()])
    assert told.rows == 1


@pytest.mark.parametrize(("platform", "days"), [("google", 90), ("microsoft", 90), ("meta", 7)])
def test_a_click_counts_to_its_last_day(tmp_path, platform, days):
    last = datetime.fromtimestamp(AS_OF.timestamp() - days * 86_400, UTC).replace(tzinfo=None)
    over = last.replace(year=last.year - 1)
    leads = [lead("1", gclid="a", created_at=last), lead("2", gclid="b", created_at=over)]
    told, _ = sent(tmp_path, leads, [ranked("1"), ranked("2")], platform=platform)
    assert (told.rows, told.left_out) == (1, {"too_old": 1})
    before = datetime.fromtimestamp(AS_OF.timestamp() - days * 86_400 - 1, UTC).replace(tzinfo=None)
    told, _ = sent(tmp_path, [lead(created_at=before)], [ranked()], platform=platform)
    assert told.left_out == {"too_old": 1}


def test_without_predicted_amounts_a_fixed_one_counts(tmp_path):
    rows = [{"lead_id": "1", "probability": 0.25}]
    assert sent(tmp_path, [lead()], rows)[0].left_out == {"no_amount": 1}
    assert (
        sent(tmp_path, [lead()], rows, Goals("won", "EUR", amount=1000.0))[1][0]["Conversion Value"]
        == "250.0"
    )


def test_a_click_is_sent_once_an_event_for_the_better_lead(tmp_path):
    leads = [lead("1"), lead("2")]
    told, rows = sent(tmp_path, leads, [ranked("2", expected_value=90.0), ranked("1", expected_value=10.0)])
    assert [row["Conversion Value"] for row in rows] == ["90.0"]
    assert told.left_out == {"same_click": 1}


def test_a_scorecards_ranking_has_a_file_without_rows(tmp_path):
    rows = [{"lead_id": "1", "probability": None, "score": 40.0}]
    told, found = sent(tmp_path, [lead()], rows, Goals("won", "EUR", amount=1000.0))
    assert (found, told.left_out) == ([], {"no_probability": 1})


def test_a_microsoft_file_is_that_of_its_bulk_service(tmp_path):
    sent(tmp_path, [lead()], [ranked()], platform="microsoft")
    lines = (tmp_path / "ads.csv").read_text(encoding="utf-8").splitlines()
    # The example of Microsoft's documentation has these first two lines.
    assert lines[0] == (
        "Type,Status,Id,Parent Id,Client Id,Name,Conversion Currency Code,"
        "Conversion Name,Conversion Time,Conversion Value,Microsoft Click Id"
    )
    assert next(csv.reader([lines[1]])) == ["Format Version", "", "", "", "", "6.0", "", "", "", "", ""]
    row = next(csv.reader([lines[2]]))
    assert row[0] == "Offline Conversion"
    assert row[6:] == ["EUR", "leadrank won", "6/29/2026 2:05:00 PM", "100.0", "Cj0K-a_1"]


def test_a_meta_event_has_the_click_with_its_time(tmp_path):
    leads = [lead("1", gclid="AbC"), lead("2", gclid="fb.1.1700000000000.XyZ")]
    _, rows = sent(tmp_path, leads, [ranked("1"), ranked("2")], platform="meta")
    seconds = str(int(JUNE.replace(tzinfo=UTC).timestamp()))
    assert [row["event_time"] for row in rows] == [seconds, seconds]
    assert [row["fbc"] for row in rows] == [f"fb.1.{seconds}000.AbC", "fb.1.1700000000000.XyZ"]
    assert len({row["event_id"] for row in rows}) == 2
    assert not any("lead" in row["event_id"] for row in rows)
