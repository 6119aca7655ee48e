"""Which telephone numbers are surely valid, in SQL: the numbering plans of ``phonenumbers`` as patterns.

Asking the library number by number takes a tenth of a millisecond each, so the plain case is decided for all
numbers of a region at once. A number is plain if nothing in it can be read in two ways; what is not plain, or
not valid, is left for the library. So the answer is the library's own, only sooner.
"""

# ruff: noqa: S608  # texts go through quoted(), columns are our own

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import phonenumbers

from features.ingest.sql import quoted

_TYPES = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager",
    "uan", "voicemail",
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """How numbers of a region are dialled, and which are in use.

    Attributes
    ----------
    code
        Country code, for example ``1``.
    is_first
        Whether the region is the one that its country code stands for.
    national_prefix
        Pattern of what is dialled before a national number and is not part of it; None without.
    is_transformed
        Whether the library rewrites numbers with that prefix.
    exit_prefix
        Pattern of what is dialled before an international number; None without.
    general, valid
        SQL over ``number``, which has no prefixes: whether it is in the region's form; whether it is in use.
    """

    code: str
    is_first: bool
    national_prefix: str | None
    is_transformed: bool
    exit_prefix: str | None
    general: str
    valid: str

    @property
    def looks_ahead(self) -> bool:
        """Whether a pattern is one that DuckDB cannot match."""
        return any(mark in f"{self.national_prefix}{self.exit_prefix}{self.valid}" for mark in ("(?=", "(?!"))


@cache
def first_regions() -> Mapping[str, str]:
    """The region that each country code stands for."""
    return {
        str(code): found[0]
        for code, found in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()
        if found[0] != phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY
    }


@cache
def plan_of(region: str) -> Plan | None:
    """The plan of a region; None if it has none that DuckDB can match."""
    metadata = _metadata(region)
    if metadata is None:
        return None
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[metadata.country_code]
    # The first region that claims a number decides whether it is valid.
    claims = "".join(f" WHEN {_claim(other)} THEN {_in_use(other)}" for other in regions)
    plan = Plan(
        code=str(metadata.country_code),
        is_first=region == regions[0],
        national_prefix=metadata.national_prefix_for_parsing,
        is_transformed=metadata.national_prefix_transform_rule is not None,
        exit_prefix=metadata.international_prefix,
        general=_general(metadata),
        valid=_in_use(region) if len(regions) == 1 else f"CASE{claims} END",
    )
    return None if plan.looks_ahead else plan


def valid_rows(plan: Plan, rows: str) -> str:
    """SQL of the ``id`` of plain and valid numbers.

    Parameters
    ----------
    plan
        The plan of all rows.
    rows
        SQL of ``id``, ``digits`` (without country code if ``is_international``) and ``is_international``.
    """
    leaves = "false" if plan.exit_prefix is None else f"regexp_matches(digits, {_start(plan.exit_prefix)})"
    has_code = f"starts_with(number, {quoted(plan.code)}) AND NOT ({plan.general})"
    rest = f"substr(digits, {len(plan.code) + 1})"
    number = (
        f"CASE WHEN is_international THEN {_unless_prefixed(plan, 'digits')} WHEN {leaves} THEN NULL"
        f" WHEN {has_code} THEN {_unless_prefixed(plan, rest) if plan.is_first else 'NULL'}"
        f" ELSE {_stripped(plan)} END"
    )
    asked = f"SELECT *, digits AS number FROM ({rows})"
    # Materialised: else the engine would write the number out, and compute it, wherever it is compared.
    bare_numbers = f"WITH bare AS MATERIALIZED (SELECT id, {number} AS number FROM ({asked}))"
    return f"{bare_numbers} SELECT id FROM bare WHERE {plan.valid}"


def _stripped(plan: Plan) -> str:
    """The national number without its prefix."""
    if plan.national_prefix is None:
        return "digits"
    if plan.is_transformed:
        return _unless_prefixed(plan, "digits")
    prefix = f"regexp_extract(digits, {_start(plan.national_prefix)})"
    return f"substr(digits, length({prefix}) + 1)"


def _unless_prefixed(plan: Plan, digits: str) -> str:
    if plan.national_prefix is None:
        return digits
    return f"CASE WHEN NOT regexp_matches({digits}, {_start(plan.national_prefix)}) THEN {digits} END"


def _start(pattern: str) -> str:
    return quoted(f"^(?:{pattern})")


def _metadata(region: str) -> Any:
    return phonenumbers.PhoneMetadata.metadata_for_region(region)


def _claim(region: str) -> str:
    leading = _metadata(region).leading_digits
    return _in_use(region) if leading is None else f"regexp_matches(number, {_start(leading)})"


@cache
def _in_use(region: str) -> str:
    metadata = _metadata(region)
    by_length: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for desc in (getattr(metadata, name) for name in _TYPES):
        if desc is not None and desc.national_number_pattern:
            lengths = desc.possible_length or metadata.general_desc.possible_length
            by_length[lengths].append(desc.national_number_pattern)
    types = " OR ".join(f"({_matches(lengths, patterns)})" for lengths, patterns in by_length.items())
    return f"({_general(metadata)} AND ({types or 'false'}))"


def _general(metadata: Any) -> str:
    return _matches(metadata.general_desc.possible_length, [metadata.general_desc.national_number_pattern])


def _matches(lengths: tuple[int, ...], patterns: list[str]) -> str:
    whole = quoted("|".join(f"(?:{pattern})" for pattern in patterns))
    return f"length(number) IN ({', '.join(map(str, lengths))}) AND regexp_full_match(number, {whole})"
