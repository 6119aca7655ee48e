"""A protected field is no feature of any model, and the card says what stands in for it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from features.errors import ParameterError
from features.tables import Field
from models import registry
from models.cards.markdown import markdown
from pipelines import params as parameters
from pipelines import protecting, train
from pipelines.demo import command
from pipelines.inputs import opened
from pipelines.offering import offered
from pipelines.progress import Progress

# mlflow, shap and their dependencies warn about themselves while they are imported.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::PendingDeprecationWarning"
)
FIELDS = {
    "leads": {"gender": Field("category", "static"), "age": Field("number", "current")},
    "accounts": {"country": Field("category", "static")},
}


@pytest.mark.parametrize(
    ("name", "near"), [("gendr", "'gender'"), ("account.contry", "'account.country'"), ("country", "account")]
)
def test_a_name_that_is_no_field_is_refused_with_the_nearest(name, near):
    with pytest.raises(ParameterError, match=f"'{name}', which is no field.*{near}"):
        protecting.check([name], FIELDS)


def test_fields_of_leads_and_accounts_also_of_today_may_be_protected():
    protecting.check(["gender", "age", "account.country"], FIELDS)


@pytest.fixture(scope="module")
def protected(tmp_path_factory):
    """A flat CRM in which the salutation tells the gender, trained with the gender protected."""
    home = tmp_path_factory.mktemp("protected")
    random = np.random.default_rng(2)
    lines = ["gender,salutation,visits,bought"]
    for _ in range(900):
        gender, visits = random.choice(["f", "m"]), random.integers(20)
        salutation = {"f": "Ms", "m": "Mr"}[gender] if random.random() < 0.9 else "Dr"
        won = visits + 6 * (gender == "f") + random.normal(0, 9) > 16
        lines.append(f"{gender},{salutation},{visits},{'yes' if won else 'no'}")
    (home / "leads.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (home / "params.yaml").write_text(
        """\
tables:
  leads:
    path: leads.csv
    outcome_column: bought
    won_values: ["yes"]
    fields:
      gender: {kind: category, time: static}
      salutation: {kind: category, time: static}
      visits: {kind: number, time: static}
train: {bags: 1, max_trees: 40, protected_fields: [gender]}
""",
        encoding="utf-8",
    )
    params = parameters.load(home / "params.yaml")
    return home, train.run(params, home, rows=None, progress=Progress(is_quiet=True))


def test_a_protected_field_is_no_feature_and_its_stand_in_is_named(protected):
    _, told = protected
    assert set(told["features"]) == {"salutation", "visits"}
    (field,) = told["protected"]
    assert field["field"] == "gender"
    assert [row["feature"] for row in field["features"]] == ["salutation"]
    assert field["together"] > 0.85


def test_the_card_warns_in_both_forms_and_in_its_limits(protected):
    home, _ = protected
    (folder,) = home.glob("mlartifacts/*/artifacts/model")
    made = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    (warning,) = [sentence for sentence in made["limits"] if "'gender' is protected" in sentence]
    assert "'salutation'" in warning
    text = (folder / "card.md").read_text(encoding="utf-8")
    assert "## Stand-ins for protected fields" in text
    assert warning in text
    assert "| gender | 900 |" in text
    page = (folder / "card.html").read_text(encoding="utf-8")
    assert "<td>salutation</td>" in page
    assert page.count("data:image/png;base64,") == 3
    assert markdown(made).count("## How steady features and reasons are") == 1


def test_mlflow_keeps_the_tables_and_the_figures(protected):
    home, told = protected
    (run,) = home.glob("mlartifacts/*/artifacts")
    views = json.loads((run / "views" / "views.json").read_text(encoding="utf-8"))
    assert sum(views["families"].values()) == pytest.approx(1)
    assert {row["feature"] for row in views["features"]} == {"salutation", "visits"}
    assert views["stability"] == told["stability"]
    pictures = {path.stem for path in (run / "pictures").iterdir()}
    assert {"importance", "beeswarm", "dependence"} <= pictures
    version = registry.version(f"sqlite:///{home}/mlflow.db", "leadrank", "1")
    assert version.run_id == told["run_id"]


def test_what_is_made_from_a_protected_field_goes_too(tmp_path):
    """On the demo's tables: the rate of earlier leads from the same source is made from the source."""
    quiet, home = Progress(is_quiet=True), tmp_path / "crm"
    command.run(home, leads=200, seed=7, data_only=True, progress=quiet)
    params = parameters.load(home / "params.yaml")
    train_section = params.train.model_copy(update={"protected_fields": ("source", "account.country")})
    hidden = params.model_copy(update={"train": train_section})
    with opened(params, home, quiet) as inputs:
        offer = offered(params, inputs)
        usable = {f.name for f in protecting.allowed(hidden, inputs, offer.features, offer.vocabulary)}
        every = {f.name for f in protecting.allowed(params, inputs, offer.features, offer.vocabulary)}
    assert every == {feature.name for feature in offer.features}
    assert {"source", "earlier_rate[source]"} <= every - usable
    assert {"industry", "campaign"} <= usable
    assert not [name for name in usable if "[source]" in name]
