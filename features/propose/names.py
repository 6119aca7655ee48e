"""What a header says: its words, and what people usually mean by them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_]+")

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
    "stage": ("stage", "dealstage", "stagename", "outcome", "status", "result"),
    "field": ("field", "fieldname"),
    "date": ("date", "day"),
    "cost": ("cost", "costs", "spend", "amount"),
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

_PERSONAL = frozenset(
    {
        "name", "firstname", "lastname", "middlename", "fullname", "surname", "leadname", "contactname",
        "salutation", "gender", "sex", "nationality", "ethnicity", "religion", "dob", "ssn", "passport",
    }
)  # fmt: skip
_BIRTH = frozenset({"birth", "birthday", "birthdate", "born"})
_REACH = frozenset(
    {
        "email", "mail", "phone", "mobile", "telephone", "fax", "address", "street", "zip", "postal",
        "postcode",
    }
)  # fmt: skip
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
_STATE_WORDS = frozenset({"latest", "modified", "updated", "close", "closed", "closing", "won", "lost"})


def words(name: str) -> tuple[str, ...]:
    """The words of a header, in lower case.

    >>> words("TotalVisits (all time)"), words("lead_id"), words("CRMOwner")
    (('total', 'visits', 'all', 'time'), ('lead', 'id'), ('crm', 'owner'))
    """
    return tuple(word.lower() for word in _WORD.findall(name))


def squeezed(name: str) -> str:
    """The words without anything between them: ``Lead ID``, ``lead_id`` and ``leadId`` are one."""
    return "".join(words(name))


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
    return squeezed(name) in _PERSONAL or not _BIRTH.isdisjoint(words(name))


def is_a_way_to_reach(name: str) -> bool:
    """Whether the header names an e-mail address, a number or a place to write to."""
    return not _REACH.isdisjoint(words(name))


def is_an_owner(name: str) -> bool:
    """Whether the header names who works the lead."""
    return squeezed(name) in _OWNERS


def is_a_state(name: str) -> bool:
    """Whether the header names something that changes while the lead is worked."""
    found = words(name)
    return squeezed(name) in _STATES or found[:1] == ("last",) or not _STATE_WORDS.isdisjoint(found)
