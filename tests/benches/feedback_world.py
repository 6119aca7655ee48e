"""Weekly rankings of a demo CRM whose true chances are known: features, chances and outcomes of every week.

A lead has one luck for all weeks. Worked in a week, it converts if its luck is below its true chance of that
week; left alone, if it is below a small part of it. So every arm of a simulation sees the same world.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.catalogue import FeatureSpec
from features.snapshots import numbered
from pipelines import params as parameters
from pipelines import train
from pipelines.demo.generation import generate
from pipelines.inputs import opened
from pipelines.offering import offered
from pipelines.progress import Progress

UNWORKED = 0.05
"""Part of the true chance with which a lead converts that nobody works."""


@dataclass(frozen=True)
class World:
    """Open leads of consecutive weeks.

    Attributes
    ----------
    rows
        ``snapshot_id``, ``lead_id``, ``as_of`` and the features, week by week.
    week
        Number of the week of each row, from 0, shape (n,).
    chance
        True chance to convert if worked, shape (n,).
    worked, unworked
        1 if it converts, worked or left alone, shape (n,).
    """

    rows: pa.Table
    specs: Sequence[FeatureSpec]
    kinds: Mapping[str, Sequence[str]]
    week: Any
    chance: Any
    worked: Any
    unworked: Any


def made(home: Path, *, leads: int, weeks: int, seed: int, luck: int, is_small: bool) -> World:
    """The last weeks of a demo CRM.

    Parameters
    ----------
    home
        An empty folder.
    luck
        Seed of what becomes of the leads.
    is_small
        Whether features of behaviour are left out, more than half of all: to be fast.
    """
    generate(home, leads=leads, seed=seed, with_truth=True, on_progress=lambda *_: None)
    text = (files("pipelines.demo") / "params.yaml").read_text(encoding="utf-8")
    (home / "params.yaml").write_text(text, encoding="utf-8")
    params = parameters.load(home / "params.yaml")
    truth = pq.read_table(home / "truth.parquet")
    truth = truth.set_column(1, "as_of", truth["as_of"].cast(pa.timestamp("us")))
    nights = np.unique(truth["as_of"].to_numpy())[-weeks:]
    truth = truth.filter(pc.greater_equal(truth["as_of"], pa.scalar(nights[0])))
    with opened(params, home, Progress(is_quiet=True)) as inputs:
        given = inputs.backend.create_table("given", truth.select(["lead_id", "as_of"]))
        known = numbered(given.semi_join(inputs.tables["leads"], "lead_id"))
        snapshots = inputs.backend.create_table("asked_of", known)
        offer = offered(params, inputs)
        chosen = [f for f in offer.features if not (is_small and f.spec.family == "behaviour")]
        rows = train.table_of(inputs, snapshots, chosen, offer.vocabulary)
    rows = rows.join(truth, ["lead_id", "as_of"]).sort_by("snapshot_id")
    chance = rows["probability"].to_numpy()
    _, lead = np.unique(np.asarray(rows["lead_id"].to_pylist(), dtype=object), return_inverse=True)
    lot = np.random.default_rng(luck).uniform(size=lead.max() + 1)[lead]
    return World(
        rows=rows.drop_columns(["probability"]),
        specs=[feature.spec for feature in chosen],
        kinds=offer.values,
        week=np.searchsorted(nights, rows["as_of"].to_numpy()),
        chance=chance,
        worked=(lot < chance).astype(float),
        unworked=(lot < UNWORKED * chance).astype(float),
    )
