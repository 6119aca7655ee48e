"""The page reads a run only through a scope: a slow loop over the same rows says what must come out."""

from __future__ import annotations

import json

import hypothesis.strategies as st
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings

from serve.views import asking, calls, facets, lead_view, listing
from serve.views.asking import Asked
from serve.views.following import Following
from serve.views.index import Index
from serve.views.making import make
from serve.views.scope import EVERYTHING, NOTHING, Scope
from tests.serve.published import publish

NORTH, SOUTH = Scope(frozenset({"North"})), Scope(frozenset({"South"}))
ANNA = Scope(frozenset({"North"}), owner="Anna")
LEADS = [
    {"lead_id": "N1", "territory": "North", "owner": "Anna", "source": "web", "rank_before": 4, "change": 2.0,
     "tags": "hot, persona: buyer", "grade": "A1", "company": "Müller GmbH", "account_id": "K",
     "touches": 3, "last_touch_at": "2026-06-29T10:00:00", "for_1": "wrote", "against_1": "is far"},
    {"lead_id": "S1", "territory": "South", "owner": "Bo", "source": "web", "rank_before": 1, "change": -5.0,
     "grade": "A1", "company": "Firma <b>", "account_id": "K"},
    {"lead_id": "N2", "territory": "North", "owner": "Bo", "source": "fair", "rank_before": 2, "change": 0.5,
     "tags": "hot", "company": "100 % a_b", "account_id": "K"},
    {"lead_id": "0", "owner": "Anna", "source": "fair", "company": None},
    {"lead_id": "N3", "territory": "North", "owner": "Anna", "rank_before": 3, "change": -1.0,
     "probability": float("nan"), "score": float("inf"), "company": "=cmd()"},
]  # fmt: skip
REASONS = [
    {"lead_id": "N1", "rank_in_row": 1, "direction": "for", "sentence": "wrote", "points": 3.0},
    {"lead_id": "N1", "rank_in_row": 2, "direction": "against", "sentence": "is far", "points": -1.0},
]


@pytest.fixture(scope="module", params=[None, 2], ids=["files", "parts"])
def index(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("views")
    run = publish(
        folder / "runs",
        LEADS,
        publish_columns={"company": pa.string()},
        part_leads=request.param,
        reasons=REASONS,
        changes=[
            {"lead_id": "N1", "rank_before": 4, "probability_before": 0.48, "change": 2.0, "total": 0.1}
        ],
        change_reasons=[{**REASONS[0], "part": "new_facts"}],
        timeline=[
            {"lead_id": "N1", "occurred_at": "2026-06-29T10:00:00", "kind": "call", "direction": "out"},
            {"lead_id": "N1", "occurred_at": "2026-06-28T10:00:00", "stage": "sql"},
            {"lead_id": "S1", "occurred_at": "2026-06-28T10:00:00", "kind": "visit"},
        ],
        calls=[
            {"owner": "Anna", "territory": "North", "place": 1, "lead_id": "N1", "why": "best"},
            {"owner": "Anna", "territory": "South", "place": 2, "lead_id": "S1", "why": "recycled"},
        ],
    )
    opened = Index(run, make(run, folder / "pages"))
    yield opened
    opened.close()


def ids(index, scope, **asked):
    return [row["lead_id"] for row in listing.page(index, scope, Asked(**asked)).rows]


@pytest.mark.parametrize(
    ("scope", "seen"),
    [
        (EVERYTHING, ["N1", "S1", "N2", "0", "N3"]),
        (NORTH, ["N1", "N2", "N3"]),
        (ANNA, ["N1", "N3"]),
        (Scope(frozenset({"North", "South"})), ["N1", "S1", "N2", "N3"]),
        (Scope(frozenset({"South"}), owner="Anna"), ["S1"]),
        (Scope(frozenset({"South"}), owner="Dan"), []),
        (Scope(None, owner="Anna"), ["N1", "S1", "0", "N3"]),
        (NOTHING, []),
        (Scope(frozenset({"north", "North ", "%", "' OR 1=1 --"})), []),
        (Scope(frozenset({"North"}), owner="nobody"), []),
    ],
)
def test_a_scope_sees_its_leads_and_no_others(index, scope, seen):
    assert ids(index, scope) == seen
    listed = listing.page(index, scope, Asked())
    assert listed.total == len(seen)
    for lead in LEADS:
        found = lead_view.lead(index, scope, lead["lead_id"])
        assert (found is not None) == (lead["lead_id"] in seen)
    assert {row["lead_id"] for row in calls.today(index, scope)} <= set(seen)
    assert calls.totals(index, scope)["calls"] == len({"N1", "S1"} & set(seen))


def test_a_lead_that_nobody_has_and_one_of_others_look_the_same(index):
    assert lead_view.lead(index, NORTH, "S1") is lead_view.lead(index, NORTH, "nobody") is None


def test_leads_whose_ids_have_one_hash_are_told_apart(index, monkeypatch):
    every = list(range(len(index.places(EVERYTHING).rows)))
    monkeypatch.setattr(index, "rows_with", lambda _column, _text: every)
    found = lead_view.lead(index, EVERYTHING, "N2")
    assert found["lead_id"] == "N2"
    assert {each["account_id"] for each in found["committee"]} <= {found["account_id"]}
    assert lead_view.lead(index, EVERYTHING, "unknown") is None


def test_places_and_movement_of_a_limited_scope_are_counted_within_it(index):
    rows = listing.page(index, NORTH, Asked()).rows
    # Before: N2 (2), N3 (3), N1 (4); now: N1, N2, N3.
    assert [(r["place"], r["place_before"], r["moved_by"]) for r in rows] == [
        (1, 3, 2),
        (2, 1, -1),
        (3, 2, -1),
    ]
    company = listing.page(index, EVERYTHING, Asked()).rows
    assert [(r["place"], r["place_before"]) for r in company] == [(1, 4), (2, 1), (3, 2), (4, None), (5, 3)]


def test_a_limited_viewer_learns_no_published_rank_from_any_key(index):
    row = listing.page(index, NORTH, Asked()).rows[1]
    assert {"rank", "rank_before", "row"}.isdisjoint(row)
    lead = lead_view.lead(index, NORTH, "N2")
    assert {"rank", "rank_before", "row"}.isdisjoint(lead)
    assert (lead["place"], lead["of"]) == (2, 3)


def test_a_lead_says_its_reasons_past_and_people(index):
    lead = lead_view.lead(index, NORTH, "N1")
    assert [r["sentence"] for r in lead["reasons"]] == ["wrote", "is far"]
    assert lead["reasons_for"] == [{"sentence": "wrote", "points": 3.0}]
    assert lead["reasons_against"] == [{"sentence": "is far", "points": -1.0}]
    assert [(e["at"], e["kind"], e["stage"]) for e in lead["timeline"]] == [
        ("2026-06-29T10:00:00Z", "call", None),
        ("2026-06-28T10:00:00Z", None, "sql"),
    ]
    assert [(m["lead_id"], m["is_self"]) for m in lead["committee"]] == [("N1", True), ("N2", False)]
    assert lead["changed"]["points"] == 2.0
    assert lead["changed"]["place_before"] == 3
    assert [r["sentence"] for r in lead["changed"]["reasons"]] == ["wrote"]
    assert lead["call"]["owner"] == "Anna"
    assert lead["fields"] == [("company", "Müller GmbH")]
    assert lead["tags"] == ["hot", "persona: buyer"]


def test_the_places_of_calls_and_their_sums_do_not_count_calls_of_others(index):
    [south] = calls.today(index, SOUTH)
    assert (south["lead_id"], south["call_place"], south["call"]["place"]) == ("S1", 1, 1)  # Anna's second
    assert south["call"]["expected_wins"] is None
    assert lead_view.lead(index, SOUTH, "S1")["call"]["place"] == 1
    assert [(row["lead_id"], row["call_place"]) for row in calls.today(index, EVERYTHING)] == [
        ("N1", 1),
        ("S1", 2),
    ]
    assert ids(index, EVERYTHING, sort="call") == ["N1", "S1", "N2", "0", "N3"]
    assert ids(index, EVERYTHING, calls=True) == ["N1", "S1"]


def test_what_is_no_number_is_null_and_the_answer_is_json(index):
    lead = lead_view.lead(index, NORTH, "N3")
    assert (lead["probability"], lead["score"]) == (None, None)
    assert json.loads(json.dumps(lead, allow_nan=False)) is not None


@pytest.mark.parametrize(
    ("search", "found"),
    [("müller", ["N1"]), ("MÜLLER GMBH", ["N1"]), ("%", ["N2"]), ("_", ["N2"]), ("n", ["N1", "N2", "N3"]),
     ("<B>", []), ("' OR 1=1 --", []), (".*", []), ("x" * 10_000, []), ("\x00", ["N1", "N2", "N3"])],
)  # fmt: skip
def test_a_search_is_a_piece_of_text_and_no_pattern(index, search, found):
    assert ids(index, NORTH, search=search) == found


def test_facets_count_the_scope_only(index):
    north = facets.values(index, NORTH)
    assert north["territory"] == [("North", 3)]
    assert north["tag"] == [("hot", 2), ("persona: buyer", 1)]
    assert north["owner"] == [("Anna", 2), ("Bo", 1)]
    assert north["changed"] == [("down", 1), ("up", 1)]  # a point is a change; half a point is none
    assert all(not values for values in facets.values(index, NOTHING).values())


def test_who_is_new_since_the_run_before_has_changed(index):
    assert ids(index, EVERYTHING, filters={"changed": ["new"]}) == ["0"]


def slow(scope, asked):
    """What must come out, row by row."""
    rows = [(place, {"score": 50.0, **lead}) for place, lead in enumerate(LEADS)]

    def is_seen(lead):
        at = scope.territories is None or lead.get("territory") in scope.territories
        own = lead.get("owner") == scope.owner or (lead["lead_id"] == "S1" and scope.owner == "Anna")
        return at and (scope.owner is None or own)  # Anna has S1 on her call list

    def has(lead, name, values):
        if name == "tag":
            return bool(set(values) & (set((lead.get("tags") or "").split(", ")) - {""}))  # no tag is none
        return lead.get(name) in values

    rows = [
        (place, lead) for place, lead in rows
        if is_seen(lead) and all(has(lead, name, values) for name, values in asked.filters.items() if values)
        and asked.search.lower() in f"{lead['lead_id']}\n{lead.get('company') or ''}".lower()
    ]  # fmt: skip
    if asked.sort != "place":
        column, usual = asking.SORTS[asked.sort]
        down = (asked.direction or usual) == "desc"
        known = [r for r in rows if r[1].get(column) is not None]
        known.sort(key=lambda r: r[1][column], reverse=down)
        known = [  # ties stand as they are ranked, whatever the direction
            r for value in dict.fromkeys(r[1][column] for r in known)
            for r in sorted((k for k in known if k[1][column] == value), key=lambda k: k[0])
        ]  # fmt: skip
        rows = known + [r for r in rows if r[1].get(column) is None]
    elif asked.direction == "desc":
        rows.reverse()
    return [lead["lead_id"] for _, lead in rows]


texts = st.sampled_from(
    ["Anna", "Bo", "North", "South", "web", "fair", "A1", "hot", "persona: buyer", "", "'"]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    scope=st.sampled_from([EVERYTHING, NORTH, SOUTH, ANNA, NOTHING]),
    search=st.sampled_from(["", "m", "1", "gmbh", "%"]),
    filters=st.dictionaries(
        st.sampled_from(["owner", "territory", "source", "grade", "tag"]),
        st.lists(texts, max_size=3),
        max_size=2,
    ),
    sort=st.sampled_from(["place", "change", "touches", "owner", "source", "grade"]),
    direction=st.sampled_from([None, "asc", "desc"]),
    offset=st.integers(0, 4),
    size=st.integers(1, 5),
)
def test_the_list_is_what_a_slow_loop_over_the_rows_gives(
    index, scope, search, filters, sort, direction, offset, size
):
    asked = Asked(search=search, filters=filters, sort=sort, direction=direction, offset=offset, size=size)
    expected = slow(scope, asked)
    listed = listing.page(index, scope, asked)
    assert listed.total == len(expected)
    assert [row["lead_id"] for row in listed.rows] == expected[offset : offset + size]


def test_what_is_asked_is_brought_within_its_bounds():
    asked = Asked.from_query(
        {"sort": ["lead_id; DROP"], "size": ["999999999"], "offset": ["10000000"], "row": ["1"]}
    )
    assert (asked.sort, asked.size, asked.offset, asked.filters) == ("place", 200, 10_000, {})
    assert Asked.from_query({"page": ["3"], "size": ["20"], "direction": ["desc"]}) == Asked(
        offset=40, size=20, direction="desc"
    )


def test_a_run_of_an_older_version_has_no_facts_and_is_shown(tmp_path):
    without = ("leads", "timeline", "calls", "changes", "change_reasons")
    run = publish(tmp_path / "runs", LEADS[:1], without=without)
    following = Following(tmp_path / "runs", tmp_path / "pages")
    index = following.prepare()
    assert ids(index, EVERYTHING) == ["N1"]
    assert ids(index, NORTH) == []  # nobody knows its territory
    lead = lead_view.lead(index, EVERYTHING, "N1")
    assert (lead["timeline"], lead["committee"], lead["call"], lead["owner"]) == ([], [], None, None)
    assert index.run.run_id == run.run_id
    following.close()
