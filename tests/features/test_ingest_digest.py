"""One content, one digest, whatever the file; another content, another digest. And nothing personal leaks."""

# ruff: noqa: S608  # a test names its own tables

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from features.errors import LeadrankError, ParameterError, UpstreamError
from features.ingest.quarantine import Counts
from features.tables import Field, Source
from tests.features.ingested import Ingested

ROWS = [
    (f"L{row}", f"2024-01-{row + 1:02}T10:00:00", ["web", "fair", ""][row % 3], row * 1.5)
    for row in range(20)
]
FIELDS = {"size": Field("number")}
HEADER = ("lead_id", "created_at", "source", "size")
CANARY = "erika.mustermann@example.com"


@pytest.fixture
def crm(tmp_path: Path) -> Ingested:
    return Ingested(tmp_path)


def text(rows: list[tuple], header: tuple[str, ...] = HEADER, separator: str = ",") -> str:
    lines = [header, *(tuple(str(cell) for cell in row) for row in rows)]
    return "".join(separator.join(line) + "\n" for line in lines)


def digest(crm: Ingested, content: str | bytes, **settings: object) -> str:
    return crm.load(content=content, fields=FIELDS, **settings).digest


def parquet(crm: Ingested, columns: Mapping[str, pa.Array], **settings: object) -> str:
    pq.write_table(pa.table(dict(columns)), crm.folder / "leads.parquet")
    return crm.load(path="leads.parquet", format="parquet", fields=FIELDS, **settings).digest


def test_the_order_of_rows_and_columns_does_not_count(crm: Ingested) -> None:
    plain = digest(crm, text(ROWS))
    shuffled = ROWS[7::3] + ROWS[8::3] + ROWS[9::3] + ROWS[:7]
    turned = text([row[::-1] for row in shuffled], HEADER[::-1])
    assert digest(crm, turned) == plain
    assert digest(crm, turned.encode("utf-16")) == plain
    assert digest(crm, b"\xef\xbb\xbf" + text(shuffled, separator=";").encode(), separator=";") == plain


@pytest.mark.parametrize("change", [
    lambda rows: rows[:-1],
    lambda rows: [*rows[:-1], ("L19", *rows[-1][1:3], 1.0)],
    lambda rows: [(*row[:2], "", row[3]) for row in rows],
    lambda rows: [(ROWS[1][0], *ROWS[0][1:]), (ROWS[0][0], *ROWS[1][1:]), *rows[2:]],
])  # fmt: skip
def test_another_content_has_another_digest(crm: Ingested, change: object) -> None:
    assert digest(crm, text(change(ROWS))) != digest(crm, text(ROWS))  # type: ignore[operator]


def test_the_order_of_declared_fields_does_not_count(crm: Ingested) -> None:
    two = {"size": Field("number"), "age": Field("number")}
    plain = crm.load(content="lead_id,size,age\nL1,1,2\n", fields=two)
    assert crm.load(fields=dict(reversed(two.items()))).digest == plain.digest


def test_the_declared_fields_are_part_of_the_digest(crm: Ingested) -> None:
    plain = digest(crm, text(ROWS))
    assert crm.load(fields={"size": Field("number", time="current")}).digest != plain


def test_a_parquet_twin_has_the_digest_of_the_csv_file(crm: Ingested) -> None:
    ids, stamps, sources, sizes = zip(*ROWS, strict=True)
    moments = [datetime.fromisoformat(stamp) for stamp in stamps]
    plain = {"lead_id": ids, "created_at": pa.array(moments), "source": sources, "size": sizes}
    expected = digest(crm, text(ROWS))
    assert parquet(crm, plain) == expected
    as_decimal = pa.array([Decimal(str(size)) for size in sizes], pa.decimal128(20, 4))
    assert parquet(crm, plain | {"size": as_decimal}) == expected
    assert parquet(crm, plain | {"source": pa.array(sources).dictionary_encode()}) == expected
    aware = pa.array([moment.replace(tzinfo=UTC) for moment in moments], pa.timestamp("ns", "Asia/Tokyo"))
    assert parquet(crm, plain | {"created_at": aware}, timezone="Europe/Berlin") == expected
    nested = pa.array([{"a": 1}] * len(ids))
    assert parquet(crm, plain | {"nested": nested}) == expected


def test_int96_and_naive_parquet_stamps_are_local(crm: Ingested) -> None:
    table = pa.table({"lead_id": ["L1"], "created_at": pa.array([datetime(2024, 7, 1, 10)])})  # noqa: DTZ001  # naive
    expected = crm.load(content="lead_id,created_at\nL1,2024-07-01 10:00\n", timezone="Europe/Berlin").digest
    for is_int96 in (False, True):
        pq.write_table(table, crm.folder / "x.parquet", use_deprecated_int96_timestamps=is_int96)
        found = crm.load(path="x.parquet", format="parquet", timezone="Europe/Berlin")
        assert found.digest == expected


def test_ids_that_parquet_holds_as_numbers_are_text(crm: Ingested) -> None:
    floats = pa.table({"lead_id": [1.0, 2.0, None, float(2**53), 1.5, float("nan")]})
    pq.write_table(floats, crm.folder / "x.parquet")
    crm.load(path="x.parquet", format="parquet")
    assert crm.column("lead_id") == ["1", "2", "1.5"]
    assert crm.away == [
        (3, "lead_id", "missing_required"),
        (4, "lead_id", "mangled_id"),
        (6, "lead_id", "missing_required"),
    ]


def test_a_declared_nested_column_is_refused(crm: Ingested) -> None:
    pq.write_table(pa.table({"lead_id": ["L1"], "size": [[1]]}), crm.folder / "x.parquet")
    assert "nested" in crm.refused(path="x.parquet", format="parquet", fields=FIELDS).reason


def database(crm: Ingested, rows: list[tuple], **given: object) -> str:
    address = f"sqlite:///{crm.folder / 'crm.db'}"
    engine = sa.create_engine(address)
    columns = [sa.Column("lead_id", sa.Text), sa.Column("created_at", sa.Text), sa.Column("source", sa.Text)]
    table = sa.Table(
        "leads", sa.MetaData(), *columns, sa.Column("size", sa.Text().with_variant(sa.REAL, "sqlite"))
    )
    table.drop(engine, checkfirst=True)
    table.create(engine)
    with engine.begin() as connection:
        connection.execute(table.insert(), [dict(zip(HEADER, row, strict=True)) for row in rows])
    engine.dispose()
    source = Source(format="database", url_env="CRM", database_table="leads", fields=FIELDS, **given)  # type: ignore[arg-type]
    return crm.loads({"leads": source}, environment={"CRM": address}).digest


def test_a_database_twin_has_the_digest_of_the_csv_file(crm: Ingested) -> None:
    assert database(crm, ROWS) == digest(crm, text(ROWS))


def test_a_bad_database_row_is_turned_away_like_any_other(crm: Ingested) -> None:
    database(
        crm, [*ROWS, (None, "2024-01-01", "x", 1.0), ("L98", "no date", "x", 1.0), ("L99", None, None, None)]
    )
    assert crm.away == [(21, "lead_id", "missing_required"), (22, "created_at", "not_a_timestamp")]


@pytest.mark.parametrize("address", ["sqlite:////nowhere/secret/x.db", "sqlite://"])
def test_a_database_that_does_not_answer_is_named_without_its_address(crm: Ingested, address: str) -> None:
    source = Source(format="database", url_env="CRM", database_table="leads")
    with pytest.raises(UpstreamError) as caught:
        crm.loads({"leads": source}, environment={"CRM": address})
    assert "secret" not in repr(caught.value)
    assert "'CRM'" in caught.value.hint


def test_an_unset_or_unusable_address_is_a_parameter_error(crm: Ingested) -> None:
    source = Source(format="database", url_env="CRM", database_table="leads")
    for environment in ({}, {"CRM": "no url with secret"}, {"CRM": "nosuchdb://user:secret@host/x"}):
        with pytest.raises(ParameterError) as caught:
            crm.loads({"leads": source}, environment=environment)
        assert "secret" not in repr(caught.value)


CANARIES = {
    "ragged": f"L1,{CANARY}\n",
    "quote": f'L1,"{CANARY},2024-01-01,1\n',
    "stamp": f"L1,x,{CANARY},1\n",
    "number": f"L1,x,2024-01-01,{CANARY}\n",
    "control": f"L1,{CANARY}\x00,2024-01-01,1\n",
    "conflict": f"L5,{CANARY},2024-01-01,1\nL5,{CANARY},2024-01-01,2\n",
}


@pytest.mark.parametrize("bad", CANARIES.values(), ids=CANARIES)
@pytest.mark.parametrize("good", [0, 10])
def test_a_personal_value_never_leaves_its_row(
    crm: Ingested, recwarn: pytest.WarningsRecorder, bad: str, good: int
) -> None:
    rows = "".join(f"G{row},x,2024-01-01,1\n" for row in range(good))
    crm.write("leads.csv", f"lead_id,source,created_at,size\n{bad}{rows}")
    try:
        said = repr(crm.loads({"leads": Source(path="leads.csv", fields=FIELDS)}))
    except LeadrankError as error:
        context = (error.__cause__, error.__context__ if not error.__suppress_context__ else None)
        said = repr((error, context, str(error)))
    tables = crm.rows("SHOW TABLES")
    said += repr(crm.rows("SELECT * FROM quarantine")) + repr([str(w.message) for w in recwarn])
    assert CANARY not in said
    assert ("leads",) not in tables or crm.rows(f"SELECT count(*) FROM leads WHERE source = '{CANARY}'") == [
        (0,)
    ]
    assert {name for (name,) in tables} <= {"leads", "quarantine", "erased"}


def test_a_broken_conservation_law_is_our_bug() -> None:
    assert Counts("leads", 3, 1, 1, 1).checked()
    with pytest.raises(LeadrankError) as caught:
        Counts("leads", 4, 1, 1, 1).checked()
    assert caught.value.code == 70
