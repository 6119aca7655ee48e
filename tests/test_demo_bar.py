"""How much of what can be known the model finds, on a CRM whose true chances are known."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from pipelines import params as parameters
from pipelines import predict, train
from pipelines.demo import world
from pipelines.demo.generation import generate
from pipelines.progress import Progress

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    # mlflow and its dependencies warn about themselves while they are imported.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
]

LEADS, SEED, BINS, DRAWS = 20_000, 7, 10, 200
# Training looks back from this night; its snapshots are judged, and no outcome of theirs is known yet.
# Fourteen weeks: the window of 90 days and the days in which outcomes are still being recorded.
WEEKS_BEFORE_THE_END = 14


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Home, the night from which training looked back, its parameters and its result."""
    home = tmp_path_factory.mktemp("bar")
    made = generate(home, leads=LEADS, seed=SEED)
    night = made.as_of - timedelta(weeks=WEEKS_BEFORE_THE_END)
    assert timedelta(weeks=WEEKS_BEFORE_THE_END) > timedelta(days=world.HORIZON_DAYS + world.LATE_DAYS)
    params = _params(night)
    return home, night, params, train.run(params, home, rows=None, progress=Progress(is_quiet=True))


@pytest.fixture(scope="module")
def judged(trained):
    """The result of training, and ``probability``, ``truth`` and ``label`` of every judged snapshot."""
    import pandas as pd

    home, night, params, result = trained
    truth = pd.read_parquet(home / "truth.parquet")
    rows = truth[pd.to_datetime(truth["as_of"], utc=True) == night].reset_index(drop=True)
    rows[["lead_id", "as_of"]].to_parquet(home / "rows.parquet")
    out = home / "out.parquet"
    predict.run(params, home, rows=home / "rows.parquet", out=out, progress=Progress(is_quiet=True))
    predicted = pd.read_parquet(out)
    assert predicted["lead_id"].tolist() == rows["lead_id"].tolist()
    # A spoiled row of `leads.csv` is quarantined: its lead has a truth and no probability.
    known = predicted["probability"].notna()
    assert known.mean() > 0.99
    frame = pd.DataFrame(
        {
            "probability": predicted["probability"],
            "truth": rows["probability"],
            "label": _won_in_window(home, rows["lead_id"], night),
        }
    )
    return result, frame[known]


def _params(night):
    from importlib.resources import files

    template = (files("pipelines.demo") / "params.yaml").read_text(encoding="utf-8")
    params = parameters.parse(template)
    alone = params.train.model_copy(update={"as_of": night, "stages": (), "horizons_days": ()})
    return params.model_copy(update={"train": alone, "tags": {}})  # only the ranking target is judged


def _won_in_window(home, lead_ids, night):
    """Labels by another way than ours: the plain file, and pandas."""
    import pandas as pd

    outcomes = pd.read_csv(home / "data" / "outcomes.csv", dtype=str)
    happened = pd.to_datetime(outcomes["occurred_at"], utc=True, format="ISO8601", errors="coerce")
    inside = (happened >= night) & (happened < night + timedelta(days=90))
    won = set(outcomes.loc[inside & (outcomes["stage"] == "won"), "lead_id"])
    return lead_ids.isin(won).astype(float)


def calibration_error(probability, label):
    """Mean distance of the label rate from the mean probability, over bins of equal counts."""
    bins = np.array_split(np.argsort(probability, kind="stable"), BINS)
    gaps = [abs(probability[rows].mean() - label[rows].mean()) * len(rows) for rows in bins]
    return sum(gaps) / len(probability)


def test_the_model_reaches_95_percent_of_what_the_truth_could(judged):
    from sklearn.metrics import roc_auc_score

    _, rows = judged
    model = roc_auc_score(rows["label"], rows["probability"]) - 0.5
    truth = roc_auc_score(rows["label"], rows["truth"]) - 0.5
    print(f"\nmodel AUC {model + 0.5:.4f}, truth AUC {truth + 0.5:.4f}, share {model / truth:.4f}")  # noqa: T201
    assert model >= 0.95 * truth


def test_probabilities_are_as_right_as_chance_allows(judged):
    _, rows = judged
    probability, label = rows["probability"].to_numpy(), rows["label"].to_numpy()
    random = np.random.default_rng(0)
    drawn = [calibration_error(probability, random.random(len(rows)) < probability) for _ in range(DRAWS)]
    error, limit = calibration_error(probability, label), np.quantile(drawn, 0.95)
    print(f"\ncalibration error {error:.5f}, limit {limit:.5f}, {len(rows)} rows, base {label.mean():.4f}")  # noqa: T201
    assert error <= limit


def test_the_field_that_is_filled_in_after_the_outcome_is_not_used(judged):
    result, _ = judged
    assert "onboarding_tier" in {finding["column"] for finding in result["excluded"]}
    assert "onboarding_tier" not in result["features"]


def test_the_stated_base_rate_is_that_of_every_night_and_not_that_of_the_drawn_ones(trained):
    """Against the mean true probability of all nights whose window was over; the interval is over leads."""
    import pandas as pd

    home, night, params, result = trained
    wait = timedelta(days=params.train.horizon_days + params.train.reporting_delay_days)
    truth = pd.read_parquet(home / "truth.parquet").assign(
        as_of=lambda t: pd.to_datetime(t["as_of"], utc=True)
    )
    past = truth[truth["as_of"] <= night - wait]
    rate, leads = past["probability"].mean(), past.groupby("lead_id")["probability"]
    # Nights of one lead end alike: a lead with many of them is one piece of evidence with their weight.
    error = np.sqrt((leads.size() ** 2 * leads.mean() * (1 - leads.mean())).sum()) / len(past)
    drawn = result["positives"] / result["rows"]
    said = f"base rate {result['base_rate']:.4f}, true mean {rate:.4f} ± {1.96 * error:.4f}"
    print(f"\n{said}, drawn {drawn:.4f}")  # noqa: T201
    assert abs(result["base_rate"] - rate) <= 1.96 * error
    assert drawn > rate + 1.96 * error, "the draw does not know the future here: the claim shows nothing"
