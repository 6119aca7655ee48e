"""What two parameters may not say together: each rule is one function over a section."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from itertools import chain
from pathlib import Path

from features.errors import ParameterError, Place, listed
from features.tables import CONTRACT, Source
from pipelines.monitor_section import Monitor
from pipelines.retrain_section import Retrain
from pipelines.sections import Features, Train
from pipelines.tag_rules import USUAL_STAGES, TagRule

Tables = Mapping[str, Source]
Problem = tuple[str, str]
"""What is wrong, and what to do."""


def check(tables: Tables, features: Features, tags: Mapping[str, TagRule], file: str) -> None:
    """Refuse parameters that contradict each other, or the contract.

    Parameters
    ----------
    tables
        Sources by table name.
    features
        The section ``features``.
    tags
        The section ``tags``.
    file
        Name of the parameter file, for the message.

    Raises
    ------
    ParameterError
        The first rule that is broken.
    """
    of_tables = (problem for rule in _RULES for problem in rule(tables))
    of_others = chain(_the_library_holds_the_generic_ones(features), _a_tag_on_a_field_has_one(tags, tables))
    for reason, hint in chain(of_tables, of_others):
        raise ParameterError(reason, hint=hint, place=Place("parameters", file))


def check_engine(tables: Tables, engine: str, file: str) -> None:
    """Refuse tables of Spark where Spark is not the engine.

    Raises
    ------
    ParameterError
        Names the tables.
    """
    of_spark = [name for name, source in tables.items() if source.format == "spark"]
    if of_spark and engine != "spark":
        raise ParameterError(
            f"{listed([f'tables.{name}' for name in of_spark])} of Spark, and engine.name is '{engine}'",
            hint="set engine.name: spark, or give the path of an export as Parquet",
            place=Place("parameters", file),
        )


def check_goals(stages: Iterable[str], train: Train, file: str) -> None:
    """Refuse a stage of ``ads.goals`` that no probability is estimated for.

    Raises
    ------
    ParameterError
        Names the stage.
    """
    further = USUAL_STAGES if train.stages is None else train.stages
    for stage in stages:
        if stage not in {train.stage, *further}:
            raise ParameterError(
                f"ads.goals names the stage '{stage}', which no probability is estimated for",
                hint="name train.stage or one of train.stages",
                place=Place("parameters", file),
            )


def check_folders(folders: Mapping[str, Path], file: str) -> None:
    """Refuse folders below one called ``key=value``: DuckDB would read it as a column of every file in it.

    Parameters
    ----------
    folders
        Absolute, by what the parameters call them.

    Raises
    ------
    ParameterError
        Names the folder.
    """
    for what, folder in folders.items():
        for part in folder.parts:
            if "=" in part:
                raise ParameterError(
                    f"{what} lies in a folder called '{part}', which is read as a column of every file in it",
                    hint="choose one without '='; the declared tables themselves may lie in such folders",
                    place=Place("parameters", file),
                )


def check_nights_after(retrain: Retrain, monitor: Monitor, file: str) -> None:
    """Refuse numbers of ``retrain`` and ``monitor`` of which one leaves the other without effect.

    Raises
    ------
    ParameterError
        Names both.
    """
    problems = chain(_rest_ends_before_a_training_is_due(retrain), _recent_weeks_are_some_of_all(monitor))
    for reason, hint in problems:
        raise ParameterError(reason, hint=hint, place=Place("parameters", file))


def _names_are_of_the_contract(tables: Tables) -> Iterator[Problem]:
    for name in tables:
        if name not in CONTRACT:
            near = get_close_matches(name, CONTRACT, n=1)
            yield (
                f"unknown table 'tables.{name}'" + (f" — did you mean '{near[0]}'" if near else ""),
                f"the tables are {', '.join(CONTRACT)}",
            )


def _leads_are_there(tables: Tables) -> Iterator[Problem]:
    if "leads" not in tables:
        yield "the table 'leads' is missing", "declare it under tables.leads"


def _a_source_says_where_it_is(tables: Tables) -> Iterator[Problem]:
    for name, source in tables.items():
        is_database, is_file = source.format == "database", source.format in {"csv", "parquet"}
        if is_database and not (source.url_env and source.database_table):
            yield (
                f"tables.{name} is a database table without an address",
                f"give tables.{name}.url_env (name of an environment variable) and database_table",
            )
        if source.format == "spark" and not source.spark_table:
            yield f"tables.{name} is a table of Spark without a name", f"give tables.{name}.spark_table"
        if source.format != "spark" and source.spark_table is not None:
            yield f"tables.{name} has a spark_table and format: {source.format}", "keep one of the two"
        if is_file and not source.path:
            yield f"tables.{name} has no path", f"give tables.{name}.path, or format: database or spark"
        if source.url_env is not None and not source.url_env.isidentifier():
            yield (
                f"tables.{name}.url_env is no name of an environment variable",  # it may hold a password
                "write the address into the environment, and the name of the variable here",
            )
        if not is_file and source.path:
            yield f"tables.{name} has both a path and format: {source.format}", "keep one of the two"


def _columns_are_of_the_contract(tables: Tables) -> Iterator[Problem]:
    """Own fields may be renamed too, where the table has them."""
    for name, source in tables.items():
        known = {*CONTRACT[name].columns, *source.fields, source.outcome_column, source.order_column}
        for column in source.mapping:
            if column not in known:
                near = get_close_matches(column, [str(k) for k in known], n=1)
                yield (
                    f"unknown column 'tables.{name}.mapping.{column}'"
                    + (f" — did you mean '{near[0]}'" if near else ""),
                    "mapping has our column name on the left and your header on the right",
                )


def _fields_have_a_table_that_takes_them(tables: Tables) -> Iterator[Problem]:
    for name, source in tables.items():
        if source.fields and not CONTRACT[name].has_own_fields:
            takers = [table for table, contract in CONTRACT.items() if contract.has_own_fields]
            yield f"tables.{name} takes no fields", f"fields belong to {listed(takers)}"


def _one_way_to_tell_the_outcome(tables: Tables) -> Iterator[Problem]:
    leads = tables["leads"]
    for name, source in tables.items():
        if name != "leads" and (source.outcome_column or source.order_column):
            yield (
                f"tables.{name} has an outcome or order column",
                "only tables.leads may have one (flat start)",
            )
    if leads.is_flat and "outcomes" in tables:
        yield (
            "the outcome is given twice: by tables.leads.outcome_column and by tables.outcomes",
            "remove one of the two",
        )
    if not leads.is_flat and "outcomes" not in tables:
        yield (
            "nothing says which leads were won",
            "declare tables.outcomes, or tables.leads.outcome_column for a table with one row per lead",
        )
    if leads.order_column and not leads.is_flat:
        yield (
            "tables.leads.order_column needs an outcome_column",
            "with dated tables, created_at gives the order",
        )


def _the_outcome_is_no_field(tables: Tables) -> Iterator[Problem]:
    leads = tables["leads"]
    if leads.outcome_column in leads.fields:
        yield (
            "the outcome column is also a field",
            "remove it from tables.leads.fields: it would tell the answer",
        )
    if leads.is_flat and not leads.won_values:
        yield "tables.leads.won_values is empty", "list the texts that mean won"


def _a_tracked_field_has_a_past(tables: Tables) -> Iterator[Problem]:
    tracked = [
        f"tables.{name}.fields.{column}"
        for name, source in tables.items()
        for column, field in source.fields.items()
        if field.time == "tracked"
    ]
    if tracked and "field_history" not in tables:
        yield (
            f"{listed(tracked)} tracked, but there is no field history",
            "declare tables.field_history, or say time: current (today's value only)",
        )


def _the_library_holds_the_generic_ones(features: Features) -> Iterator[Problem]:
    if features.generic_max > features.library_max:
        most = features.library_max
        reason = f"features.generic_max ({features.generic_max}) is above features.library_max ({most})"
        yield reason, f"generic features count there too: set features.generic_max to {most} or less"


def _rest_ends_before_a_training_is_due(retrain: Retrain) -> Iterator[Problem]:
    every, rest = retrain.every_days, retrain.rest_days
    if every is not None and rest > every:
        yield (
            f"retrain.rest_days ({rest}) is above retrain.every_days ({every})",
            "a training cannot be due in the days of rest: lower retrain.rest_days",
        )


def _recent_weeks_are_some_of_all(monitor: Monitor) -> Iterator[Problem]:
    weeks, recent = monitor.realised.weeks, monitor.realised.recent_weeks
    if recent > weeks:
        yield (
            f"monitor.realised.recent_weeks ({recent}) is above monitor.realised.weeks ({weeks})",
            "the recent weeks are some of those that are looked at: raise monitor.realised.weeks",
        )


def _a_tag_on_a_field_has_one(tags: Mapping[str, TagRule], tables: Tables) -> Iterator[Problem]:
    fields = {name for name, field in tables["leads"].fields.items() if field.kind == "category"}
    for name, rule in tags.items():
        if rule.field is None:
            continue
        if rule.stages or rule.rule != "reaches" or rule.horizon_days is not None:
            yield f"tags.{name} has a field and a rule", "beside a field only precision_floor has a meaning"
        if rule.field not in fields:
            near = get_close_matches(rule.field, fields, n=1)
            yield (
                f"tags.{name}.field names '{rule.field}', which is no category of leads"
                + (f" — did you mean '{near[0]}'" if near else ""),
                "declare it under tables.leads.fields with kind: category, or take the tag out",
            )


_RULES: tuple[Callable[[Tables], Iterator[Problem]], ...] = (
    _names_are_of_the_contract,
    _leads_are_there,
    _a_source_says_where_it_is,
    _columns_are_of_the_contract,
    _fields_have_a_table_that_takes_them,
    _one_way_to_tell_the_outcome,
    _the_outcome_is_no_field,
    _a_tracked_field_has_a_past,
)
