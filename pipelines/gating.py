"""The gates as a step of ``leadrank score``: tonight's staged run against the one before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from features.build import feature_table
from features.ingest import said
from features.memory import PRESENT, current_features, is_present, recall
from features.moments import naive_utc
from features.snapshots import known_until, numbered
from pipelines.inputs import Inputs
from pipelines.params import Params
from pipelines.rankers import ByModel, ByScorecard
from serve import part_rows, runs
from serve.gates import columns, ranking, tables
from serve.gates.finding import Finding
from serve.gates.limits import Limits
from serve.runs import Run

FEATURES, RANKING = "features.parquet", "ranking.parquet"
RECORDED = {"leads": "created_at", "spend": "date"}
"""When a row of a table was known; for the others ``recorded_at``."""
REBUILT_LEADS = 1_000
SHARED = ("owner", "peers", "words")
"""What features are made of whose value many leads share: it moves every night, for all of them at once."""


def findings(
    params: Params,
    home: Path,
    inputs: Inputs,
    by: ByModel | ByScorecard,
    staged: Path,
    *,
    as_of: datetime,
    counts: Mapping[str, int],
) -> list[Finding]:
    """What the gates find in a staged run; before the first run only its scores are judged.

    Parameters
    ----------
    staged
        Holds ``features.parquet`` and ``ranking.parquet``.
    counts
        Accepted rows by table, and ``ranking``: leads ranked.
    """
    limits = params.gates.limits
    previous = runs.before(home / params.score.runs, as_of)
    found = list(ranking.scores(staged / RANKING, _ranked_column(by), limits))
    if previous is not None:
        found += _aged(inputs, by, as_of, limits)
        found += _against(params, previous, inputs, by, staged, as_of, counts, limits)
    return found


def counted(inputs: Inputs, ranked: int) -> dict[str, int]:
    """Accepted rows by table and leads ranked, as `findings` takes them."""
    return {**{name: c.accepted for name, c in inputs.loaded.counts.items()}, "ranking": ranked}


def _aged(inputs: Inputs, by: ByModel | ByScorecard, as_of: datetime, limits: Limits) -> Iterator[Finding]:
    """Facts and a model that are too old for the moment."""
    if not inputs.is_flat:
        moments = {name: RECORDED.get(name, "recorded_at") for name in inputs.tables}
        there = {name: at for name, at in moments.items() if at in inputs.tables[name].columns}
        aside = {} if inputs.said is None else {"outcomes": said.ROWS}
        yield from tables.freshness(inputs.connection, there, as_of, limits, aside=aside)
    if isinstance(by, ByModel) and by.champion.bundle.window.last_as_of is not None:
        age = naive_utc(as_of) - datetime.fromisoformat(by.champion.bundle.window.last_as_of)
        days = age.total_seconds() / tables.DAY_SECONDS
        if days > limits.model_age_days:
            reason = f"the model has learned nothing of the last {days:.0f} days: run `leadrank train`"
            yield Finding("model_age", "model", reason, days, limits.model_age_days)


def _against(
    params: Params,
    previous: Run,
    inputs: Inputs,
    by: ByModel | ByScorecard,
    staged: Path,
    as_of: datetime,
    counts: Mapping[str, int],
    limits: Limits,
) -> Iterator[Finding]:
    was = previous.manifest["counts"]
    before = {entry["table"]: entry["accepted"] for entry in was["tables"]} | {"ranking": was["ranked"]}
    yield from tables.rows(before, counts, limits)
    if runs.damaged_files(previous):
        return  # nothing to compare with; the run before is named by `leadrank runs`
    past_unknown = {feature.name for feature in current_features(inputs.fields)}
    is_now = not inputs.is_flat and is_present(as_of, known_until(inputs.tables))
    if is_now and set(previous.manifest.get("current_fields", ())) >= past_unknown:
        past_unknown = set()  # both nights read today's values
    compared = [feature for feature in by.features(params, inputs) if feature.name not in past_unknown]
    shared = {feature.name for feature in compared if feature.on in SHARED}
    specs = [feature.spec for feature in compared]
    known = by.champion.bundle.encoding.categories if isinstance(by, ByModel) else {}
    old, new = previous.folder, staged
    yield from columns.features(old / FEATURES, new / FEATURES, specs, known, limits, shared=shared)
    if previous.manifest["model"]["digest"] == by.digest:
        yield from ranking.score_drift(old / RANKING, new / RANKING, _ranked_column(by), limits)
        if previous.manifest["data_digest"] == inputs.loaded.digest and _is_same_day(previous, inputs, as_of):
            yield from ranking.churn(old / RANKING, new / RANKING, limits)
        yield from _skew(params, previous, inputs, by, limits)


def _is_same_day(previous: Run, inputs: Inputs, as_of: datetime) -> bool:
    """Whether no fact, and hardly any time, came between the run before and this moment."""
    then = datetime.fromisoformat(previous.as_of)
    return as_of - then <= PRESENT and (inputs.is_flat or then >= known_until(inputs.tables))


def rebuilt(params: Params, run: Run, inputs: Inputs, by: ByModel | ByScorecard) -> Mapping[str, float]:
    """Features of some leads of a run, rebuilt as training would from tonight's tables.

    Returns
    -------
    Mapping
        Share of the leads (0 to 1) whose feature is another now, by feature; empty in a flat start.
    """
    if inputs.is_flat:
        return {}
    file = run.folder / FEATURES
    asked = inputs.backend.read_parquet(str(file), table_name="before").select("lead_id", "as_of")
    some = asked.order_by(asked.lead_id.hexdigest("md5")).limit(REBUILT_LEADS)
    snapshots = inputs.backend.create_table("rebuilt", numbered(some), overwrite=True)
    present_only = {feature.name for feature in current_features(inputs.fields)}
    chosen = [f for f in by.features(params, inputs) if f.name not in present_only]
    table = feature_table(snapshots, inputs.tables, chosen, inputs.fields, by.vocabulary)
    remembered = {str(file): part_rows.schema(file).names}
    recalled = recall(inputs.backend, table.to_pyarrow(), chosen, inputs.fields, remembered)
    return recalled.skew


def _skew(
    params: Params, previous: Run, inputs: Inputs, by: ByModel | ByScorecard, limits: Limits
) -> Iterator[Finding]:
    for name, share in rebuilt(params, previous, inputs, by).items():
        if share > limits.skew:
            reason = (
                f"'{name}' of {share:.0%} of the leads is not what the run before had for the same moment: "
                "the past was overwritten, or the feature's code changed"
            )
            yield Finding("skew", name, reason, share, limits.skew)


def _ranked_column(by: ByModel | ByScorecard) -> str:
    return "margin" if isinstance(by, ByModel) else "points"
