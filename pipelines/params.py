"""Parameters: what ``params.yaml`` may say, one section a command, and nothing else.

Only ``load`` reads the file. Everything has a default except ``tables``; unknown keys are refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from features.errors import ParameterError, Place
from features.tables import Source
from features.vocabulary import Word
from models.scorecard import Rule
from pipelines import params_rules, strict_yaml
from pipelines.params_errors import refusal
from pipelines.presets import PRESETS, Headers

Preset = Literal["salesforce", "hubspot", "dynamics", "marketo"]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(ge=1)]
Name = Annotated[str, Field(min_length=1)]


def _moment(text: object) -> object:
    """ISO 8601 text as a moment in UTC; a date alone means the midnight that begins it."""
    if not isinstance(text, str):
        return text
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


Moment = Annotated[datetime, BeforeValidator(_moment)]


class Section(BaseModel):
    """One section of ``params.yaml``: unknown keys are refused, values keep their type."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Check(Section):
    """When a load is refused.

    Attributes
    ----------
    max_quarantine_share
        Largest part of a table's rows (0 to 1) that may be quarantined.
    """

    max_quarantine_share: Share = 0.05


class Features(Section):
    """Which features exist beside the built-in ones.

    Attributes
    ----------
    modules
        Python modules of the user, by import name, that define features.
    kinds_max, places_max, values_max
        The most common touch kinds, places, and values of each other category of touches that get features
        of their own.
    library_max, generic_max
        The most features of the library, and generic ones among them, that a model uses: those that help most
        on later rows. Fields of the lead and your own modules all stay.
    half_life_days
        Days after which a touch weighs half.
    returned_days
        A lead handed back within so many days was returned at once.
    kinds, places
        What the team's kinds and places mean; what is not said is read from their names.
    """

    modules: tuple[Name, ...] = ()
    kinds_max: Positive = 20
    places_max: Positive = 10
    values_max: Positive = 10
    library_max: Annotated[int, Field(ge=0)] = 80
    generic_max: Annotated[int, Field(ge=0)] = 60
    half_life_days: Annotated[float, Field(gt=0)] = 30.0
    returned_days: Positive = 7
    kinds: Mapping[str, Word] = {}
    places: Mapping[str, Word] = {}


class Train(Section):
    """What is predicted, from which past moments, by how large a model.

    Attributes
    ----------
    stage
        The stage whose probability is estimated.
    horizon_days
        Days ahead in which the stage has to be reached.
    every_days, max_per_lead
        Days between the past moments of training, and how many moments of all kinds one lead may give.
    at_stage_entry
        Whether to look also from the first midnight after each stage of a lead was known.
    at_days_after_creation
        Ages of a lead, in days, at which to look too: from the first midnight at which it is that old.
    reporting_delay_days
        Days until an outcome is surely recorded; younger label windows are not mature.
    censoring
        What becomes of snapshots whose window is not over: ``leave_out``, or ``weight``: those that are
        decided already are used, and all are weighted by the inverse probability of censoring.
    memory
        Whether the feature rows of published runs are used: they are the only past of ``current`` fields.
    min_outcomes
        Fewest won and fewest not-won leads that are worth a model.
    bags
        Models that are averaged; with many rows fewer are enough and made.
    max_depth
        Depth of a tree, at most 8: explanations keep a table for each leaf.
    max_trees
        Upper bound; early stopping usually ends sooner.
    as_of
        Moment that training looks back from (UTC if it has no offset); None is the latest recorded fact.
    """

    stage: Name = "won"
    horizon_days: Positive = 90
    every_days: Positive = 7
    max_per_lead: Positive = 12
    at_stage_entry: bool = False
    at_days_after_creation: tuple[Positive, ...] = ()
    reporting_delay_days: Annotated[int, Field(ge=0)] = 3
    censoring: Literal["leave_out", "weight"] = "leave_out"
    memory: bool = False
    min_outcomes: Positive = 10
    bags: Positive = 8
    max_depth: Annotated[int, Field(ge=1, le=8)] = 8
    max_trees: Positive = 1000
    as_of: Moment | None = None


class Audit(Section):
    """What the leakage audit may not leave out.

    Attributes
    ----------
    allow
        Reason by feature name: these columns are used whatever the audit found. The reason is recorded.
    """

    allow: Mapping[Name, Name] = {}


class Scorecard(Section):
    """The points that a team would use without a model: baseline and fallback.

    Attributes
    ----------
    mql_points
        Points from which a lead counts as marketing-qualified.
    rules
        Points for single features; without rules there is no scorecard to compare with.
    """

    mql_points: float = 50
    rules: tuple[Rule, ...] = ()


class Tracking(Section):
    """Where experiments and models are kept.

    Attributes
    ----------
    uri
        MLflow tracking and registry address; credentials belong into the environment.
    experiment, model
        Name of the experiment, and of the registered model.
    """

    uri: Name = "sqlite:///mlflow.db"
    experiment: Name = "leadrank"
    model: Name = "leadrank"


class Score(Section):
    """What a published ranking shows.

    Attributes
    ----------
    runs
        Folder of the published runs, relative to the folder of ``params.yaml``.
    publish_columns
        Lead columns that are shown beside the ranking.
    reasons_for, reasons_against
        The most reasons that are shown for and against a lead.
    """

    runs: Name = "runs"
    publish_columns: tuple[Name, ...] = ()
    reasons_for: Annotated[int, Field(ge=0)] = 3
    reasons_against: Annotated[int, Field(ge=0)] = 2


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
    audit: Audit = Audit()
    scorecard: Scorecard = Scorecard()
    tracking: Tracking = Tracking()
    score: Score = Score()


def load(path: Path) -> Params:
    """Read and check a parameter file.

    Parameters
    ----------
    path
        The file; table paths in it are relative to its folder.

    Raises
    ------
    ParameterError
        There is no such file, it is not YAML, a key is unknown, a value is unusable, or two
        parameters contradict each other.
    """
    return parse(_text(path), file=path.name)


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
    params_rules.check(params.tables, file)
    return params


def digest(params: Params) -> str:
    """SHA-256 over all parameters, in hexadecimal: equal for files that mean the same."""
    canonical = json.dumps(params.model_dump(mode="json"), sort_keys=True, ensure_ascii=True)
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
    if params.preset is None:
        return params
    return params.model_copy(update={"tables": _with_preset(params.tables, PRESETS[params.preset])})


def _with_preset(tables: Mapping[str, Source], headers: Headers) -> dict[str, Source]:
    """The tables with the vendor's headers below the user's own mapping."""
    return {
        name: replace(source, mapping={**headers.get(name, {}), **source.mapping})
        for name, source in tables.items()
    }
