"""A run of the leads that have changed since the night: they are as in a full run, all others as before."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from features.errors import ParameterError, StorageError
from pipelines import changed, score, trace
from pipelines import params as parameters
from pipelines.progress import Progress
from serve import runs
from serve.merging import SCORED_AT

# mlflow and its dependencies warn about themselves while they are imported.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
]

NIGHT, NINE = datetime(2026, 6, 30, tzinfo=UTC), datetime(2026, 6, 30, 9, tzinfo=UTC)
FILES = ("features", "contributions", "reasons")


def quiet():
    return Progress(is_quiet=True)


def touch(file, lead, at):
    """A lead looks at the prices, twice."""
    when = f"TIMESTAMPTZ '{at}'"
    said = f"'{lead}' AS lead_id, {when} AS occurred_at, {when} AS recorded_at"
    rows = duckdb.read_parquet(str(file))
    more = rows.filter("kind = 'pricing_visit'").limit(2).project(f"* REPLACE ({said})")
    fresh = file.with_suffix(".fresh")
    rows.union(more).write_parquet(str(fresh))
    fresh.replace(file)


@pytest.fixture(scope="module")
def day(demo, tmp_path_factory):
    """The demo's night; facts of the morning after; a run of what changed, and a full one."""
    home = tmp_path_factory.mktemp("day") / "crm"
    shutil.copytree(demo.home, home)
    night = runs.current(home / "runs")
    ranked = [row["lead_id"] for row in pq.read_table(night.folder / "ranking.parquet").to_pylist()]
    touched, lost, moved = ranked[40], ranked[3], ranked[50]
    touch(home / "data" / "touches.parquet", touched, "2026-06-30 03:00:00+00")
    with (home / "data" / "outcomes.csv").open("a", encoding="utf-8") as file:
        file.write(f'"{lost}","lost","2026-06-30T04:00:00Z","2026-06-30T04:00:00Z",,"no decision"\n')
    leads = home / "data" / "leads.csv"
    lines = leads.read_text(encoding="utf-8").splitlines()
    names = [name.strip('"') for name in lines[0].split(",")]
    [old] = [line for line in lines if line.startswith(f'"{moved}"')]
    cells = old.split(",")
    cells[names.index("employees")] = "77777"
    lines[lines.index(old)] = ",".join(cells)
    cells[:2] = ['"L9999999"', '"2026-06-30T05:00:00Z"']
    leads.write_text("\n".join([*lines, ",".join(cells)]) + "\n", encoding="utf-8")
    params = parameters.load(home / "params.yaml")
    told = score.run(params, home, as_of=NINE, progress=quiet(), changed_since=night.run_id)
    full = score.run(params, home, as_of=NINE, progress=quiet())
    known = {"touched": touched, "lost": lost, "moved": moved}
    found = [runs.find(home / "runs", run["run_id"]) for run in (told, full)]
    return home, night, *found, known


def rows(run, name):
    """Rows of a file by lead."""
    found = {}
    for row in pq.read_table(run.folder / f"{name}.parquet").to_pylist():
        found.setdefault(row.pop("lead_id"), []).append(row)
    return found


def standing(run):
    """What the ranking says of each lead, but for its place and what it compares with."""
    beside = {"rank", "rank_before", "change", "change_1", SCORED_AT}
    return {
        lead: {name: value for name, value in row.items() if name not in beside}
        for lead, [row] in rows(run, "ranking").items()
    }


def rescored(run):
    return {
        lead for lead, [row] in rows(run, "features").items() if row["as_of"] == NINE.replace(tzinfo=None)
    }


def test_a_lead_that_changed_is_bit_for_bit_as_in_a_full_run(day):
    _, _, part, full, known = day
    leads = rescored(part)
    assert {known["touched"], known["moved"], "L9999999"} <= leads
    one, other = standing(part), standing(full)
    assert all(one[lead] == other[lead] for lead in leads)
    for name in FILES:
        one, other = rows(part, name), rows(full, name)
        for each in (one, other):
            for row in (row for found in each.values() for row in found):
                row.pop("snapshot_id", None)
        assert all(one.get(lead) == other.get(lead) for lead in leads), name


@pytest.mark.parametrize("name", ["leads", "timeline"])
def test_what_a_page_shows_beside_the_rank_is_that_of_a_full_run(day, name):
    _, _, part, full, _ = day
    assert rows(part, name) == rows(full, name)


def test_a_lead_that_nothing_happened_for_stands_as_it_stood(day):
    _, night, part, _, _ = day
    was, now = standing(night), standing(part)
    kept = now.keys() - rescored(part)
    assert len(kept) > 100
    assert all(now[lead] == was[lead] for lead in kept)
    for name in FILES:
        was, now = rows(night, name), rows(part, name)
        for each in (was, now):
            for row in (row for found in each.values() for row in found):
                row.pop("snapshot_id", None)
        assert all(now.get(lead) == was.get(lead) for lead in kept), name


def test_those_are_scored_again_that_a_fact_or_an_edge_of_a_window_touched(day):
    """By hand: facts from midnight to nine, and facts that are so old to the day that a window loses them."""
    home, night, part, _, known = day
    data, names = home / "data", pq.read_schema(night.folder / "features.parquet").names
    days = {int(found[1]) for name in names if (found := re.search(r"_(\d+)d$", name))}
    touches = duckdb.read_parquet(f"{data}/touches.parquet")

    def lost_by(window):
        """Leads of which a window of so many days has lost a touch between midnight and nine."""
        first, end = (
            f"TIMESTAMPTZ '2026-06-30 {at}:00:00+00' - INTERVAL {window} DAY" for at in ("00", "09")
        )
        found = touches.filter(f"occurred_at >= {first} AND occurred_at < {end}")
        return {lead for (lead,) in found.project("lead_id").fetchall()}

    mentioned = set().union(*(lost_by(window) for window in days), known.values(), {"L9999999"})
    leads = duckdb.read_csv(str(data / "leads.csv"), all_varchar=True, ignore_errors=True)
    account = dict(leads.project("lead_id, account_id").fetchall())
    near = {account[lead] for lead in mentioned if account.get(lead)}
    may = mentioned | {lead for lead, of in account.items() if of in near}
    must = lost_by(7) & standing(part).keys()
    assert len(must) > 3
    assert must <= rescored(part) <= may


def test_the_order_is_that_of_the_scores_of_both(day):
    _, _, part, _, known = day
    ranked = pq.read_table(part.folder / "ranking.parquet").to_pylist()
    assert [row["rank"] for row in ranked] == list(range(1, len(ranked) + 1))
    keys = [(-row["margin"], row["lead_id"]) for row in ranked]  # a probability may be withheld
    assert keys == sorted(keys)
    assert known["lost"] not in {row["lead_id"] for row in ranked}
    assert {row["lead_id"]: row[SCORED_AT] for row in ranked} == {
        lead: row["as_of"] for lead, [row] in rows(part, "features").items()
    }


def test_the_manifest_says_what_the_run_is_built_on_and_the_ledger_compares_with_it(day):
    _, night, part, full, _ = day
    told, counts = part.manifest["changed_since"], part.manifest["changes"]
    assert told == {
        "run_id": night.run_id,
        "rescored": len(rescored(part)),
        "kept": part.manifest["counts"]["ranked"] - len(rescored(part)),
    }
    assert counts == full.manifest["changes"]
    assert full.manifest["changed_since"] is None
    ledger = rows(part, "changes")
    assert len(ledger) == counts["both"]
    assert {ledger[lead][0]["change"] for lead in ledger.keys() - rescored(part)} <= {0.0, None}
    assert {lead: row for lead, row in ledger.items() if lead in rescored(part)} == {
        lead: row for lead, row in rows(full, "changes").items() if lead in rescored(part)
    }


def test_the_run_is_made_again_with_the_same_digests(day):
    home, _, part, _, _ = day
    assert not score.verify(parameters.load(home / "params.yaml"), home, part, progress=quiet())["is_new"]


def test_a_run_of_the_day_can_be_built_upon_again_and_no_lead_need_have_changed(day, tmp_path):
    home = shutil.copytree(day[0], tmp_path / "crm")
    later = NINE.replace(minute=0, second=1)
    params = parameters.load(home / "params.yaml")
    told = score.run(params, home, as_of=later, progress=quiet(), changed_since=day[2].run_id)
    run = runs.find(home / "runs", told["run_id"])
    assert told["changed_since"]["kept"] + told["changed_since"]["rescored"] == len(standing(run))
    assert told["changed_since"]["rescored"] < 5
    kept = {
        lead for lead, [row] in rows(run, "features").items() if row["as_of"] != later.replace(tzinfo=None)
    }
    was = standing(day[2])
    assert {lead: row for lead, row in standing(run).items() if lead in kept} == {
        lead: was[lead] for lead in kept
    }


@pytest.mark.parametrize(
    ("as_of", "says"),
    [
        (NIGHT, "not later"),
        (NIGHT.replace(day=29), "not later"),
        (NIGHT.replace(month=7, day=1), "not of the day"),
    ],
)
def test_only_a_later_moment_of_the_same_day_builds_upon_a_run(day, as_of, says):
    home, night, *_ = day
    with pytest.raises(ParameterError, match=says):
        changed.base(parameters.load(home / "params.yaml"), home / "runs", night.run_id, as_of)


def test_a_run_that_is_not_there_withdrawn_or_damaged_is_not_built_upon(day, tmp_path):
    home, night, part, *_ = day
    params, folder = parameters.load(home / "params.yaml"), shutil.copytree(home / "runs", tmp_path / "runs")
    with pytest.raises(ParameterError, match="no run"):
        changed.base(params, folder, "nothing", NINE)
    runs.withdraw(runs.find(folder, part.run_id), folder, reason="wrong", instead=night)
    with pytest.raises(ParameterError, match="withdrawn"):
        changed.base(params, folder, part.run_id, NINE.replace(hour=10))
    (folder / night.run_id / "reasons.parquet").write_bytes(b"")
    with pytest.raises(StorageError, match="damaged"):
        changed.base(params, folder, night.run_id, NINE)


def test_other_parameters_want_a_full_run(day, tmp_path, leadrank):
    home = shutil.copytree(day[0], tmp_path / "crm")
    path = home / "params.yaml"
    path.write_text(path.read_text("utf-8").replace("rows_fall: 0.2", "rows_fall: 0.3"), "utf-8")
    words = ("score", "--as-of", "2026-06-30T10:00", "--changed-since", day[1].run_id)
    code, _, err = leadrank(*words, home=home)
    line = json.loads(err.splitlines()[-1])
    assert (code, line["code"]) == (2, 2)
    assert "parameters changed" in line["reason"]
    assert "leave --changed-since out" in line["hint"]


def test_a_flat_table_has_nothing_to_build_upon(flat):
    with pytest.raises(ParameterError, match="flat"):
        changed.base(parameters.load(flat / "params.yaml"), flat, "run", NINE)


def test_a_lead_that_was_kept_is_traced_at_the_moment_that_its_row_stands_for(day, tmp_path):
    _, _, part, full, _ = day
    home = Path(shutil.copytree(day[0], tmp_path / "crm"))
    shutil.rmtree(home / "runs" / full.run_id)  # of the same moment; which of the two is found, their ids say
    (home / "runs" / runs.POINTER).write_text(part.run_id, encoding="utf-8")
    kept = min(standing(part).keys() - rescored(part))
    told = trace.run(parameters.load(home / "params.yaml"), home, kept, as_of=NINE, progress=quiet())
    assert told["as_of"] == NIGHT.isoformat()
    assert told["published"]["features_differ"] == []
