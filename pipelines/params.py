"""Parameters: what ``params.yaml`` may say, one section a command, and nothing else.

Only ``load`` reads the file. Everything has a default except ``tables``; unknown keys are refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from features.errors import ParameterError, Place
from features.tables import Source
from models.promoting.thresholds import Thresholds
from pipelines import params_rules, strict_yaml
from pipelines.backtest_section import Backtest
from pipelines.engine_section import Engine
from pipelines.holdout_section import Holdout
from pipelines.monitor_section import Monitor
from pipelines.nightly_sections import Capacity, Gates, Nurture, Reports, Watch
from pipelines.params_errors import refusal
from pipelines.presets import PRESETS, Headers
from pipelines.retrain_section import Retrain, Shadow
from pipelines.sections import (
    Audit,
    Check,
    Features,
    Plain,
    Score,
    Scorecard,
    Section,
    Tracking,
    Train,
    Tuning,
)
from pipelines.segments_section import Segments
from pipelines.serve_sections import Serve
from pipelines.sink_sections import Ads, Exports, Sinks
from pipelines.tag_rules import USUAL, TagRule, usual

WITHOUT_EFFECT = {"engine", "monitor", "retrain", "shadow"}
"""Sections that change nothing in what comes out: how it is computed, what is watched, when to train."""
Preset = Literal["salesforce", "hubspot", "dynamics", "marketo"]


class Params(Section):
    """All parameters.

    Attributes
    ----------
    seed
        Start of every random choice.
    preset
        CRM whose export headers are known (``pipelines/presets.py``); an explicit mapping wins.
    tables
        Where each contract table is, by its name.
    """

    tables: Mapping[str, Source]
    seed: Annotated[int, Field(ge=0)] = 7
    preset: Preset | None = None
    check: Check = Check()
    features: Features = Features()
    train: Train = Train()
    segments: Segments = Segments()
    audit: Audit = Audit()
    scorecard: Scorecard = Scorecard()
    tracking: Tracking = Tracking()
    score: Score = Score()
    gates: Gates = Gates()
    capacity: Capacity = Capacity()
    holdout: Holdout = Holdout()
    nurture: Nurture = Nurture()
    reports: Reports = Reports()
    watch: Watch = Watch()
    monitor: Monitor = Monitor()
    exports: Exports = Exports()
    ads: Ads = Ads()
    sinks: Sinks = Sinks()
    serve: Serve = Serve()
    backtest: Backtest = Backtest()
    promotion: Thresholds = Thresholds()
    retrain: Retrain = Retrain()
    shadow: Shadow = Shadow()
    tuning: Tuning = Tuning()
    engine: Engine = Engine()
    tags: Mapping[Plain, TagRule] = USUAL


def load(path: Path) -> Params:
    """Read and check a parameter file.

    Parameters
    ----------
    path
        The file; table paths in it are relative to its folder.

    Raises
    ------
    ParameterError
        There is no such file, it is not YAML, a key is unknown, a value is unusable, two parameters
        contradict each other, or a folder has a name that would be read as a column.
    """
    params, home = parse(_text(path), file=path.name), path.resolve().parent
    shared = params.engine.asked(home).shared
    folders = {"its folder": home, "score.runs": home / params.score.runs, "engine.shared": shared or home}
    params_rules.check_folders(folders, path.name)
    return params


def parse(text: str, *, file: str = "params.yaml") -> Params:
    """Check the text of a parameter file; ``load`` without the disk.

    Raises
    ------
    ParameterError
        As ``load``.

    Examples
    --------
    >>> parse("tables: {leads: {path: leads.csv, outcome_column: won}}").train.horizon_days
    90
    """
    raw = strict_yaml.parse(text, file=file)
    if not isinstance(raw, dict):
        raise ParameterError(
            f"'{file}' holds no parameters", hint="write at least 'tables:', or run `leadrank init FILE…`"
        )
    params = _validated(raw, file)
    params_rules.check(params.tables, params.features, params.tags, file)
    params_rules.check_engine(params.tables, params.engine.name, file)
    params_rules.check_goals(params.ads.goals.values(), params.train, file)
    params_rules.check_nights_after(params.retrain, params.monitor, file)
    return params


def digest(params: Params) -> str:
    """SHA-256 over all parameters, in hexadecimal: equal for files that mean the same.

    Sections that change nothing in what comes out are not among them.
    """
    silent = WITHOUT_EFFECT if params.segments.by else {*WITHOUT_EFFECT, "segments"}
    meant = params.model_dump(mode="json", exclude=silent)
    canonical = json.dumps(meant, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _text(path: Path) -> str:
    place = Place("parameters", path.name)
    try:
        return path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        raise ParameterError(
            f"no {path.name} here", hint="run `leadrank init FILE…` or `leadrank demo`", place=place
        ) from None
    except UnicodeDecodeError:
        raise ParameterError(
            f"'{path.name}' is not UTF-8 text", hint="save it as UTF-8", place=place
        ) from None
    except OSError:
        raise ParameterError(
            f"'{path.name}' cannot be read",
            hint="check that it is a file and that you may read it",
            place=place,
        ) from None


def _validated(raw: dict[object, object], file: str) -> Params:
    # A section whose keys are all commented out is null in YAML and means the defaults.
    given = {key: value for key, value in raw.items() if value is not None}
    try:
        # Strict JSON keeps types apart (no "7" for 7, no true for 1) and still takes a list for a tuple.
        text = json.dumps(given)
    except ValueError:
        raise ParameterError(f"'{file}' refers to itself", hint="write it without & and *") from None
    try:
        params = Params.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise refusal(error, Params, file) from None
    if "tags" not in given and "leads" in params.tables:
        params = params.model_copy(update={"tags": usual(params.tables["leads"])})
    if params.preset is None:
        return params
    return params.model_copy(update={"tables": _with_preset(params.tables, PRESETS[params.preset])})


def _with_preset(tables: Mapping[str, Source], headers: Headers) -> dict[str, Source]:
    """The tables with the vendor's headers below the user's own mapping."""
    return {
        name: replace(source, mapping={**headers.get(name, {}), **source.mapping})
        for name, source in tables.items()
    }
