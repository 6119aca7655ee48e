"""A champion ready to answer: its features prepared, its trees parsed, its kernel compiled."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from features.aims import asked
from features.beside import beside
from features.build import Keep, feature_parts
from features.catalogue import Feature
from features.families import by_name
from features.fit import own_fields
from features.memory import known_today, parts_today
from features.prepared import Prepared, empty_table
from features.reading import made_from
from features.tables import Field, Source
from features.vocabulary import Vocabulary
from models.audit.association import Flags
from models.bundle import Bundle
from models.explaining import Explainer
from serve import batch
from serve.asked import aims_of, by_target, flags_of, stated_fields
from serve.online.columns import SNAPSHOTS, Columns, accepted, derived, schema
from serve.online.company import Kept, check_kept
from serve.online.persons import Persons
from serve.predicted import Predictor

FEATURES, AIMS, STATED = "features", "aims", "stated"


@dataclass(frozen=True)
class Declared:
    """What ``params.yaml`` says of the tables, and how answers look.

    Attributes
    ----------
    sources
        The declared tables by name.
    fields
        The declared fields by table and name.
    modules
        The team's own feature modules.
    shown
        How many reasons, in which language.
    loaded
        Columns of each table that the ranking in force was made from.
    words
        From a bundle to the words that it was trained with.
    company
        Figures of all leads that the night kept; None: it kept none.
    """

    sources: Mapping[str, Source]
    fields: Mapping[str, Mapping[str, Field]]
    modules: Sequence[str]
    shown: batch.Shown
    loaded: Mapping[str, Collection[str]]
    words: Callable[[Bundle], Vocabulary]
    company: Kept | None = None

    @property
    def columns(self) -> dict[str, Columns]:
        """The columns that a request may have, by table and name."""
        return accepted(self.sources, self.loaded)


class Model:
    """A bundle that any number of scorers share.

    Parameters
    ----------
    bundle
        As :func:`models.store.load` returned it.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.explainer = Explainer(bundle, threads=1)
        self.predictor = Predictor(bundle)


class Scorer:
    """Answers one request at a time.

    Parameters
    ----------
    backend
        Ibis DuckDB backend that nobody else uses.
    model
        The champion.
    declared
        What the tables are.
    """

    def __init__(self, backend: Any, model: Model, declared: Declared) -> None:
        bundle = model.bundle
        self._model, self._shown = model, declared.shown
        columns, words = declared.columns, declared.words(bundle)
        made = derived(columns["leads"], declared.loaded["leads"])
        schemas = {t: schema(t, own, made if t == "leads" else ()) for t, own in columns.items()}
        names, known = [spec.name for spec in bundle.specs], known_today(declared.fields)
        chosen = by_name(names, bundle.kinds, known, modules=declared.modules)
        check_kept(chosen, declared.company)
        company = None if declared.company is None else declared.company.put(backend)
        tagged = stated_fields(bundle)
        self._features = chosen
        self._aims = aims_of(bundle, schemas)
        self._stated = [one for one in own_fields(declared.fields) if one.name in tagged]
        empty = {name: empty_table(name, columns) for name, columns in schemas.items()}
        read = [name for name in made if made_from(name, chosen, empty, known, words)]
        self._persons = Persons(columns["leads"], made, read)

        def queries(tables: Mapping[str, Any], keep: Keep) -> dict[str, Any]:
            asked_of = tables["snapshots"]
            parts = parts_today(asked_of, tables, chosen, declared.fields, words, keep=keep, company=company)
            said = feature_parts(asked_of, tables, self._stated, declared.fields, words, keep=keep)
            aims = {AIMS: asked(asked_of, tables, self._aims).order_by("snapshot_id")} if self._aims else {}
            return {
                **{f"{FEATURES}_{place}": part.finished() for place, part in enumerate(parts)},
                **{f"{STATED}_{place}": part.finished() for place, part in enumerate(said)},
                **aims,
            }

        tables = {**schemas, "snapshots": SNAPSHOTS}
        self._prepared = Prepared(backend, tables, queries, self._persons.made(schemas["leads"]))

    def score(
        self, given: Mapping[str, pa.Table], lead_ids: Sequence[str], as_of: datetime
    ) -> dict[str, pa.Table]:
        """Score and explain leads.

        Parameters
        ----------
        given
            Rows by table, as `serve.online.tables.tables` makes them.
        lead_ids
            Whom to score, each once; the others are only looked at.
        as_of
            The moment, naive UTC.

        Returns
        -------
        dict
            As `serve.batch.scored`, in the order of ``lead_ids``.
        """
        rows = len(lead_ids)
        snapshots = pa.table([range(rows), lead_ids, [as_of] * rows], schema=SNAPSHOTS)
        leads = self._persons.judged(given["leads"])
        found = self._prepared.answer({**given, "leads": leads, "snapshots": snapshots})
        features = _beside(found, FEATURES, self._features, rows)
        table = pa.table({"lead_id": snapshots.column("lead_id"), **features})
        model = self._model
        return batch.scored(model.explainer, model.predictor, table, self._shown, self._asked(found, rows))

    def _asked(self, found: Mapping[str, pa.Table], rows: int) -> dict[str, Flags]:
        flags = flags_of(found[AIMS], self._aims) if self._aims else {}
        stated = _beside(found, STATED, self._stated, rows)
        silent = {
            field: np.asarray(values.is_null().to_numpy(), dtype=bool) for field, values in stated.items()
        }
        nobody = dict.fromkeys(stated_fields(self._model.bundle), np.zeros(rows, dtype=bool))
        return {**flags, **by_target(self._model.bundle, {**nobody, **silent})}


def _beside(
    found: Mapping[str, pa.Table], kind: str, features: Sequence[Feature], rows: int
) -> dict[str, pa.ChunkedArray]:
    parts = {name: part for name, part in found.items() if name.startswith(kind)}
    return beside(rows, parts, features)
