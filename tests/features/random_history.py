"""Random histories with ties, nulls, late records and facts on every boundary; plain Python rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from features.vocabulary import Vocabulary, Word

Rows = list[dict[str, Any]]
DAY, TICK = timedelta(days=1), timedelta(microseconds=1)
TONIGHT = datetime(2026, 3, 31)  # noqa: DTZ001  # stamps inside an engine are naive UTC
WORDS = Vocabulary(
    kinds={
        "email_sent": Word("email_sent", "contextual", 0.5),
        "email_open": Word("email_open", "contextual", 0.5),
        "email_click": Word("email_click", "contextual", 0.75),
        "content_download": Word("download", "contextual", 1.0),
        "call": Word("call", None, 0.0),
        "demo_request": Word("form", "direct", 2.0),
        "unsubscribe": Word("unsubscribe", "negative", -1.0),
        "social_like": Word("social", None, 0.1),
        "web_visit": Word("visit", "contextual", 0.5),
    },
    places={"pricing": Word(says="direct", weight=2.0), "careers": Word(says="negative", weight=-0.5)},
    half_life_days=10.0,
    horizon_days=20,
    reporting_delay_days=3,
    returned_days=7,
)
"""What the words of these histories mean; nobody says anything of the kind ``fax`` and the place ``blog``."""
KINDS = (*WORDS.kinds, "email_open", "email_sent", "call", "fax")
MATURE_DAYS = WORDS.horizon_days + WORDS.reporting_delay_days
EDGES = (1, 7, 14, 30, 90)
_MOMENT, _TEXT, _NUMBER, _WHOLE = pa.timestamp("us"), pa.string(), pa.float64(), pa.int64()
COLUMNS = {
    "leads": {
        "lead_id": _TEXT, "created_at": _MOMENT, "deleted_at": _MOMENT, "account_id": _TEXT, "source": _TEXT,
        "campaign": _TEXT, "owner": _TEXT, "city": _TEXT, "country": _TEXT, "industry": _TEXT,
        "seats": _NUMBER, "is_vip": _NUMBER, "is_competitor": _NUMBER, "asked_at": _MOMENT, "budget": _TEXT,
        "need": _NUMBER, "status": _TEXT, "size": _NUMBER, "agreed": _NUMBER, "due_at": _MOMENT,
        "email_class": _TEXT, "phone_class": _TEXT, "title_seniority": _TEXT, "title_department": _TEXT,
        "has_company": _NUMBER, "company_matches_email": _NUMBER, "row_number": _WHOLE,
    },
    "accounts": {
        "account_id": _TEXT, "sector": _TEXT, "employees": _NUMBER, "founded_at": _MOMENT,
        "row_number": _WHOLE,
    },
    "contacts": {"contact_id": _TEXT, "account_id": _TEXT, "role": _TEXT, "row_number": _WHOLE},
    "touches": {
        "lead_id": _TEXT, "contact_id": _TEXT, "visitor_id": _TEXT, "kind": _TEXT, "place": _TEXT,
        "campaign": _TEXT, "keyword": _TEXT, "direction": _TEXT, "duration_seconds": _NUMBER,
        "weight": _NUMBER, "resource": _TEXT, "score": _NUMBER, "occurred_at": _MOMENT,
        "recorded_at": _MOMENT, "row_number": _WHOLE,
    },
    "identities": {
        "visitor_id": _TEXT, "contact_id": _TEXT, "lead_id": _TEXT, "linked_at": _MOMENT,
        "row_number": _WHOLE,
    },
    "outcomes": {
        "lead_id": _TEXT, "stage": _TEXT, "occurred_at": _MOMENT, "recorded_at": _MOMENT,
        "row_number": _WHOLE,
    },
    "field_history": {
        "lead_id": _TEXT, "field": _TEXT, "changed_at": _MOMENT, "recorded_at": _MOMENT, "old_value": _TEXT,
        "new_value": _TEXT, "row_number": _WHOLE,
    },
    "snapshots": {"snapshot_id": _WHOLE, "lead_id": _TEXT, "as_of": _MOMENT},
}  # fmt: skip
TRACKED = {
    "status": ("new", "warm", "hot", None),
    "size": ("1", "2.5", "not a number", None),
    "agreed": ("yes", "No", "true", None),
    "due_at": ("2026-01-05 00:00:00", "2026-02-01 12:30:00", None),
}
_APART = {
    **dict.fromkeys(COLUMNS, ("lead_id", "account_id", "contact_id", "visitor_id")),
    "leads": ("lead_id", "account_id", "owner", "source", "campaign", "city"),
}


def history(seed: int, *, leads: int = 40, touches: int = 10) -> dict[str, Rows]:
    """Rows by table; two snapshots a lead, ``TONIGHT`` and a moment up to 40 days before it."""
    random = np.random.default_rng(seed)
    names = [f"lead{number:03d}" for number in range(leads)]
    born = {name: _lead(random, name) for name in names}
    tables = {
        "leads": list(born.values()),
        "accounts": [_account(random, number) for number in range(leads // 3)],
        "contacts": [_contact(random, number) for number in range(leads // 2)],
        "touches": [
            _touch(random, born[name], leads)
            for name in names
            for _ in range(random.integers(0, 2 * touches))
        ],
        "identities": [_identity(random, leads) for _ in range(leads)],
        "outcomes": [row for name in names for row in _outcomes(random, born[name])],
        "field_history": [row for name in names for row in _changes(random, name)],
        "snapshots": [
            {"lead_id": name, "as_of": moment}
            for name in names
            for moment in (TONIGHT, TONIGHT - int(random.integers(1, 40)) * DAY)
        ],
    }
    for name, rows in tables.items():
        for number, row in enumerate(rows):
            row["snapshot_id" if name == "snapshots" else "row_number"] = number
    return tables


def stacked(worlds: Sequence[dict[str, Rows]]) -> dict[str, Rows]:
    """Histories side by side in one set of tables, which is faster than apart: no id is shared.

    Snapshots and rows are numbered on, so that rows of one world keep their order.
    """
    tables: dict[str, Rows] = {name: [] for name in worlds[0]}
    for number, world in enumerate(worlds):
        for name, rows in world.items():
            tables[name] += [_apart(row, number, _APART[name]) for row in rows]
    for number, row in enumerate(tables["snapshots"]):
        row["snapshot_id"] = number
    return tables


def _apart(row: dict[str, Any], world: int, names: Sequence[str]) -> dict[str, Any]:
    ids = {name: row[name] for name in names if row.get(name) is not None}
    number = {"row_number": row["row_number"] + world * 1_000_000} if "row_number" in row else {}
    return {**row, **number, **{name: f"{world}/{value}" for name, value in ids.items()}}


def arrow(tables: dict[str, Rows]) -> dict[str, pa.Table]:
    """The rows as Arrow tables, as ingest leaves them."""
    return {
        name: pa.table(
            {column: pa.array([row[column] for row in rows], kind) for column, kind in COLUMNS[name].items()}
        )
        for name, rows in tables.items()
    }


def _one(random: np.random.Generator, values: Any) -> Any:
    return values[int(random.integers(len(values)))]


def _aside(random: np.random.Generator) -> timedelta:
    return _one(random, (0, 0, 0, 1, -1)) * TICK


def _moment(random: np.random.Generator, first: int = -130, last: int = 8) -> datetime:
    """Whole days half of the time, often on the edge of a window, so that edges are met, and ties."""
    if random.random() < 0.3 and last > 0:
        return TONIGHT - _one(random, (*EDGES, 0)) * DAY + _aside(random)
    day = TONIGHT + int(random.integers(first, last)) * DAY
    return day + _one(random, (0, 0, 0, 1, -1, 43_200_000_000, 30_000_000_007)) * TICK


def _recorded(random: np.random.Generator, occurred: datetime) -> datetime:
    """Mostly at once, at times late, and at times before: a meeting that is entered as planned."""
    return occurred + _one(random, (0, 0, 0, 1, 9, -2)) * DAY


def _created(random: np.random.Generator) -> datetime | None:
    """At times so that the lead becomes mature at the moment itself, or is created at it, or later."""
    edge = TONIGHT - _one(random, (MATURE_DAYS, MATURE_DAYS, 90, 0, -3)) * DAY + _aside(random)
    return _one(random, (_moment(random, -200, -1), _moment(random, -200, -1), edge, edge, None))


def _lead(random: np.random.Generator, name: str) -> dict[str, Any]:
    return {
        "lead_id": name,
        "created_at": _created(random),
        "deleted_at": _one(random, (None, None, None, None, _moment(random, -60))),
        "account_id": _one(random, ("a0", "a1", "a2", "a3", None)),
        "source": _one(random, ("fair", "web", None)),
        "campaign": _one(random, ("spring", "autumn", None)),
        "owner": _one(random, ("ann", "bob", None)),
        "city": _one(random, (*(f"city{number}" for number in range(26)), None)),
        "country": _one(random, ("DE", None)),
        "industry": _one(random, ("metal", "wood", "", None)),
        "seats": _one(random, (0.0, 7.0, 1e6, 1 / 3, None)),
        "is_vip": _one(random, (0.0, 1.0, None)),
        "is_competitor": _one(random, (0.0, 1.0, None)),
        "asked_at": _one(random, (TONIGHT - timedelta(days=3), _moment(random), None)),
        "budget": _one(random, ("high", None)),
        "need": _one(random, (0.0, None)),
        "status": _one(random, ("new", "gone", None)),
        "size": _one(random, (3.0, None)),
        "agreed": _one(random, (0.0, 1.0, None)),
        "due_at": _one(random, (TONIGHT - timedelta(days=1), None)),
        "email_class": _one(random, ("business", "role", "free", "disposable", "invalid", None)),
        "phone_class": _one(random, ("valid", "possible", "invalid", None)),
        "title_seniority": _one(random, ("c_level", "student", "job_seeker", "other", None)),
        "title_department": _one(random, ("it", "other", None)),
        "has_company": _one(random, (0.0, 1.0)),
        "company_matches_email": _one(random, (0.0, 1.0, None)),
    }


def _account(random: np.random.Generator, number: int) -> dict[str, Any]:
    return {
        "account_id": f"a{number}",
        "sector": _one(random, ("public", None)),
        "employees": _one(random, (12.0, None)),
        "founded_at": _one(random, (datetime(1999, 1, 1), None)),  # noqa: DTZ001  # likewise
    }


def _contact(random: np.random.Generator, number: int) -> dict[str, Any]:
    role = _one(random, ("user", "selector", "decider", None))
    return {"contact_id": f"c{number}", "account_id": _one(random, ("a0", "a1", None)), "role": role}


def _touch(random: np.random.Generator, lead: dict[str, Any], leads: int) -> dict[str, Any]:
    """Of one in six nobody knew whose it was: it has a visitor, a contact, both or neither."""
    occurred = _moment(random)
    if lead["created_at"] is not None and random.random() < 0.1:
        occurred = lead["created_at"] + _aside(random)
    is_ours = random.random() < 5 / 6
    return {
        "lead_id": lead["lead_id"] if is_ours else None,
        "contact_id": _one(random, (_named(random, "c", leads), None)),
        "visitor_id": _one(random, (_named(random, "v", leads), None)),
        "kind": _one(random, KINDS),
        "place": _one(random, ("pricing", "pricing", "careers", "blog", "blog", None)),
        "campaign": _one(random, ("news", "news", "expo", None)),
        "keyword": _keyword(random),
        "direction": _one(random, ("in", "out", None)),
        "duration_seconds": _one(random, (0.0, 60.0, 0.1, 540.0, None)),
        "weight": _one(random, (1.0, 0.5, 0.0, None)),
        "resource": _one(random, ("guide", "guide", "video", None)),
        "score": _one(random, (-2.0, 0.25, 3.0, None)),
        "occurred_at": occurred,
        "recorded_at": _recorded(random, occurred),
    }


def _keyword(random: np.random.Generator) -> str | None:
    """A search of one to three words, some of them twice; one in three touches comes from none."""
    words = [_one(random, ("CRM", "crm", "free", "Preis", "bäder")) for _ in range(random.integers(1, 4))]
    return _one(random, (None, f"{_one(random, '+[ ')}{_one(random, ' -,').join(words)}", " ".join(words)))


def _identity(random: np.random.Generator, leads: int) -> dict[str, Any]:
    return {
        "visitor_id": _one(random, (_named(random, "v", leads), _named(random, "v", leads), None)),
        "contact_id": _one(random, (_named(random, "c", leads), None)),
        "lead_id": _named(random, "lead", leads, digits=3),
        "linked_at": _moment(random, -60),
    }


def _named(random: np.random.Generator, what: str, leads: int, *, digits: int = 1) -> str:
    return f"{what}{int(random.integers(leads)):0{digits}d}"


def _outcomes(random: np.random.Generator, lead: dict[str, Any]) -> Rows:
    """Stages at random, a return on the edge of "at once", and a win on an edge of the label's window."""
    rows = [_outcome(random, _moment(random, -90, 30)) for _ in range(random.integers(0, 5))]
    if rows and random.random() < 0.3:
        former = rows[-1]["occurred_at"]
        back = _outcome(random, former + WORDS.returned_days * DAY + _aside(random), "returned")
        rows.append(back)
    if lead["created_at"] is not None and random.random() < 0.5:
        days = _one(random, (0, 5, WORDS.horizon_days))
        won = _outcome(random, lead["created_at"] + days * DAY + _aside(random), "won")
        late = lead["created_at"] + MATURE_DAYS * DAY + _aside(random)
        won["recorded_at"] = max(won["occurred_at"], _one(random, (late, won["recorded_at"])))
        rows.append(won)
    return [{"lead_id": lead["lead_id"], **row} for row in rows]


STAGES = (
    "mql", "sql", "won", "lost", "disqualified", "reopened", "reopened", "returned", "returned_at_once",
    "returned_after_follow_up",
)  # fmt: skip


def _outcome(random: np.random.Generator, occurred: datetime, stage: str | None = None) -> dict[str, Any]:
    return {
        "stage": stage or _one(random, STAGES),
        "occurred_at": occurred,
        "recorded_at": _recorded(random, occurred),
    }


def _changes(random: np.random.Generator, name: str) -> Rows:
    """A few changes of each tracked field at different moments, oldest first."""
    rows: Rows = []
    for field, values in TRACKED.items():
        days = sorted(
            random.choice(60, size=int(random.integers(0, 4)), replace=False).tolist(), reverse=True
        )
        value = _one(random, values)
        for day in days:
            changed, old = TONIGHT - timedelta(days=day - 3), value
            value = _one(random, values)
            recorded = _recorded(random, changed)
            rows.append(
                {"lead_id": name, "field": field, "changed_at": changed, "recorded_at": recorded,
                 "old_value": old, "new_value": value}
            )  # fmt: skip
    return rows
