"""Who was right, as a reader sees it: by rank for who sees every lead, by chance for all others.

A rank is the company's, so it would tell a reader of some territories about leads elsewhere; a chance is the
same for everybody.
"""

from __future__ import annotations

from pathlib import Path

from serve.reporting.files import Row, Territories, about, rows
from serve.reporting.names import AGAINST, CHANCES, FOLDER, FOR, JUDGED, RANKS
from serve.reporting.rates import mark, rate

_COUNTS = ("leads", "mature", "converted", "won")


def judged(run: Path, territories: Territories) -> Row | None:
    """What became of leads of which people said something.

    Parameters
    ----------
    run
        Folder of a published run.
    territories
        Whose leads are counted; None: everybody's.

    Returns
    -------
    dict
        ``by`` (``rank`` or ``chance``) and ``rows``, first what was said for leads and the best band first:
        ``side`` (``for``, ``against``), ``from`` and ``to`` (ends of the band, a whole number of ranks or a
        share; None: open), both None in the row of leads without one (``is_known`` false); ``leads``,
        ``mature`` (their window is over), ``converted`` (of those, won within it), ``rate`` of them, ``won``
        so far, and ``mark``. None where nothing is known to have been said.
    """
    if not (run / FOLDER / JUDGED).is_file():
        return None
    by, ends = ("rank", RANKS) if territories is None else ("chance", CHANCES)
    sums = ", ".join(f"sum({name})::BIGINT AS {name}" for name in _COUNTS)
    sql = f"SELECT side, {by}_band AS band, {sums} FROM seen GROUP BY ALL"  # noqa: S608  # names of our own
    found = rows(run, JUDGED, territories, sql)
    least = about(run)
    order = sorted(found, key=lambda row: (row["side"] != FOR, row["band"] is None, row["band"] or 0))
    told = [{**_row(row, least), **_ends(row["band"], by, ends)} for row in order]
    return {"by": by, "rows": told} if told else None


def _row(row: Row, least: Row) -> Row:
    return {
        "side": FOR if row["side"] == FOR else AGAINST,
        **{name: row[name] for name in _COUNTS},
        "rate": rate(row["converted"], row["mature"]),
        "mark": mark(row["leads"], row["mature"], row["converted"], least),
    }


def _ends(band: int | None, by: str, ends: tuple[float, ...]) -> Row:
    """The ends of a band: ranks count up from 1, chances down from 1.

    >>> _ends(1, "rank", (100, 1_000)), _ends(2, "rank", (100, 1_000))["from"]
    ({'is_known': True, 'from': 101, 'to': 1000}, 1001)
    >>> _ends(0, "chance", (0.2, 0.1)), _ends(2, "chance", (0.2, 0.1))
    ({'is_known': True, 'from': 0.2, 'to': None}, {'is_known': True, 'from': None, 'to': 0.1})
    """
    if band is None:
        return {"is_known": False, "from": None, "to": None}
    before = ends[band - 1] if band else None
    end = ends[band] if band < len(ends) else None
    if by == "rank":
        return {"is_known": True, "from": 1 if before is None else before + 1, "to": end}
    return {"is_known": True, "from": end, "to": before}
