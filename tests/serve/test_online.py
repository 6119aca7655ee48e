"""Scoring a lead now: what a request may say, how it is refused, and that the answer is the night's."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.tables import Field, Source
from features.tombstones import Tombstones, normalised
from serve.online.asking import Asked, asked
from serve.online.body import MOST_BYTES, MOST_CHARACTERS, MOST_LEADS, MOST_TOUCHES, Body
from serve.online.columns import accepted, derived, schema
from serve.online.describing import body_schema
from serve.online.refusal import ForeignError, RefusedError
from serve.online.tables import tables
from serve.predictions import ERASED, OPTED_OUT
from serve.views.scope import EVERYTHING, NOTHING, Scope

SECRET = "Erika Mustermann 0171"  # noqa: S105  # what no refusal repeats
MOMENT = "must be a moment in ISO 8601, such as 2026-06-30T12:00:00Z"
NO_MOMENT = "is no real moment: it stands for none"
NOW = datetime(2026, 7, 1, 9, tzinfo=UTC)
SOURCES = {
    "leads": Source(path="l.csv", fields={"size": Field("number"), "is_vip": Field("flag")}),
    "touches": Source(path="t.csv"),
    "outcomes": Source(path="o.csv"),
    "accounts": Source(path="a.csv"),
}
LOADED = {
    "leads": [
        "lead_id", "created_at", "source", "owner", "territory", "account_id", "opted_out", "size", "is_vip",
        "title_seniority",
    ],
    "touches": ["lead_id", "contact_id", "occurred_at", "recorded_at", "kind", "duration_seconds"],
    "outcomes": ["lead_id", "stage", "occurred_at", "recorded_at"],
    "accounts": ["account_id", "industry"],
}  # fmt: skip
COLUMNS = accepted(SOURCES, LOADED)
BODY = Body(COLUMNS)
LEAD = {"lead_id": "a", "created_at": "2026-05-01T00:00:00Z"}
TOUCH = {"lead_id": "a", "occurred_at": "2026-06-01T00:00:00Z", "kind": "visit"}
LONG, SHORT = {**TOUCH, "kind": "x" * (MOST_CHARACTERS + 1)}, {**TOUCH, "duration_seconds": -1}


def utc(*parts: int) -> datetime:
    """A stamp as it stands in an engine: UTC without a zone."""
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)  # type: ignore[misc, arg-type]


def read(**body: Any) -> tuple[dict[str, Any], dict[str, pa.Table]]:
    found = BODY.read(json.dumps({"leads": [LEAD], **body}).encode())
    return found, tables(found, COLUMNS)


def problems(content: bytes) -> list[tuple[str, str]]:
    with pytest.raises(RefusedError) as told:
        tables(BODY.read(content), COLUMNS)
    assert SECRET not in str(told.value)
    found = [(problem.where, problem.what) for problem in told.value.problems]
    assert found
    assert not any(SECRET in text for problem in found for text in problem)
    return found


def refused(**body: Any) -> tuple[str, str]:
    return problems(json.dumps({"leads": [LEAD], **body}).encode())[0]


def who(scope: Scope = EVERYTHING, tombstones: Tombstones | None = None, **body: Any) -> Asked:
    found, made = read(**body)
    return asked(found, made, scope=scope, moment=NOW, tombstones=tombstones)


def test_rows_become_tables_as_the_load_makes_them() -> None:
    lead = {**LEAD, "lead_id": " cafe\u0301\t", "source": "  ", "size": -0.0, "is_vip": True}
    touch = {**TOUCH, "lead_id": "café", "occurred_at": "2026-06-01T02:00:00+02:00"}
    _, made = read(leads=[lead], touches=[touch])
    row = made["leads"].to_pylist()[0]
    assert (row["lead_id"], row["source"], row["is_vip"]) == ("café", None, 1.0)
    assert str(row["size"]) == "0.0"
    (fact,) = made["touches"].to_pylist()
    assert fact["occurred_at"] == fact["recorded_at"] == utc(2026, 6, 1)
    assert fact["contact_id"] is None


def test_a_column_that_the_night_did_not_have_is_not_asked_for() -> None:
    assert "campaign" not in COLUMNS["leads"]
    assert refused(leads=[{**LEAD, "campaign": SECRET}])[0] == "leads[0].campaign"


def test_a_personal_text_is_taken_where_the_load_made_something_of_it() -> None:
    assert "title" in COLUMNS["leads"]
    assert "email" not in COLUMNS["leads"]
    made = derived(COLUMNS["leads"], LOADED["leads"])
    assert made == ("title_seniority",)
    assert "title" not in schema("leads", COLUMNS["leads"], made).names


def test_an_unknown_field_is_told_with_its_row_and_the_nearest_name() -> None:
    where, what = refused(touches=[TOUCH, {**TOUCH, "knid": SECRET}])
    assert where == "touches[1].knid"
    assert what == "is no field here: did you mean 'kind'?"


def test_an_unknown_field_that_is_no_plain_name_is_not_repeated() -> None:
    assert refused(**{SECRET: 1}) == ("", "has a field that is no plain name")


@pytest.mark.parametrize(
    ("body", "where", "what"),
    [
        ({"leads": []}, "leads", "has no rows"),
        ({"leads": [{**LEAD, "lead_id": "  "}]}, "leads[0].lead_id", "is empty"),
        ({"leads": [{"created_at": "2026-05-01"}]}, "leads[0].lead_id", "is missing"),
        ({"leads": [{**LEAD, "size": SECRET}]}, "leads[0].size", "must be a number"),
        ({"leads": [{**LEAD, "is_vip": 1}]}, "leads[0].is_vip", "must be true or false"),
        ({"leads": [{**LEAD, "created_at": SECRET}]}, "leads[0].created_at", MOMENT),
        ({"leads": [{**LEAD, "created_at": "1970-01-01T00:00:00Z"}]}, "leads[0].created_at", NO_MOMENT),
        ({"leads": [{**LEAD, "created_at": "2200-01-01T00:00:00Z"}]}, "leads[0].created_at", NO_MOMENT),
        ({"leads": [LEAD, LEAD]}, "leads[1]", "has the lead_id of a row before"),
        ({"touches": [{**TOUCH, "lead_id": SECRET}]}, "touches[0].lead_id", "is of no lead of this request"),
        ({"touches": [{k: v for k, v in TOUCH.items() if k != "lead_id"}]}, "touches[0].lead_id", "is empty"),
        ({"touches": [SHORT]}, "touches[0].duration_seconds", "must not be below 0"),
        ({"touches": [LONG]}, "touches[0].kind", "has more than 1000 characters"),
        ({"touches": [TOUCH] * (MOST_TOUCHES + 1)}, "touches", "has more than 2000 rows of one lead"),
    ],
)  # fmt: skip
def test_what_breaks_the_contract_is_told_by_its_place(body: dict[str, Any], where: str, what: str) -> None:
    assert refused(**body) == (where, what)


def test_the_largest_request_is_read() -> None:
    leads = [{**LEAD, "lead_id": str(n)} for n in range(MOST_LEADS)]
    _, made = read(leads=leads, touches=[{**TOUCH, "lead_id": "0"}] * MOST_TOUCHES)
    assert (made["leads"].num_rows, made["touches"].num_rows) == (MOST_LEADS, MOST_TOUCHES)
    assert refused(leads=[*leads, LEAD]) == ("leads", "has too many rows")
    assert problems(b" " * (MOST_BYTES + 1))[0][1] == "is larger than 16 MiB"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_not_finite_is_refused(number: str) -> None:
    content = f'{{"leads": [{{"lead_id": "a", "size": {number}}}]}}'.encode()
    assert problems(content)[0][0] in ("leads[0].size", "")


JSONS = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.just(SECRET),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*LOADED, *LOADED["leads"], "as_of", "score", SECRET]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(JSONS)
def test_whatever_comes_is_read_or_refused_without_a_word_of_it(found: Any) -> None:
    try:
        made = tables(BODY.read(json.dumps(found).encode()), COLUMNS)
    except RefusedError as error:
        told = [str(error), *(text for problem in error.problems for text in vars(problem).values())]
    else:
        told = [] if 1 <= made["leads"].num_rows <= MOST_LEADS else [SECRET]
    assert not any(SECRET in text for text in told)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_bytes_that_are_no_request_are_refused(content: bytes) -> None:
    with pytest.raises(RefusedError):
        BODY.read(content)


def test_without_a_moment_the_request_asks_for_now() -> None:
    assert who().as_of == utc(2026, 7, 1, 9)
    assert who(as_of="2026-06-30T02:00:00+02:00").as_of == utc(2026, 6, 30)
    assert who(as_of="2026-06-30T02:00:00").as_of == utc(2026, 6, 30, 2)


def test_leads_that_are_not_to_be_scored_are_only_looked_at() -> None:
    leads = [LEAD, {**LEAD, "lead_id": "b"}]
    assert who(leads=leads).scored == ("a", "b")
    assert who(leads=leads, score=["b"]).scored == ("b",)
    for wrong in (["c"], ["a", "a"]):
        with pytest.raises(RefusedError):
            who(leads=leads, score=wrong)


@pytest.mark.parametrize(
    ("lead", "is_foreign"),
    [
        ({"territory": "North", "owner": "Ada"}, False),
        ({"territory": "South", "owner": "Ada"}, True),
        ({"owner": "Ada"}, True),
        ({"territory": "North", "owner": "Bob"}, True),
        ({"territory": "North"}, True),
    ],
)
def test_a_scope_lets_only_its_own_leads_be_scored(lead: dict[str, str], *, is_foreign: bool) -> None:
    scope = Scope(frozenset({"North"}), "Ada")
    leads = [{**LEAD, "territory": "North", "owner": "Ada"}, {**LEAD, "lead_id": "b", **lead}]
    if is_foreign:
        with pytest.raises(ForeignError, match=r"leads\[1\]"):
            who(scope, leads=leads)
    else:
        assert who(scope, leads=leads).scored == ("a", "b")
    assert who(EVERYTHING, leads=leads).scored == ("a", "b")
    with pytest.raises(ForeignError):
        who(NOTHING, leads=leads)


def test_whoever_opted_out_or_was_erased_gets_no_answer() -> None:
    leads = [
        {**LEAD, "opted_out": True},
        {**LEAD, "lead_id": "b", "opted_out": False},
        {**LEAD, "lead_id": "c"},
    ]
    graves = Tombstones(b"k" * 32, {})
    graves = Tombstones(graves.key, {graves.pseudonym("c"): {}})
    found = who(EVERYTHING, graves, leads=leads)
    assert found.scored == ("b",)
    assert found.problems == {"a": OPTED_OUT, "c": ERASED}


def test_a_text_is_read_alike_however_often_it_is_said() -> None:
    odd = [" caf\u00e9", "cafe\u0301\t", "", "  ", "\xa0", "\u2028x", "é" * 3, None, " caf\u00e9"]
    leads = [{**LEAD, "lead_id": f"{place}", "source": text} for place, text in enumerate(odd)]
    _, made = read(leads=leads)
    expected = [text if text is None else normalised(text) or None for text in odd]
    assert made["leads"].column("source").to_pylist() == expected
    assert expected[:5] == ["café", "café", None, None, None]


def test_a_moment_without_an_offset_is_in_utc_beside_one_that_has_one() -> None:
    moments = ["2026-06-01T00:00:00", "2026-06-01T02:00:00+02:00", "2026-05-31T19:30:00-04:30"]
    _, made = read(touches=[{**TOUCH, "occurred_at": moment} for moment in moments])
    assert made["touches"].column("occurred_at").to_pylist() == [utc(2026, 6, 1)] * 3


def test_the_general_description_has_every_field_that_a_model_takes() -> None:
    described = body_schema()["properties"]
    for table, columns in COLUMNS.items():
        own = {*SOURCES[table].fields, "size", "is_vip"}
        assert set(columns) - own <= set(described[table]["items"]["properties"]), table
    assert body_schema()["required"] == ["leads"]
