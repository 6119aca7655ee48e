"""The outbox: one SQLite file with the messages, and the leads that were above the threshold last time.

Both change in one transaction: a lead is known to be above only if its message is there, and so a watcher
that is killed at any step finds the crossing again or has kept it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from features import durable
from features.errors import StorageError
from serve.watching.message import Message

FILE = Path(".leadrank") / "outbox.db"
KEPT_DAYS = 30
"""Days that a message stays which nobody waits for."""
_BUSY_SECONDS = 5.0
_TABLES = """
    CREATE TABLE IF NOT EXISTS messages (
        key TEXT PRIMARY KEY, lead_id TEXT NOT NULL, points REAL NOT NULL, threshold REAL NOT NULL,
        as_of TEXT NOT NULL, crossed_on TEXT NOT NULL, body TEXT NOT NULL, is_sent INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0, last_answer TEXT, delivered_at TEXT);
    CREATE TABLE IF NOT EXISTS above (lead_id TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS looks (card TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Waiting:
    """A message that was not delivered yet."""

    key: str
    body: str


class Outbox:
    """An open outbox."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def take_in(self, messages: Iterable[Message], above: Collection[str], card: str, *, sent: bool) -> int:
        """Record a look: who is above now, and a message for each crossing; how many are new.

        Parameters
        ----------
        messages
            Those of a key that is there already are left out.
        above
            Leads above the threshold.
        card
            Names the rules and the threshold.
        sent
            Whether they shall be sent; else they wait for whoever reads the table.
        """
        rows = [
            (m.key, m.lead_id, m.points, m.threshold, m.as_of.isoformat(), m.crossed_on, m.body, sent)
            for m in messages
        ]
        with self._connection as transaction:
            before = transaction.total_changes
            transaction.executemany(
                "INSERT OR IGNORE INTO messages (key, lead_id, points, threshold, as_of, crossed_on, body,"
                " is_sent) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            new = transaction.total_changes - before
            transaction.execute("DELETE FROM above")
            transaction.executemany("INSERT INTO above VALUES (?)", [(lead,) for lead in above])
            transaction.execute("DELETE FROM looks")
            transaction.execute("INSERT INTO looks VALUES (?)", (card,))
        return new

    def above(self, card: str) -> frozenset[str] | None:
        """Leads that were above at the last look; None if none was by these rules and threshold."""
        last = self._connection.execute("SELECT card FROM looks").fetchone()
        if last is None or last[0] != card:
            return None
        return frozenset(lead for (lead,) in self._connection.execute("SELECT lead_id FROM above"))

    def waiting(self) -> list[Waiting]:
        """Messages to send, those that were tried least often first, then the oldest."""
        rows = self._connection.execute(
            "SELECT key, body FROM messages WHERE is_sent AND delivered_at IS NULL"
            " ORDER BY attempts, as_of, key"
        )
        return [Waiting(*row) for row in rows]

    def answered(self, key: str, answer: str, *, delivered_at: datetime | None) -> None:
        """Keep what came of an attempt; ``delivered_at`` None: it was not taken."""
        at = None if delivered_at is None else delivered_at.isoformat()
        with self._connection as transaction:
            transaction.execute(
                "UPDATE messages SET attempts = attempts + 1, last_answer = ?, delivered_at = ?"
                " WHERE key = ?",
                (answer, at, key),
            )

    def tidy(self, now: datetime) -> None:
        """Remove what nobody waits for any more: delivered, or not to be sent, and old."""
        oldest = (now - timedelta(days=KEPT_DAYS)).date().isoformat()
        with self._connection as transaction:
            transaction.execute(
                "DELETE FROM messages WHERE crossed_on < ? AND (delivered_at IS NOT NULL OR NOT is_sent)",
                (oldest,),
            )

    def erase(self, lead_ids: Collection[str]) -> int:
        """Take leads out, sent or not; how many messages went."""
        leads = [(lead,) for lead in lead_ids]
        with self._connection as transaction:
            before = transaction.total_changes
            transaction.executemany("DELETE FROM messages WHERE lead_id = ?", leads)
            gone = transaction.total_changes - before
            transaction.executemany("DELETE FROM above WHERE lead_id = ?", leads)
        self._connection.execute("VACUUM")  # a deleted row's text stays in the file until then
        return gone


@contextmanager
def opened(home: Path) -> Iterator[Outbox]:
    """The outbox of a project, made if there is none; only its owner may read it.

    Raises
    ------
    StorageError
        The file is damaged, or the disk refuses.
    """
    file = home / FILE
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, durable.PRIVATE))
        with closing(sqlite3.connect(file, timeout=_BUSY_SECONDS)) as connection:
            connection.execute("PRAGMA secure_delete = ON")
            connection.executescript(_TABLES)
            yield Outbox(connection)
    except (sqlite3.Error, OSError) as error:
        raise StorageError(
            f"the outbox '{FILE.name}' cannot be used ({type(error).__name__})",
            hint="free or fix the disk; a damaged outbox may be removed, its messages are lost then",
        ) from None


def forget(home: Path, lead_ids: Collection[str]) -> int:
    """Take leads out of the outbox, if there is one; how many messages went."""
    if not (home / FILE).exists():
        return 0
    with opened(home) as outbox:
        return outbox.erase(lead_ids)
