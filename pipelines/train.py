"""``leadrank train``: from the history to a measured, registered model."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from features.build import KEYS, feature_table
from features.catalogue import Feature, FeatureSpec
from features.questions import Question
from features.tables import Source
from features.vocabulary import Vocabulary
from models import libraries, registry
from models.audit.audit import Audit
from models.audit.gain import Limits
from models.backtests import untrained
from models.cards.forward_test import ForwardTest
from models.fitting.options import TrainOptions
from models.fitting.rows import mature_rows
from models.metrics import has_no_signal
from models.points.learned import LEARNED_CARD
from models.populations import with_population
from models.references import explained_later, with_references
from models.segments.cut import segments
from models.store import save
from models.tracking import figures as flat
from models.training import Trained
from models.training import train as fit
from models.views.overview import overview
from models.weights import COLUMNS
from pipelines import (
    carding,
    deferring,
    figuring,
    further,
    leaks,
    lineage,
    one_page,
    picturing,
    protecting,
    remembering,
    segmenting,
    withholding,
    working,
)
from pipelines.asking import evenly, measured, question, sample_told
from pipelines.asking import told as told_of_time
from pipelines.checks import counted
from pipelines.inputs import Inputs, Opening, format_of, opened
from pipelines.meanwhile import meanwhile
from pipelines.offering import VOCABULARY, offered
from pipelines.params import Params
from pipelines.progress import Progress
from pipelines.tuning import FOLDER, Tuning, log_trials

BESIDE = ("label", *COLUMNS, "is_mature", "order")
LOGGED = ("split", "trees", "linear_weight", "half_life", "dropped_columns")


def run(
    params: Params,
    home: Path,
    *,
    rows: Path | None,
    progress: Progress,
    pictures: Path | None = None,
    figures_to: Path | None = None,
    is_strict: bool = False,
    opening: Opening = opened,
) -> dict[str, Any]:
    """Train, measure on later rows, log to MLflow and register.

    Parameters
    ----------
    rows
        Explicit rows ``lead_id, as_of, label``; flat start: a table to train on in place of the declared
        one. None: past nights of open leads.
    pictures
        Folder that receives the curves too, made if absent; None leaves them to MLflow.
    figures_to
        Folder that receives figures and curves as small files, made if absent; None: nobody asked.
    is_strict
        Whether only fields with a declared time class are used.
    opening
        How the tables are opened.

    Returns
    -------
    dict
        ``rows``, ``positives``, ``base_rate`` (of the moments that the rows stand for), ``immature``,
        ``early`` (decided before the window was over), ``worked`` (``since`` the first call list,
        and ``rows`` of called leads after it; None: unworked leads are kept), ``sampled`` (``rows`` that were
        drawn ``of`` so many; None where all are learned from),
        ``cycle`` (how long outcomes take and how late they are recorded; None without dates),
        ``memory`` (rows remembered and reconstructed, skew; None without ``train.memory``), ``metrics`` by
        contender (with intervals for trained ones), ``learned_card`` (lines, rules, what it loses),
        ``small_history`` (whether a blend for few outcomes was fitted, unsearched), ``no_signal``,
        ``segments`` (of the test slice: n, mean probability, observed rate with its interval), ``withheld``
        (the outcomes by segment under which no probability is published; None where nothing is withheld),
        ``segment_models`` (which values have models of their own, and why: `models.segments.own`; None
        without ``segments.by``), ``stability`` (how much two models say alike), ``protected`` (what stands in
        for protected fields),
        ``lineage`` (what went in, by digest, and the code),
        ``excluded`` and ``suspects`` of the leakage audit and the whole ``audit``, ``dropped_columns``,
        ``model``, ``version``, ``aliases``, ``digest``, ``counts`` of the load.
    """
    with (
        opening(with_rows(params, rows), home, progress) as inputs,
        meanwhile(libraries.load, partial(registry.prepare, _store(params, home))) as ready,
    ):
        with progress.stage("choosing moments"):
            known = remembering.memory(params, home, is_flat=inputs.is_flat)
            asked = question(
                params,
                inputs,
                has_rows=rows is not None,
                also_at=[*known.nights.values()],
                calls=working.calls(params, home, inputs),
            )
            cycle = measured(params, inputs)
        with progress.stage("building features"):
            offer = offered(params, inputs)
            chosen = offer.features
            segmenting.check(params, _specs(chosen))
            protecting.check(params.train.protected_fields, inputs.fields)
            built = table_of(inputs, asked.snapshots, chosen, offer.vocabulary)
            recalled = remembering.remembered(inputs, built, chosen, known)
            table, chosen = recalled.table, (*chosen, *recalled.features)
        with progress.stage("looking for leaks"):
            found = leaks.audited(
                params, inputs, evenly(asked, mature_rows(table)), chosen, asked.even, is_strict=is_strict
            )
        clean = protecting.allowed(params, inputs, leaks.kept(chosen, found), offer.vocabulary)
        with progress.stage("training", total=1 + params.tuning.trials or None) as advance:
            tuning = Tuning(
                params.tuning.trials, home / FOLDER, options(params), on_trial=lambda _: advance(1)
            )
            trained = fit(
                table,
                _specs(clean),
                options(params),
                stage=params.train.stage,
                horizon_days=None if inputs.is_flat else float(params.train.horizon_days),
                kinds=offer.values,
                extras={VOCABULARY: offer.vocabulary.as_json()},
                tune=tuning.shapes if tuning.count else None,
            )
        beside: Mapping[str, Any] = further.NOTHING
        if not inputs.is_flat and rows is None:
            with progress.stage("training horizons, stages and tags"):
                trained, beside = further.with_further(
                    trained, params, inputs, asked.snapshots, options(params)
                )
        with progress.stage("learning points"):
            trained, of_points = one_page.with_points(
                trained, resamples=options(params).resamples, seed=params.seed
            )
        with progress.stage("gathering evidence"):
            later = explained_later(trained)
            trained = with_population(with_references(trained, later), later, params.train.segment_by)
        with progress.stage("looking at the whole model"):
            protected = protecting.values(params, inputs, asked.mature, trained.first.history.table)
            seen = overview(trained, later, protected=protected, seed=params.seed)
            views = seen.as_json()
        trained, floor = withholding.with_floor(trained, params.train)
        orders = untrained.orders(table, trained.test, params.scorecard.card)
        figures = {
            "model": trained.report["metrics"],
            **trained.report["baselines"],
            **of_points,
            **untrained.ranking_figures(trained.test, orders),
        }
        with progress.stage("logging to MLflow"), tempfile.TemporaryDirectory(prefix="leadrank-") as scratch:
            ready()
            drawn = picturing.drawn(Path(scratch), trained, orders, seen, also=pictures)
            parts = segments(untrained.rows_of(table, trained.test))
            test = ForwardTest.of(trained.test, orders, figures, slices=parts, first=trained.first_bundle)
            made = {
                **carding.card_of(params, inputs, asked, trained, test, found, beside, views),
                "lineage": lineage.of_inputs(params, home, inputs),
                "segment_models": trained.report["segment_models"],
            }
            logged = {**figures, "memory": remembering.figures(recalled)} if params.train.memory else figures
            leaks.write_page(_made(Path(scratch) / "audit") / "audit.html", found, params.score.language)
            folders = {
                registry.TEST: test.save(Path(scratch) / "test"),
                registry.AUDIT: Path(scratch) / "audit",
                registry.CARD: carding.write(made, Path(scratch) / "card", params.score.language, drawn),
                registry.VIEWS: picturing.write(views, Path(scratch) / "views"),
            }
            numbers = {
                **dict(flat.of_contenders(logged)),
                **dict(flat.of_further(beside)),
                **dict(flat.of_segments(made["slices"])),
                **dict(flat.of_views(views)),
                **dict(flat.of_own(trained.report["segment_models"])),
            }
            version = _register(params, home, trained, numbers, drawn, folders, made["lineage"])
            log_trials(params, home, tuning.trials, inside=version.run_id)
        told = _told(params, asked, trained, figures, found, version) | {
            "cycle": told_of_time(cycle, params),
            "memory": remembering.told(recalled, known) if params.train.memory else None,
            "segments": made["slices"],
            "segment_models": made["segment_models"],
            "withheld": None if floor is None else floor.as_json(),
            "stability": views["stability"],
            "protected": views["protected"],
            "lineage": made["lineage"],
        }
        figuring.of_training(figures_to, told, test)
        return {**told, **beside, "is_flat": inputs.is_flat, **counted(inputs)}


def with_rows(params: Params, rows: Path | None) -> Params:
    """The parameters with the file of explicit rows among the tables, or in place of the flat one."""
    if rows is None:
        return params
    path, leads = str(rows.resolve()), params.tables["leads"]
    if leads.is_flat:
        tables = {"leads": replace(leads, path=path, format=format_of(rows))}
    else:
        tables = {**params.tables, "rows": Source(path=path, format=format_of(rows))}
    return params.model_copy(update={"tables": tables})


def table_of(inputs: Inputs, snapshots: Any, chosen: Sequence[Feature], vocabulary: Vocabulary) -> Any:
    """The feature table of labelled snapshots as Arrow, with what they have beside: label, weight, order."""
    engine = inputs.engine
    asked, tables = engine.taken(snapshots.select(*KEYS)), engine.held(inputs.tables)
    made = feature_table(asked, tables, chosen, inputs.fields, vocabulary, keep=engine.keep)
    built = engine.fetched(made)
    beside = [name for name in BESIDE if name in snapshots.columns]
    if beside:
        built = built.join(snapshots.select("snapshot_id", *beside), "snapshot_id")
    return built.order_by("snapshot_id").to_pyarrow()


def _specs(chosen: Sequence[Feature]) -> list[FeatureSpec]:
    return [feature.spec for feature in chosen]


def options(params: Params) -> TrainOptions:
    """How to train, as the parameters say."""
    given = params.train
    return TrainOptions(
        seed=params.seed,
        bags=given.bags,
        max_depth=given.max_depth,
        most_trees=given.max_trees,
        min_outcomes=given.min_outcomes,
        limits=Limits(params.features.library_max, params.features.generic_max),
        monotone=dict(given.monotone),
        own_by=params.segments.by,
        own_min_outcomes=params.segments.min_outcomes,
    )


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _store(params: Params, home: Path) -> str:
    return registry.anchored(params.tracking.uri, home)


def _register(
    params: Params,
    home: Path,
    trained: Trained,
    numbers: Mapping[str, float],
    pictures: Mapping[str, Path],
    folders: Mapping[str, Path],
    origin: Mapping[str, str],
) -> registry.Version:
    """Save the bundle and log everything."""
    report = trained.report
    with tempfile.TemporaryDirectory(prefix="leadrank-") as scratch:
        digest = save(trained.bundle, Path(scratch) / "bundle")
        version = registry.log_training(
            _store(params, home),
            params.tracking.experiment,
            params.tracking.model,
            registry.Record(
                params={
                    "seed": params.seed,
                    "train": params.train.model_dump(mode="json"),
                    "audit": params.audit.model_dump(mode="json"),
                    **{name: report[name] for name in LOGGED},
                },
                metrics=numbers,
                tags=origin,
                pictures=pictures,
                folders=folders,
            ),
            bundle_folder=Path(scratch) / "bundle",
            digest=digest,
            input_columns={spec.name: spec.kind for spec in trained.bundle.specs},
            has_signal=not has_no_signal(report["metrics"]),
        )
    deferring.keep_standing(params, home)
    return version


def _told(
    params: Params,
    asked: Question,
    trained: Trained,
    figures: Mapping[str, Any],
    found: Audit,
    version: registry.Version,
) -> dict[str, Any]:
    report = trained.report
    return {
        "rows": report["rows"],
        "positives": report["positives"],
        "base_rate": report["base_rate"],
        "immature": asked.immature,
        "early": asked.early,
        "worked": working.told(asked),
        "sampled": sample_told(asked),
        "split": report["split"],
        "trees": report["trees"],
        "metrics": figures,
        "small_history": report["small_history"],
        "no_signal": has_no_signal(report["metrics"]),
        "excluded": [asdict(finding) for finding in found.findings("refuse", "quarantine")],
        "suspects": [asdict(finding) for finding in found.findings("suspect")],
        "audit": found.as_json(),
        "dropped_columns": report["dropped_columns"],
        "features": [spec.name for spec in trained.bundle.specs],
        LEARNED_CARD: trained.bundle.extras[LEARNED_CARD],
        "model": params.tracking.model,
        "version": version.version,
        "aliases": list(version.aliases),
        "digest": version.digest,
        "run_id": version.run_id,
    }
