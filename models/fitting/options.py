"""How to train: every number that a user may change, with its unit in the name or beside it."""

from __future__ import annotations

from dataclasses import dataclass, field

from models.audit.gain import Limits
from models.fitting.monotone import Asked
from models.fitting.split import Shares


@dataclass(frozen=True)
class TrainOptions:
    """How to train; the defaults suit a few thousand to a few hundred thousand rows.

    Attributes
    ----------
    seed
        The same rows and seed give the same bundle.
    bags, fewest_bags
        Boosters of each shape to average, and how few are enough on many rows.
    shapes
        Trees that are blended with the linear part: ``shallow``, ``deep``, ``random``.
    max_depth
        Depth that no tree exceeds, at most 8.
    most_trees
        Trees that no booster exceeds.
    patience
        Steps without progress on the stop slice after which no trees are added.
    search_rows
        Latest training rows used to choose shape and number of trees.
    shares
        Shares of the stop, calibrate and test slices.
    max_categories, min_category_rows
        Values kept of a category column; rows that a value needs.
    min_outcomes
        Positives, and negatives, without which nothing is trained.
    limits
        The most features of the library that are kept.
    resamples
        Bootstrap resamples of each interval.
    monotone
        Features of the ranking target that may only raise or only lower its margin, by family, stem or name.
    own_by, own_min_outcomes
        Category whose values may have models of their own (`models.segments.own`), None: one model for all;
        won, and lost, leads of the train slice that such a value needs.
    threads
        Bags trained side by side; changes nothing but the time.
    """

    seed: int = 7
    bags: int = 4
    fewest_bags: int = 2
    shapes: tuple[str, ...] = ("shallow", "deep", "random")
    max_depth: int = 8
    most_trees: int = 1000
    patience: int = 3
    search_rows: int = 20_000
    shares: Shares = field(default_factory=Shares)
    max_categories: int = 50
    min_category_rows: int = 10
    min_outcomes: int = 10
    limits: Limits = field(default_factory=Limits)
    resamples: int = 200
    monotone: Asked = field(default_factory=dict)
    own_by: str | None = None
    own_min_outcomes: int = 100
    threads: int = 2
