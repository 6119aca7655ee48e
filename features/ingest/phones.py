"""Is a telephone number one that can be called: ``valid``, ``possible`` or ``invalid``.

Judged by ``phonenumbers`` (Google's libphonenumber): *valid* is a number that the numbering plan of its
country gives out, *possible* one of the right length. A number without a country code is read in its lead's
country; where that is unknown it is at best possible.
"""

# ruff: noqa: S608  # texts go through quoted(), columns are our own

from __future__ import annotations

import duckdb
import phonenumbers
import pyarrow as pa

from features.ingest.countries import regions
from features.ingest.folding import folded_sql
from features.ingest.numbering_plans import first_regions, plan_of, valid_rows
from features.ingest.sql import quoted
from features.ingest.staging import install

VALID, POSSIBLE, INVALID = "valid", "possible", "invalid"
_FEWEST_DIGITS, _MOST_DIGITS = 7, 15  # ITU-T E.164 allows 15; shorter ones are dialled inside a town
_LONGEST_CODE = 3
FEWEST_OF_A_REGION = 1000  # for fewer, the library is faster than compiling the region's patterns
_PUNCTUATION = "' ()-./' || chr(160)"


def judge_phones(connection: duckdb.DuckDBPyConnection, *, has_country: bool) -> None:
    """Make the table ``_phone_class``: ``row_number`` of each lead with a number, and ``phone_class``.

    Parameters
    ----------
    has_country
        Whether ``leads`` has ``country``: an ISO code or a name.
    """
    names = regions()
    install(connection, "_regions", {"name": list(names), "region": list(names.values())})
    country = folded_sql("country") if has_country else "''"
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE _phones AS "
        "SELECT row_number AS id, phone, coalesce(region, '') AS region, "
        f"translate(phone, {_PUNCTUATION}, '') AS bare "
        f"FROM leads LEFT JOIN _regions ON _regions.name = {country} WHERE phone IS NOT NULL"
    )
    connection.execute("CREATE OR REPLACE TEMP TABLE _phone_class (row_number BIGINT, phone_class VARCHAR)")
    _judge_plain(connection)
    _judge_others(connection)
    for scratch in ("_regions", "_phones"):
        connection.execute(f"DROP TABLE {scratch}")


def phone_class(phone: str, region: str) -> str:
    """The class of one number.

    Parameters
    ----------
    region
        ISO code of the country that it is dialled in; empty if unknown.

    >>> phone_class("+49 30 901820", ""), phone_class("030 901820", "DE"), phone_class("030 901820", "")
    ('valid', 'valid', 'possible')
    """
    if not region and "+" not in phone and "\N{FULLWIDTH PLUS SIGN}" not in phone:
        return _class_of_digits(phone)
    try:
        number = phonenumbers.parse(phone, region or None)
    except phonenumbers.NumberParseException:
        return INVALID
    if phonenumbers.is_valid_number(number):
        return VALID
    return POSSIBLE if phonenumbers.is_possible_number(number) else INVALID


def _class_of_digits(phone: str) -> str:
    """Without a country nothing but the count of digits can be judged."""
    digits = sum(mark.isdigit() for mark in phone)
    is_number = _FEWEST_DIGITS <= digits <= _MOST_DIGITS and not any(mark.isalpha() for mark in phone)
    return POSSIBLE if is_number else INVALID


def _judge_plain(connection: duckdb.DuckDBPyConnection) -> None:
    """Find the valid ones among numbers of digits and punctuation only, one region at a time."""
    codes = first_regions()
    install(connection, "_codes", {"code": list(codes), "plan": list(codes.values())})
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE _plain AS WITH coded AS (SELECT id, region, bare, {_code()} AS code "
        "FROM _phones WHERE regexp_full_match(bare, '\\+?[0-9]+')) "
        "SELECT id, CASE WHEN bare[1] = '+' THEN substr(bare, length(code) + 2) ELSE bare END AS digits, "
        "CASE WHEN bare[1] = '+' THEN plan ELSE region END AS plan, bare[1] = '+' AS is_international "
        "FROM coded LEFT JOIN _codes USING (code)"
    )
    met = connection.execute(
        "SELECT plan FROM _plain WHERE plan IS NOT NULL GROUP BY 1 "
        f"HAVING count(*) >= {FEWEST_OF_A_REGION} ORDER BY 1"
    ).fetchall()
    for (region,) in met:
        if plan := plan_of(region):
            rows = f"SELECT id, digits, is_international FROM _plain WHERE plan = {quoted(region)}"
            valid = valid_rows(plan, rows)
            connection.execute(f"INSERT INTO _phone_class SELECT id, {quoted(VALID)} FROM ({valid})")
    for scratch in ("_codes", "_plain"):
        connection.execute(f"DROP TABLE {scratch}")


def _code() -> str:
    """SQL of the country code after a plus: no code begins with another one."""
    short = ", ".join(quoted(code) for code in first_regions() if len(code) < _LONGEST_CODE)
    return (
        f"CASE WHEN bare[1] <> '+' THEN NULL WHEN bare[2] IN ({short}) THEN bare[2] "
        f"WHEN bare[2:3] IN ({short}) THEN bare[2:3] ELSE bare[2:4] END"
    )


def _judge_others(connection: duckdb.DuckDBPyConnection) -> None:
    """Ask the library about all others, each different number once."""
    left = "FROM _phones ANTI JOIN _phone_class ON id = row_number"
    asked = connection.execute(f"SELECT DISTINCT phone, region {left}").to_arrow_table()
    cells = zip(asked.column("phone").to_pylist(), asked.column("region").to_pylist(), strict=True)
    found = pa.array([phone_class(phone, region) for phone, region in cells], pa.string())
    columns = dict(zip(asked.column_names, asked.columns, strict=True))
    install(connection, "_asked", {**columns, "class": found})
    connection.execute(f"INSERT INTO _phone_class SELECT id, class {left} JOIN _asked USING (phone, region)")
    connection.execute("DROP TABLE _asked")
