"""Every error that a user can meet, and the exit code of each.

LeadrankError                70  our bug, unless a leaf says otherwise
├── ParameterError            2  params.yaml or the command line
├── InputError                3  a table breaks its contract
├── GateError                 4  a quality gate stays shut
├── UpstreamError             5  MLflow or a database does not answer
├── LockedError               6  another run holds the lock
├── StorageError              7  disk full, read-only, damaged
├── ModelError                8  model rejected
│   └── TooFewOutcomesError   8  not enough won or lost leads to learn from
└── FeatureError              2  a feature definition breaks a rule of the catalogue

A message says what is wrong — what was expected — what to do: lower case, no full stop, names in
quotes, at most five ids, never a field value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Place:
    """Where an error was met; every part may be unknown (None)."""

    stage: str | None = None
    file: str | None = None
    row: int | None = None
    column: str | None = None


@dataclass
class LeadrankError(Exception):
    """Base of all errors that the command line turns into an exit code.

    Parameters
    ----------
    reason
        What is wrong and what was expected, without field values.
    hint
        The next step.
    place
        Stage, file, physical line and column, as far as they are known.
    """

    reason: str
    hint: str = ""
    place: Place = field(default_factory=Place)

    code = 70

    def __str__(self) -> str:
        return f"{self.reason} — {self.hint}" if self.hint else self.reason


class ParameterError(LeadrankError):
    """params.yaml or the command line holds something that cannot be used."""

    code = 2


class FeatureError(ParameterError):
    """A feature definition breaks a rule of the catalogue."""


class InputError(LeadrankError):
    """A table breaks its contract."""

    code = 3


class GateError(LeadrankError):
    """A quality gate stays shut; the last published ranking stays in force."""

    code = 4


class UpstreamError(LeadrankError):
    """MLflow or a database does not answer."""

    code = 5


class LockedError(LeadrankError):
    """Another run holds the lock."""

    code = 6


class StorageError(LeadrankError):
    """The disk is full, read-only or damaged."""

    code = 7


class ModelError(LeadrankError):
    """A model is missing, altered, incompatible or not good enough."""

    code = 8


class TooFewOutcomesError(ModelError):
    """There are not enough won or lost leads to learn from."""


def listed(names: Sequence[str], most: int = 5) -> str:
    """Names in quotes, the first few and then a count.

    >>> listed(["a", "b"])
    "'a', 'b'"
    >>> listed(["a", "b", "c"], most=1)
    "'a' and 2 more"
    """
    shown = ", ".join(f"'{name}'" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
