"""Answer explicit rows: one row out per row in, in the same order."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from features.errors import ParameterError, StorageError
from models.audit.association import Flags
from models.bundle import Bundle
from models.scoring import Scorer
from serve.predicted import Predictor

QUARANTINED = (
    "the row cannot be read: its id, its moment or a declared value is missing, malformed or "
    "written another way than in the other rows"
)
IDENTITY = ("row", "lead_id", "as_of")
FIGURES = ("probability", "probability_low", "probability_high", "score", "margin")
UNKNOWN = "the lead is not in the table 'leads'"
OPTED_OUT = "the lead has opted out of being scored"
ERASED = "the lead was erased"
_NONE_REFUSED = pa.schema(
    {"row": pa.int64(), "lead_id": pa.string(), "as_of": pa.timestamp("us"), "problem": pa.string()}
).empty_table()


def predict(
    bundle: Bundle, features: pa.Table, *, rows: int, asked: Mapping[str, Flags] | None = None
) -> pa.Table:
    """The probability of each row.

    Parameters
    ----------
    features
        ``snapshot_id`` (0-based place of the row), ``lead_id``, ``as_of`` and every feature of the model;
        quarantined rows are absent.
    rows
        Rows that were asked for.
    asked
        Whether each row of ``features`` is asked about a further target, by target.

    Returns
    -------
    Table
        ``row`` (from 1), ``lead_id``, ``as_of``, ``probability``, the ends of its 90 % interval
        (``probability_low``, ``probability_high``), ``score``, ``margin``, and the columns of `Predictor`;
        null where a row is absent.
    """
    scores = Scorer(bundle).score(features)
    found = features.select(["lead_id", "as_of"])
    said = (scores.probability, scores.low, scores.high, scores.score, scores.margin)
    for name, values in zip(FIGURES, said, strict=True):
        found = found.append_column(name, pa.array(values))
    for name, column in Predictor(bundle).columns(features, scores, asked or {}).items():
        found = found.append_column(name, column)
    place = np.full(rows, -1, dtype=np.int64)
    place[features.column("snapshot_id").to_numpy()] = np.arange(features.num_rows)
    where = pa.array(place, mask=place < 0)
    return found.take(where).add_column(0, "row", pa.array(np.arange(1, rows + 1)))


def write(
    connection: duckdb.DuckDBPyConnection,
    predicted: pa.Table,
    out: Path,
    *,
    is_flat: bool,
    refused: pa.Table = _NONE_REFUSED,
) -> int:
    """Write predictions as CSV or Parquet, by the suffix of ``out``.

    Parameters
    ----------
    refused
        ``row``, ``lead_id``, ``as_of`` and ``problem`` of rows that get no answer though they can be read.

    Returns
    -------
    int
        Rows without a probability: quarantined, refused, or of a lead that the table ``leads`` does not have.
    """
    if out.suffix.lower() not in {".csv", ".parquet"}:
        raise ParameterError(f"'{out.name}' is neither .csv nor .parquet", hint="choose one of the two")
    connection.register("_predicted", predicted)
    connection.register("_refused", refused)
    dates, moment = ("", "") if is_flat else ("as_of, ", ", coalesce(p.as_of, r.as_of) AS as_of")
    unknown = "FALSE" if is_flat else "NOT EXISTS (FROM leads WHERE leads.lead_id = p.lead_id)"
    beside = [name for name in predicted.column_names if name not in {*FIGURES, *IDENTITY}]
    figures = ", ".join(
        f'CASE WHEN problem IS NULL THEN "{name}" END AS "{name}"' for name in [*FIGURES, *beside]
    )
    answered = connection.sql(f"""
        SELECT row, lead_id, {dates}
               {figures}, problem
        FROM (SELECT p.* REPLACE (coalesce(p.lead_id, r.lead_id) AS lead_id{moment}),
                     CASE WHEN r.row IS NOT NULL THEN r.problem
                          WHEN p.lead_id IS NULL THEN '{QUARANTINED}'
                          WHEN {unknown} THEN '{UNKNOWN.replace("'", "''")}' END AS problem
              FROM _predicted p LEFT JOIN _refused r ON r.row = p.row)
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
    for view in ("_predicted", "_refused"):
        connection.unregister(view)
    return int(missing[0]) if missing else 0
