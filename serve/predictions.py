"""Answer explicit rows: one row out per row in, in the same order."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from features.errors import ParameterError, StorageError
from models.bundle import Bundle
from models.scoring import Scorer

QUARANTINED = (
    "the row cannot be read: its id, its moment or a declared value is missing, malformed or "
    "written another way than in the other rows"
)
UNKNOWN = "the lead is not in the table 'leads'"


def predict(bundle: Bundle, features: pa.Table, *, rows: int) -> pa.Table:
    """The probability of each row.

    Parameters
    ----------
    features
        ``snapshot_id`` (0-based place of the row), ``lead_id``, ``as_of`` and every feature of the model;
        quarantined rows are absent.
    rows
        Rows that were asked for.

    Returns
    -------
    Table
        ``row`` (from 1), ``lead_id``, ``as_of``, ``probability``, ``score``, ``margin``; null where a row is
        absent.
    """
    scores = Scorer(bundle).score(features)
    found = features.select(["lead_id", "as_of"])
    for name, values in (
        ("probability", scores.probability),
        ("score", scores.score),
        ("margin", scores.margin),
    ):
        found = found.append_column(name, pa.array(values))
    place = np.full(rows, -1, dtype=np.int64)
    place[features.column("snapshot_id").to_numpy()] = np.arange(features.num_rows)
    where = pa.array(place, mask=place < 0)
    return found.take(where).add_column(0, "row", pa.array(np.arange(1, rows + 1)))


def write(connection: duckdb.DuckDBPyConnection, predicted: pa.Table, out: Path, *, is_flat: bool) -> int:
    """Write predictions as CSV or Parquet, by the suffix of ``out``.

    Returns
    -------
    int
        Rows without a probability: quarantined, or of a lead that the table ``leads`` does not have.
    """
    if out.suffix.lower() not in {".csv", ".parquet"}:
        raise ParameterError(f"'{out.name}' is neither .csv nor .parquet", hint="choose one of the two")
    connection.register("_predicted", predicted)
    dates = "" if is_flat else "as_of, "
    unknown = "FALSE" if is_flat else "NOT EXISTS (FROM leads WHERE leads.lead_id = p.lead_id)"
    answered = connection.sql(f"""
        SELECT row, lead_id, {dates}
               CASE WHEN problem IS NULL THEN probability END AS probability,
               CASE WHEN problem IS NULL THEN score END AS score,
               CASE WHEN problem IS NULL THEN margin END AS margin, problem
        FROM (SELECT *, CASE WHEN lead_id IS NULL THEN '{QUARANTINED}'
                             WHEN {unknown} THEN '{UNKNOWN.replace("'", "''")}' END AS problem
              FROM _predicted p)
        ORDER BY row
    """)  # noqa: S608  # only our own texts
    try:
        if out.suffix.lower() == ".csv":
            answered.write_csv(str(out), header=True)
        else:
            answered.write_parquet(str(out))
    except duckdb.IOException:
        raise StorageError(f"'{out.name}' cannot be written", hint="check its folder and the disk") from None
    missing = answered.aggregate("count(problem)").fetchone()
    connection.unregister("_predicted")
    return int(missing[0]) if missing else 0
