"""The demo CRM's tables: the same bytes for the same seed, the promised rows, and the planted trouble."""

import hashlib
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from features.errors import ParameterError
from features.tables import CONTRACT
from pipelines.demo import DemoTables, generate, world

LEADS = 2_000
FROZEN = "619b4deb6a565c8949bff88fa1eb657352e28f045343d50de64b7c39dc2f720b"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoTables:
    return generate(tmp_path_factory.mktemp("demo"), leads=LEADS, seed=7)


def _read(demo: DemoTables, table: str) -> pd.DataFrame:
    """Parquet as it is, CSV as text."""
    path = demo.paths[table]
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pandas()
    return pd.read_csv(path, dtype=str)


def _good(demo: DemoTables, table: str) -> pd.DataFrame:
    """The rows without spoiled ones, moments as timestamps."""
    rows = _read(demo, table).dropna(subset="lead_id")
    for column in rows.columns.intersection(["created_at", "occurred_at", "recorded_at", "changed_at"]):
        rows[column] = pd.to_datetime(rows[column], errors="coerce", utc=True)
    return rows.dropna(subset=rows.filter(regex="_at$").columns)


def _digest(demo: DemoTables) -> str:
    """Of what the tables hold, not of how Parquet packs it; probabilities to nine decimals."""
    total = hashlib.sha256()
    for table in sorted(demo.paths):
        total.update(_read(demo, table).to_csv(index=False, float_format="%.9f").encode())
    return total.hexdigest()


def _bytes(demo: DemoTables) -> dict[str, bytes]:
    return {table: path.read_bytes() for table, path in demo.paths.items()}


def test_the_tables_of_seed_7_are_frozen(demo: DemoTables) -> None:
    assert _digest(demo) == FROZEN


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    first, again, other = (
        _bytes(generate(tmp_path / str(at), leads=60, seed=seed)) for at, seed in enumerate((3, 3, 4))
    )
    assert first == again
    assert all(first[table] != other[table] for table in first)


def test_the_tables_do_not_depend_on_whether_the_truth_is_asked_for(tmp_path: Path) -> None:
    with_truth = _bytes(generate(tmp_path / "a", leads=60, seed=3))
    without = generate(tmp_path / "b", leads=60, seed=3, with_truth=False)
    assert without.truth_leads == 0
    assert not (tmp_path / "b" / "truth.parquet").exists()
    assert _bytes(without) == {table: data for table, data in with_truth.items() if table != "truth"}


def test_several_blocks_hold_exactly_the_leads_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.demo.generation._BLOCK_LEADS", 40)
    told: list[float] = []
    demo = generate(tmp_path, leads=100, seed=1, on_progress=lambda _, share: told.append(share))
    assert _good(demo, "leads")["lead_id"].nunique() == 100
    assert _read(demo, "accounts")["account_id"].is_unique
    assert set(_good(demo, "leads")["account_id"]) == set(_read(demo, "accounts")["account_id"])
    assert told == [1 / 3, 2 / 3, 1.0]


@pytest.mark.parametrize(("leads", "seed"), [(19, 7), (200, -1)])
def test_numbers_that_make_no_demo_are_refused(tmp_path: Path, leads: int, seed: int) -> None:
    with pytest.raises(ParameterError):
        generate(tmp_path, leads=leads, seed=seed)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("block", [19, 20], ids=["a last block of one", "one block"])
def test_the_fewest_leads_are_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr("pipelines.demo.generation._BLOCK_LEADS", block)
    assert _good(generate(tmp_path, leads=20, seed=0), "leads")["lead_id"].nunique() == 20


def test_the_columns_are_those_of_the_contract(demo: DemoTables) -> None:
    for table in demo.paths.keys() - {"truth"}:
        columns, contract = set(_read(demo, table).columns), CONTRACT[table]
        assert contract.has_own_fields or columns <= set(contract.columns)
        assert {name for name, column in contract.columns.items() if column.required} <= columns


def test_the_truth_is_not_among_the_data(demo: DemoTables) -> None:
    assert demo.paths["truth"] == demo.folder / "truth.parquet"
    assert not any("truth" in path.name for path in (demo.folder / "data").iterdir())


def test_rows_are_counted_as_written(demo: DemoTables) -> None:
    assert demo.rows == {table: len(_read(demo, table)) for table in demo.paths}


def test_a_lead_has_about_twenty_touches(demo: DemoTables) -> None:
    assert 17 < demo.rows["touches"] / LEADS < 23


def test_each_defect_is_there_as_often_as_told(demo: DemoTables) -> None:
    for table, moment in (("leads", "created_at"), ("outcomes", "occurred_at")):
        rows = _read(demo, table)
        is_broken = ~rows[moment].str.match(r"\d{4}-\d\d-\d\dT")
        good = rows[rows["lead_id"].notna() & ~is_broken]
        told = demo.defects[table]
        assert rows["lead_id"].isna().sum() == told["missing_id"] > 0
        assert is_broken.sum() == told["broken_timestamp"] > 0
        assert good.duplicated().sum() == told["exact_duplicate"] > 0
        repeated = good.drop_duplicates().duplicated(list(CONTRACT[table].key)).sum()
        assert repeated == told.get("conflicting_duplicate", 0)
    touches = _read(demo, "touches")
    assert touches["lead_id"].isna().sum() == demo.defects["touches"]["missing_id"] > 0
    assert touches["occurred_at"].isna().sum() == demo.defects["touches"]["missing_timestamp"] > 0
    assert demo.defects["leads"]["conflicting_duplicate"] > 0


def test_spoiled_rows_are_a_fixed_share_however_many_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = generate(tmp_path / "a", leads=300, seed=1, with_truth=False)
    monkeypatch.setattr("pipelines.demo.generation._BLOCK_LEADS", 100)
    assert generate(tmp_path / "b", leads=300, seed=1, with_truth=False).defects == whole.defects


def test_the_trap_is_filled_for_won_leads_and_hardly_for_others(demo: DemoTables) -> None:
    leads = _good(demo, "leads").drop_duplicates("lead_id")
    outcomes = _good(demo, "outcomes")
    is_won = leads["lead_id"].isin(outcomes.loc[outcomes["stage"] == "won", "lead_id"])
    is_filled = leads["onboarding_tier"].notna()
    assert is_filled[is_won].mean() > 0.9
    assert is_filled[~is_won].mean() < 0.005


def test_the_noise_says_nothing_about_winning(demo: DemoTables) -> None:
    leads, outcomes = _good(demo, "leads").drop_duplicates("lead_id"), _good(demo, "outcomes")
    is_won = leads["lead_id"].isin(outcomes.loc[outcomes["stage"] == "won", "lead_id"])
    rate = is_won.groupby(leads["tshirt_size"]).agg(["mean", "size"])
    error = (is_won.mean() * (1 - is_won.mean()) / rate["size"]) ** 0.5
    assert ((rate["mean"] - is_won.mean()).abs() < 4 * error).all()


@pytest.mark.parametrize("table", ["touches", "outcomes"])
def test_facts_are_recorded_after_they_happen_and_before_tonight(demo: DemoTables, table: str) -> None:
    rows = _good(demo, table)
    assert (rows["recorded_at"] >= rows["occurred_at"]).all()
    assert (rows["recorded_at"] < demo.as_of).all()
    days_late = (rows["recorded_at"].dt.floor("D") - rows["occurred_at"].dt.floor("D")).dt.days
    assert set(days_late) == set(range(world.LATE_DAYS + 1))


@pytest.mark.parametrize(
    ("table", "moment"),
    [("touches", "occurred_at"), ("outcomes", "occurred_at"), ("field_history", "changed_at")],
)
def test_nothing_happens_before_its_lead_is_created(demo: DemoTables, table: str, moment: str) -> None:
    created = _good(demo, "leads").drop_duplicates("lead_id").set_index("lead_id")["created_at"]
    rows = _good(demo, table)
    assert (rows[moment] >= rows["lead_id"].map(created)).all()
    assert created.min() >= pd.Timestamp(demo.start_at)


def test_nothing_happens_to_a_won_lead_afterwards(demo: DemoTables) -> None:
    outcomes, touches = _good(demo, "outcomes"), _good(demo, "touches")
    won_at = (
        outcomes[outcomes["stage"] == "won"].drop_duplicates("lead_id").set_index("lead_id")["occurred_at"]
    )
    for rows in (outcomes, touches):
        at = rows["lead_id"].map(won_at)
        assert not (rows["occurred_at"] > at).any()


def test_the_history_of_timeline_ends_with_what_the_lead_says_tonight(demo: DemoTables) -> None:
    history = _good(demo, "field_history").sort_values(["lead_id", "changed_at"])
    leads = _good(demo, "leads").drop_duplicates("lead_id").set_index("lead_id")
    last = history.groupby("lead_id")["new_value"].last()
    assert (last.sort_index() == leads["timeline"].sort_index()).all()
    later = history[history["old_value"].notna()]
    assert (later["old_value"] != later["new_value"]).all()
    assert (history.groupby("lead_id")["old_value"].apply(lambda old: old.isna().sum()) == 1).all()


def test_stages_of_every_sort_and_undecided_leads_are_there(demo: DemoTables) -> None:
    outcomes = _good(demo, "outcomes")
    assert set(outcomes["stage"]) == set(world.STAGES)
    closed = outcomes.loc[outcomes["stage"].isin(["won", "lost", "disqualified"]), "lead_id"].nunique()
    assert 0.2 < 1 - closed / LEADS < 0.6
    assert (outcomes["reason"].notna() == outcomes["stage"].isin(
        ["lost", "disqualified", "returned_at_once", "returned_after_follow_up"])).all()  # fmt: skip
    assert (outcomes["amount"].notna() == outcomes["stage"].isin(["opportunity", "won"])).all()


def test_accounts_have_committees(demo: DemoTables) -> None:
    leads = _good(demo, "leads").drop_duplicates("lead_id").groupby("account_id")["lead_id"].size()
    assert 0.2 < (leads > 1).mean() < 0.5
    assert leads.max() >= 4


def test_spend_covers_every_week_and_source(demo: DemoTables) -> None:
    spend = _read(demo, "spend")
    first = pd.to_datetime(spend["date"], utc=True)
    assert first.min() == pd.Timestamp(demo.start_at)
    assert set(first.sort_values().diff()[1:].unique()) <= {timedelta(0), timedelta(days=7)}
    assert set(spend["source"]) == set(_good(demo, "leads")["source"])
    assert (spend["cost"].astype(float) > 0).all()
