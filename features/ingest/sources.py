"""A declared source as something DuckDB can scan: CSV, Parquet and database tables alike."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import InputError, ParameterError, Place
from features.ingest.connecting import Connections
from features.ingest.databases import spill
from features.ingest.headers import MAX_COLUMNS, check_headers, plain, read_header
from features.ingest.lines import MAX_RECORD_BYTES, Survey, Surveyor
from features.ingest.scan import Scan, damaged, described, linked
from features.ingest.sql import named, quoted
from features.ingest.text import TextFile
from features.tables import Source

_MOST_BAD_SHARE = 0.5
_MOST_UNDECODABLE_SHARE = 0.01
_OF_A_CUT = ("ragged_row", "unbalanced_quote", "undecodable")


def csv_scan(file: Path, source: Source, work: Path) -> Scan:
    """Survey a CSV file and, where it is not clean UTF-8, write a clean copy.

    Raises
    ------
    InputError
        No data rows, an unusable header, an undeclared encoding, or a wrong separator.
    """
    name = source.path or file.name
    text = TextFile(file, name, source.encoding)
    try:
        headers = read_header(text.blocks(), name, source.separator)
    except UnicodeDecodeError:
        raise text.refuse() from None
    check_headers(headers, name)
    clean = work / "clean.csv"
    survey = _surveyed(text, source, len(headers), clean)
    _refuse_foreign(text, survey, name, len(headers))
    _refuse_cut(file, survey, name)
    names = tuple(f"c{at}" for at in range(len(headers)))
    columns = ", ".join(f"{column}: 'VARCHAR'" for column in names)
    target = clean if clean.exists() else linked(file, work / "link.csv")
    reader = (
        f"read_csv({quoted(str(target))}, auto_detect = false, header = true, "
        f"delim = {quoted(source.separator)}, quote = '\"', escape = '\"', strict_mode = true, "
        f"null_padding = false, hive_partitioning = false, "
        f"max_line_size = {4 * MAX_RECORD_BYTES}, compression = 'none', columns = {{{columns}}})"
    )
    return Scan(name, headers, ("VARCHAR",) * len(names), survey.rows, reader, names, None, survey)


def parquet_scan(connection: duckdb.DuckDBPyConnection, file: Path, source: Source, work: Path) -> Scan:
    """Look at a Parquet file's footer.

    Raises
    ------
    InputError
        The file is truncated or damaged, has no rows, or too many columns.
    """
    return _parquet(connection, file, source.path or file.name, work)


def database_scan(
    connection: duckdb.DuckDBPyConnection, source: Source, databases: Connections, work: Path
) -> Scan:
    """Copy a database table into a private file as text, in batches.

    Raises
    ------
    ParameterError
        The table or its URL is not declared.
    UpstreamError
        The database does not answer.
    """
    if source.database_table is None or source.url_env is None:
        raise ParameterError("a database table needs url_env and database_table", hint="declare both")
    spilled = work / "table.parquet"
    spill(source.database_table, source.url_env, databases, spilled)
    return _parquet(connection, spilled, source.database_table, work)


def _parquet(connection: duckdb.DuckDBPyConnection, file: Path, name: str, work: Path) -> Scan:
    try:
        with pq.ParquetFile(file) as opened:
            rows, headers = opened.metadata.num_rows, tuple(opened.schema_arrow.names)
    except (pa.ArrowException, OSError):
        raise damaged(name) from None
    place = Place(stage="ingest", file=name)
    if rows == 0:
        raise InputError(
            f"'{name}' has no data rows: the table is empty", hint="export it again", place=place
        )
    if len(headers) > MAX_COLUMNS:
        raise InputError(
            f"'{name}' has more than {MAX_COLUMNS} columns", hint="export only those you need", place=place
        )
    link = linked(file, work / "link.parquet")
    reader = f"read_parquet({quoted(str(link))}, file_row_number = true, hive_partitioning = false)"
    columns = described(connection, reader, name)
    names, types = zip(*columns[: len(headers)], strict=True)
    cells = tuple(map(named, names))
    return Scan(name, tuple(map(plain, headers)), types, rows, reader, cells, "file_row_number")


def _surveyed(text: TextFile, source: Source, columns: int, clean: Path) -> Survey:
    """Survey the file; write ``clean`` only where DuckDB could not read the file itself."""
    if text.encoding == "utf-8":
        survey = Surveyor(source.separator, columns).survey(text.blocks())
        if not survey.is_altered and not text.is_altered:
            return survey
    with clean.open("wb") as sink:
        return Surveyor(source.separator, columns, sink).survey(text.blocks())


def _refuse_foreign(text: TextFile, survey: Survey, name: str, columns: int) -> None:
    """Refuse a file that is, as a whole, not what was declared."""
    undecodable = survey.bad_reasons.count("undecodable")
    is_many = undecodable > _MOST_UNDECODABLE_SHARE * survey.rows or undecodable > survey.non_ascii_lines
    if (undecodable > 1 and is_many) or undecodable == survey.rows:
        raise text.refuse()
    if len(survey.bad_rows) > _MOST_BAD_SHARE * survey.rows:
        first = survey.bad_rows[0]
        raise InputError(
            f"most lines of file '{name}' do not have the {columns} cells of its header",
            hint="check separator and quotes",
            place=Place(stage="ingest", file=name, row=survey.line(first)),
        )


def _refuse_cut(file: Path, survey: Survey, name: str) -> None:
    """Refuse a file whose last row is not whole and has no line end: an export or a copy broke off there."""
    is_last_bad = bool(survey.bad_rows) and survey.bad_rows[-1] == survey.rows - 1
    if is_last_bad and survey.bad_reasons[-1] in _OF_A_CUT and not _ends_a_line(file):
        raise InputError(
            f"file '{name}' looks cut off: its last row is not whole and no line end follows",
            hint="let the export finish and copy it whole, or mend its last row",
            place=Place(stage="ingest", file=name, row=survey.line(survey.rows - 1)),
        )


def _ends_a_line(file: Path) -> bool:
    """Whether the last character is a line end, in one byte or in the two of UTF-16."""
    with file.open("rb") as opened:
        opened.seek(-2, os.SEEK_END)
        return opened.read().strip(b"\0")[-1:] in {b"\n", b"\r"}
