"""What the ranking is worth: leads of both groups from the first night that ranked them."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.experiments import Group, compared
from serve.lists.holdout import GROUPS
from serve.reporting.reading_holdout import holdout
from tests.serve.nights import MOMENTS, TEXTS, table
from tests.serve.reports import DELAY, WINDOW, leads, outcomes, reported

DRAWN = {"lead_id": TEXTS, "group": TEXTS, "experiment": TEXTS, "since": MOMENTS}
assert (WINDOW, DELAY) == (60, 3)  # the moments below are drawn for them; tonight is 2026-06-30


def report(folder, drawn, *, won=(), amounts=(), territories=None, where=None, share=0.5):
    """(lead, group, first night), and (lead, won at)."""
    rows = [(lead, group, "spring", since) for lead, group, since in drawn]
    pq.write_table(table(rows, **DRAWN), folder / GROUPS)
    everybody = leads(
        *((lead, "2026-01-01", (where or {}).get(lead, "N"), "Ann", "fair") for lead, *_ in drawn)
    )
    happened = outcomes(*((lead, "won", at) for lead, at in won), amounts=amounts)
    return holdout(reported(folder, leads=everybody, outcomes=happened, holdout_share=share), territories)


def counts(told):
    names = ("leads", "mature", "converted")
    return {group: tuple(row[name] for name in names) for group, row in told["groups"].items()}


@pytest.mark.parametrize(
    ("since", "won", "counted"),
    [
        ("2026-04-28", None, (1, 1, 0)),  # 63 days before tonight: its window and the delay are just over
        ("2026-04-29", "2026-05-01", (1, 0, 0)),
        ("2026-04-01", "2026-04-01", (1, 1, 1)),
        ("2026-04-01", "2026-05-30", (1, 1, 1)),
        ("2026-04-01", "2026-05-31", (1, 1, 0)),  # the sixtieth day is past the window
        ("2026-04-01", "2026-03-31", (1, 1, 0)),  # won before it was ranked
    ],
)
def test_a_lead_counts_from_the_night_that_first_ranked_it(tmp_path, since, won, counted):
    told = report(tmp_path, [("a", "treated", since)], won=[("a", won)] if won else [])
    assert counts(told) == {"treated": counted, "control": (0, 0, 0)}
    assert (told["experiment"], told["since"]) == ("spring", f"{since}T00:00:00")


def both(treated: int, control: int) -> list[tuple]:
    drawn = [(f"t{number}", "treated", "2026-03-01") for number in range(treated)]
    return drawn + [(f"c{number}", "control", "2026-03-01") for number in range(control)]


def test_the_effect_is_that_of_the_two_groups_and_amounts_are_told_by_lead(tmp_path):
    won = [(f"t{n}", "2026-03-05") for n in range(20)] + [(f"c{n}", "2026-03-05") for n in range(12)]
    told = report(tmp_path, both(60, 60), won=won, amounts=[(lead, 30.0) for lead, _ in won])
    expected = compared(Group(60, 20), Group(60, 12))
    assert {name: told[name] for name in expected} == expected
    assert (told["groups"]["treated"]["amount"], told["groups"]["control"]["amount"]) == (10.0, 6.0)
    gap = told["amount_difference"]
    assert gap["value"] == pytest.approx(4)
    spread = (900 * (1 / 3 * 2 / 3) / 59 + 900 * (0.2 * 0.8) / 59) ** 0.5
    assert gap["high"] - gap["value"] == pytest.approx(1.96 * spread)
    assert not told["mismatch"]["is_mismatched"]


def test_few_outcomes_give_counts_and_no_effect(tmp_path):
    told = report(tmp_path, both(60, 60), won=[(f"t{n}", "2026-03-05") for n in range(20)])
    assert (told["difference"], told["ratio"], told["amount_difference"]) == (None, None, None)
    assert counts(told)["treated"] == (60, 60, 20)


def test_groups_that_are_not_as_they_were_drawn_are_told(tmp_path):
    assert report(tmp_path, both(100, 20))["mismatch"]["is_mismatched"]
    assert not report(tmp_path, both(100, 20), share=1 / 6)["mismatch"]["is_mismatched"]


def test_a_reader_of_a_territory_sees_its_leads_alone(tmp_path):
    drawn = both(3, 2)
    told = report(tmp_path, drawn, where={"t0": "S", "c1": "S"}, territories=frozenset({"S"}))
    assert counts(told) == {"treated": (1, 1, 0), "control": (1, 1, 0)}
    assert report(tmp_path, drawn, territories=frozenset({"W"})) is None


def test_without_an_experiment_there_is_nothing_to_tell(tmp_path):
    drawn = leads(("a", "2026-01-01", "N", "Ann", "fair"))
    run = reported(tmp_path, leads=drawn, outcomes=outcomes(("a", "won", "2026-03-01")))
    assert holdout(run, None) is None
    assert not (run / "reports" / "holdout.parquet").exists()


def test_deals_without_amounts_have_no_amount(tmp_path):
    won = [(f"t{n}", "2026-03-05") for n in range(20)] + [(f"c{n}", "2026-03-05") for n in range(12)]
    told = report(tmp_path, both(60, 60), won=won)
    assert told["amount_difference"] is None
    assert isinstance(pa.scalar(told["ratio"]["value"]).as_py(), float)
