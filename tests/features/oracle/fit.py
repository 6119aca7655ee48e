"""The fit family: the lead's own fields as of the moment, what ingest made of personal data, its account."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from features.tables import Field
from tests.features.oracle.world import Seen
from tests.features.random_history import DAY, TRACKED

CLASSES = (
    "email_class", "phone_class", "title_seniority", "title_department", "has_company",
    "company_matches_email",
)  # fmt: skip
PLAIN = ("industry", "seats", "is_vip", "is_competitor", "owner", "city", "country", "budget", "need")
FIELDS = {
    "leads": {
        "industry": Field("category"),
        "seats": Field("number"),
        "is_vip": Field("flag"),
        "is_competitor": Field("flag"),
        "owner": Field("category", time="static"),
        "city": Field("category", time="static"),
        "country": Field("category", time="static"),
        "budget": Field("category"),
        "need": Field("flag"),
        "asked_at": Field("timestamp"),
        "status": Field("category", time="tracked"),
        "size": Field("number", time="tracked"),
        "agreed": Field("flag", time="tracked"),
        "due_at": Field("timestamp", time="tracked"),
    },
    "accounts": {
        "sector": Field("category"),
        "employees": Field("number"),
        "founded_at": Field("timestamp"),
    },
    "touches": {"resource": Field("category"), "score": Field("number")},
}


def fit(seen: Seen) -> Iterator[tuple[str, Any]]:
    """Name and value of each feature."""
    lead = seen.lead
    yield from ((name, lead[name]) for name in (*CLASSES, *PLAIN))
    yield "asked_at", days_ago(seen, lead["asked_at"])
    yield from ((name, tracked(seen, name)) for name in TRACKED)
    yield "bant_known", sum(lead[name] is not None for name in ("budget", "need"))
    signs = (
        lead["email_class"] in ("free", "disposable", "invalid"),
        lead["phone_class"] == "invalid",
        lead["has_company"] == 0,
        lead["title_seniority"] in ("student", "job_seeker"),
        lead["is_competitor"] == 1,
    )
    yield "negative_fit", sum(signs)
    accounts = {account["account_id"]: account for account in seen.world.tables["accounts"]}
    account = accounts.get(lead["account_id"], dict.fromkeys(("sector", "employees", "founded_at")))
    yield "account.sector", account["sector"]
    yield "account.employees", account["employees"]
    yield "account.founded_at", days_ago(seen, account["founded_at"])


def days_ago(seen: Seen, moment: datetime | None) -> float | None:
    return None if moment is None else (seen.as_of - moment) / DAY


def tracked(seen: Seen, name: str) -> Any:
    """The last known new value; before the first change, its old value; without changes, today's."""
    changes = [
        change
        for change in seen.world.tables["field_history"]
        if (change["lead_id"], change["field"]) == (seen.lead_id, name)
    ]
    changes.sort(key=lambda change: change["changed_at"])
    if not changes:
        value = seen.lead[name]
        return days_ago(seen, value) if name == "due_at" else value
    before = [c for c in changes if c["changed_at"] < seen.as_of and c["recorded_at"] < seen.as_of]
    value = read(name, before[-1]["new_value"] if before else changes[0]["old_value"])
    return days_ago(seen, value) if name == "due_at" else value


def read(name: str, text: str | None) -> Any:
    """A text of the field history as the field's kind."""
    if text is None or name == "status":
        return text
    if name == "size":
        return None if text == "not a number" else float(text)
    return float(text in ("yes", "true")) if name == "agreed" else datetime.fromisoformat(text)
