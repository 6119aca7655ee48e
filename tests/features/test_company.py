"""A lead that comes alone is compared with the company as the night compared it among all leads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from features.backend import workspace
from features.beside import beside
from features.build import cached, feature_parts, feature_table
from features.company import ALL, OF_ALL_LEADS, Company, figures, hash_of, reading
from features.prepared import Prepared
from features.vocabulary import Vocabulary
from tests.features.drawn import drawn, fetched, install
from tests.features.oracle.engines import built, every
from tests.features.oracle.fit import FIELDS
from tests.features.random_history import DAY, TONIGHT, WORDS, arrow, history, stacked

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
SEEDS = (1, 2, 3)


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Any]:
    with workspace(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def night() -> dict[str, list[dict[str, Any]]]:
    """Three histories of forty leads; everybody is asked about at the night's moment."""
    tables = stacked([history(seed) for seed in SEEDS])
    tables["snapshots"] = [row for row in tables["snapshots"] if row["as_of"] == TONIGHT]
    for number, row in enumerate(tables["snapshots"]):
        row["snapshot_id"] = number
    return tables


def kept(tables: Mapping[str, pa.Table], words: Vocabulary = WORDS, key: bytes = KEY) -> pa.Table:
    """The figures of the night."""
    held, chosen = install(ibis.duckdb.connect(), **tables), reading(every())
    made: pa.Table = figures(held, words, chosen, as_of=TONIGHT, key=key, keep=cached).to_pyarrow()
    return made


def prepared(
    backend: Any, told: pa.Table, tables: Mapping[str, pa.Table], words: Vocabulary = WORDS
) -> Prepared:
    """Asks the features that read the figures, of leads of whom nothing but a question tells."""
    company = Company(backend.create_table("company", told), KEY, TONIGHT)

    def queries(empty: Mapping[str, Any], keep: Any) -> dict[str, Any]:
        parts = feature_parts(
            empty["snapshots"], empty, reading(every()), FIELDS, words, keep=keep, company=company
        )
        return {str(place): part.finished() for place, part in enumerate(parts)}

    return Prepared(backend, {name: table.schema for name, table in tables.items()}, queries)


def test_each_lead_has_the_values_that_it_had_among_all(backend: Any, night: Any) -> None:
    """Asked without any outcome: together, and the first ones alone."""
    chosen, tables = reading(every()), arrow(night)
    assert {feature.on for feature in chosen} == set(OF_ALL_LEADS)
    among_all = built(ibis.duckdb.connect(), night, chosen)
    asked = prepared(backend, kept(tables), tables)
    told = {**tables, "outcomes": tables["outcomes"].slice(0, 0)}
    together = beside(len(night["snapshots"]), asked.answer(told), chosen)
    for name, column in together.items():
        assert column.to_pylist() == among_all[name], name
        # What is the same for everybody would be right by accident.
        assert len(set(among_all[name])) > 1, name
    for place, snapshot in enumerate(night["snapshots"][:5]):
        lead = tables["leads"].filter(pc.equal(tables["leads"]["lead_id"], snapshot["lead_id"]))
        moment = tables["snapshots"].slice(place, 1).set_column(0, "snapshot_id", pa.array([0]))
        alone = asked.answer({**told, "leads": lead, "snapshots": moment})
        for name, column in beside(1, alone, chosen).items():
            assert column.to_pylist() == [among_all[name][place]], (name, snapshot)


LEADS = """
    lead_id | owner | source | created_at
    --------+-------+--------+-----------------
    old     | ann   | web    | 2026-01-01 00:00
    won     | ann   | web    | 2026-01-02 00:00
    edge    | bob   | web    | 2026-03-08 00:00
    young   | ann   | fair   | 2026-03-30 00:00
"""
OUTCOMES = """
    lead_id | stage | occurred_at
    --------+-------+-----------------
    won     | won   | 2026-01-09 00:00
"""
REQUEST = """
    lead_id  | owner | source | created_at
    ---------+-------+--------+-----------------
    known    | ann   | web    | 2026-03-30 00:00
    at_night | ann   | fair   | 2026-03-31 00:00
    fresh    | zoe   | ad     | 2026-04-01 12:00
    to_come  | ann   |        | 2026-04-02 00:00
    undated  | ann   | web    |
    nobodys  |       | web    | 2026-03-30 00:00
"""
NAMES = ("earlier_rate[source]", "earlier_leads[source]", "owner_open_leads")


def test_figures_are_of_the_night_and_a_lead_that_came_since_counts_itself(backend: Any) -> None:
    """The window of ``edge`` is over at the night's moment itself, so it does not count yet."""
    words = Vocabulary(stage="won", horizon_days=20, reporting_delay_days=3)
    chosen = [feature for feature in every() if feature.name in NAMES]
    held = install(ibis.duckdb.connect(), leads=drawn(LEADS), outcomes=drawn(OUTCOMES))
    told = figures(held, words, chosen, as_of=TONIGHT, key=KEY, keep=cached).to_pyarrow()
    company = Company(backend.create_table("company", told), KEY, TONIGHT)
    leads = drawn(REQUEST)
    ids = leads.column("lead_id").to_pylist()
    moments = pa.array([TONIGHT + 2 * DAY] * len(ids), pa.timestamp("us"))
    asked = install(
        backend,
        leads=leads,
        outcomes=drawn(OUTCOMES).slice(0, 0),
        snapshots=pa.table({"snapshot_id": range(len(ids)), "lead_id": ids, "as_of": moments}),
    )
    parts = feature_parts(asked["snapshots"], asked, chosen, FIELDS, words, company=company)
    rows = {str(place): part.finished().to_pyarrow() for place, part in enumerate(parts)}
    found = {name: column.to_pylist() for name, column in beside(len(ids), rows, chosen).items()}
    with_web, without = round((1 + 20 * 0.5) / 22, 6), 0.5
    assert found["earlier_rate[source]"] == [with_web, without, without, None, with_web, with_web]
    assert found["earlier_leads[source]"] == [2, 0, 0, None, 2, 2]
    # Ann had old and young; at_night was created at the moment itself, and to_come is not there yet.
    assert found["owner_open_leads"] == [2, 3, 1, 2, 2, None]


def test_before_any_lead_is_mature_there_is_a_number_of_leads_and_no_rate(backend: Any) -> None:
    """As at night: 0 earlier leads, and no rate, which is not a rate of 0."""
    chosen = [feature for feature in every() if feature.name in NAMES[:2]]
    young = {"leads": drawn(LEADS).slice(3, 1), "outcomes": drawn(OUTCOMES).slice(0, 0)}
    moment = {"snapshot_id": [0], "lead_id": ["young"], "as_of": pa.array([TONIGHT], pa.timestamp("us"))}
    held = install(backend, **young, snapshots=pa.table(moment))
    told = figures(held, WORDS, chosen, as_of=TONIGHT, key=KEY, keep=cached).to_pyarrow()
    company = Company(backend.create_table("company", told), KEY, TONIGHT)
    (every_lead,) = told.to_pylist()
    assert (every_lead["kind"], every_lead["mature"], every_lead["converted"]) == (ALL, 0, 0)
    (part,) = feature_parts(held["snapshots"], held, chosen, FIELDS, WORDS, company=company)
    among_all = fetched(backend, feature_table(held["snapshots"], held, chosen, FIELDS, WORDS))
    for name, value in part.finished().to_pyarrow().drop_columns(["snapshot_id"]).to_pydict().items():
        assert value == among_all[name] == ([0] if name.startswith("earlier_leads") else [None])


def test_no_value_can_be_read_or_tried_without_the_key(night: Any) -> None:
    tables = arrow(night)
    told = kept(tables)
    hashes = told.column("value").to_pylist()
    assert len(hashes) == len(set(hashes)) > 40
    assert all(len(value) == 32 and set(value) <= set("0123456789abcdef") for value in hashes)
    assert not set(hashes) & set(kept(tables, key=OTHER_KEY).column("value").to_pylist())
    city = night["leads"][0]["city"] or night["leads"][1]["city"]
    assert hash_of(KEY, "peers", "city", city) in hashes
    assert hash_of(KEY, ALL) in hashes


def test_what_is_known_at_the_moment_or_later_is_in_no_figure(night: Any) -> None:
    tables = arrow(night)
    before = kept(tables).sort_by("value")
    later = arrow({**night, "outcomes": [row for row in night["outcomes"] if max(known(row)) < TONIGHT]})
    assert kept(later).sort_by("value") == before
    assert any(TONIGHT in known(row) for row in night["outcomes"])


def known(row: Mapping[str, Any]) -> tuple[Any, Any]:
    return row["occurred_at"], row["recorded_at"]
