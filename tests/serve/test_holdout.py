"""The control group: drawn by the id alone, called as if nothing were ranked, and nothing said of it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serve.lists.capacity import Capacity
from serve.lists.holdout import GROUPS, Holdout, lot_sql, write_groups
from tests.serve.nights import AS_OF, MOMENTS, TEXTS, called, ranking, table

HALF = Holdout(0.5, "spring")


def lots(salt: str, leads: list[str]) -> dict[str, float]:
    with duckdb.connect() as connection:
        connection.register("leads", pa.table({"lead_id": leads}))
        query = f"SELECT lead_id, {lot_sql(salt, 'lead_id')} FROM leads"  # noqa: S608  # ours
        return dict(connection.execute(query).fetchall())


def test_a_lead_keeps_its_lot_whoever_stands_beside_it():
    leads = [f"L{number}" for number in range(500)]
    found = lots("spring", leads)
    assert lots("spring", leads[::-7]) == {lead: found[lead] for lead in leads[::-7]}
    # md5("spring|L0") = …, as any other program counts it
    digest = hashlib.md5(b"spring|L0", usedforsecurity=False).digest()
    assert found["L0"] == pytest.approx(int.from_bytes(digest[8:], "little") / 2**64)


def test_lots_are_spread_evenly_and_another_experiment_draws_others():
    leads = [f"L{number}" for number in range(4000)]
    one, other = (np.array([*lots(salt, leads).values()]) for salt in ("spring", "autumn"))
    assert np.histogram(one, 10, (0, 1))[0] == pytest.approx([400] * 10, abs=80)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.05


def test_a_name_with_a_quote_is_a_name():
    assert 0 <= lots("Ann's", ["a"])["a"] < 1


def test_it_runs_from_its_beginning_on():
    begun = Holdout(0.1, "x", datetime(2026, 6, 30, tzinfo=UTC))
    assert begun.runs_at(AS_OF)
    assert not begun.runs_at("2026-06-29T23:59:59")
    assert HALF.runs_at(AS_OF)


def leads_of(count: int) -> tuple[pa.Table, pa.Table, set[str]]:
    """Ranked leads of one rep, the best the oldest; tables, and who is in the control group."""
    names = [f"L{number:03}" for number in range(count)]
    rows = [
        (name, "Ann", f"2026-05-{1 + place // 4:02}T{place % 4:02}:00:00") for place, name in enumerate(names)
    ]
    control = {name for name, lot in lots(HALF.salt, names).items() if lot < HALF.share}
    ranked = ranking([(name, 0.9 - place / 200) for place, name in enumerate(names)])
    return ranked, table(rows, lead_id=TEXTS, owner=TEXTS, created_at=MOMENTS), control


def test_control_leads_are_called_newest_first_in_their_part_of_the_calls(tmp_path):
    ranked, leads, control = leads_of(80)
    calls, totals = called(tmp_path, ranked, leads, Capacity(20, explore_share=0), holdout=HALF)
    assert len(calls) == 20
    held = [call for call in calls if call["why"] == "control"]
    assert len(held) in {int(20 * len(control) / 80), int(20 * len(control) / 80) + 1}
    assert [call["lead_id"] for call in held] == sorted(control, reverse=True)[
        : len(held)
    ]  # the newest first
    steered = [call["lead_id"] for call in calls if call["why"] == "best"]
    assert (
        steered
        == sorted(lead for lead in leads["lead_id"].to_pylist() if lead not in control)[: len(steered)]
    )
    assert totals["Ann"]["leads"] == 80
    assert totals["Ann"]["calls_without_probability"] == len(held)


def test_nothing_that_the_model_says_of_a_control_lead_is_on_the_list_and_places_do_not_tell(tmp_path):
    ranked, leads, _ = leads_of(80)
    calls, _ = called(tmp_path, ranked, leads, Capacity(20, explore_share=0), holdout=HALF)
    assert [call["place"] for call in calls] == list(range(1, 21))
    held = [call for call in calls if call["why"] == "control"]
    told = ("probability", "value", "probability_low", "probability_high")
    assert {call[name] for call in held for name in told} == {None}
    places = np.array([call["place"] for call in held])
    assert abs(places.mean() - 10.5) < 2  # spread over the list


def test_a_list_with_room_for_everybody_calls_everybody(tmp_path):
    ranked, leads, control = leads_of(10)
    calls, _ = called(tmp_path, ranked, leads, Capacity(20, explore_share=0.2), holdout=HALF)
    assert {call["lead_id"] for call in calls} == set(leads["lead_id"].to_pylist())
    assert {call["lead_id"] for call in calls if call["why"] == "control"} == control


def test_over_the_nights_the_control_group_gets_its_part_of_the_calls(tmp_path):
    ranked, leads, control = leads_of(60)
    nights = [f"2026-06-{day:02}T00:00:00" for day in range(1, 29)]
    found = [
        called(tmp_path, ranked, leads, Capacity(5, explore_share=0), holdout=HALF, as_of=night)[0]
        for night in nights
    ]
    held = [sum(call["why"] == "control" for call in calls) for calls in found]
    assert set(held) <= {int(5 * len(control) / 60), int(5 * len(control) / 60) + 1}
    assert np.mean(held) == pytest.approx(5 * len(control) / 60, abs=0.3)


def groups(folder, ranked: list[str], holdout: Holdout, as_of: str, previous=None) -> dict[str, tuple]:
    """Group and first night of each lead, as a night that ranks some leads publishes them."""
    folder.mkdir()
    pq.write_table(ranking([(name, 0.1) for name in ranked]), folder / "ranking.parquet")
    with duckdb.connect() as connection:
        write_groups(connection, folder, holdout, as_of=as_of, previous=previous)
        rows = connection.execute(f"FROM '{folder / GROUPS}'").fetchall()
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert {experiment for _, _, experiment, _ in rows} == {holdout.salt}
    return {lead: (group, f"{since:%m-%d}") for lead, group, _, since in rows}


def test_a_lead_belongs_to_the_experiment_from_the_first_night_that_ranks_it(tmp_path):
    first = groups(tmp_path / "1", ["a", "b"], HALF, "2026-06-01T00:00:00")
    then = groups(tmp_path / "2", ["b", "c"], HALF, "2026-06-02T00:00:00", tmp_path / "1")
    assert {lead: since for lead, (_, since) in then.items()} == {"a": "06-01", "b": "06-01", "c": "06-02"}
    assert first.items() <= then.items()  # a is won by now, and counts


def test_who_was_treated_stays_so_where_the_share_grows_and_another_experiment_begins_anew(tmp_path):
    names = [f"L{number}" for number in range(60)]
    small, large = Holdout(0.1, "spring"), Holdout(0.5, "spring")
    first = groups(tmp_path / "1", names[:40], small, "2026-06-01T00:00:00")
    then = groups(tmp_path / "2", names, large, "2026-06-02T00:00:00", tmp_path / "1")
    assert {name: then[name] for name in names[:40]} == first
    control = {name for name, lot in lots("spring", names).items() if lot < 0.5}
    assert {name for name in names[40:] if then[name][0] == "control"} == control & set(names[40:])
    other = groups(tmp_path / "3", names, Holdout(0.1, "autumn"), "2026-06-03T00:00:00", tmp_path / "2")
    assert {since for _, since in other.values()} == {"06-03"}
