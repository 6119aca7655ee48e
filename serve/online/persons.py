"""What the load makes of a lead's e-mail address, phone, title and company, for the leads of a request."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pyarrow as pa

from features.ingest.countries import regions
from features.ingest.folding import folded
from features.ingest.headers import Wanted
from features.ingest.persons import persons_query
from features.ingest.phones import phone_class
from features.prepared import Made
from serve.online.columns import is_personal, type_of


class Persons:
    """Judges the personal columns of leads, as far as a model reads what comes of them.

    Parameters
    ----------
    columns
        Columns of ``leads`` that a request may have.
    derived
        What the load makes of them.
    read
        As much of it as the model reads.
    """

    def __init__(
        self, columns: Mapping[str, Wanted], derived: Collection[str], read: Collection[str]
    ) -> None:
        self._columns = columns
        self._personal = [name for name, column in columns.items() if is_personal("leads", column)]
        self._read = tuple(read)
        self._empty = [name for name in derived if name not in read]

    def made(self, leads: pa.Schema) -> dict[str, Made]:
        """How ``leads`` is made of the rows that come, where anything derived is read."""
        if not self._read:
            return {}
        types = {"row_number": pa.int64(), **{n: type_of(column) for n, column in self._columns.items()}}
        types |= {"phone_class": pa.string()} if "phone_class" in self._read else {}
        return {"leads": Made(pa.schema(types), persons_query(leads.names, self._read, self._empty))}

    def judged(self, leads: pa.Table) -> pa.Table:
        """The leads as `made` reads them; without the personal columns where nothing derived is read."""
        if not self._read:
            bare = leads.drop_columns(self._personal)
            for name in self._empty:
                bare = bare.append_column(name, pa.nulls(leads.num_rows, pa.string()))
            return bare
        return self._with_phones(leads) if "phone_class" in self._read else leads

    def _with_phones(self, leads: pa.Table) -> pa.Table:
        phones = leads.column("phone").to_pylist()
        countries = (
            leads.column("country").to_pylist() if "country" in self._columns else [None] * len(phones)
        )
        known = regions()
        classes = [
            None if phone is None else phone_class(phone, known.get(folded(country or ""), ""))
            for phone, country in zip(phones, countries, strict=True)
        ]
        return leads.append_column("phone_class", pa.array(classes, pa.string()))
