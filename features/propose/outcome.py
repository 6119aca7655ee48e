"""Which texts of the outcome column mean won, and which mean that nothing is decided yet."""

from __future__ import annotations

from dataclasses import dataclass

from features.errors import InputError, Place
from features.propose.facts import FileFacts
from features.propose.names import squeezed

_WON = frozenset(
    {
        "1", "yes", "y", "true", "t", "won", "closedwon", "converted", "accepted", "customer", "sold",
        "success", "win",
    }
)  # fmt: skip
_LOST = frozenset(
    {
        "0", "no", "n", "false", "f", "lost", "closedlost", "notconverted", "declined", "rejected",
        "cancelled", "canceled", "disqualified", "unqualified", "failure", "loss",
    }
)  # fmt: skip
_SURPRISE = 1e-6
_ENOUGH_ROWS = 50


@dataclass(frozen=True)
class Outcome:
    """How the outcome column is read.

    Attributes
    ----------
    column
        Header.
    won_values
        Its texts that mean won.
    undecided
        Its texts that mean neither won nor lost: leads that are still open.
    note
        A question to the user; empty if the texts speak for themselves.
    """

    column: str
    won_values: tuple[str, ...]
    undecided: tuple[str, ...] = ()
    note: str = ""


def read_outcome(file: FileFacts, column: str, *, won_values: tuple[str, ...] | None = None) -> Outcome:
    """Decide which texts of an outcome column mean won.

    Parameters
    ----------
    file
        The file's facts, counted with this outcome column.
    column
        Its header.
    won_values
        The user's answer; None if not asked.

    Raises
    ------
    InputError
        There is no such column, or it has too many or no values to say won or not.
    """
    facts = file.columns[column]
    if not facts.values:
        raise InputError(
            f"the outcome column '{column}' has {facts.distinct} different values; won or not was expected",
            hint="name another column after --outcome",
            place=Place("init", file.path.name, column=column),
        )
    if won_values is not None:
        return Outcome(column, won_values)
    won = tuple(value for value in facts.values if _word(value) in _WON)
    lost = tuple(value for value in facts.values if _word(value) in _LOST)
    if won:
        rest = tuple(value for value in facts.values if value not in won + lost)
        return _with_rest(column, won, rest if lost else (), note=bool(rest) and not lost)
    others = tuple(value for value in facts.values if value not in lost)
    note = "no text of this column says won: the rarer one was taken"
    return Outcome(column, others[-1:] or facts.values[-1:], others[:-1] if lost else (), note)


def tells_the_outcome(file: FileFacts, column: str, outcome: Outcome) -> bool:
    """Whether being filled in, or being empty, alone tells who was won, as if written afterwards.

    True if among the filled rows, or among the empty ones, all or none were won although chance would
    do that less than once in a million.
    """
    decided = {text: n for text, n in file.rows_by_outcome.items() if text not in outcome.undecided}
    rows, won = sum(decided.values()), _won(decided, outcome)
    by_outcome = file.columns[column].filled_by_outcome
    filled = {text: by_outcome.get(text, 0) for text in decided}
    if rows == 0 or won in (0, rows):
        return False
    sides = (
        (sum(filled.values()), _won(filled, outcome)),
        (rows - sum(filled.values()), won - _won(filled, outcome)),
    )
    return any(_is_surprising(n, hits, won / rows) for n, hits in sides)


def _with_rest(column: str, won: tuple[str, ...], undecided: tuple[str, ...], *, note: bool) -> Outcome:
    if undecided:
        return Outcome(column, won, undecided, "texts that are neither won nor lost were taken as undecided")
    return Outcome(column, won, note="all other texts were taken as lost" if note else "")


def _word(value: str) -> str:
    return squeezed(value.removesuffix(".0"))


def _won(counts: dict[str, int], outcome: Outcome) -> int:
    return sum(n for text, n in counts.items() if text in outcome.won_values)


def _is_surprising(rows: int, hits: int, base: float) -> bool:
    if rows < _ENOUGH_ROWS:
        return False
    return (hits == 0 and (1 - base) ** rows < _SURPRISE) or (hits == rows and base**rows < _SURPRISE)
