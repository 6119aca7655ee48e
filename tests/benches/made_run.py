"""A published run of so many leads, drawn by DuckDB: every file that the page reads, and no training."""

from __future__ import annotations

from pathlib import Path

import duckdb

from serve import runs

AS_OF = "2026-06-30T00:00:00+00:00"
TERRITORIES = 40
REPS = 25
"""Per territory."""
_DRAW = "(hash(rank, '{salt}') / 18446744073709551616.0)"


def publish(
    folder: Path, leads: int, *, touches: int = 20, name: str = "20260630T000000Z-aaaaaaaaaaaa"
) -> runs.Run:
    """Publish a run of ``leads`` leads with ``touches`` shown touches each."""
    folder.mkdir(parents=True, exist_ok=True)
    with runs.staging(folder) as staged, duckdb.connect(config={"memory_limit": "2GB"}) as connection:
        connection.execute("SET preserve_insertion_order = true")
        for file, query in _queries(leads, touches).items():
            connection.execute(f"CREATE OR REPLACE TEMP TABLE {file} AS {query}")
            connection.execute(f"COPY {file} TO '{staged / file}.parquet' (FORMAT parquet)")
            if file != "ranking":
                connection.execute(f"DROP TABLE {file}")
        manifest = {
            "as_of": AS_OF,
            "counts": {"ranked": leads, "opted_out": 0, "tables": []},
            "changes": {
                "previous_run": "20260629T000000Z-bbbbbbbbbbbb",
                "both": leads,
                "new": 0,
                "departed": 0,
            },
            "ranked_by": "model",
            "model": {"base_rate": 0.1, "calibration": {"margins": [-6.0, 2.0], "log_odds": [-6.0, 2.0]}},
        }
        return runs.publish(staged, folder, name, manifest)


def draw(salt: str) -> str:
    """The SQL of a number from 0 to 1, the same on every machine."""
    return _DRAW.format(salt=salt)


def _queries(leads: int, touches: int) -> dict[str, str]:
    sentences = ", ".join(
        f"'sentence {side} ' || (hash(rank, '{side}') % 400) || ' of the last 30 days' AS {side}"
        for side in ("for_1", "for_2", "for_3", "against_1", "against_2")
    )
    families = ", ".join(
        f"{draw(f)} - 0.5::DOUBLE AS margin_{f}" for f in ("fit", "behaviour", "recency", "stage")
    )
    pick = "['call_now', 'fast_track', 'nurture', 'hold'][1 + (hash(rank, 'r') % 4)::INT]"
    sets = "['fast_close', 'fast_close, high_value', 'dormant', 'persona: buyer', NULL]"
    tags = f"{sets}[1 + (hash(rank, 't') % 5)::INT]"
    return {
        "ranking": f"""
            SELECT range + 1 AS rank,
                   'L' || lpad((hash(range) % 100000000)::VARCHAR, 8, '0') || range AS lead_id,
                   'model' AS ranked_by, 0.7::DOUBLE * (1 - range / {leads}) AS probability,
                   0.5::DOUBLE * (1 - range / {leads}) AS probability_low,
                   0.9::DOUBLE * (1 - range / {leads}) AS probability_high,
                   NULL::VARCHAR AS probability_withheld, 100::DOUBLE * (1 - range / {leads}) AS score,
                   'ABCD'[1 + (hash(rank, 'g') % 4)::INT] || (1 + hash(rank, 'g2') % 4) AS grade,
                   {pick} AS route,
                   1000 * {draw("v")} AS expected_value, {tags} AS tags,
                   0.1::DOUBLE AS margin, -2.0::DOUBLE AS margin_base,
                   {families}, 1 + (hash(rank, 'b') % {leads})::BIGINT AS rank_before,
                   8 * {draw("c")} - 4 AS change, 'a touch three days ago' AS change_1, {sentences},
                   'Name ' || (hash(rank, 'n') % 50000) || ' Müller' AS name,
                   'Company ' || (hash(rank, 'co') % 90000) || ' GmbH' AS company
            FROM (SELECT range, range + 1 AS rank FROM range({leads})) ORDER BY rank
        """,  # noqa: S608  # numbers of ours
        "leads": f"""
            SELECT lead_id,
                   'Rep ' || (hash(rank, 'w') % {TERRITORIES}) || '-' || (hash(rank, 'o') % {REPS}) AS owner,
                   'Territory ' || (hash(rank, 'w') % {TERRITORIES}) AS territory,
                   'source ' || (hash(rank, 's') % 12) AS source,
                   'campaign ' || (hash(rank, 'k') % 300) AS campaign,
                   'A' || (hash(rank, 'a') % {max(1, leads // 4)}) AS account_id,
                   TIMESTAMP '2026-06-30' - to_seconds((4e7 * {draw("d")})::BIGINT) AS created_at,
                   ['lead', 'mql', 'sql', 'opportunity'][1 + (hash(rank, 'st') % 4)::INT] AS stage,
                   TIMESTAMP '2026-06-30' - to_seconds((2e7 * {draw("sa")})::BIGINT) AS stage_at,
                   (hash(rank, 'n') % 200)::BIGINT AS touches,
                   TIMESTAMP '2026-06-30' - to_seconds((1e7 * {draw("l")})::BIGINT) AS last_touch_at
            FROM ranking ORDER BY rank
        """,  # noqa: S608  # numbers of ours
        "timeline": f"""
            SELECT lead_id, TIMESTAMP '2026-06-29' - to_hours(range * 7) AS occurred_at,
                   ['email_open', 'web_visit', 'call', 'form'][1 + (hash(rank, range) % 4)::INT] AS kind,
                   '/page/' || (hash(rank, range, 'p') % 300) AS place, NULL::VARCHAR AS campaign,
                   ['in', 'out'][1 + (hash(rank, range, 'd') % 2)::INT] AS direction,
                   NULL::DOUBLE AS duration_seconds, NULL::VARCHAR AS stage
            FROM ranking, range({touches}) ORDER BY rank, occurred_at DESC
        """,  # noqa: S608  # numbers of ours
        "reasons": """
            SELECT lead_id, place AS rank_in_row,
                   CASE WHEN place <= 3 THEN 'for' ELSE 'against' END AS direction,
                   'behaviour' AS family, 'opens' AS stem, 'opens_' || place AS feature, '3' AS value,
                   0.4::DOUBLE / place AS contribution, 9::DOUBLE / place AS points,
                   'sentence ' || place || ' ' || (hash(rank, place) % 400) || ' of the last 30 days'
                       AS sentence,
                   FALSE AS is_changeable, 0.2::DOUBLE AS evidence_rate, 0.1::DOUBLE AS evidence_low,
                   0.3::DOUBLE AS evidence_high,
                   300 AS evidence_leads
            FROM ranking, range(1, 6) made(place) ORDER BY rank, place
        """,  # numbers of ours
        "changes": f"""
            SELECT lead_id, rank_before, probability - 0.01 AS probability_before, change,
                   {draw("nf")} AS new_facts,
                   0.1::DOUBLE AS time_passing, 0::DOUBLE AS model, 0::DOUBLE AS calibration,
                   0.1 + {draw("nf")} AS total
            FROM ranking ORDER BY rank
        """,  # noqa: S608  # numbers of ours
        "change_reasons": """
            SELECT lead_id, place AS rank_in_row, 'for' AS direction, 'behaviour' AS family, 'opens' AS stem,
                   'opens_' || place AS feature, '3' AS value, 0.4::DOUBLE AS contribution,
                   2::DOUBLE / place AS points,
                   'what moved it ' || place || ' ' || (hash(rank, place) % 400) AS sentence,
                   FALSE AS is_changeable, NULL::DOUBLE AS evidence_rate, NULL::DOUBLE AS evidence_low,
                   NULL::DOUBLE AS evidence_high, NULL::BIGINT AS evidence_leads, 'new_facts' AS part
            FROM ranking, range(1, 3) made(place) ORDER BY rank, place
        """,  # numbers of ours
        "calls": f"""
            SELECT * EXCLUDE (rank), row_number() OVER (PARTITION BY owner ORDER BY rank) AS place FROM (
                SELECT 'Rep ' || (hash(rank, 'w') % {TERRITORIES}) || '-' || (hash(rank, 'o') % {REPS})
                           AS owner,
                       'Territory ' || (hash(rank, 'w') % {TERRITORIES}) AS territory, lead_id, rank,
                       probability, expected_value AS value, 'best' AS why,
                       1::DOUBLE AS selection_probability,
                       1::DOUBLE AS expected_wins,
                       probability_low, probability_high FROM ranking WHERE rank <= 25000)
            ORDER BY owner, place
        """,  # noqa: S608  # numbers of ours
    }
