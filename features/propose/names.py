"""What a header says: its words, and what people usually mean by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from features.personal import BARE_NAMES, BIRTH, NAMES, REACH, TRAITS, squeezed, words

__all__ = [
    "ALIASES",
    "TABLE_WORDS",
    "ends_like_an_id",
    "header_for",
    "is_a_state",
    "is_a_way_to_reach",
    "is_an_origin",
    "is_an_owner",
    "is_personal",
    "squeezed",
    "words",
]

ALIASES: Mapping[str, tuple[str, ...]] = {
    "lead_id": (
        "leadid", "prospectid", "leadnumber", "caseid", "opportunityid", "opportunitynumber", "dealid",
        "recordid", "id",
    ),
    "account_id": ("accountid", "companyid", "id"),
    "contact_id": ("contactid", "id"),
    "created_at": (
        "createdat", "created", "createddate", "createdate", "createdon", "creationdate", "datecreated",
        "regdate", "registeredat", "registrationdate", "signupdate", "engagedate",
    ),
    "occurred_at": (
        "occurredat", "timestamp", "datetime", "activitydate", "eventtime", "eventdate", "closedate",
        "closedat", "date", "time",
    ),
    "changed_at": ("changedat", "changedate", "changedon", "createddate", "timestamp", "date"),
    "linked_at": ("linkedat", "timestamp", "date"),
    "kind": ("kind", "type", "activitytype", "eventtype", "activity", "event"),
    "keyword": ("keyword", "searchkeyword", "searchterm", "utmterm", "suchbegriff"),
    "stage": ("stage", "dealstage", "stagename", "outcome", "status", "result"),
    "field": ("field", "fieldname"),
    "date": ("date", "day"),
    "cost": ("cost", "costs", "spend", "amount"),
    "email": (
        "email", "emailaddress", "mail", "mailaddress", "workemail", "businessemail", "adresseemail",
        "courriel", "correo", "correoelectrónico", "correoelectronico",
        "почта", "электроннаяпочта", "邮箱", "电子邮件",
    ),
    "phone": (
        "phone", "phonenumber", "telephone", "telephonenumber", "telefon", "telefonnummer", "tel", "mobile",
        "mobilephone", "mobil", "handy", "téléphone", "telefono", "teléfono",
        "телефон", "电话", "手机", "手机号",
    ),
    "title": (
        "title", "jobtitle", "position", "jobposition", "berufsbezeichnung", "funktion", "fonction", "poste",
        "puesto", "cargo", "должность", "职位", "职务",
    ),
    "company": (
        "company", "companyname", "firma", "firmenname", "unternehmen", "organization", "organisation",
        "accountname", "employer", "entreprise", "société", "societe", "empresa", "компания", "организация",
        "公司", "公司名称",
    ),
    "website": (
        "website", "websiteurl", "companywebsite", "homepage", "webseite", "internetseite", "siteweb",
        "sitioweb", "сайт", "网站", "网址",
    ),
}  # fmt: skip
"""Other headers of a contract column, squeezed, the likeliest first."""

TABLE_WORDS: Mapping[str, frozenset[str]] = {
    "field_history": frozenset({"history", "changes"}),
    "identities": frozenset({"identity", "identities"}),
    "spend": frozenset({"spend", "cost", "costs"}),
    "outcomes": frozenset({"outcome", "outcomes", "opportunity", "opportunities", "deal", "deals"}),
    "touches": frozenset(
        {"touch", "touches", "activity", "activities", "event", "events", "interactions", "tasks"}
    ),
    "contacts": frozenset({"contact", "contacts"}),
    "accounts": frozenset({"account", "accounts", "company", "companies"}),
    "leads": frozenset({"lead", "leads", "prospect", "prospects", "case", "cases"}),
}
"""Words of a file name that say which table it is; ``lead_history`` is a history before it is a lead."""

_OWNERS = frozenset(
    {
        "owner", "ownerid", "ownername", "leadowner", "contactowner", "salesagent", "salesrep", "rep",
        "agent", "assignedto", "accountmanager", "salesperson", "resource",
    }
)  # fmt: skip
_ID_ENDS = frozenset({"id", "uuid", "guid", "key", "number", "no", "nr"})
_STATES = frozenset(
    {
        "status", "leadstatus", "stage", "leadstage", "dealstage", "salesstage", "quality", "leadquality",
        "score", "leadscore", "rating", "leadrating", "probability", "tag", "tags", "duration",
        "callduration",
    }
)  # fmt: skip
_ORIGIN_WORDS = frozenset({"source", "origin", "channel", "medium", "referrer"})
_STATE_WORDS = frozenset({"latest", "modified", "updated", "close", "closed", "closing", "won", "lost"})


def header_for(column: str, headers: Iterable[str]) -> str | None:
    """The header that a contract column has in a file: its own name, or the likeliest alias.

    >>> header_for("lead_id", ["Prospect ID", "Lead Number"])
    'Prospect ID'
    """
    found = list(headers)
    if same := next((header for header in found if header.casefold() == column), None):
        return same  # the load compares headers without regard to case
    by_squeezed = {squeezed(header): header for header in reversed(found)}
    names = (squeezed(column), *ALIASES.get(column, ()))
    return next((by_squeezed[name] for name in names if name in by_squeezed), None)


def ends_like_an_id(name: str) -> bool:
    """Whether the last word is one of id, key, number and the like."""
    return bool(words(name)) and words(name)[-1] in _ID_ENDS


def is_personal(name: str) -> bool:
    """Whether the header names a person or a protected trait of one."""
    return squeezed(name) in NAMES | BARE_NAMES | TRAITS or not BIRTH.isdisjoint(words(name))


def is_a_way_to_reach(name: str) -> bool:
    """Whether the header names an e-mail address, a number or a place to write to."""
    return not REACH.isdisjoint(words(name))


def is_an_owner(name: str) -> bool:
    """Whether the header names who works the lead."""
    return squeezed(name) in _OWNERS


def is_an_origin(name: str) -> bool:
    """Whether the header names where a lead came from, which is known when it appears.

    >>> is_an_origin("Lead Source"), is_an_origin("Open Source Tools used")
    (True, False)
    """
    found = words(name)
    return bool(found) and (found[-1] in _ORIGIN_WORDS or found[0] == "utm")


def is_a_state(name: str) -> bool:
    """Whether the header names something that changes while the lead is worked."""
    found = words(name)
    return squeezed(name) in _STATES or found[:1] == ("last",) or not _STATE_WORDS.isdisjoint(found)
