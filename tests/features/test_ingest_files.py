"""Files that are odd as a whole: encodings, headers, empty, damaged, elsewhere."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import InputError, ParameterError
from features.tables import Field, Source
from tests.features.ingested import Ingested

TABLE = "lead_id,source\nL1,Müller\nL2,a\u4e2d\n"


@pytest.fixture
def crm(tmp_path: Path) -> Ingested:
    return Ingested(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_every_encoding_gives_the_same_table_and_digest(crm: Ingested, encoding: str) -> None:
    plain = crm.load(content=TABLE)
    declared = encoding if encoding == "gb18030" else "utf-8"
    assert crm.load(content=TABLE.encode(encoding), encoding=declared).digest == plain.digest
    assert crm.column("source") == ["Müller", "a\u4e2d"]


def test_a_byte_order_mark_decides_between_the_ends_of_utf_16(crm: Ingested) -> None:
    crm.load(content=b"\xfe\xff" + TABLE.encode("utf-16-be"), separator=",")
    assert crm.column("source") == ["Müller", "a\u4e2d"]
    error = crm.refused(content=TABLE.encode("utf-16-le"))
    assert "utf-16-le" in error.hint


def test_an_undeclared_encoding_is_refused_with_offset_and_candidates(crm: Ingested) -> None:
    names = ["Müller", "Jäger", "Köhler", "Groß", "Schäfer"] * 20
    content = "lead_id,source\n" + "".join(f"L{row},{name}\n" for row, name in enumerate(names))
    error = crm.refused(content=content.encode("cp1252"))
    assert f"byte {content.index('ü')} does not decode" in error.reason
    assert "cp125" in error.hint
    crm.load(content=content.encode("cp1252"), encoding="cp1252")
    assert crm.column("source") == names


def test_one_undecodable_line_in_a_utf_8_file_is_turned_away(crm: Ingested) -> None:
    rows = [f"L{row},Jäger\n".encode() for row in range(50)]
    rows[20] = "L20,Jäger\n".encode("cp1252")
    loaded = crm.load(content=b"lead_id,source\n" + b"".join(rows))
    assert crm.away == [(22, None, "undecodable")]
    assert loaded.counts["leads"].accepted == 49
    assert crm.column("row_number") == [*range(20), *range(21, 50)]


def test_two_undecodable_lines_in_fifty_mean_another_encoding(crm: Ingested) -> None:
    rows = [f"L{row},Jäger\n".encode("cp1252" if row < 2 else "utf-8") for row in range(50)]
    assert "byte 19 does not decode" in crm.refused(content=b"lead_id,source\n" + b"".join(rows)).reason


def test_few_undecodable_lines_mean_another_encoding_where_nothing_else_is_beyond_ascii(
    crm: Ingested,
) -> None:
    rows = [f"L{row},{'Jäger' if row < 2 else 'Schmidt'}\n".encode("cp1252") for row in range(500)]
    assert "byte 19 does not decode" in crm.refused(content=b"lead_id,source\n" + b"".join(rows)).reason


@pytest.mark.parametrize(("bad", "reason"), [
    (b"L2,a\x00b,c", "control_character"),
    (b"L2,a", "ragged_row"),
    (b"L2,a,b,c", "ragged_row"),
    (b'L2,"a,b', "unbalanced_quote"),
    (b'L2,"a"b,c', "unbalanced_quote"),
    (b"L2,a," + b"x" * (1 << 20), "line_too_long"),
])  # fmt: skip
def test_a_bad_line_costs_one_line_and_says_which(crm: Ingested, bad: bytes, reason: str) -> None:
    crm.load(content=b'lead_id,source,campaign\nL1,"two\nlines",c\n\n' + bad + b"\nL3,x,y\nL4,x,y\n")
    assert crm.away == [(5, None, reason)]
    assert crm.rows("SELECT row_number, lead_id FROM leads ORDER BY 1") == [(0, "L1"), (2, "L3"), (3, "L4")]
    assert crm.column("source") == ["two\nlines", "x", "x"]


@pytest.mark.parametrize("feed", ["\n", "\r\n", "\r"])
def test_line_ends_do_not_matter(crm: Ingested, feed: str) -> None:
    content = 'lead_id,source\nL1,"a\nb"\nL2,c'
    crm.load(content=content.replace("\n", feed))
    assert crm.column("source") == ["a\nb", "c"]


def test_records_over_several_blocks_are_followed(crm: Ingested) -> None:
    note = "\n".join(["x" * 999] * 100)
    body = "".join(f'L{row},"{note}"\n' for row in range(25))  # 2.5 MB: a block is one
    crm.load(content="lead_id,source\n" + body + "bad\nL99,y\n")
    assert crm.away == [(2 + 25 * 100, None, "ragged_row")]
    assert crm.rows("SELECT count(*), min(length(source)) FROM leads WHERE lead_id <> 'L99'") == [
        (25, 99_999)
    ]


@pytest.mark.parametrize(("content", "why"), [
    (b"", "is empty"),
    (b"\xef\xbb\xbf", "is empty"),
    (b" \n\t\n", "only white space"),
    (b"lead_id,source", "only a header"),
    (b"lead_id,source\n\n \n", "only a header"),
])  # fmt: skip
def test_a_file_without_data_rows_is_refused_with_its_own_reason(
    crm: Ingested, content: bytes, why: str
) -> None:
    error = crm.refused(content=content)
    assert "no data rows" in error.reason
    assert why in error.reason


def test_columns_are_found_by_name_whatever_order_case_or_unicode_form(crm: Ingested) -> None:
    plain = crm.load(content="lead_id,source,café\nL1,web,x\n", fields={"café": Field("category")})
    other = crm.load(
        content='"cafe\u0301 ",Source," LEAD_ID"\nx,web,L1\n', fields={"café": Field("category")}
    )
    assert other.digest == plain.digest


def test_a_renamed_column_is_refused_with_the_nearest_header(crm: Ingested) -> None:
    content = "lead_id,Stage__c,when\nL1,won,2024-01-01\n"
    mapping = {"stage": "Stage", "occurred_at": "when"}
    error = crm.refused(table="outcomes", content=content, mapping=mapping)
    assert "has no column 'Stage'" in error.reason
    assert error.hint.startswith("did you mean 'Stage__c'?")
    assert (error.code, error.place.column) == (3, "Stage")


def test_a_declared_column_is_required_and_an_undeclared_one_is_new(crm: Ingested) -> None:
    loaded = crm.load(content="lead_id,secret\nL1,x\n")
    assert loaded.ignored["leads"] == ("secret",)
    assert "source" in loaded.missing["leads"]
    assert crm.rows("SELECT * FROM leads") == [(0, "L1")]
    assert "'region'" in crm.refused(fields={"region": Field("category")}).reason
    assert "'source'" in crm.refused(mapping={"source": "origin"}).reason


def test_touches_need_one_way_to_their_lead(crm: Ingested) -> None:
    error = crm.refused(table="touches", content="kind,occurred_at\ncall,2024-01-01\n")
    assert "one of 'lead_id', 'contact_id', 'visitor_id'" in error.reason


@pytest.mark.parametrize("header", ["id,ID", "lead_id,a,a", "lead_id,,b", "lead_id, "])
def test_headers_that_are_empty_or_collide_are_refused(crm: Ingested, header: str) -> None:
    assert "the header of file" in crm.refused(content=f"{header}\n1,2\n").reason


def test_a_million_columns_are_refused_at_the_header(crm: Ingested) -> None:
    header = ",".join(f"c{at}" for at in range(1_000_000))
    assert "more than 5000 columns" in crm.refused(content=f"lead_id,{header}\n1\n").reason
    just = ",".join(f"c{at}" for at in range(4_999))
    crm.load(content=f"lead_id,{just}\nL1{',' * 4_999}\n")
    assert "more than 5000 columns" in crm.refused(content=f"lead_id,{just},x\nL1{',' * 5_000}\n").reason


def test_a_wrong_separator_is_refused(crm: Ingested) -> None:
    error = crm.refused(content="lead_id\nL1\n\nL2,a\nL3,a\nL4,a\n")
    assert "most lines of file 'leads.csv' do not have the 1 cells" in error.reason
    assert error.place.row == 4
    assert "'lead_id'" in crm.refused(content="lead_id;source\nL1;a\n").reason
    with pytest.raises(ParameterError):
        crm.load(separator=";;")


def test_what_is_not_a_regular_file_is_refused_at_once(crm: Ingested) -> None:
    os.mkfifo(crm.folder / "pipe.csv")
    assert "not a regular file" in crm.refused(path="pipe.csv").reason
    assert "cannot be found" in crm.refused(path="none.csv").reason
    assert "not a regular file" in crm.refused(path="/dev/zero").reason


def test_a_relative_path_stays_in_the_folder(crm: Ingested, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "leads.csv"
    outside.write_text("lead_id\nL1\n")
    (crm.folder / "leads.csv").symlink_to(outside)
    assert "outside the folder" in crm.refused(path="leads.csv").reason
    assert "outside the folder" in crm.refused(path=f"../{outside.parent.name}/leads.csv").reason
    assert crm.load(path=str(outside)).counts["leads"].accepted == 1


def test_a_path_is_never_taken_for_a_pattern(crm: Ingested) -> None:
    crm.write("a.csv", "lead_id\nwrong\n")
    crm.load(path="[a]'*.csv", content="lead_id\nright\n")
    assert crm.column("lead_id") == ["right"]


def test_damaged_files_are_refused_by_name(crm: Ingested) -> None:
    pq.write_table(pa.table({"lead_id": [f"L{row}" for row in range(1000)]}), crm.folder / "good.parquet")
    whole = (crm.folder / "good.parquet").read_bytes()
    flipped = whole[:40] + bytes(byte ^ 255 for byte in whole[40:400]) + whole[400:]
    for content in (whole[:-20], b"", flipped):
        error = crm.refused(path="bad.parquet", format="parquet", content=content)
        assert "file 'bad.parquet' is truncated, damaged" in error.reason


def test_a_compressed_csv_file_is_refused_in_words(crm: Ingested) -> None:
    assert "compressed" in crm.refused(content=gzip.compress(b"lead_id\nL1\n")).reason


def test_a_file_that_changes_while_it_is_read_is_refused(
    crm: Ingested, monkeypatch: pytest.MonkeyPatch
) -> None:
    crm.write("leads.csv", "lead_id\nL1\n")
    from features.ingest import opening

    read = opening.csv_scan

    def writing(file: Path, source: Source, work: Path) -> object:
        scan = read(file, source, work)
        file.write_text("lead_id\nL1\nL2\n")
        return scan

    monkeypatch.setattr(opening, "csv_scan", writing)
    with pytest.raises(InputError, match="changed while it was read"):
        crm.load()


def test_a_refused_file_leaves_no_table(crm: Ingested) -> None:
    crm.refused(content="lead_id\n1E+14\n2E+14\n")
    assert [name for (name,) in crm.rows("SHOW TABLES")] == ["erased", "quarantine"]


def test_an_unknown_table_is_a_parameter_error(crm: Ingested) -> None:
    with pytest.raises(ParameterError, match="did you mean 'touches'"):
        crm.loads({"touch": Source(path="x.csv")})
