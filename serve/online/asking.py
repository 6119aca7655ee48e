"""What a request asks of which leads, at which moment; whom nobody may ask about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from features.errors import listed
from features.moments import naive_utc
from features.objections import FLAG, SINCE
from features.tombstones import Tombstones, normalised
from serve.online.refusal import ForeignError, Problem, refused
from serve.predictions import ERASED, OPTED_OUT
from serve.views.scope import Scope


@dataclass(frozen=True)
class Asked:
    """One request.

    Attributes
    ----------
    tables
        Its rows by table.
    lead_ids
        Leads to answer about, in order.
    problems
        Why a lead gets no answer, by its id.
    as_of
        The moment, naive UTC.
    """

    tables: Mapping[str, pa.Table]
    lead_ids: tuple[str, ...]
    problems: Mapping[str, str]
    as_of: datetime

    @property
    def scored(self) -> tuple[str, ...]:
        """Leads to score."""
        return tuple(lead for lead in self.lead_ids if lead not in self.problems)


def asked(
    body: Mapping[str, Any],
    tables: Mapping[str, pa.Table],
    *,
    scope: Scope,
    moment: datetime,
    tombstones: Tombstones | None,
) -> Asked:
    """Whom a request asks about.

    Parameters
    ----------
    body
        As `serve.online.body.Body.read` gives it.
    tables
        As `serve.online.tables.tables` makes them.
    scope
        Leads that the caller may ask about; all that the request tells of must be among them.
    moment
        Now, UTC: what a request without ``as_of`` asks for.
    tombstones
        Leads that were erased.

    Raises
    ------
    RefusedError
        ``score`` names a lead that is not there, or one twice.
    ForeignError
        A lead is out of the scope.
    """
    leads = tables["leads"]
    _check_scope(leads, scope)
    ids = leads.column("lead_id").to_pylist()
    wanted = tuple(ids if body.get("score") is None else map(normalised, body["score"]))
    known, seen = set(ids), set[str]()
    for place, lead in enumerate(wanted):
        if lead not in known or lead in seen:
            raise refused(
                Problem(f"score[{place}]", "names no lead of this request, or one for the second time")
            )
        seen.add(lead)
    as_of = body.get("as_of") or moment
    problems = {**_objecting(leads, ids), **_erased(wanted, tombstones)}
    return Asked(tables, wanted, problems, naive_utc(_aware(as_of)))


def _check_scope(leads: pa.Table, scope: Scope) -> None:
    """Without a territory a lead is in nobody's scope but of those who see all."""
    if scope.territories is not None:
        _refuse_foreign(leads, "territory", scope.territories)
    if scope.owner is not None:
        _refuse_foreign(leads, "owner", {scope.owner})


def _refuse_foreign(leads: pa.Table, column: str, mine: Sequence[str] | Any) -> None:
    there = column in leads.column_names
    values = leads.column(column).to_pylist() if there else [None] * leads.num_rows
    foreign = [f"leads[{row}]" for row, value in enumerate(values) if value not in mine]
    if foreign:
        raise ForeignError(
            f"{listed(foreign)}: the {column} is not among yours", hint="ask about your own leads only"
        )


def _objecting(leads: pa.Table, ids: Sequence[str]) -> dict[str, str]:
    """Leads that say that they have opted out; a flag that says no takes a date back."""
    nothing = [None] * leads.num_rows
    flags = leads.column(FLAG).to_pylist() if FLAG in leads.column_names else nothing
    dates = leads.column(SINCE).to_pylist() if SINCE in leads.column_names else nothing
    return {
        lead: OPTED_OUT
        for lead, flag, date in zip(ids, flags, dates, strict=True)
        if (date is not None if flag is None else flag == 1)
    }


def _erased(ids: Sequence[str], tombstones: Tombstones | None) -> dict[str, str]:
    if tombstones is None:
        return {}
    return {lead: ERASED for lead in ids if tombstones.pseudonym(lead) in tombstones.stones}


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
