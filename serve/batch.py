"""Score every lead of tonight's feature table: probability, contributions, reasons, rank.

Leads are taken in chunks, so memory does not grow with their number; the ranking itself is put together by
DuckDB, which may spill. ``base + Σ contributions = margin`` is checked for every lead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from features.ingest.sql import named
from models import reasons as spoken
from models.audit.association import Flags
from models.bundle import Bundle
from models.evidence import Backing
from models.explaining import Explainer
from serve import part_rows, parts
from serve.ahead import in_order
from serve.predicted import Predictor
from serve.routes import QUARTERS, ROUTES, routed
from serve.spreadsheet import write_csv

CHUNK_ROWS = 20_000
SCORES, REASONS, CONTRIBUTIONS = "scores.parquet", "reasons.parquet", "contributions.parquet"
FILES = (SCORES, REASONS, CONTRIBUTIONS)
RANKING = "ranking.parquet"
LEDGER, LEDGER_REASONS = "changes.parquet", "change_reasons.parquet"
RANKED_BY = "model"
WITHHELD = "probability_withheld"
"""Why the probabilities of a lead are not published, and so null; null where they are."""


@dataclass(frozen=True)
class Shown:
    """What a ranking shows beside the numbers.

    Attributes
    ----------
    publish_columns
        Columns of ``leads`` that stand beside the rank.
    reasons_for, reasons_against
        The most sentences for and against a lead.
    evidence_leads
        Earlier leads that the evidence of a reason needs.
    grade_shares, routes
        As `serve.routes.routed` takes them.
    language
        Of the sentences: ``en``, ``zh`` or ``ru``.
    """

    publish_columns: Sequence[str] = ()
    reasons_for: int = 3
    reasons_against: int = 2
    evidence_leads: int = 50
    grade_shares: Sequence[float] = QUARTERS
    routes: Mapping[str, Sequence[str]] = field(default_factory=lambda: ROUTES)
    language: str = "en"


def score_leads(
    bundle: Bundle,
    features: Path,
    staged: Path,
    *,
    shown: Shown,
    asked: Mapping[str, Flags] | None = None,
    part_leads: int | None = None,
    on_rows: Callable[[int], None] = lambda _: None,
) -> int:
    """Score and explain a feature table, chunk by chunk.

    Parameters
    ----------
    bundle
        The model.
    features
        Parquet file, or its parts, with ``lead_id`` and every feature of the model, one row per lead.
    staged
        Folder that receives ``scores.parquet`` (``lead_id``, ``probability``, the ends of its 90 % interval
        ``probability_low`` and ``probability_high``, ``probability_withheld``, ``score``, ``grade``,
        ``route``, ``margin``, ``margin_base`` and ``margin_<family>``, and the columns of `Predictor`),
        ``reasons.parquet`` and ``contributions.parquet``.
    asked
        Whether each lead is asked about a further target, by target, in the order of the file.
    part_leads
        Leads of a part of ``features``, and of each file that is written (`serve.parts`); None: one file.
    on_rows
        Called with the number of leads of each finished chunk.

    Returns
    -------
    int
        Leads scored.
    """
    explainer, predictor, leads = Explainer(bundle), Predictor(bundle), 0

    def work(part: tuple[int, pa.Table]) -> dict[str, pa.Table]:
        start, chunk = part
        of_chunk = {name: flags[start : start + chunk.num_rows] for name, flags in (asked or {}).items()}
        return scored(explainer, predictor, chunk, shown, of_chunk)

    with ExitStack() as files:
        grow = {name: files.enter_context(part_rows.Growing(staged / name, part_leads)) for name in FILES}
        for done in in_order(work, part_rows.chunks(features, CHUNK_ROWS)):
            for name, table in done.items():
                grow[name].add(table, leads)
            leads += done[SCORES].num_rows
            on_rows(done[SCORES].num_rows)
    return leads


def write_ranking(
    connection: duckdb.DuckDBPyConnection,
    staged: Path,
    *,
    shown: Shown,
    ranked_by: str = RANKED_BY,
    part_leads: int | None = None,
) -> None:
    """Write ``ranking.parquet`` and ``ranking.csv`` from the scores, the reasons and the table ``leads``.

    Rank: probability descending; ties by margin, then ``lead_id``. Where nothing has a probability
    (``ranked_by`` the scorecard): points before they are cut, then ``lead_id``. A withheld probability
    ranks all the same: only here it becomes null, with all that would tell it. ``part_leads``: of a part.
    """
    scores = connection.read_parquet(str(staged / SCORES))
    connection.register("_scores", scores)
    connection.register("_reasons", connection.read_parquet(str(staged / REASONS)))
    connection.register("_changes", connection.read_parquet(str(staged / LEDGER)))
    connection.register("_moved", connection.read_parquet(str(staged / LEDGER_REASONS)))
    ranked = connection.sql(_ranking_sql(scores.columns, shown, ranked_by))
    if part_leads is None:
        ranked.write_parquet(str(staged / RANKING))
    else:
        part_rows.write(ranked.to_arrow_reader(CHUNK_ROWS), staged / RANKING, part_leads)
    for view in ("_scores", "_reasons", "_changes", "_moved"):
        connection.unregister(view)
    end_ranking(connection, staged)


def end_ranking(connection: duckdb.DuckDBPyConnection, staged: Path) -> None:
    """Write ``ranking.csv`` from the Parquet ranking, and remove the scores, which hold what is withheld."""
    written = connection.read_parquet(str(staged / RANKING))
    write_csv(written.order("rank"), staged / "ranking.csv")
    parts.remove(staged / SCORES)


def tells_probability(name: str) -> bool:
    """Whether a column of the scores says, or lets compute, a probability that may be withheld."""
    return name != WITHHELD and (name.startswith("probability") or name == "expected_value")


def scored(
    explainer: Explainer, predictor: Predictor, chunk: pa.Table, shown: Shown, asked: Mapping[str, Flags]
) -> dict[str, pa.Table]:
    """What the files of `score_leads` say of some leads, by their names.

    Parameters
    ----------
    chunk
        ``lead_id`` and every feature of the model, one row per lead.
    asked
        Whether each lead is asked about a further target, by target.
    """
    specs = explainer.bundle.specs
    explained = explainer.explain(chunk)
    families = spoken.family_totals(explained.contributions, specs)
    said = spoken.reasons(
        explained.contributions,
        chunk,
        specs,
        margin=explained.scores.margin,
        calibrate=explainer.calibrate,
        backing=Backing(explainer.evidence, explained.matrix, shown.evidence_leads),
        most_for=shown.reasons_for,
        most_against=shown.reasons_against,
        language=shown.language,
    )
    lead, base = chunk.column("lead_id"), np.full(chunk.num_rows, explained.base)
    scores: Mapping[str, object] = {
        "lead_id": lead,
        "probability": explained.scores.probability,
        "probability_low": explained.scores.low,
        "probability_high": explained.scores.high,
        WITHHELD: predictor.why_withheld(chunk),
        "score": explained.scores.score,
        **routed(families, explainer.grades, shares=shown.grade_shares, routes=shown.routes),
        **predictor.columns(chunk, explained.scores, asked, matrix=explained.matrix),
        "margin": explained.scores.margin,
        "margin_base": base,
        **{f"margin_{family}": total for family, total in families.items()},
    }
    values = {spec.name: explained.contributions[:, place] for place, spec in enumerate(specs)}
    return {
        SCORES: pa.table(scores),
        REASONS: said.drop_columns(["row"]).add_column(0, "lead_id", lead.take(said.column("row"))),
        CONTRIBUTIONS: pa.table({"lead_id": lead, "base": base, **values}),
    }


def rows_sql(score_columns: Sequence[str], shown: Shown, ranked_by: str, *, first: str) -> str:
    """The rows of a ranking: ``first``, and behind it everything but the rank.

    Read from ``_scores``, ``_reasons``, ``_changes``, ``_moved`` and ``leads``.
    """
    sentences = [("for", place + 1) for place in range(shown.reasons_for)]
    sentences += [("against", place + 1) for place in range(shown.reasons_against)]
    spoken_columns = ", ".join(
        f"max(sentence) FILTER (direction = '{direction}' AND place = {place}) AS {direction}_{place}"
        for direction, place in sentences
    )
    lead_columns = "".join(f", leads.{named(name)}" for name in shown.publish_columns)
    score = ", ".join(_published(name, score_columns) for name in score_columns if name != "lead_id")
    said = "".join(f", said.{direction}_{place}" for direction, place in sentences)
    return f"""
        WITH placed AS (
            SELECT lead_id, direction, sentence, row_number() OVER (
                PARTITION BY lead_id, direction ORDER BY rank_in_row) AS place
            FROM _reasons
        ), moved AS (
            SELECT lead_id, arg_max(sentence, (abs(points), feature)) AS change_1 FROM _moved GROUP BY lead_id
        ), said AS (SELECT lead_id{"," if sentences else ""} {spoken_columns} FROM placed GROUP BY lead_id)
        SELECT {first},
               _scores.lead_id, '{ranked_by}' AS ranked_by, {score}, _changes.rank_before, _changes.change,
               moved.change_1{said}{lead_columns}
        FROM _scores LEFT JOIN said USING (lead_id) LEFT JOIN _changes USING (lead_id)
             LEFT JOIN moved USING (lead_id) LEFT JOIN leads USING (lead_id)
    """  # noqa: S608  # names are quoted identifiers or our own


def _ranking_sql(score_columns: Sequence[str], shown: Shown, ranked_by: str) -> str:
    order = ("probability", "margin") if ranked_by == RANKED_BY else ("points",)
    best_first = ", ".join(f"_scores.{name} DESC" for name in order)
    rank = f"row_number() OVER (ORDER BY {best_first}, _scores.lead_id) AS rank"
    return rows_sql(score_columns, shown, ranked_by, first=rank) + " ORDER BY rank"


def _published(name: str, score_columns: Sequence[str]) -> str:
    """A column of the scores; if it tells a probability, null where that is withheld."""
    column = named(name)
    if not tells_probability(name) or WITHHELD not in score_columns:
        return f"_scores.{column}"
    return f"CASE WHEN _scores.{WITHHELD} IS NULL THEN _scores.{column} END AS {column}"
