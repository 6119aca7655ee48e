"""The sections of ``params.yaml`` for what carries a ranking to other systems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from features.errors import ParameterError
from features.ingest.objects import address, is_address
from pipelines.sections import Name, Plain, Positive, Section, Variable
from serve.sinks.platforms import Ads as Platforms
from serve.sinks.targets import Crm

Amount = Annotated[float, Field(gt=0)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class Exports(Section):
    """Files for the import of a CRM, in the run's folder ``exports``.

    Attributes
    ----------
    crm
        Whose import they are for; None: no such files.
    fields
        Header by column of the ranking; empty: those of `serve.sinks.targets`.
    """

    crm: Crm | None = None
    fields: Mapping[Name, Name] = {}

    @field_validator("fields")
    @classmethod
    def _each_header_once(cls, fields: Mapping[str, str]) -> Mapping[str, str]:
        if len({header.casefold() for header in fields.values()}) < len(fields):
            raise PydanticCustomError("headers", "Input should be columns with a header of their own each")
        return fields


class Ads(Section):
    """Conversion values for ad platforms, in the run's folder ``exports``.

    Attributes
    ----------
    click_id
        Column of ``leads`` with the click id, by platform: each gets a file.
    currency
        ISO 4217 code of the amounts; needed where there is a platform.
    goals
        Stage whose probability a campaign or source is paid by; of the others ``train.stage``.
    names
        What the platforms call the conversion of a stage; the others are ``leadrank <stage>``.
    amount
        Amount of a won deal where the model predicts none; None: such leads are not sent.
    """

    click_id: Mapping[Platforms, Name] = {}
    currency: Currency | None = None
    goals: Mapping[Name, Plain] = {}
    names: Mapping[Plain, Name] = {}
    amount: Amount | None = None

    @model_validator(mode="after")
    def _amounts_have_a_currency(self) -> Ads:
        if self.click_id and self.currency is None:
            raise PydanticCustomError("currency", "Input should be given with a currency")
        return self


class Sinks(Section):
    """The ranking as tables of a database, and its files in an object store.

    Attributes
    ----------
    sql
        Name of the environment variable with the SQLAlchemy URL of a PostgreSQL database; None: no tables.
    sql_schema
        Schema of the tables; it exists.
    sql_lock_seconds
        How long one statement may wait for a lock.
    sql_statement_seconds
        How long one statement may take.
    sql_retry_seconds
        How long a database that does not answer is asked again.
    objects
        ``s3://bucket/prefix`` below which runs are kept; None: in no object store.
    """

    sql: Variable | None = None
    sql_schema: Name = "public"
    sql_lock_seconds: Positive = 10
    sql_statement_seconds: Positive = 600
    sql_retry_seconds: Annotated[int, Field(ge=0)] = 60
    objects: str | None = None

    @field_validator("objects")
    @classmethod
    def _a_bucket(cls, given: str | None) -> str | None:
        try:
            is_place = given is None or (is_address(given) and bool(address(given)))
        except ParameterError:
            is_place = False
        if not is_place:  # not shown: somebody may have put his keys there
            raise PydanticCustomError("bucket", "Input should be an address like s3://bucket/prefix")
        return given
