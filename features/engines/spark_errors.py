"""What Spark says when it fails, as errors of ours; its own words may quote a cell, and are not repeated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from py4j.protocol import Py4JError
from pyspark.errors import AnalysisException, PySparkException

from features.errors import ModelError, ParameterError, UpstreamError


@contextmanager
def told() -> Iterator[None]:
    """A failure of Spark as an error of ours; what it says may quote a cell, so it is not repeated."""
    try:
        yield
    except (PySparkException, Py4JError) as error:
        if f"{ModelError.__module__}.{ModelError.__name__}" in str(error):
            raise ModelError(
                "the model was refused on an executor",
                hint="set engine.name: duckdb to be told why, or roll the model back",
            ) from error
        raise UpstreamError(
            f"Spark did not finish ({type(error).__name__})",
            hint="look into the logs of the driver and of the executors; is engine.master right?",
        ) from error


@contextmanager
def of_table(table: str) -> Iterator[None]:
    """What Spark says of a table before it reads it; its words may quote a view's text."""
    try:
        yield
    except AnalysisException as error:
        raise ParameterError(
            f"Spark cannot read the table '{table}' ({error.getCondition() or type(error).__name__})",
            hint="check spark_table, and that engine.settings lead to the catalog that has it",
        ) from error
