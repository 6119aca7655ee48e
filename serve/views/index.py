"""The index of a run, opened for reading: which leads a scope has, and what the file knows of a lead."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import numpy as np
import numpy.typing as npt

from features.errors import StorageError
from features.ingest.sql import count
from serve.runs import Run
from serve.views.arrays import Arrays, Rows
from serve.views.columns import CODED, explained, published
from serve.views.keys import Keys
from serve.views.scope import Scope

MEMORY = "384MB"
"""Of the blocks of the file that DuckDB keeps; the system keeps others."""
KEPT_SCOPES = 64
"""Scopes whose places are remembered: eight bytes a lead each."""
KEPT_LEADS = 8_000_000
"""Leads of all remembered scopes together."""
KEPT_ANSWERS = 512
"""Answers that are remembered: totals and filters of scopes."""
KEPT_SEARCHES = 64
"""Searches whose rows are kept: a bit for each lead."""
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Places:
    """Where the leads of one scope stand within it.

    Attributes
    ----------
    rows
        Their rows, the best first.
    before
        Their ranks in the run before, sorted; leads that are new have none.
    """

    rows: Rows
    before: npt.NDArray[np.float64]

    def of(self, row: int) -> int:
        """The place of a lead, 1 is the best."""
        return int(np.searchsorted(self.rows, np.int32(row))) + 1  # of its kind: else all rows are converted

    def has(self, row: int) -> bool:
        """Whether a lead is in the scope."""
        at = int(np.searchsorted(self.rows, np.int32(row)))
        return at < len(self.rows) and int(self.rows[at]) == row

    def of_before(self, rank: int | None) -> int | None:
        """The place that a rank of the run before was, among those of the scope who are in both runs."""
        return None if rank is None else int(np.searchsorted(self.before, np.float64(rank))) + 1


class Index:
    """One published run, opened for reading.

    Threads may share it: each query has a cursor of its own.

    Parameters
    ----------
    run
        The run that it was made of.
    path
        Its file (`serve.views.making.make`).

    Attributes
    ----------
    words
        Number of each text by column of `arrays`; texts that no lead has are absent.
    arrays
        What is filtered and sorted by.
    published
        Columns of ``score.publish_columns``.
    explained
        Columns that say how a lead came to its probability.
    earlier
        Number of earlier runs that it knows of.
    is_damaged
        Whether a query could not read the file.

    Raises
    ------
    StorageError
        The file is damaged.
    """

    def __init__(self, run: Run, path: Path) -> None:
        self.run, self.path = run, path
        self.is_damaged = False
        self.arrays = Arrays(self._column)
        self._keys: dict[str, Keys] = {}
        self._places: OrderedDict[Scope, Places] = OrderedDict()
        self._remembered: OrderedDict[tuple[str, Scope], Any] = OrderedDict()
        self._searches: OrderedDict[str, npt.NDArray[np.uint8]] = OrderedDict()
        self._lock = threading.Lock()
        # One thread a query: a look-up is too small to be shared, and requests take turns on the processors.
        settings: dict[str, Any] = {"threads": 1, "memory_limit": MEMORY, "enable_external_access": "false"}
        try:
            self._connection = duckdb.connect(str(path), read_only=True, config=settings)
            self._connection.execute("SET enable_progress_bar = false; SET TimeZone = 'UTC'")
            self._leads = count(self._connection, "SELECT count(*) FROM narrow")
            self.words: dict[str, dict[str, int]] = self._read_words()
            self.published = published(self._connection)
            self.explained = explained(self._connection)
            self.earlier = count(self._connection, "SELECT count(*) FROM runs")
        except duckdb.Error as error:
            raise _damaged(run) from error

    def rows(
        self, sql: str, values: Mapping[str, object] | Sequence[object] | None = None
    ) -> list[dict[str, Any]]:
        """What a query gives, each row as a mapping of its columns.

        Raises
        ------
        StorageError
            The file is damaged; `serve.views.following.Following` makes it anew.
        """
        try:
            with self._connection.cursor() as cursor:
                found = cursor.execute(sql, values)
                names = [column[0] for column in found.description or ()]
                return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        except duckdb.Error as error:
            self.is_damaged = True
            raise _damaged(self.run) from error

    def read(self, sql: str, values: Mapping[str, object] | None = None) -> dict[str, Any]:
        """What a query gives, as a NumPy array by column."""
        try:
            with self._connection.cursor() as cursor:
                return dict(cursor.execute(sql, values).fetchnumpy())
        except duckdb.Error as error:
            self.is_damaged = True
            raise _damaged(self.run) from error

    def numbers(self, column: str, texts: Collection[str]) -> list[int]:
        """The numbers of texts in a column of `arrays`; those that no lead has are left out."""
        known = self.words.get(column, {})
        return [known[text] for text in texts if text in known]

    def rows_with(self, column: str, text: str) -> list[int]:
        """The rows of the whole ranking with a ``lead_id`` or ``account_id``, the best first.

        Once in a very long while there is a row with another one of the same hash: compare them.
        """
        key = self.rows("SELECT hash($text::VARCHAR) AS key", {"text": text})[0]["key"]
        return self._keys_of(column).rows(key)

    def found(self, search: str) -> npt.NDArray[np.bool_]:
        """Which rows of the whole ranking have a text, whatever its case; the latest searches are kept.

        A limited scope takes its rows out of it: what is kept is the same for everybody, and told to nobody.
        """
        with self._lock:
            kept = self._searches.get(search)
        if kept is None:
            sql = "SELECT row FROM texts WHERE contains(text, lower($search))"
            is_found = np.zeros(self._leads, bool)
            is_found[self.read(sql, {"search": search})["row"]] = True
            kept = np.packbits(is_found)
            with self._lock:
                self._searches[search] = kept
                while len(self._searches) > KEPT_SEARCHES:
                    self._searches.popitem(last=False)
        return np.unpackbits(kept, count=self._leads).view(bool)

    def places(self, scope: Scope) -> Places:
        """Where the leads of a scope stand within it; remembered."""
        with self._lock:
            found = self._places.get(scope)
            if found is not None:
                self._places.move_to_end(scope)
                return found
        made = self._read_places(scope)
        with self._lock:
            self._places[scope] = made
            while len(self._places) > 1 and self._is_full():
                self._places.popitem(last=False)
        return made

    def remember(self, what: str, scope: Scope, answer: Callable[[], Answer]) -> Answer:
        """An answer that stays the same for a scope as long as the run does: made once."""
        with self._lock:
            if (what, scope) in self._remembered:
                found: Answer = self._remembered[what, scope]
                return found
        made = answer()
        with self._lock:
            self._remembered[what, scope] = made
            while len(self._remembered) > KEPT_ANSWERS:
                self._remembered.popitem(last=False)
        return made

    def warm(self) -> None:
        """Read what nearly every answer needs, so that the first one does not wait for it."""
        for column in CODED:
            self.arrays.codes(column)
        for column in ("rank_before", "probability", "probability_high", "call"):
            self.arrays.values(column)
        for column in ("lead_id", "account_id"):
            self._keys_of(column)

    def close(self) -> None:
        """Close the file; a query that is under way ends in peace."""
        self._connection.close()

    def _keys_of(self, column: str) -> Keys:
        if column not in self._keys:  # two threads may make the same
            sql = f"SELECT hash({column}::VARCHAR) AS found FROM shown ORDER BY row"  # noqa: S608  # ours
            self._keys[column] = Keys(np.asarray(self.read(sql)["found"], np.uint64))
        return self._keys[column]

    def _is_full(self) -> bool:
        leads = sum(len(places.rows) for places in self._places.values())
        return len(self._places) > KEPT_SCOPES or leads > KEPT_LEADS

    def _read_places(self, scope: Scope) -> Places:
        rows = np.arange(self._leads, dtype=np.int32)
        if scope.territories is not None:
            rows = rows[self.arrays.are("territory", self.numbers("territory", scope.territories), rows)]
        if scope.owner is not None:
            has, calls = (
                self.arrays.are(column, self.numbers(column, (scope.owner,)), rows)
                for column in ("owner", "caller")
            )
            rows = rows[has | calls]
        before = self.arrays.values("rank_before")[rows]
        return Places(rows, np.sort(before[~np.isnan(before)]))

    def _column(self, name: str) -> Any:
        return self.read(f"SELECT {name} AS found FROM narrow ORDER BY row")["found"]  # noqa: S608  # ours

    def _read_words(self) -> dict[str, dict[str, int]]:
        words: dict[str, dict[str, int]] = {}
        for field, value, code in self._connection.execute("FROM words").fetchall():
            words.setdefault(field, {})[value] = code
        return words


def _damaged(run: Run) -> StorageError:
    return StorageError(
        f"the index of run '{run.run_id}' cannot be read", hint="it is made anew; try again in a minute"
    )
