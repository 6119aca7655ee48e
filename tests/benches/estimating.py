"""How near the quality that is estimated before any outcome comes to the one that is measured afterwards.

``python -m tests.benches.estimating [bank] [demo]`` prints, for each, the mean distance of estimated and
realised ROC-AUC: from the published probabilities alone, and with what matured lists showed them to mean.
Beside it stands the distance that chance leaves of the realised figure even from the right expectation.

bank: the fixed split of the UCI Bank Marketing calls (May 2008 to November 2010, in order of time), flat;
the later quarter in equal parts, each part's outcomes known when the next one is estimated. demo: a CRM of
20,000 leads, trained on what was known at a past night and asked about every week after it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console

from features.lifetimes import existing
from features.moments import as_moments
from features.objections import may_be_asked
from features.snapshots import known_until, numbered, open_only
from models.chance_errors import chance_errors
from models.estimating import estimates
from models.metrics import measure
from models.recalibrating import Cells, Line, estimates_by
from pipelines import init, predict, train
from pipelines import params as parameters
from pipelines.demo import command
from pipelines.inputs import opened
from pipelines.params import Params
from pipelines.progress import Progress
from serve.monitoring.estimated import PUBLISHED, estimated
from serve.monitoring.realised import RealisedLimits, realised
from tests.benches.report import conditions
from tests.serve.published import publish

SHARED = Path(__file__).resolve().parents[3] / "shared"
QUIET = Progress(is_quiet=True)
PARTS = (1, 4, 5, 8, 10, 20)
LEADS = 20_000
NIGHTS = (datetime(2025, 10, 1, tzinfo=UTC), datetime(2026, 1, 14, tzinfo=UTC))
OFTEN = float(np.sqrt(2 / np.pi))  # mean distance of a normal number from its mean, in standard deviations


def bank(home: Path) -> pd.DataFrame:
    """``label`` and ``said`` of each test row, in order, after ``init --yes``, ``train`` and ``predict``."""
    import datasets

    split = datasets.bank(SHARED / "data")
    kept = [name for name in split.train if name not in split.leaks]
    split.train[kept].to_csv(home / "train.csv", index=False)
    split.test[kept].to_csv(home / "test.csv", index=False)
    init.run([home / "train.csv"], folder=home, outcome=split.outcome, yes=True)
    params = parameters.load(home / "params.yaml")
    train.run(params, home, rows=None, progress=QUIET)
    predict.run(params, home, rows=home / "test.csv", out=home / "out.csv", progress=QUIET)
    said = pd.read_csv(home / "out.csv")["probability"]
    return pd.DataFrame({"label": split.test[split.outcome].astype(float), "said": said})


def gaps(rows: pd.DataFrame, parts: int) -> pd.DataFrame:
    """Of each part: ``realised``, ``published`` and ``matured`` (what was estimated), and ``chance``.

    ``matured`` is null in the first part: before it nothing was known. ``chance`` is the distance that chance
    leaves on average.
    """
    label, said = rows["label"].to_numpy(), rows["said"].to_numpy()
    places = np.array_split(np.arange(len(rows)), parts)
    found = []
    for number, own in enumerate(places):
        expected, mended = estimates(said[own])["roc_auc"].value, np.nan
        if number:
            before = np.concatenate(places[:number])
            line = Line.of(Cells.of(said[before], label[before]))
            mended = estimates_by(line, said[own])["roc_auc"].value
        auc = measure(label[own], said[own]).roc_auc
        chance = OFTEN * chance_errors(label[own], said[own])["roc_auc"]
        found.append((len(own), label[own].sum(), auc, expected, mended, chance))
    return pd.DataFrame(found, columns=["rows", "won", "realised", "published", "matured", "chance"])


def demo(home: Path, at: datetime, *, leads: int = LEADS) -> pd.DataFrame:
    """Of each weekly list after a night: as `gaps`, and ``way``, by which the monitor estimated ``shown``."""
    command.run(home, leads=leads, seed=7, data_only=True, progress=QUIET)
    params = parameters.load(home / "params.yaml")
    params = params.model_copy(update={"train": params.train.model_copy(update={"as_of": at})})
    train.run(params, home, rows=None, progress=QUIET)
    nights = _ask(params, home, at)
    out = home / "out.parquet"
    predict.run(params, home, rows=home / "rows.parquet", out=out, progress=QUIET)
    _publish(home, nights, pd.read_parquet(out))
    return _compared(params, home)


def _ask(params: Params, home: Path, at: datetime) -> list[datetime]:
    """Write the open leads of every week whose outcomes will be known, and return those nights."""
    with opened(params, home, QUIET) as inputs:
        tables, window = inputs.tables, _window(params)
        weeks = (known_until(tables) - window - at).days // 7
        nights = [at + timedelta(weeks=week) for week in range(weeks + 1)]
        there = existing(may_be_asked(tables["leads"]), as_moments(nights))
        rows = numbered(open_only(there, tables["outcomes"])).order_by("snapshot_id")
        rows.select("lead_id", "as_of").to_pyarrow().to_pandas().to_parquet(home / "rows.parquet")
    return nights


def _publish(home: Path, nights: list[datetime], predicted: pd.DataFrame) -> None:
    """One run for each night, as `leadrank score` would have left its ranking."""
    for night in nights:
        own = predicted[predicted["as_of"] == pd.Timestamp(night.replace(tzinfo=None))]
        best = own.dropna(subset="probability").sort_values("probability", ascending=False, kind="stable")
        leads = best[["lead_id", "probability", "score"]].to_dict("records")
        publish(home / "runs", leads, name=f"{night:%Y%m%dT%H%M%S}Z-aaaaaaaaaaaa", as_of=night.isoformat())


def _compared(params: Params, home: Path) -> pd.DataFrame:
    with opened(params, home, QUIET) as inputs:

        def known(at: datetime) -> Any:
            return realised(
                inputs.backend,
                inputs.tables,
                home / "runs",
                as_of=at,
                stage=params.train.stage,
                horizon_days=params.train.horizon_days,
                delay_days=params.train.reporting_delay_days,
                limits=RealisedLimits(weeks=100, recent_weeks=1),
            ).tables

        rows = known(known_until(inputs.tables))["realised"].to_pandas()
        own = rows[(rows["measure"] == "roc_auc") & (rows["slice"] == "")].sort_values("as_of")
        return pd.DataFrame(list(_shown(own, home, known)))


def _shown(own: pd.DataFrame, home: Path, known: Any) -> Iterator[dict[str, Any]]:
    """Each list as the monitor sees it in its own night, and as it turned out."""
    from serve import runs

    for row in own.itertuples():
        run = runs.find(home / "runs", str(row.run_id))
        assert run is not None
        told = estimated(run, bundle=None, past=known(datetime.fromisoformat(run.as_of))).tables["estimated"]
        (shown,) = [each for each in told.to_pylist() if (each["measure"], each["slice"]) == ("roc_auc", "")]
        yield {
            "night": run.as_of[:10],
            "rows": row.rows,
            "won": row.outcomes,
            "realised": row.value,
            "published": row.expected,
            "matured": shown["value"] if shown["way"] != PUBLISHED else np.nan,
            "chance": OFTEN * (row.high - row.low) / 2 / 1.96,
            "way": shown["way"],
        }


def _window(params: Params) -> timedelta:
    return timedelta(days=params.train.horizon_days + params.train.reporting_delay_days)


def summary(found: pd.DataFrame) -> str:
    """Mean distances from what was realised."""
    away = {way: (found[way] - found["realised"]).abs() for way in ("published", "matured")}
    mended = found["matured"].notna()
    return (
        f"published {away['published'].mean():.3f} over {len(found)}; "
        f"matured {away['matured'].mean():.3f} over {mended.sum()} "
        f"(there published {away['published'][mended].mean():.3f}); chance alone {found['chance'].mean():.3f}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", default=["bank", "demo"])
    asked, screen = parser.parse_args(), Console(width=150)
    sys.path.insert(0, str(SHARED / "bench"))
    screen.print(conditions())
    if "bank" in asked.sets and (SHARED / "data").is_dir():
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            rows = bank(Path(folder))
        for parts in PARTS:
            screen.print(f"bank, {parts} parts: {summary(gaps(rows, parts))}")
        screen.print(gaps(rows, 10).round(3).to_string())
    for at in NIGHTS if "demo" in asked.sets else ():
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            found = demo(Path(folder), at)
        screen.print(found.round(3).to_string())
        screen.print(f"demo trained at {at:%Y-%m-%d}: {summary(found)}")
    screen.print(conditions())
    return 0


if __name__ == "__main__":
    sys.exit(main())
