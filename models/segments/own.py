"""Which category values get a model of their own: only those whose leads it surely serves better.

For each value with enough outcomes a model is fitted on its rows alone, by the recipe of that of all rows. On
the calibrate slice, which neither has seen, it stands against that one, alone and half and half with it (half
is the shrunk one: what fewer rows taught counts half). It is used where the log loss is surely lower; else
the model of all rows stays. The test slice decides nothing: it shows what came of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from models.fitting.blend import Blend
from models.fitting.options import TrainOptions
from models.fitting.rows import History
from models.fitting.search import Choice, OwnChoice
from models.fitting.split import Split
from models.matrix import Encoding
from models.metrics import Vector
from models.segments.trials import Pooled, Trials


@dataclass(frozen=True)
class Chosen:
    """What is fitted in the end, the fit, its margins as `Pooled` has them, and why.

    ``evidence`` is plain data: ``by``, ``min_outcomes``, ``values`` (see `own_where_it_pays`) and ``whole``:
    log loss and ROC-AUC of the whole test slice without (``champion``) and with own models (``challenger``),
    None where none is used.
    """

    choice: Choice
    blend: Blend
    margin: Vector
    evidence: Mapping[str, Any]


def own_where_it_pays(pooled: Pooled, history: History, split: Split, options: TrainOptions) -> Chosen:
    """Give a model of its own to each value of ``options.own_by`` whose leads it surely serves better.

    Returns
    -------
    Chosen
        Each of the evidence's ``values`` has ``value``, ``leads`` and ``wins`` (leads of the train slice),
        ``share`` (how much its own model counts; 0: it has none) and ``why``. Where outcomes were enough it
        has ``tried``, the better share of the two, and for the ``calibrate`` and the ``test`` slice what
        `models.segments.later.Later.compared` says of that share, and ``own``: the log loss of the own model
        alone.

    Notes
    -----
    The intervals of a slice hold together with 95 % (Bonferroni), so that many values do not find a winner by
    luck, and errors hang together within a lead. All margins pass through the curve of the model of all rows,
    which knows nothing of the others.
    """
    trials = Trials.of(pooled, history, split, options)
    told = {value: trials.counted(code) for code, value in enumerate(trials.values)}
    tried = [trials.fitted(code) for code, about in enumerate(told.values()) if "why" not in about]
    used = []
    for trial, found in zip(tried, trials.judged(tried), strict=True):
        told[trials.values[trial.own.code]] |= found
        if found["share"]:
            used.append(trial.at(found["share"]))
    margin = pooled.margin.copy()
    for trial in used:
        margin = trial.mixed(margin)
    return Chosen(
        choice=replace(pooled.choice, own=tuple(trial.choice for trial in used)),
        blend=replace(pooled.blend, own=tuple(trial.own for trial in used)),
        margin=margin,
        evidence={
            "by": options.own_by,
            "min_outcomes": options.own_min_outcomes,
            "values": [{"value": value, **about} for value, about in told.items()],
            "whole": trials.whole(margin) if used else None,
        },
    )


def moved(choice: Choice, before: Encoding, after: Encoding) -> Choice:
    """The same choice for the matrix of another encoding; a value that it lacks goes without its own."""
    return replace(choice, own=tuple(_moved(choice.own, before, after)))


def _moved(own: Sequence[OwnChoice], before: Encoding, after: Encoding) -> Iterator[OwnChoice]:
    for part in own:
        name = before.names[part.column]
        value, values = before.categories[name][part.code], after.categories.get(name, ())
        if value in values:
            yield replace(part, column=after.names.index(name), code=values.index(value))
