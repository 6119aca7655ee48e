"""The memory: feature rows of published runs to learn from, compared with what is reconstructed today.

A run keeps what was known on its night, today's value of each ``current`` field included: for these it is the
only past there is. Where a training snapshot (lead and moment) was scored by a run, the run's values replace
the reconstructed ones; elsewhere a ``current`` field is null. For static and tracked fields, and all that is
computed from dated facts, both must be equal: a fact that was recorded late does not count for the moment
either way. A difference (*skew*) says that the CRM overwrote a field that was declared static, or that a
feature's code changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import ibis
import ibis.expr.types as ir

from features.build import Keep, Part, cached, feature_parts, feature_table
from features.catalogue import Feature
from features.company import Company
from features.fit import own_fields
from features.moments import naive_utc
from features.tables import Field
from features.vocabulary import Vocabulary

TOLERANCE = 1e-9
PRESENT = timedelta(days=1)  # a night is ranked from data that are a few hours younger, or older
_GROUP = "|group"  # a bar is in no feature's name
_MEMORY = "{name}|memory"

Fields = Mapping[str, Mapping[str, Field]]


@dataclass(frozen=True)
class Recalled:
    """A feature table with what runs remember of it.

    Attributes
    ----------
    table
        Arrow table: the rows asked for, with remembered values, and the ``current`` features that a run has.
    features
        Those ``current`` features.
    remembered, reconstructed
        Rows that a run had scored, and the others.
    skew
        Share of the remembered rows (0 to 1) in which a feature differs by more than 1e-9, or as a text, by
        feature; features that both sides have.
    """

    table: Any
    features: tuple[Feature, ...]
    remembered: int
    reconstructed: int
    skew: Mapping[str, float]


def known_today(fields: Fields) -> dict[str, dict[str, Field]]:
    """The fields as tonight's run reads them: a ``current`` field has today's value."""
    return {
        table: {n: replace(f, time="static") if f.time == "current" else f for n, f in own.items()}
        for table, own in fields.items()
    }


def current_features(fields: Fields) -> tuple[Feature, ...]:
    """One feature per field of time class ``current``."""
    usable = {feature.name for feature in own_fields(fields)}
    return tuple(feature for feature in own_fields(known_today(fields)) if feature.name not in usable)


def is_present(as_of: datetime, known_until: datetime) -> bool:
    """Whether the tables stand as they stood at a moment: their latest fact is not a day younger.

    Parameters
    ----------
    known_until
        The midnight after the latest recorded fact.
    """
    return naive_utc(as_of) + PRESENT >= naive_utc(known_until)


def scored(
    snapshots: ir.Table,
    tables: Mapping[str, ir.Table],
    chosen: Sequence[Feature],
    fields: Fields,
    vocabulary: Vocabulary | None = None,
    *,
    is_now: bool,
    keep: Keep = cached,
) -> ir.Table:
    """The features of some snapshots: ``current`` ones have today's value now, and are null in the past.

    Parameters
    ----------
    chosen
        Features to compute, ``current`` ones among them.
    is_now
        Whether the snapshots' moment is the present (`is_present`).
    keep
        As `features.build.feature_table` takes it.
    """
    names = {feature.name for feature in current_features(fields)}
    current = [feature for feature in chosen if feature.name in names]
    # Apart, so that no other feature reads a field tonight that it cannot read in the past.
    others = [feature for feature in chosen if feature.name not in names]
    built = feature_table(snapshots, tables, others, fields, vocabulary, keep=keep)
    if not current:
        return built
    if not is_now:
        return built.mutate(**{f.name: ibis.null(_type(f)) for f in current})
    today = feature_table(snapshots, tables, current, known_today(fields), vocabulary, keep=keep)
    return built.join(today.drop("lead_id", "as_of"), "snapshot_id")


def parts_today(
    snapshots: ir.Table,
    tables: Mapping[str, ir.Table],
    chosen: Sequence[Feature],
    fields: Fields,
    vocabulary: Vocabulary,
    *,
    keep: Keep,
    company: Company | None = None,
) -> list[Part]:
    """What `scored` computes of the present, in parts that are not joined.

    Parameters
    ----------
    company
        Figures that leads are compared with; None: they are compared with the leads of the tables.
    """
    names = {feature.name for feature in current_features(fields)}
    current = [feature for feature in chosen if feature.name in names]
    others = [feature for feature in chosen if feature.name not in names]
    built = feature_parts(snapshots, tables, others, fields, vocabulary, keep=keep, company=company)
    if not current:
        return built
    return built + feature_parts(snapshots, tables, current, known_today(fields), vocabulary, keep=keep)


def recall(
    backend: Any,
    table: Any,
    features: Sequence[Feature],
    fields: Fields,
    files: Mapping[str, Sequence[str]],
) -> Recalled:
    """Put what published runs remember into a reconstructed feature table.

    Parameters
    ----------
    backend
        Ibis DuckDB backend.
    table
        Arrow table with ``snapshot_id``, ``lead_id``, ``as_of``, the features, and columns that stay.
    features
        The reconstructed features.
    files
        Column names by path of a run's ``features.parquet``; one file a night.
    """
    if not files:
        return Recalled(table, (), 0, table.num_rows, {})
    current = current_features(fields)
    built = backend.create_table("reconstructed", table, overwrite=True)
    wanted = {feature.name: _type(feature) for feature in (*features, *current)}
    groups = _by_columns(files, wanted)
    memory = _read(backend, groups, wanted)
    joined = backend.create_table("recalled", _joined(built, memory), overwrite=True)
    has = {name: joined[_GROUP].isin(_with(groups, name)) for name in wanted if _with(groups, name)}
    skew = _skew(joined, {f.name: has[f.name] for f in features if f.name in has})
    known = tuple(feature for feature in current if feature.name in has)
    names = {feature.name for feature in (*features, *known)}
    values = {name: _value(joined, built, name, has.get(name)) for name in wanted if name in names}
    kept = [name for name in built.columns if name not in values]
    done = joined.order_by("snapshot_id").select(*kept, **values).to_pyarrow()
    remembered = int(joined[_GROUP].count().to_pyarrow().as_py())
    return Recalled(done, known, remembered, table.num_rows - remembered, skew)


def _type(feature: Feature) -> str:
    return "string" if feature.kind == "category" else "float64"


def _by_columns(
    files: Mapping[str, Sequence[str]], wanted: Iterable[str]
) -> dict[tuple[str, ...], list[str]]:
    """Paths by the wanted columns that they have: a column that a run lacks is not a null of that run."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for path, columns in sorted(files.items()):
        groups.setdefault(tuple(name for name in wanted if name in set(columns)), []).append(path)
    return groups


def _read(
    backend: Any, groups: Mapping[tuple[str, ...], Sequence[str]], wanted: Mapping[str, str]
) -> ir.Table:
    parts = []
    for number, (columns, paths) in enumerate(groups.items()):
        rows = backend.read_parquet(list(paths), table_name=f"remembered_{number}", union_by_name=True)
        values = {
            _MEMORY.format(name=name): rows[name].try_cast(kind) if name in columns else ibis.null(kind)
            for name, kind in wanted.items()
        }
        parts.append(rows.select("lead_id", "as_of", **{_GROUP: ibis.literal(number, "int64")}, **values))
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def _joined(built: ir.Table, memory: ir.Table) -> ir.Table:
    renamed = memory.rename(remembered_lead="lead_id", remembered_at="as_of")
    same = [built.lead_id == renamed.remembered_lead, built.as_of == renamed.remembered_at]
    return built.left_join(renamed, same).drop("remembered_lead", "remembered_at")


def _with(groups: Mapping[tuple[str, ...], Sequence[str]], name: str) -> list[int]:
    return [number for number, columns in enumerate(groups) if name in columns]


def _value(joined: ir.Table, built: ir.Table, name: str, has: ir.BooleanColumn | None) -> ir.Value:
    if has is None:
        return joined[name]
    remembered = joined[_MEMORY.format(name=name)]
    return has.ifelse(remembered, joined[name] if name in built.columns else ibis.null(remembered.type()))


def _skew(joined: ir.Table, has: Mapping[str, ir.BooleanColumn]) -> dict[str, float]:
    """Share of differing rows by feature, the largest first; features that no run shares are absent."""
    if not has:
        return {}
    counts: dict[str, ir.Scalar] = {}
    for name, is_there in has.items():
        counts[f"{name}|rows"] = is_there.sum()
        counts[f"{name}|differ"] = (
            is_there & _differs(joined[name], joined[_MEMORY.format(name=name)])
        ).sum()
    row = joined.aggregate(**counts).to_pyarrow().to_pylist()[0]
    shares = {name: row[f"{name}|differ"] / row[f"{name}|rows"] for name in has if row[f"{name}|rows"]}
    return dict(sorted(shares.items(), key=lambda entry: (-entry[1], entry[0])))


def _differs(one: ir.Value, other: ir.Value) -> ir.BooleanValue:
    if one.type().is_string():
        return ~one.identical_to(other)
    is_far = ((one - other).abs() > TOLERANCE).fill_null(False)  # noqa: FBT003  # Ibis's own argument
    return is_far | (one.isnull() != other.isnull())
