"""What leads are compared by: columns with too many values for a tree, and texts by their words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import ibis.expr.types as ir

from features.personal import is_about_a_person
from features.tables import Field
from features.values import ACCOUNT, FIRST, spaced

MANY_VALUES = 20
"""Values of a category beyond which the earlier conversion rate of its value is a feature too."""
TEXT_SHARE = 0.5
"""Share of such a category's values with several words from which it is a text: its words are compared."""
OF_LEADS, OF_TOUCHES = ("source", "campaign"), ("place", "campaign", "keyword")
"""Contract columns that are compared without being declared as fields."""

Fields = Mapping[str, Mapping[str, Field]]


def compared(tables: Mapping[str, ir.Table], fields: Fields) -> dict[str, list[str]]:
    """The columns for each of ``peers`` and ``words``, as `features.values.with_value` reads them.

    Parameters
    ----------
    tables
        ``leads``, ``outcomes``, and what else there is.
    fields
        Declared fields by table and name; those that change are left out.

    Returns
    -------
    dict
        ``peers``: source and campaign, other categories of leads and first values of touches with more than
        20 values, traits of accounts. ``words``: those of leads and touches among them that are texts, but
        for columns whose name says that a person, an address or a note stands in them.
    """
    shares = dict(_many_valued(tables, fields))
    contract = [name for name in OF_LEADS if name in tables["leads"].columns]
    return {
        "peers": list(dict.fromkeys([*contract, *shares, *_traits(tables, fields)])),
        "words": [
            name
            for name, share in shares.items()
            if share > TEXT_SHARE and not is_about_a_person(name.removeprefix(FIRST))
        ],
    }


def _many_valued(tables: Mapping[str, ir.Table], fields: Fields) -> Iterator[tuple[str, float]]:
    """Each column with many values, and which share of them has several words."""
    own = [name for name, f in fields.get("leads", {}).items() if f.kind == "category" and _is_fixed(f)]
    of_touches = [name for name, f in fields.get("touches", {}).items() if f.kind == "category"]
    for table, prefix, names in (
        ("leads", "", (*OF_LEADS, *own)),
        ("touches", FIRST, (*OF_TOUCHES, *of_touches)),
    ):
        if table in tables:
            there = [name for name in dict.fromkeys(names) if name in tables[table].columns]
            for name in there:
                different, wordy = _different(tables[table], name)
                if different > MANY_VALUES:
                    yield prefix + name, wordy / different


def _different(table: ir.Table, name: str) -> tuple[int, int]:
    """How many different values a column has, and how many of them have several words."""
    values = table.filter(table[name].notnull()).select(value=name).distinct()
    is_wordy = spaced(values.value).strip().contains(" ")
    counts = values.aggregate(different=values.count(), wordy=values.count(where=is_wordy))
    row = counts.to_pyarrow().to_pylist()[0]
    return row["different"], row["wordy"]


def _traits(tables: Mapping[str, ir.Table], fields: Fields) -> Sequence[str]:
    """Declared traits of accounts: how leads of companies like this one did before."""
    if "accounts" not in tables or "account_id" not in tables["leads"].columns:
        return []
    own = fields.get("accounts", {}).items()
    return [ACCOUNT + name for name, f in own if f.kind in ("category", "number") and _is_fixed(f)]


def _is_fixed(field: Field) -> bool:
    return field.time in ("static", None)
