"""Why a request is not answered: which field of which row, and what was expected; never what it held."""

from __future__ import annotations

from dataclasses import dataclass, field

from features.errors import InputError, LeadrankError, UpstreamError

MOST_TOLD = 20


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes
    ----------
    where
        The place in the body, such as ``touches[7].kind``; empty for the body as a whole.
    what
        What was expected.
    """

    where: str
    what: str


@dataclass
class RefusedError(InputError):
    """A request breaks its contract."""

    problems: tuple[Problem, ...] = field(default=())


class ForeignError(LeadrankError):
    """A lead is not of the territories, or of the owner, that the caller may ask about."""


class BusyError(UpstreamError):
    """No scorer became free in time, or none is ready yet: ask again a little later."""


def refused(*problems: Problem) -> RefusedError:
    """The error that tells the first few problems."""
    return RefusedError(
        f"the request has {len(problems)} problem{'s' if len(problems) > 1 else ''}",
        hint="see docs/serving.md for the fields",
        problems=problems[:MOST_TOLD],
    )
