"""The value that leads are compared by: of a lead's own column, of its account, or of its first touch.

What a touch says is known from that touch on, so a first touch's value is the one known before a moment.
A text of many words is compared by its words: hardly two leads typed the same search, many share a word.
"""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from features.touches import told
from features.vocabulary import Vocabulary

ACCOUNT, FIRST = "account.", "first."
"""Before a column of ``accounts``, and before one of ``touches`` of which the first value is meant."""
MAGNITUDES = 13
SEPARATORS = "-_/.,;:&?=+|()[]{}#%!<>\"'*~@$^`\\"
"""What stands between words beside the space: named one by one, for engines differ in patterns."""


def with_value(
    rows: ir.Table, tables: Mapping[str, ir.Table], vocabulary: Vocabulary, column: str, *, at: str
) -> ir.Table:
    """Rows of leads with the value that each lead has.

    Parameters
    ----------
    rows
        ``lead_id`` and the moment ``at``; no two rows are equal.
    column
        A column of ``leads`` that does not change; ``account.`` and a column of ``accounts``, numbers by
        their order of magnitude; or ``first.`` and a column of ``touches``: its value at the first touch
        that has one and is known before the moment.
    at
        Name of the moment.

    Returns
    -------
    ir.Table
        The rows with ``value``; rows of leads without an account or such a touch are left out.
    """
    if column.startswith(FIRST):
        touches = told(tables, vocabulary)
        return _with_first(rows, _firsts(touches, column.removeprefix(FIRST)), at)
    return rows.join(_of_leads(tables, column), "lead_id")


def by_word(valued: ir.Table) -> ir.Table:
    """A row for each different word of ``value``, in lower case; none for a value without words.

    >>> import pyarrow
    >>> rows = ibis.memtable(pyarrow.table({"lead_id": ["a"], "value": ["CRM-software, crm"]}))
    >>> sorted(by_word(rows).value.to_pyarrow().to_pylist())
    ['crm', 'software']
    """
    # Under another name: BigQuery would be asked for the text and its words in one SELECT.
    apart = valued.mutate(word=spaced(valued.value).split(" ").unnest()).drop("value").rename(value="word")
    return apart.filter(apart.value != "").distinct()


def spaced(text: ir.StringValue) -> ir.StringValue:
    """The text in lower case with spaces for all that stands between words."""
    return text.lower().translate(SEPARATORS, " " * len(SEPARATORS))


def _of_leads(tables: Mapping[str, ir.Table], column: str) -> ir.Table:
    """``lead_id`` and its ``value``; leads without an account have no row for a trait of it."""
    leads = tables["leads"]
    if not column.startswith(ACCOUNT):
        return leads.select("lead_id", value=column)
    accounts = tables["accounts"]
    trait = accounts[column.removeprefix(ACCOUNT)]
    value = _magnitude(trait) if trait.type().is_numeric() else trait
    named = accounts.select(of_account="account_id", value=value)
    return leads.join(named, leads.account_id == named.of_account).select("lead_id", "value")


def _magnitude(number: ir.NumericValue) -> ir.StringValue:
    """How many of 1, 10, 100 … a number reaches; compared, for engines differ in the last digit of a log."""
    reached = [(number >= 10.0**power).ifelse(1, 0) for power in range(MAGNITUDES)]
    return number.notnull().ifelse(sum(reached[1:], reached[0]).cast("string"), ibis.null("string"))


def _with_first(rows: ir.Table, firsts: ir.Table, at: str) -> ir.Table:
    known = firsts.inner_join(rows, [firsts.touch_lead == rows.lead_id, firsts.known_at < rows[at]])
    order = ibis.struct({"at": known.touched_at, "row": known.touch_row})
    return known.group_by(*rows.columns).aggregate(value=known.said.argmin(order))


def _firsts(touches: ir.Table, column: str) -> ir.Table:
    """Touches with a value that are, or once were, the first known one of their lead: hardly more than one.

    A touch before which another happened is the first only until that other one is known.
    """
    facts = touches.filter(touches.lead_id.notnull() & touches[column].notnull()).select(
        touch_lead="lead_id",
        touched_at="occurred_at",
        touch_row="row_number",
        known_at=ibis.greatest(touches.occurred_at, touches.recorded_at),
        said=column,
    )
    order = {"group_by": "touch_lead", "order_by": ["touched_at", "touch_row"]}
    told_by = facts.mutate(told_by=facts.known_at.min().over(ibis.cumulative_window(**order)))
    ahead = told_by.mutate(ahead=told_by.told_by.lag().over(ibis.window(**order)))
    return ahead.filter(ahead.ahead.isnull() | (ahead.known_at < ahead.ahead)).drop("told_by", "ahead")
