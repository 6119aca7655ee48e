"""What a lead's address, number, title and company say, and that the texts themselves go no further."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from features.ingest.folding import folded
from features.ingest.phones import phone_class
from features.ingest.title_words import DEPARTMENT, SENIORITY
from features.ingest.titles import OTHER, parts_of
from features.tables import PERSONAL, Field, Source
from tests.features.ingested import Ingested


@pytest.fixture
def crm(tmp_path: Path) -> Ingested:
    return Ingested(tmp_path)


def made(crm: Ingested, drawing: str, *columns: str, **settings: object) -> list[tuple]:
    """Columns of the loaded leads, in their order."""
    lines = [line.strip() for line in drawing.strip().splitlines()]
    rows = [";".join(cell.strip() for cell in line.split("|")) for line in lines if "-+-" not in line]
    numbered = [f"lead_id;{rows[0]}", *(f"L{row};{cells}" for row, cells in enumerate(rows[1:]))]
    crm.load(content="\n".join(numbered) + "\n", separator=";", **settings)
    names = ", ".join(columns)
    return crm.connection.execute(f"SELECT {names} FROM leads ORDER BY row_number").fetchall()  # noqa: S608


def test_an_address_is_business_free_role_disposable_or_invalid(crm: Ingested) -> None:
    leads = """
        email                      | expected
        ---------------------------+-----------
        ann.lee+crm@acme.co.uk     | business
        Ann@GMAIL.com              | free
        a@mail.ru                  | free
        a@163.com                  | free
        a@gmx.de                   | free
        a@notgmail.com             | business
        info@acme.de               | role
        INFO+web@acme.de           | role
        info@gmail.com             | free
        infos.ann@acme.de          | business
        a@mailinator.com           | disposable
        иван@почта.рф              | business
        müller@büro.de             | business
        a@xn--bro-hoa.de           | business
        nobody                     | invalid
        a@acme                     | invalid
        a@@acme.de                 | invalid
        a..b@acme.de               | invalid
        .a@acme.de                 | invalid
        a@-acme.de                 | invalid
        a b@acme.de                | invalid
        a@acme.d                   | invalid
        a@acme.de.                 | invalid
        a@example.com              | invalid
        a@acme.test                | invalid
                                   |
    """
    fields = {"expected": Field("category", "static")}
    for got, expected in made(crm, leads, "email_class", "expected", fields=fields):
        assert got == expected


def test_an_address_may_have_254_characters_and_no_more(crm: Ingested) -> None:
    longest = "a" * 60 + "@" + ".".join(["b" * 63, "c" * 63, "d" * 60, "de"])
    assert len(longest) == 252
    leads = f"email | x\n{longest} | 1\naa{longest} | 1\naaa{longest} | 1"
    assert [got for (got,) in made(crm, leads, "email_class")] == ["business", "business", "invalid"]


def test_a_number_is_read_in_the_country_of_its_lead(crm: Ingested) -> None:
    leads = """
        phone              | country        | expected
        -------------------+----------------+---------
        +49 30 901820      |                | valid
        030 901820         | DE             | valid
        030 901820         | Germany        | valid
        030 901820         | germany        | valid
        030 901820         |                | possible
        030 901820         | Atlantis       | possible
        030 901820         | US             | invalid
        (212) 555-0123     | United States  | valid
        416-555-0123       | CA             | valid
        8 (495) 123-45-67  | RU             | valid
        010 6552 9988      | China          | valid
        +7 495 123 45 67   | DE             | valid
        +1 100 555 0123    | US             | possible
        +49 1              | DE             | invalid
        n/a                | DE             | invalid
        123456             |                | invalid
        1234567            |                | possible
        123456789012345    |                | possible
        1234567890123456   |                | invalid
                           | DE             |
    """
    fields = {"expected": Field("category", "static")}
    for number, (got, expected) in enumerate(made(crm, leads, "phone_class", "expected", fields=fields)):
        assert got == expected, number


def test_many_numbers_at_once_are_judged_like_each_alone(
    crm: Ingested, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The patterns in SQL must say what the library says."""
    monkeypatch.setattr("features.ingest.phones.FEWEST_OF_A_REGION", 1)
    forms = (
        "+49{n}",
        "0{n}",
        "{n}",
        "0049{n}",
        "49{n}",
        "+1 {n}",
        "1{n}",
        "8{n}",
        "+7 {n}",
        "+44 (0){n}",
        "+39 0{n}",
    )
    numbers = [
        form.format(n=str(20_000_000 + row * 7_654_321)[: 7 + row % 4]) for row in range(24) for form in forms
    ]
    countries = ("DE", "CA", "KZ", "")
    rows = [(number, country) for number in numbers for country in countries]
    lines = "\n".join(f"{number}|{country}" for number, country in rows)
    got = made(crm, f"phone|country\n{lines}", "phone_class")
    expected = {row: phone_class(*row) for row in rows}
    assert [value for (value,) in got] == [expected[row] for row in rows]
    assert {"valid", "possible", "invalid"} <= set(expected.values())


TITLES = """
    title                              | seniority  | department
    -----------------------------------+------------+-----------------
    CEO                                | c_level    | management
    C.E.O. and Founder                 | owner      | management
    Vice-President Sales EMEA          | vp         | sales
    President                          | c_level    | management
    Head of IT                         | director   | it
    Senior Software Engineer           | specialist | it
    Product Owner                      | specialist | it
    HR Business Partner                | specialist | hr
    Assistant to the CEO               | junior     | management
    Assistant Manager                  | manager    | other
    Looking for new opportunities      | job_seeker | other
    PhD candidate                      | student    | other
    Wizard                             | other      | other
    Mayor                              | other      | other
    VPN Administrator                  | specialist | other
    Geschäftsführerin                  | c_level    | management
    Vertriebsleiterin                  | manager    | sales
    Kfm. Leiter                        | manager    | other
    Einkäufer                          | specialist | purchasing
    Werkstudent Marketing              | student    | marketing
    Sachbearbeiterin Buchhaltung       | specialist | finance
    Außendienst                        | other      | sales
    Directeur général                  | c_level    | management
    Directrice des ressources humaines | director   | hr
    Stagiaire                          | student    | other
    Directora de Operaciones           | director   | operations
    Jefe de Compras                    | manager    | purchasing
    Dueña                              | owner      | other
    Генеральный директор               | c_level    | management
    Менеджер по продажам               | specialist | sales
    Руководитель отдела закупок        | manager    | purchasing
    Заместитель генерального директора | vp         | other
    Юрист                              | specialist | legal
    销售经理                           | manager    | sales
    副总经理                           | vp         | management
    首席财务官                         | c_level    | finance
    CEO兼创始人                        | owner      | management
    人力资源总监                       | director   | hr
    在读学生                           | student    | other
                                       |            |
"""


def test_a_title_tells_seniority_and_department_in_six_languages(crm: Ingested) -> None:
    fields = {"seniority": Field("category", "static"), "department": Field("category", "static")}
    columns = ("title_seniority", "title_department", "seniority", "department")
    for row, got in enumerate(made(crm, TITLES, *columns, fields=fields)):
        assert got[:2] == got[2:], row


@cache
def parts(words: str) -> tuple[str, ...]:
    return tuple(part for part in parts_of(words) if r"\p{L}" not in part)


def slowly(title: str, lines: tuple[tuple[str, str], ...]) -> str:
    """The class of a title, word by word: the first line with a word of it."""
    apart = "".join(mark if mark.isalnum() else " " for mark in folded(title))
    spaced = " " + " ".join(apart.split()) + " "
    found = (name for name, words in lines for part in parts(words) if part in spaced)
    return next(found, OTHER)


def test_titles_at_once_are_read_like_each_alone(crm: Ingested) -> None:
    words = (
        "Head of", "Senior", "Leiter", "Chef de", "IT", "Sales", "Vertrieb", "achats", "Owner,",
        "co-founder /", "Student", "Assistant", "директор", "по продажам", "Manager", "Pilot", "VP", "Werk",
        "R&D", "Legal",
    )  # fmt: skip
    titles = [f"{a} {b} {c}" for a in words for b in words for c in ("", "Europe", "CTO")]
    got = made(
        crm,
        "title | x\n" + "\n".join(f"{title} | 1" for title in titles),
        "title_seniority",
        "title_department",
    )
    assert got == [(slowly(title, SENIORITY), slowly(title, DEPARTMENT)) for title in titles]


def test_a_company_is_there_and_fits_the_address_or_not(crm: Ingested) -> None:
    leads = """
        email              | company                         | website              | has | fits
        -------------------+---------------------------------+----------------------+-----+-----
        a@acme.com         | Acme Corp                       |                      | 1   | 1
        a@mail.acme.co.uk  | ACME                            |                      | 1   | 1
        a@acme-steel.de    | Acme Steel GmbH                 |                      | 1   | 1
        a@mueller.de       | Müller AG                       |                      | 1   | 1
        a@ibm.com          | International Business Machines |                      | 1   | 1
        a@other.com        | Acme Corp                       |                      | 1   | 0
        info@other.com     | Acme Corp                       |                      | 1   | 0
        a@other.com        | Acme Corp                       | https://other.com/en | 1   | 1
        a@gruppe-x.de      | Ypsilon Gruppe                  |                      | 1   | 0
        a@acme.ru          | Компания                        |                      | 1   |
        a@acme.ru          | Компания                        | www.acme.com         | 1   | 1
        a@acme.ru          |                                 | www.foo.com          | 0   | 0
        a@acme.com         |                                 |                      | 0   |
        a@acme.com         | none                            |                      | 0   | 0
        a@gmail.com        | Acme Corp                       |                      | 1   |
        nobody             | Acme Corp                       |                      | 1   |
                           | Acme Corp                       | acme.com             | 1   |
    """
    fields = {"has": Field("number", "static"), "fits": Field("number", "static")}
    columns = ("has_company", "company_matches_email", "has", "fits")
    for row, got in enumerate(made(crm, leads, *columns, fields=fields)):
        assert got[:2] == got[2:], row


def test_a_website_alone_is_compared_with_the_address(crm: Ingested) -> None:
    leads = "email | website\na@acme.com | acme.de\na@acme.com | other.de\na@acme.com |"
    assert made(crm, leads, "company_matches_email") == [(1,), (0,), (None,)]
    assert "has_company" not in columns_of(crm)


EVERYTHING = """
    email       | phone         | title | company | website  | country
    ------------+---------------+-------+---------+----------+--------
    a@acme.com  | +49 30 901820 | CEO   | Acme    | acme.com | DE
    b@gmail.com | 030 901821    | Clerk |         |          | DE
"""


def columns_of(crm: Ingested) -> set[str]:
    return {row[0] for row in crm.connection.execute("DESCRIBE leads").fetchall()}


def test_the_texts_go_no_further_than_the_load(crm: Ingested) -> None:
    made(crm, EVERYTHING, "lead_id")
    assert columns_of(crm).isdisjoint(PERSONAL["leads"])
    held = " ".join(str(row) for (table,) in crm.connection.execute("SHOW TABLES").fetchall()
                    for row in crm.connection.execute(f"FROM {table}").fetchall())  # fmt: skip
    assert all(text not in held for text in ("acme", "901820", "CEO", "gmail"))


def test_what_is_declared_or_published_stays(crm: Ingested) -> None:
    made(crm, EVERYTHING, "lead_id", fields={"title": Field("category", "static")})
    assert columns_of(crm) & set(PERSONAL["leads"]) == {"title"}
    crm.loads({"leads": Source(path="leads.csv", separator=";")}, keep_columns=("company", "owner"))
    assert columns_of(crm) & set(PERSONAL["leads"]) == {"company"}


def test_a_field_of_the_name_has_the_meaning_that_the_team_gave_it(crm: Ingested) -> None:
    leads = "phone | email | budget | title\nyes | often | 5 | Head\nno | never | | Clerk"
    fields = {
        "phone": Field("flag", "static"),
        "email": Field("category", "static"),
        "title": Field("category", "static"),
    }
    assert made(crm, leads, "phone", "email", "title", fields=fields) == [
        (1, "often", "Head"),
        (0, "never", "Clerk"),
    ]
    assert {"phone_class", "email_class"}.isdisjoint(columns_of(crm))
    assert "title_seniority" in columns_of(crm)


def test_a_column_called_like_a_derived_one_is_the_teams_own(crm: Ingested) -> None:
    leads = "title | title_seniority\nCEO | high"
    fields = {"title_seniority": Field("category", "static")}
    assert made(crm, leads, "title_seniority", "title_department", fields=fields) == [("high", "management")]


def test_a_preset_does_not_demand_personal_columns(crm: Ingested) -> None:
    loaded = crm.load(content="Id\nL1\n", mapping={"lead_id": "Id", "email": "Email", "phone": "Phone"})
    assert loaded.columns["leads"] == ("lead_id",)


def test_the_order_of_rows_and_columns_does_not_change_the_digest(crm: Ingested) -> None:
    lines = [line.split("|") for line in EVERYTHING.strip().splitlines() if "-+-" not in line]
    digests = set()
    for turn in (1, -1):
        rows = [";".join(cell.strip() for cell in line[::turn]) for line in lines]
        head, first, second = (
            f"{start};{row}" for start, row in zip(("lead_id", "L1", "L2"), rows, strict=True)
        )
        body = (first, second)[::turn]
        digests.add(crm.load(content="\n".join((head, *body)) + "\n", separator=";").digest)
    assert len(digests) == 1


def test_rows_keep_their_order_and_their_other_columns(crm: Ingested) -> None:
    leads = "title | email | size\n" + "\n".join(f"t{9 - row} | a@b{row % 3}.de | {row}" for row in range(10))
    got = made(crm, leads, "row_number", "size", fields={"size": Field("number", "static")})
    assert got == [(row, row) for row in range(10)]
    assert crm.connection.execute("SELECT size FROM leads").fetchall() == [(row,) for row in range(10)]
