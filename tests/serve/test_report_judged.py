"""Who was right: what people said of leads, where the model had them then, and what became of them."""

from __future__ import annotations

import pyarrow as pa
import pytest

from serve.reporting.rates import rate
from serve.reporting.reading_judged import judged
from tests.serve.nights import MOMENTS, TEXTS, table
from tests.serve.reports import DELAY, WINDOW, leads, outcomes, reported

SAID = {
    "lead_id": TEXTS,
    "action": TEXTS,
    "said_at": MOMENTS,
    "rank": pa.int64(),
    "probability": pa.float64(),
}
ALL = "abcdefgh"
assert (WINDOW, DELAY) == (60, 3)  # the moments below are drawn for them; tonight is 2026-06-30


def feedback(*rows: tuple) -> pa.Table:
    """(lead, action, moment, rank, probability)."""
    drawn = table(list(rows), **SAID)
    return drawn.append_column("place", pa.array(range(drawn.num_rows), pa.int64()))


def report(folder, *said, won=(), territories=None, where=None):
    drawn = leads(*((name, "2026-01-01", (where or {}).get(name, "N"), "Ann", "fair") for name in ALL))
    happened = outcomes(*((name, "won", at) for name, at in won))
    run = reported(folder, leads=drawn, outcomes=happened, feedback=feedback(*said))
    return judged(run, territories)


def rows_of(told):
    return [tuple(row[name] for name in ("side", "from", "to", "leads")) for row in told["rows"]]


@pytest.mark.parametrize(
    ("action", "side"),
    [("accept", "for"), ("worked", "for"), ("return", "against"), ("not_a_fit", "against")],
)
def test_an_answer_speaks_for_a_lead_or_against_it(tmp_path, action, side):
    told = report(tmp_path, ("a", action, "2026-03-01", 1, 0.5))
    assert rows_of(told) == [(side, 1, 100, 1)]


def test_won_and_lost_say_what_became_of_a_lead_and_judge_nothing(tmp_path):
    said = [("a", "won", "2026-03-01", 1, 0.5), ("b", "lost", "2026-03-01", 1, 0.5)]
    assert report(tmp_path, *said) is None


@pytest.mark.parametrize(
    ("rank", "ends"),
    [(1, (1, 100)), (100, (1, 100)), (101, (101, 1000)), (1000, (101, 1000)), (10_000, (1001, 10_000)),
     (10_001, (10_001, None)), (None, (None, None))],
)  # fmt: skip
def test_a_band_holds_its_last_rank(tmp_path, rank, ends):
    told = report(tmp_path, ("a", "accept", "2026-03-01", rank, 0.5))
    assert rows_of(told) == [("for", *ends, 1)]
    assert told["rows"][0]["is_known"] == (rank is not None)


@pytest.mark.parametrize(
    ("chance", "ends"),
    [(0.9, (0.2, None)), (0.2, (0.2, None)), (0.199, (0.1, 0.2)), (0.02, (0.02, 0.05)),
     (0.019, (None, 0.02)), (None, (None, None))],
)  # fmt: skip
def test_who_sees_some_territories_sees_chances_and_no_ranks_of_the_company(tmp_path, chance, ends):
    told = report(tmp_path, ("a", "accept", "2026-03-01", 4321, chance), territories=frozenset("N"))
    assert (told["by"], rows_of(told)) == ("chance", [("for", *ends, 1)])


def test_nobody_sees_what_was_said_of_leads_elsewhere(tmp_path):
    said = [("a", "accept", "2026-03-01", 1, 0.5), ("b", "accept", "2026-03-01", 1, 0.5)]
    where = {"b": "S", "c": None}
    assert report(tmp_path, *said, where=where, territories=frozenset("S"))["rows"][0]["leads"] == 1
    assert judged(tmp_path, frozenset()) is None
    assert judged(tmp_path, frozenset("W")) is None


@pytest.mark.parametrize(
    ("said", "won", "mature", "converted", "so_far"),
    [
        ("2026-04-28", "2026-06-26", 1, 1, 1),  # sixty days and three more end tonight; won on the last day
        ("2026-04-28", "2026-06-27", 1, 0, 1),  # won when the sixty days were over
        ("2026-04-28T00:00:01", "2026-06-26", 0, 0, 1),  # a second too young to be judged
        ("2026-04-28", "2026-04-28", 1, 1, 1),  # won when it was said
        ("2026-04-28", "2026-04-27T23:59:59", 1, 0, 0),  # won before: that was known
        ("2026-04-28", "2026-06-30", 1, 0, 0),  # what happens at the moment itself is not seen
    ],
)
def test_converted_is_won_within_the_window_after_the_word(tmp_path, said, won, mature, converted, so_far):
    told = report(tmp_path, ("a", "return", said, 1, 0.5), won=[("a", won)])
    (row,) = told["rows"]
    assert (row["mature"], row["converted"], row["won"]) == (mature, converted, so_far)
    assert row["rate"] == rate(converted, mature)


def test_what_was_said_at_the_moment_of_the_night_is_not_seen(tmp_path):
    assert report(tmp_path, ("a", "accept", "2026-06-30", 1, 0.5)) is None
    assert report(tmp_path, ("a", "accept", "2026-06-29T23:59:59", 1, 0.5)) is not None


def test_the_first_word_on_each_side_counts_with_its_rank(tmp_path):
    told = report(
        tmp_path,
        ("a", "worked", "2026-03-02", 5000, 0.5), ("a", "accept", "2026-03-01", 7, 0.5),
        ("a", "return", "2026-03-03", 500, 0.5), ("b", "worked", "2026-03-02", 7, 0.5),
    )  # fmt: skip
    assert rows_of(told) == [("for", 1, 100, 2), ("against", 101, 1000, 1)]


def test_few_leads_are_marked(tmp_path):
    (row,) = report(tmp_path, ("a", "return", "2026-03-01", 1, 0.5), won=[("a", "2026-03-02")])["rows"]
    assert row["mark"] == "few"
    assert (row["rate"]["value"], row["rate"]["n"]) == (1.0, 1)
