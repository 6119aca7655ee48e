"""Would another model give the same reasons? Two models on the same leads, and what they say alike.

Retraining: the first pass of a training against the model that is shipped, which has learned from the later
rows as well. Another sample of leads: two models, each of one half of the leads (half samples, after McCarthy
1969, *Pseudo-replication: half samples*). These have learned from half as much, so they agree less than two
models of all leads would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.catalogue import FeatureSpec
from models.audit.association import rank_correlation
from models.matrix import Matrix
from models.metrics import Vector
from models.reasons import Stem, first_stems

TOP_FEATURES, TOP_REASONS = 10, 3
NO_REASON = -1

Agreement: TypeAlias = dict[str, float | None]


@dataclass(frozen=True)
class Voice:
    """What one model says of n leads.

    Attributes
    ----------
    strength
        Mean absolute contribution by feature, log-odds.
    stems
        What the reasons are about.
    reasons
        Shape (n, 3): places in ``stems`` of the strongest reasons for each lead, strongest first; -1 where a
        lead has fewer.
    """

    strength: dict[str, float]
    stems: Sequence[Stem]
    reasons: npt.NDArray[np.int64]


def voice(values: Matrix, table: pa.Table, specs: Sequence[FeatureSpec], weight: Vector) -> Voice:
    """What a model says.

    Parameters
    ----------
    values
        Contributions, shape (n, k), log-odds.
    table
        The n leads with their features as they were built.
    specs
        The k features, in the order of the columns.
    weight
        How often each row counts in a mean, shape (n,).
    """
    strength = weight @ np.abs(values) / weight.sum()
    named = {spec.name: float(size) for spec, size in zip(specs, strength, strict=True)}
    return Voice(named, *first_stems(values, table, specs, most=TOP_REASONS))


def agreement(one: Voice, other: Voice) -> Agreement:
    """How much two models say alike.

    Returns
    -------
    dict
        ``top_features``: share of the ten strongest features of one that are among those of the other.
        ``rank_correlation``: Spearman's rho of all strengths. ``reasons``: the mean share of a lead's up to
        three strongest reasons that both give; ``first_reason``: the share of leads with the same first one.
        ``reasons_by_chance``: as ``reasons``, each lead beside another one. Leads for which neither has a
        reason are left out; without any, these three are None.
    """
    names = list(dict.fromkeys([*one.strength, *other.strength]))
    strengths = [np.array([said.strength.get(name, 0.0) for name in names]) for said in (one, other)]
    number = {stem: place for place, stem in enumerate(dict.fromkeys([*one.stems, *other.stems]))}
    mine, theirs = (_numbered(said, number) for said in (one, other))
    return {
        "top_features": _same_top(*strengths),
        "rank_correlation": rank_correlation(*strengths),
        **_same_reasons(mine, theirs),
        "reasons_by_chance": _same_reasons(mine, np.roll(theirs, len(theirs) // 2, axis=0))["reasons"],
    }


def mean_agreement(found: Sequence[Agreement]) -> Agreement:
    """The mean of some agreements, figure by figure; None where none has it."""
    return {name: _mean([each[name] for each in found]) for name in found[0]}


def _mean(figures: Sequence[float | None]) -> float | None:
    known = [figure for figure in figures if figure is not None]
    return float(np.mean(known)) if known else None


def _numbered(said: Voice, number: dict[Stem, int]) -> npt.NDArray[np.int64]:
    """The reasons by numbers that both models share."""
    places = np.array([*(number[stem] for stem in said.stems), NO_REASON], dtype=np.int64)
    return places[said.reasons]  # the last place is also place -1


def _same_top(one: Vector, other: Vector) -> float:
    most = min(TOP_FEATURES, len(one))
    tops = [set(np.argsort(-size, kind="stable")[:most].tolist()) for size in (one, other)]
    return len(tops[0] & tops[1]) / most


def _same_reasons(one: npt.NDArray[np.int64], other: npt.NDArray[np.int64]) -> Agreement:
    counts = np.maximum((one != NO_REASON).sum(axis=1), (other != NO_REASON).sum(axis=1))
    both = ((one[:, :, None] == other[:, None, :]) & (one != NO_REASON)[:, :, None]).sum(axis=(1, 2))
    has = counts > 0
    if not has.any():
        return {"reasons": None, "first_reason": None}
    return {
        "reasons": float((both[has] / counts[has]).mean()),
        "first_reason": float((one[has, 0] == other[has, 0]).mean()),
    }
