"""Tags on a field: leads that state no product get the one that their visits tell, where that held."""

from __future__ import annotations

import random
import warnings
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import lightgbm
import numpy as np
import pyarrow.parquet as pq
import pytest

from features.errors import ParameterError
from features.snapshots import tonight
from models.further.stated import STATED
from models.further.tags import shown_tags
from pipelines import init, train
from pipelines import params as parameters
from pipelines.champion import champion
from pipelines.field_tags import field_tags, silent_tonight
from pipelines.inputs import opened
from pipelines.params import parse
from pipelines.progress import Progress
from pipelines.tag_rules import USUAL
from tests.pipelines.ends import asked

START = datetime(2024, 1, 1, tzinfo=UTC)
PRODUCTS = {"analytics": 0.45, "reporting": 0.35, "planning": 0.19, "archive": 0.01}
PARAMS = """\
tables:
  leads:
    path: leads.csv
    fields:
      product_interest: {kind: category, time: static}
      edition: {kind: category, time: static}
      industry: {kind: category, time: static}
  touches: {path: touches.csv}
  outcomes: {path: outcomes.csv}
features: {library_max: 40, generic_max: 10}
train: {horizon_days: 30, every_days: 21, max_per_lead: 2, bags: 1, max_trees: 40}
"""


def day(number):
    return (START + timedelta(days=number)).strftime("%Y-%m-%d")


def write(home):
    """1,500 leads over two years; six in ten say their product, and who does has an edition of it, too."""
    drawn = random.Random(5)  # noqa: S311  # a made-up history
    leads = ["lead_id,created_at,product_interest,edition,industry"]
    touches, outcomes, truth = ["lead_id,occurred_at,kind,place"], ["lead_id,stage,occurred_at"], {}
    for number in range(1500):
        lead, created = f"L{number:04d}", drawn.randrange(730)
        product = drawn.choices(list(PRODUCTS), weights=list(PRODUCTS.values()))[0]
        truth[lead] = product
        is_said = drawn.random() < 0.6
        said = (product, f"{product}-pro") if is_said else ("", "")
        leads.append(f"{lead},{day(created)},{said[0]},{said[1]},{drawn.choice(['bank', 'shop'])}")
        visits = drawn.randrange(1, 6)
        for _ in range(visits):
            seen = product if drawn.random() < 0.9 else drawn.choice(list(PRODUCTS))
            touches.append(f"{lead},{day(created + 1 + drawn.randrange(3))},visit,/{seen}")
        if created < 690:
            stage = "won" if drawn.random() < visits / 8 else "lost"
            outcomes.append(f"{lead},{stage},{day(created + 8 + drawn.randrange(40))}")
    for name, lines in (("leads", leads), ("touches", touches), ("outcomes", outcomes)):
        (home / f"{name}.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")
    (home / "params.yaml").write_text(PARAMS, encoding="utf-8")
    stating = {line.split(",")[0] for line in leads[1:] if line.split(",")[2]}
    return truth, stating


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    home = tmp_path_factory.mktemp("fields")
    truth, stating = write(home)
    params = parameters.load(home / "params.yaml")
    with warnings.catch_warnings():
        # mlflow and its dependencies warn about themselves while they are imported.
        for category in (DeprecationWarning, FutureWarning):
            warnings.simplefilter("ignore", category)
        told = train.run(params, home, rows=None, progress=Progress(is_quiet=True))
        return home, truth, stating, told, champion(params, home).bundle


def of_products(tags):
    return {name: found for name, found in tags.items() if name.startswith("product_interest")}


def test_each_frequent_value_is_tried_forward_in_time_and_rare_ones_never_are(made):
    tried = of_products(made[3]["tags"])
    assert set(tried) == {f"product_interest: {name}" for name in ("analytics", "reporting", "planning")}
    for trial in tried.values():
        assert trial["precision_floor"] == 0.5
        assert "left_out" in trial or {"precision", "n", "base_rate", "why_not"} <= set(trial)
    best = tried["product_interest: analytics"]
    assert best["why_not"] is None
    assert best["precision"] >= 0.5
    assert best["n"] >= 20
    assert set(made[3]["tags"]) - set(tried) == set(USUAL)


def test_the_models_read_neither_the_field_nor_what_is_made_from_it_or_filled_in_with_it(made):
    bundle = made[4]
    names = np.array(bundle.encoding.names)
    assert {"product_interest", "edition"} <= set(names)  # the ranking target may read them
    targets = [t for t in bundle.targets if t.name in bundle.extras[STATED]["product_interest"]["targets"]]
    assert len(targets) == 3
    for target in targets:
        read = {
            name
            for text in target.blend.boosters
            for name in names[lightgbm.Booster(model_str=text).feature_importance() > 0]
        }
        assert read
        assert not {"product_interest", "edition"} & read
        assert not any("product_interest" in name or "edition" in name for name in read)


def test_leads_that_state_no_product_are_tagged_with_it_and_no_others_are(made, leadrank):
    home, truth, stating, _, bundle = made
    scored = asked(leadrank, "score", "--as-of", "2026-01-05", home=home)
    published = pq.read_table(Path(scored["folder"]) / "ranking.parquet")
    right, wrong = 0, 0
    for lead, tags in zip(
        published.column("lead_id").to_pylist(), published.column("tags").to_pylist(), strict=True
    ):
        carried = [tag for tag in tags.split(", ") if tag.startswith("product_interest: ")]
        assert len(carried) <= 1
        assert not (carried and lead in stating)
        right += carried == [f"product_interest: {truth[lead]}"]
        wrong += carried not in ([], [f"product_interest: {truth[lead]}"])
    assert {lead in stating for lead in published.column("lead_id").to_pylist()} == {True, False}
    assert right >= 10
    assert right / (right + wrong) >= 0.5
    assert all(tag.precision >= tag.precision_floor for tag in shown_tags(bundle.extras))


def test_a_field_of_which_only_today_is_known_gets_no_tag():
    asked_for = parse(fields("role: {kind: category, time: current}") + "tags: {buyer: {field: role}}")
    inputs = SimpleNamespace(fields={"leads": asked_for.tables["leads"].fields})
    found = field_tags(asked_for, inputs, None, None, None)
    assert found.report["buyer"]["left_out"].startswith("only today's value of the field is known")
    assert not found.shown
    assert not found.stated


def test_nobody_is_asked_about_a_field_that_is_no_longer_declared(made):
    home, *_, bundle = made
    params = parameters.load(home / "params.yaml")
    leads = replace(params.tables["leads"], fields={})
    with opened(
        params.model_copy(update={"tables": {**params.tables, "leads": leads}}),
        home,
        Progress(is_quiet=True),
    ) as inputs:
        moment = datetime(2026, 1, 5, tzinfo=UTC)
        snapshots = tonight(inputs.tables["leads"], inputs.tables["outcomes"], moment)
        flags = silent_tonight(inputs, bundle, snapshots)
    assert len(flags) == 3
    assert not any(flag.any() for flag in flags.values())


def fields(*lines):
    return "tables: {leads: {path: a, outcome_column: won, fields: {" + ", ".join(lines) + "}}}\n"


def test_the_usual_fields_are_tags_only_where_leads_have_them_as_categories():
    assert set(parse(fields("industry: {kind: category}")).tags) == set(USUAL)
    assert set(parse(fields("persona: {kind: number}")).tags) == set(USUAL)
    both = parse(fields("persona: {kind: category}", "product_interest: {kind: category}") + "tags: null")
    assert list(both.tags) == [*USUAL, "product_interest", "persona"]
    assert both.tags["persona"].field == "persona"
    assert parse(fields("persona: {kind: category}") + "tags: {}").tags == {}


def test_init_writes_a_tag_for_a_usual_field_that_it_proposes(tmp_path):
    rows = [f"{'yes' if row % 3 else 'no'},{'analytics' if row % 2 else 'reporting'}" for row in range(60)]
    (tmp_path / "leads.csv").write_text("\n".join(["won,product_interest", *rows, ""]), encoding="utf-8")
    made_file = init.run([tmp_path / "leads.csv"], folder=tmp_path, outcome="won", yes=True).path
    assert list(parameters.load(made_file).tags) == [*USUAL, "product_interest"]


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        ("{field: persna}", "tags.kind.field names 'persna', which is no category of leads — did you mean"),
        ("{field: size}", "tags.kind.field names 'size', which is no category of leads"),
        ("{field: persona, stages: [sql]}", "tags.kind has a field and a rule"),
        ("{field: persona, rule: silent}", "tags.kind has a field and a rule"),
        ("{field: persona, horizon_days: 30}", "tags.kind has a field and a rule"),
    ],
)
def test_a_tag_on_a_field_that_cannot_be_is_refused(tag, reason):
    with pytest.raises(ParameterError) as caught:
        parse(fields("persona: {kind: category}", "size: {kind: number}") + f"tags: {{kind: {tag}}}")
    assert reason in str(caught.value)
    assert caught.value.hint


def test_another_floor_is_another_tag_of_the_same_field():
    said = fields("role: {kind: category}") + "tags: {buyer: {field: role, precision_floor: 0.8}}"
    assert parse(said).tags["buyer"].precision_floor == 0.8
