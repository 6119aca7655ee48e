"""A category is never an address, a number, a name or a note; what only looks alike passes."""

from __future__ import annotations

from itertools import cycle, islice
from pathlib import Path

import pytest

from features.errors import ParameterError
from features.tables import Field, Source
from tests.features.ingested import Ingested

ROWS = 40


@pytest.fixture
def crm(tmp_path: Path) -> Ingested:
    return Ingested(tmp_path)


def load(crm: Ingested, header: str, values: list[str], table: str = "leads", **options: object) -> None:
    """Forty rows that repeat the values, with the column declared as a category."""
    rows = [f"L{row}\t2026-01-01\tcall\t{value}" for row, value in enumerate(islice(cycle(values), ROWS))]
    key = {"leads": "lead_id", "accounts": "account_id", "touches": "lead_id"}[table]
    crm.write("x.csv", "\n".join([f"{key}\toccurred_at\tkind\t{header}", *rows]) + "\n")
    source = Source(path="x.csv", separator="\t", fields={header: Field("category", "static")})
    crm.loads({table: source}, **options)


NOTES = [f"spoke with buyer {row}, wants the demo again next week" for row in range(ROWS)]
REFUSED = [
    ("contact", [f"ann{row}@acme.de" for row in range(ROWS)], "e-mail addresses"),
    ("contact", ["ann@acme.de", "bob@acme.de", "none"], "e-mail addresses"),
    ("line", ["+49 30 901820", "+1 212 555 0123"], "phone numbers"),
    ("line", ["(212) 555-0123", "212-555-0199"], "phone numbers"),
    ("Telefon", ["030 901820", "0309018200"], "phone numbers"),
    ("First Name", ["Ann", "Bob", "José"], "names of persons"),
    ("name", ["Ann Lee", "Bob O'Hara", "Anna-Lena Groß"], "names of persons"),
    ("Фамилия", ["Иванова", "Петров"], "names of persons"),
    ("ФИО", ["Иванова Анна Петровна", "Петров Пётр Ильич"], "names of persons"),
    ("姓名", ["王小明", "李娜"], "names of persons"),
    ("what", NOTES, "free notes"),
    ("what", [f"客户希望下周安排演示并且讨论预算和时间{row}" for row in range(ROWS)], "free notes"),
    ("Kommentar", [f"ruft an {row}" for row in range(ROWS)], "free notes"),
    ("备注", [f"下周 {row}" for row in range(ROWS)], "free notes"),
]
ACCEPTED = [
    ("contact", ["ann@acme.de", "none"]),  # half of them: the bound itself passes
    ("line", ["+49 30 901820", "fixed"]),
    ("campaign_name", [f"2026-Q{row} Webinar Cloud" for row in range(ROWS)]),
    (
        "landing_page",
        [f"https://www.acme.com/en/products/{row}?utm_source=a&utm_campaign=b" for row in range(ROWS)],
    ),
    ("city", [f"Sankt Marein {row}" for row in range(ROWS)]),
    ("city", ["New York", "São Paulo", "Москва", "北京"]),
    ("job_title", [f"Senior Director Marketing {row}" for row in range(ROWS)]),
    ("职位", [f"高级市场营销经理{row}" for row in range(ROWS)]),
    ("day", [f"2026-01-{row % 28 + 1:02}" for row in range(ROWS)]),
    ("article", [f"{row + 1234567}" for row in range(ROWS)]),
    ("zip", ["12345-6789", "10115"]),
    ("product name", ["Steel Basic", "Steel Pro"]),
    ("first name", ["a1", "b2"]),
    (
        "reason",
        [
            "I am looking for a course that helps me to find another job",
            "I was sent here by a friend of mine",
        ],
    ),
    ("notes", ["hot", "cold"]),
    ("plan", ["", "gold"]),
    ("plan", [""]),
]


@pytest.mark.parametrize(("header", "values", "what"), REFUSED)
def test_a_category_that_identifies_a_person_is_refused(
    crm: Ingested, header: str, values: list[str], what: str
) -> None:
    with pytest.raises(ParameterError, match=what) as caught:
        load(crm, header, values)
    message = f"{caught.value} {caught.value.place}"
    assert f"'{header}' of table 'leads'" in message
    assert not any(value in message for value in values)


@pytest.mark.parametrize(("header", "values"), ACCEPTED)
def test_a_category_with_many_values_is_still_a_category(
    crm: Ingested, header: str, values: list[str]
) -> None:
    load(crm, header, values)
    assert header in {row[0] for row in crm.rows("DESCRIBE leads")}


@pytest.mark.parametrize(("table", "hint"), [
    ("leads", "map its header to 'email' under tables.leads.mapping"),
    ("accounts", "remove 'who' from tables.accounts.fields"),
    ("touches", "remove 'who' from tables.touches.fields"),
])  # fmt: skip
def test_each_table_with_fields_is_looked_at_and_the_next_step_is_named(
    crm: Ingested, table: str, hint: str
) -> None:
    with pytest.raises(ParameterError, match=hint):
        load(crm, "who", ["ann@acme.de"], table)


def test_a_company_or_a_thing_may_have_a_name(crm: Ingested) -> None:
    load(crm, "name", ["Acme Steel", "Bolt Works"], "accounts")


def test_a_mapped_header_is_looked_at_too(crm: Ingested) -> None:
    crm.write("leads.csv", "lead_id,Vorname\n1,Ann\n2,Bob\n")
    source = Source(
        path="leads.csv", mapping={"segment": "Vorname"}, fields={"segment": Field("category", "static")}
    )
    with pytest.raises(ParameterError, match="names of persons"):
        crm.loads({"leads": source})


def test_a_field_that_is_no_category_may_hold_what_it_likes(crm: Ingested) -> None:
    crm.write("leads.csv", "lead_id,phone\n1,2125550123\n2,2125550124\n")
    crm.loads({"leads": Source(path="leads.csv", fields={"phone": Field("number", "static")})})


def test_rows_to_predict_are_too_few_to_be_judged(crm: Ingested) -> None:
    load(crm, "who", ["ann@acme.de"], keep_duplicates_of=["leads"])
