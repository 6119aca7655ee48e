"""A state of its own for each test, with hashes that cost nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from serve.state.store import Store, opened

AT = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "correct horse battery"  # noqa: S105  # of users who do not exist


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty state."""
    made = opened(tmp_path, hasher=CHEAP)
    yield made
    made.close()
