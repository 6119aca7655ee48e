"""The page goes on with its index until the next one is whole; what was erased is gone with the old one."""

from __future__ import annotations

import duckdb
import pytest

from features.errors import StorageError
from serve import runs
from serve.erasing import erase
from serve.views import lead_view, listing
from serve.views.asking import Asked
from serve.views.following import Following, forget
from serve.views.making import name_of
from serve.views.scope import EVERYTHING
from serve.without import Gone
from tests.serve.published import publish

NEXT = {"name": "20260701T000000Z-bbbbbbbbbbbb", "as_of": "2026-07-01T00:00:00+00:00"}
LEADS = [{"lead_id": "A", "score": 90.0}, {"lead_id": "B", "score": 40.0}]


@pytest.fixture
def place(tmp_path):
    publish(tmp_path / "runs", LEADS)
    following = Following(tmp_path / "runs", tmp_path / "pages")
    yield following, tmp_path
    following.close()


def settled(following):
    """The index in force, once none is in the making."""
    following.index()
    if following._making is not None:
        following._making.join()
    return following.index()


def ids(index):
    return [row["lead_id"] for row in listing.page(index, EVERYTHING, Asked()).rows]


def test_nothing_is_published_yet(tmp_path):
    following = Following(tmp_path / "runs", tmp_path / "pages")
    assert settled(following) is None
    assert following.prepare() is None


def test_the_index_is_made_beside_the_answers_and_only_once(place):
    following, folder = place
    first = settled(following)
    assert ids(first) == ["A", "B"]
    assert settled(following) is first
    assert [path.name for path in (folder / "pages").iterdir()] == [name_of(first.run)]


def test_whoever_turns_pages_goes_on_in_the_run_that_he_began_in(place):
    following, folder = place
    before = settled(following).run.run_id
    publish(folder / "runs", LEADS[::-1], **NEXT)
    assert ids(settled(following)) == ["B", "A"]
    assert ids(following.index(before)) == ["A", "B"]
    assert following.index("20200101T000000Z-000000000000") is None


def test_no_more_than_so_many_indexes_stay_open(tmp_path):
    following = Following(tmp_path / "runs", tmp_path / "pages", keep=2)
    for day in (1, 2, 3):
        moment = f"2026-07-0{day}T00:00:00+00:00"
        publish(tmp_path / "runs", LEADS, name=f"2026070{day}T000000Z-a", as_of=moment)
        settled(following)
    assert following.index("20260701T000000Z-a") is None
    assert len(list((tmp_path / "pages").iterdir())) == 2
    following.close()


def test_history_is_score_and_place_of_earlier_runs_oldest_first(place):
    following, folder = place
    publish(folder / "runs", [{"lead_id": "B", "score": 95.0}, {"lead_id": "A", "score": 80.0}], **NEXT)
    lead = lead_view.lead(following.prepare(), EVERYTHING, "A")
    assert [(e["score"], e["place"]) for e in lead["history"]] == [(90.0, 1), (80.0, 2)]


@pytest.mark.parametrize("erased", ["A", "B"])
def test_an_erased_lead_is_gone_from_the_page_and_from_its_files(place, erased):
    following, folder = place
    settled(following)
    publish(folder / "runs", LEADS, **NEXT)
    old = settled(following)
    with runs.lock(folder / "runs"):
        list(erase(folder / "runs", Gone(frozenset({erased}))))
    forget(folder / "pages")
    index = settled(following)
    assert index is not old
    assert erased not in ids(index)
    assert following.index("20260630T000000Z-aaaaaaaaaaaa") is None  # the older run had the lead, too
    assert [path.name for path in (folder / "pages").iterdir()] == [name_of(index.run)]
    place = listing.page(index, EVERYTHING, Asked()).rows[0]["place"]
    assert place == {"A": 2, "B": 1}[erased]  # ranks stay as published


def test_a_lead_that_only_an_older_run_has_is_gone_from_its_index(place):
    following, folder = place
    before = settled(following).run.run_id
    publish(folder / "runs", LEADS[:1], **NEXT)
    settled(following)
    with runs.lock(folder / "runs"):
        list(erase(folder / "runs", Gone(frozenset({"B"}))))
    assert ids(settled(following)) == ["A"]
    assert following.index(before) is None


@pytest.mark.parametrize("torn", [b"", b"no database", None])
def test_a_damaged_or_half_made_index_is_made_again(place, torn):
    following, folder = place
    index = following.prepare()
    following.close()
    content = index.path.read_bytes()
    index.path.write_bytes(content[: len(content) // 2] if torn is None else torn)
    again = Following(folder / "runs", folder / "pages")
    assert ids(again.prepare()) == ["A", "B"]
    again.close()


def test_an_index_that_turns_out_damaged_while_it_is_read_is_made_again(place):
    following, _ = place
    index = following.prepare()
    with pytest.raises(StorageError):
        index.rows("FROM nowhere")
    assert ids(settled(following)) == ["A", "B"]
    assert following.index() is not index


def test_a_run_that_cannot_be_read_leaves_the_old_index_in_service(place):
    following, folder = place
    old = settled(following)
    bad = publish(folder / "runs", LEADS, **NEXT)
    (bad.folder / "ranking.parquet").write_bytes(b"torn")
    assert settled(following) is old


def test_an_index_that_could_not_be_made_is_tried_again_after_a_pause(tmp_path):
    ranking = publish(tmp_path / "runs", LEADS).folder / "ranking.parquet"
    whole = ranking.read_bytes()
    ranking.write_bytes(b"torn")
    following = Following(tmp_path / "runs", tmp_path / "pages", pause=0.3)
    assert settled(following) is None
    ranking.write_bytes(whole)
    for _ in range(20):
        following._again.join()
        if settled(following) is not None:
            break
    assert ids(settled(following)) == ["A", "B"]
    following.close()


def test_an_index_that_could_not_be_made_is_not_tried_again_before(tmp_path):
    ranking = publish(tmp_path / "runs", LEADS).folder / "ranking.parquet"
    whole = ranking.read_bytes()
    ranking.write_bytes(b"torn")
    following = Following(tmp_path / "runs", tmp_path / "pages", pause=600)
    assert settled(following) is None
    ranking.write_bytes(whole)
    assert settled(following) is None
    following.close()


def test_an_index_reads_no_file_and_writes_nothing(place):
    following, folder = place
    index = following.prepare()
    reads = f"FROM read_csv('{folder}/runs/CURRENT')"
    for sql in (reads, "CREATE TABLE x AS SELECT 1", "DELETE FROM narrow"):
        with pytest.raises((StorageError, duckdb.Error)):
            index.rows(sql)
    assert index.path.stat().st_mode & 0o077 == 0


def test_a_process_of_its_own_makes_the_same_index(tmp_path):
    publish(tmp_path / "runs", LEADS)
    following = Following(tmp_path / "runs", tmp_path / "pages", is_apart=True)
    assert ids(following.prepare()) == ["A", "B"]
    following.close()
