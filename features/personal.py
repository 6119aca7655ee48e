"""What is personal: headers that name a person, and the look of addresses, numbers, names and notes.

The load refuses such columns as categories, and ``init`` does not propose them.
"""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_]+")

NAMES = frozenset(
    {
        "firstname", "lastname", "middlename", "fullname", "surname", "forename", "givenname", "familyname",
        "leadname", "contactname", "contactperson", "personname", "vorname", "nachname", "familienname",
        "ansprechpartner", "kontaktperson", "prénom", "prenom", "nomdefamille", "nomcomplet", "nombre",
        "apellido", "apellidos", "nombrecompleto", "имя", "фамилия", "отчество", "фио", "имяифамилия",
        "фамилияимя", "полноеимя", "контактноелицо", "姓名", "名字", "姓", "名", "全名", "联系人",
        "联系人姓名",        "客户姓名", "中文名",
    }
)  # fmt: skip
"""Headers of a person's name, squeezed."""

BARE_NAMES = frozenset({"name", "nom"})
"""Headers of a person's name where a row is a person; elsewhere they name a company or a thing."""

TRAITS = frozenset(
    {
        "salutation", "anrede", "gender", "sex", "geschlecht", "пол", "性别", "nationality", "ethnicity",
        "religion", "dob", "ssn", "passport",
    }
)  # fmt: skip
BIRTH = frozenset({"birth", "birthday", "birthdate", "born", "geburtsdatum", "geburtstag"})
REACH = frozenset(
    {
        "email", "mail", "phone", "mobile", "telephone", "fax", "address", "street", "zip", "postal",
        "postcode", "telefon", "handy", "mobil", "adresse", "strasse", "straße", "plz", "téléphone",
        "teléfono", "телефон", "почта", "адрес", "电话", "手机", "邮箱", "地址",
    }
)  # fmt: skip
PHONES = frozenset(
    {
        "phone", "mobile", "telephone", "tel", "fax", "cell", "telefon", "handy", "mobil", "téléphone",
        "teléfono", "móvil", "телефон", "мобильный", "电话", "手机", "手机号",
    }
)  # fmt: skip
NOTES = frozenset(
    {
        "note", "notes", "comment", "comments", "remark", "remarks", "description", "message", "notiz",
        "notizen", "bemerkung", "bemerkungen", "kommentar", "beschreibung", "remarque", "commentaire",
        "nota", "notas", "comentario", "comentarios", "комментарий", "примечание", "заметка", "заметки",
        "备注", "说明", "留言",
    }
)  # fmt: skip

EMAIL = r"[^\s@]+@[^\s@]+\.[^\s@]+"
PHONE = (
    r"(\+|00)[1-9][0-9 ()./-]{5,18}[0-9]"
    r"|\(?[2-9][0-9]{2}\)?[ .-][0-9]{3}[ .-][0-9]{4}"
    r"|0[0-9]{2,4}[ /][0-9 -]{4,10}"
)
DIGITS = r"[+(]?[0-9][0-9 ()./-]{5,18}[0-9]"
"""What a phone number may look like below the header of one; elsewhere it may be an id or a date."""

PERSON = (
    r"\p{Lu}[\p{L}.'\x{2019}-]*( \p{L}[\p{L}.'\x{2019}-]*){0,3}"
    r"|\p{Han}{2,4}|[\p{Hangul}\p{Hiragana}\p{Katakana}]{2,8}"
)
MOSTLY = 0.5
"""Share of the values above which a column is taken for what they look like."""


def words(name: str) -> tuple[str, ...]:
    """The words of a header, in lower case.

    >>> words("TotalVisits (all time)"), words("lead_id"), words("CRMOwner")
    (('total', 'visits', 'all', 'time'), ('lead', 'id'), ('crm', 'owner'))
    """
    return tuple(word.lower() for word in _WORD.findall(name))


def squeezed(name: str) -> str:
    """The words without anything between them: ``Lead ID``, ``lead_id`` and ``leadId`` are one."""
    return "".join(words(name))


def is_about_a_person(name: str) -> bool:
    """Whether a header says that a name, a trait, an address, a number or a note of a person stands below it.

    >>> [is_about_a_person(name) for name in ("Full Name", "work e-mail", "notes", "job_title", "keyword")]
    [True, True, True, False, False]
    """
    said = {*words(name), squeezed(name)}
    return not said.isdisjoint(NAMES | BARE_NAMES | TRAITS | BIRTH | REACH | PHONES | NOTES)
