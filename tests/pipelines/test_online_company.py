"""A model that compares a lead with all leads of the company is asked as the night asked it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.company import reading
from features.errors import ModelError
from features.families import by_name
from features.vocabulary import Vocabulary
from models.bundle import Bundle, Target, Window
from models.calibration import Calibration
from models.curves.spread import Spread
from models.fitting.blend import Blend
from models.fitting.classifier import SHALLOW, Rows, fit
from models.matrix import encode, fit_encoding
from models.store import place, save
from pipelines import online, rankers
from pipelines import params as parameters
from pipelines.champion import Champion
from pipelines.inputs import Inputs, opened
from pipelines.offering import VOCABULARY
from pipelines.progress import Progress
from pipelines.writing import Earlier, write
from serve import runs
from serve.online.company import FILE, KEY, kept
from serve.online.refusal import BusyError, RefusedError
from serve.views.scope import EVERYTHING

NIGHT = datetime(2026, 6, 30, tzinfo=UTC)
WORDS = Vocabulary(stage="won", horizon_days=20, reporting_delay_days=3)
NAMES = (
    "earlier_rate[source]", "earlier_leads[campaign]", "best_word_rate[campaign]", "owner_open_leads",
    "earlier_rate[first.keyword]", "touches_ever",
)  # fmt: skip
VALUES = {"peers": ("source", "campaign", "first.keyword"), "words": ("campaign",)}
PARAMS = """\
tables:
  leads:
    path: leads.csv
    fields: {source: {kind: category, time: static}, owner: {kind: category, time: static}}
  touches: {path: touches.csv}
  outcomes: {path: outcomes.csv}
"""
LEADS = 120
EXACT = 1e-9


def lead(number: int) -> dict[str, str]:
    return {
        "lead_id": f"L{number}",
        "created_at": f"2026-0{4 + number % 3}-{1 + number % 28:02}T00:00:00Z",
        "source": ("fair", "web", "ad")[number * number % 3],
        "campaign": ("Spring-offer", "spring fair", "autumn offer", "")[number % 7 % 4],
        "owner": ("ann", "bob", "")[number % 11 % 3],
    }


def touches(number: int) -> list[dict[str, str]]:
    words = ("crm", "cheap crm", "crm demo")[number % 13 % 3]
    day = f"2026-0{4 + number % 3}-{1 + number % 28:02}"
    said = {"lead_id": f"L{number}", "kind": "visit", "keyword": words}
    return [{**said, "occurred_at": f"{day}T{10 + hour}:00:00Z"} for hour in range(1 + number % 2)]


def tell(home: Path) -> None:
    """The tables of a small company."""
    won = [
        {"lead_id": f"L{n}", "stage": "won", "occurred_at": f"2026-05-{1 + n % 28:02}T00:00:00Z"}
        for n in range(0, LEADS, 7)
        if n % 3 == 1
    ]
    rows = {
        "leads": [lead(n) for n in range(LEADS)],
        "touches": [row for n in range(LEADS) for row in touches(n)],
        "outcomes": won,
    }
    for name, table in rows.items():
        lines = [",".join(table[0]), *(",".join(row.values()) for row in table)]
        (home / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (home / "params.yaml").write_text(PARAMS, encoding="utf-8")


MOST = (0.4, 150, 0.4, 150, 0.4, 3)
"""About the greatest values of `NAMES`: below them the trees split."""


def bundle(inputs: Inputs) -> Bundle:
    """A few trees that look at every one of the features."""
    chosen = by_name(NAMES, VALUES, inputs.fields)
    random = np.random.default_rng(0)
    table = pa.table({name: random.uniform(0, most, 600) for name, most in zip(NAMES, MOST, strict=True)})
    encoding = fit_encoding(table, [feature.spec for feature in chosen])
    matrix = encode(table, encoding)
    label = (matrix @ (1 / np.array(MOST)) > len(NAMES) / 2).astype(float)
    bags = fit(Rows(matrix, label, [1]), SHALLOW, trees=24, bags=1, seed=0, threads=1)
    reference = tuple(np.linspace(0.1, 0.6, 101).tolist())
    curve = Calibration((-1.0, 1.0), (-2.0, 1.0))
    blend = Blend.mean(bags.boosters)
    target = Target("won", "won", 20.0, blend, curve, reference, Spread((0.0,), (0.3,)))
    window = Window(None, None, table.num_rows, int(label.sum()))
    specs = tuple(feature.spec for feature in chosen)
    return Bundle((target,), encoding, specs, window, VALUES, {}, {VOCABULARY: WORDS.as_json()})


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose night was ranked by that model."""
    folder = tmp_path_factory.mktemp("company")
    tell(folder)
    params = parameters.load(folder / "params.yaml")
    quiet = Progress(is_quiet=True)
    with opened(params, folder, quiet) as inputs, runs.lock(folder / "runs"):
        made = bundle(inputs)
        target = place(folder, made.digest)
        target.parent.mkdir(parents=True)
        save(made, target)
        by = rankers.ByModel(Champion("1", made.digest, made), "m", tracking=rankers.DEFERRED)
        with runs.staging(folder / "runs") as staged:
            write(staged, params, folder, inputs, by, NIGHT, quiet, earlier=Earlier(None, None))
            columns = {table: list(names) for table, names in inputs.loaded.columns.items()}
            told = {"as_of": NIGHT.isoformat(), "columns": columns, **by.told()}
            runs.publish(staged, folder / "runs", "night", told)
    return folder


@pytest.fixture
def standing(home: Path) -> Iterator[Any]:
    made = online.standing(parameters.load(home / "params.yaml"), home)
    made.prepare()
    yield made
    made.close()


def answer(standing: Any, *numbers: int, as_of: datetime = NIGHT) -> dict[str, Any]:
    """What is said of some leads when nothing but they are told of."""
    leads = [{name: value or None for name, value in lead(n).items()} for n in numbers]
    body = {
        "as_of": as_of.isoformat(),
        "leads": leads,
        "touches": [row for n in numbers for row in touches(n)],
    }
    told: dict[str, Any] = json.loads(standing.answer(json.dumps(body).encode(), EVERYTHING, NIGHT))
    return told


def test_a_lead_alone_has_the_figures_that_it_had_among_all(home: Path, standing: Any) -> None:
    ranking = {row["lead_id"]: row for row in pq.read_table(home / "runs/night/ranking.parquet").to_pylist()}
    assert len({row["margin"] for row in ranking.values()}) > 5
    for number in (n for n in range(0, LEADS, 5) if f"L{n}" in ranking):
        told = answer(standing, number)
        assert told["company_as_of"] == "2026-06-30T00:00:00Z"
        row = ranking[f"L{number}"]
        for name in ("probability", "probability_low", "probability_high", "score"):
            assert told["leads"][0][name] == pytest.approx(row[name], abs=EXACT, rel=0)
        assert told["leads"][0]["grade"] == row["grade"]


def test_a_moment_before_the_figures_is_refused_and_a_later_one_is_answered(standing: Any) -> None:
    with pytest.raises(RefusedError) as told:
        answer(standing, 1, as_of=NIGHT - timedelta(microseconds=1))
    (problem,) = told.value.problems
    assert problem.where == "as_of"
    assert "2026-06-30T00:00:00Z" in problem.what
    assert answer(standing, 1, as_of=NIGHT + timedelta(days=3))["company_as_of"] == "2026-06-30T00:00:00Z"


def test_the_file_says_no_value_and_is_the_same_whenever_the_night_is_made_again(home: Path) -> None:
    table = pq.read_table(home / "runs/night" / FILE)
    assert table.column_names == ["kind", "column", "value", "mature", "converted", "open_leads"]
    assert set(table.column("kind").to_pylist()) == {"all", "owner", "peers", "words"}
    said = (home / "runs/night" / FILE).read_bytes()
    assert not any(word in said for word in (b"spring", b"autumn", b"cheap", b"ann", b"web"))
    assert (home / KEY).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("harm", ["absent", "damaged", "no key", "another key"])
def test_without_whole_figures_the_model_is_not_asked(home: Path, tmp_path: Path, harm: str) -> None:
    copy = Path(shutil.copytree(home, tmp_path / "copy"))
    run = runs.current(copy / "runs")
    assert run is not None
    if harm == "absent":  # as a run that is older than the file
        del run.manifest["files"][FILE]  # type: ignore[attr-defined]  # a dict, as read
        (run.folder / runs.MANIFEST).write_text(json.dumps(run.manifest), encoding="utf-8")
    elif harm == "damaged":
        (run.folder / FILE).write_bytes((run.folder / FILE).read_bytes()[:-1])
    elif harm == "no key":
        (copy / KEY).unlink()
    else:
        (copy / KEY).write_text("00" * 32, encoding="ascii")
    made = online.standing(parameters.load(copy / "params.yaml"), copy)
    made.prepare()
    with pytest.raises(BusyError, match="no model can be asked"):
        answer(made, 1)
    if harm != "absent":
        with pytest.raises(ModelError):
            kept(run, copy)
    made.close()


def test_the_features_of_all_leads_are_those_of_their_rows() -> None:
    chosen = by_name(NAMES, VALUES, {})
    assert [feature.name for feature in reading(chosen)] == list(NAMES[:-1])
