"""`train.max_rows` on the demo: a sample is learned from, all nights are spoken of, and it is said."""

from __future__ import annotations

import json
import shutil
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from models.scoring import Scorer
from models.weights import mean, weights_of
from pipelines import leaks, train
from pipelines import params as parameters
from pipelines.asking import evenly, question
from pipelines.inputs import opened
from pipelines.offering import offered
from pipelines.progress import Progress
from pipelines.told import trained as tell

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
MOST = 3000
QUIET = Progress(is_quiet=True)


@pytest.fixture(scope="module")
def made(demo, tmp_path_factory):
    """A quick training on at most 3,000 nights: its result, the model, what the audit saw, and all nights."""
    home = shutil.copytree(demo.home, tmp_path_factory.mktemp("sampled") / "crm")
    told = yaml.safe_load((home / "params.yaml").read_text(encoding="utf-8"))
    told["train"] |= {"max_rows": MOST, "bags": 1, "max_trees": 60}
    (home / "params.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
    params, seen = parameters.load(home / "params.yaml"), SimpleNamespace(home=home)
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        # mlflow and its dependencies warn about themselves while they are imported.
        for category in (DeprecationWarning, FutureWarning):
            warnings.simplefilter("ignore", category)
        patch.setattr(train, "fit", kept(train.fit, seen, "model"))
        patch.setattr(leaks, "audit", kept(leaks.audit, seen, "material", argument=0))
        seen.told = train.run(params, home, rows=None, progress=QUIET)
    whole = params.model_copy(update={"train": params.train.model_copy(update={"max_rows": None})})
    with opened(whole, home, QUIET) as inputs:
        offer, asked = offered(whole, inputs), question(whole, inputs)
        seen.whole = train.table_of(inputs, asked.snapshots, offer.features, offer.vocabulary)
        seen.is_whole = evenly(asked, seen.whole) is seen.whole
    return seen


def kept(work, seen, name, *, argument=None):
    """The function, whose result (or an argument of which) can be looked at afterwards."""

    def done(*given, **named):
        result = work(*given, **named)
        setattr(seen, name, result if argument is None else given[argument])
        return result

    return done


def test_the_report_says_how_many_of_how_many_were_drawn(made, demo):
    every = demo.result["train"]["rows"]
    assert demo.result["train"]["sampled"] is None
    assert made.told["sampled"] == {"rows": MOST, "of": every}
    assert made.told["rows"] == MOST < every


def test_a_person_reads_it_and_only_where_there_was_a_draw(made, demo, capsys):
    tell(made.told)
    assert f"drawn 3,000 of {made.told['sampled']['of']:,} snapshots" in capsys.readouterr().out
    tell(demo.result["train"])
    assert "drawn" not in capsys.readouterr().out


def test_every_won_night_is_learned_from_and_the_base_rate_stays(made, demo):
    whole = demo.result["train"]
    assert made.told["positives"] == min(whole["positives"], MOST // 2)
    assert made.told["base_rate"] == pytest.approx(whole["base_rate"], rel=1e-6)


def test_a_model_of_a_sample_is_right_on_average_over_all_nights(made):
    test = made.model.test
    weight, label = weights_of(test), test["label"].to_numpy()
    said, true = mean(test["probability"].to_numpy(), weight), mean(label, weight)
    assert said == pytest.approx(true, rel=0.25)
    later = made.whole.filter(np.asarray(made.whole["as_of"]) >= np.asarray(test["as_of"]).min())
    all_said = mean(Scorer(made.model.bundle).score(later).probability, weights_of(later))
    all_true = mean(later["label"].to_numpy(), weights_of(later))
    assert all_said == pytest.approx(all_true, rel=0.25)
    assert label.mean() > 1.5 * all_true  # what a sample without weights would have said


def test_the_audit_looks_at_nights_as_they_are_and_not_as_labels_drew_them(made):
    won = made.material.rows["label"].to_numpy()
    whole, sample = made.whole["label"].to_numpy().mean(), made.told["positives"] / MOST
    assert won.mean() == pytest.approx(whole, abs=0.01) != pytest.approx(sample, abs=0.1)
    assert made.is_whole  # without a sample it sees all
    assert made.told["audit"]["rows"] == len(won) < MOST


def test_the_card_says_it(made, leadrank):
    code, out, _ = leadrank("models", "--card", made.told["version"], home=made.home)
    assert code == 0
    assert f"drawn 3,000 of {made.told['sampled']['of']:,} snapshots; each counts" in out


def test_the_audit_alone_looks_at_the_same_nights(made, leadrank):
    code, out, _ = leadrank("audit", "--json", home=made.home)
    assert code == 0
    told = json.loads(out)
    assert (told["rows"], told["positives"]) == tuple(made.told["audit"][n] for n in ("rows", "positives"))


def test_rows_of_one_s_own_are_all_learned_from(made):
    given = parameters.load(made.home / "params.yaml")
    path = made.home / "rows.csv"
    lines = [f"{row['lead_id']},{row['as_of']:%Y-%m-%dT%H:%M},{row['label']:.0f}" for row in
             made.whole.select(["lead_id", "as_of", "label"]).to_pylist()]  # fmt: skip
    path.write_text("\n".join(["lead_id,as_of,label", *lines]) + "\n", encoding="utf-8")
    with opened(train.with_rows(given, path), made.home, QUIET) as inputs:
        asked = question(given, inputs, has_rows=True)
        assert asked.sample is None
        assert asked.snapshots.count().to_pyarrow().as_py() == made.whole.num_rows > MOST
