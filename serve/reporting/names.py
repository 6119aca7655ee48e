"""Names of the reports' files and codes: who writes them and who reads them agree here, and on nothing else.

The reading half imports no model, no engine of features and nothing that computes: pages stay light.
"""

from __future__ import annotations

from models.labels import marked

FOLDER = "reports"
ABOUT, MODEL = "about.json", "model.json"
SOURCES, SPEND, ATTRIBUTION = "sources.parquet", "spend.parquet", "attribution.parquet"
FUNNEL, DAYS, MONTHS, POOL = "funnel.parquet", "funnel_days.parquet", "months.parquet", "pool.parquet"
JUDGED = "feedback.parquet"
HOLDOUT = "holdout.parquet"
TREATED, CONTROL = "treated", "control"
"""Groups of a holdout: leads that the ranking steers, and leads that it does not."""
GROUPS = {TREATED: marked("steered by the ranking"), CONTROL: marked("control group")}
"""What they are called."""
TEAM, RESULTS, HOURS = "team.parquet", "team_results.parquet", "team_hours.parquet"

TOUCHED = ("first", "last", "linear", "fading")
"""Rules of attribution that are counted touch by touch."""
DATA_DRIVEN = "data_driven"
RULES = (*TOUCHED, DATA_DRIVEN)
OTHERS = "*"
"""The channel that stands for all that are not told apart."""

LAST, BEFORE = "last", "before"
"""Periods of a team's results."""
FOR, AGAINST = "for", "against"
"""Sides of what people say of a lead: accepted or worked; handed back or not a fit."""
RANKS: tuple[float, ...] = (100, 1_000, 10_000)
"""Last ranks of the bands by rank."""
CHANCES: tuple[float, ...] = (0.2, 0.1, 0.05, 0.02)
"""Least probabilities of the bands by chance."""
AT_ONCE, AFTER = "returned_at_once", "returned_after_follow_up"
