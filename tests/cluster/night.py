"""The job of the night's test: scores and ranks leads in parts on a cluster, as `leadrank score` does.

python night.py SPARK_URL FEATURES BUNDLE DIGEST SHARED STAGED PART_LEADS
"""

from __future__ import annotations

import sys
from pathlib import Path

from features.backend import engine, workspace
from features.engines.asked import Asked
from models.store import load
from serve import ledger, sorting, spread
from serve.batch import Shown

SETTINGS = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "512m",
    "spark.executor.memory": "1g",
    "spark.executor.cores": "1",
}


def run(url: str, features: str, bundle: str, digest: str, shared: str, staged: str, part_leads: str) -> None:
    """Score the leads of ``features`` into the folder ``staged``, and rank them."""
    asked = Asked("spark", master=url, shared=Path(shared), settings=SETTINGS)
    given = {"shown": Shown(), "part_leads": int(part_leads)}
    with workspace(Path(shared)) as home, engine(asked, home, Path(shared)) as machines:
        model, folder = load(bundle, digest=digest), Path(staged)
        spread.score_leads(machines, model, Path(features), folder, asked={}, **given)
        ledger.write_nothing(folder)
        home.con.read_parquet(features).project("lead_id").create_view("leads")
        sorting.write_ranking(machines, home.con, folder, **given)


if __name__ == "__main__":
    run(*sys.argv[1:])
