"""Why a lead stands elsewhere than the night before: new facts, time passing, another model, another curve.

The parts are differences of log-odds between four looks at the same lead, so they add up to the change of the
(calibrated) log-odds exactly:

1. last night's facts, last night, last night's model;
2. last night's facts, tonight, last night's model: less 1 is **time passing**;
3. tonight's facts, tonight, last night's model: less 2 is **new facts**;
4. tonight's facts, tonight, tonight's model: less 3 is the **model**.

What the curves add to the margins before and after is the **calibration**.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from features.catalogue import FeatureSpec
from models.calibration import Calibration
from models.matrix import Matrix
from models.metrics import Vector
from models.reasons import SCHEMA, Calibrate, reasons

PARTS = ("new_facts", "time_passing", "model", "calibration")
CHANGES = pa.schema([*SCHEMA, pa.field("part", pa.string())])


@dataclass(frozen=True)
class Look:
    """Leads as a model sees them.

    Attributes
    ----------
    margin
        Log-odds, shape (n,).
    contributions
        Shape (n, k), log-odds; the base of the model plus a row's contributions is its margin.
    """

    margin: Vector
    contributions: Matrix


def parts(
    before: Look, passed: Look, arrived: Look, margin: Vector, curves: tuple[Calibration, Calibration]
) -> dict[str, Vector]:
    """What each cause adds to the log-odds of the probability.

    Parameters
    ----------
    before, passed, arrived
        The first three looks of the module, by last night's model.
    margin
        Log-odds of the fourth look, shape (n,).
    curves
        Of last night's model and of tonight's.

    Returns
    -------
    dict
        ``new_facts``, ``time_passing``, ``model`` and ``calibration``, and ``total``, which they add up to;
        each of shape (n,), log-odds.
    """
    old, new = curves
    return {
        "new_facts": arrived.margin - passed.margin,
        "time_passing": passed.margin - before.margin,
        "model": margin - arrived.margin,
        "calibration": (new.at(margin) - margin) - (old.at(before.margin) - before.margin),
        "total": new.at(margin) - old.at(before.margin),
    }


def change_reasons(
    before: Look,
    passed: Look,
    arrived: Look,
    table: pa.Table,
    specs: Sequence[FeatureSpec],
    *,
    calibrate: Calibrate,
    most: int,
    language: str = "en",
) -> pa.Table:
    """The features that moved each lead most, in words.

    Parameters
    ----------
    table
        The n leads with their k features as of tonight.
    specs
        The k features, in the order of the contributions.
    calibrate
        Margins to probabilities by last night's model.
    most
        Reasons per lead for each direction.
    language
        Of the sentences.

    Returns
    -------
    Table
        As `models.reasons.reasons`, of the change instead of the standing: ``points`` are percentage points
        of probability; ``part`` says whether ``new_facts`` or ``time_passing`` moved it more.
    """
    of_time, of_facts = (
        later.contributions - earlier.contributions
        for earlier, later in ((before, passed), (passed, arrived))
    )
    moved = of_time + of_facts
    said = reasons(
        moved,
        table,
        specs,
        margin=arrived.margin,
        calibrate=calibrate,
        most_for=most,
        most_against=most,
        language=language,
    )
    place = {spec.name: place for place, spec in enumerate(specs)}
    row = said.column("row").to_numpy()
    column = [place[name] for name in said.column("feature").to_pylist()]
    is_news = abs(of_facts[row, column]) >= abs(of_time[row, column])
    part = pa.array(["new_facts" if new else "time_passing" for new in is_news.tolist()], pa.string())
    return said.append_column("part", part)
