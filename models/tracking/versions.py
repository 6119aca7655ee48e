"""Registered versions, and which of them is in force: the aliases ``champion`` and ``challenger``.

Functions take an MLflow client: only ``models/registry.py`` makes one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from features.errors import ModelError

CHAMPION, CHALLENGER = "champion", "challenger"
DIGEST_TAG, SIGNAL_TAG = "leadrank.digest", "leadrank.has_signal"
BEFORE_TAG = "leadrank.champion_before"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_TAG = 5000  # characters, MLflow's limit


@dataclass(frozen=True)
class Version:
    """One registered model version.

    Attributes
    ----------
    version
        MLflow's number of the version.
    digest
        Digest of the bundle as it was registered.
    run_id
        MLflow run that trained it.
    artifact_uri
        Where MLflow keeps its files.
    aliases
        ``champion``, ``challenger`` or neither.
    tags
        What was recorded with it.
    created_at
        When it was registered, UTC; None where MLflow does not say.
    """

    version: str
    digest: str
    run_id: str
    artifact_uri: str
    aliases: tuple[str, ...]
    tags: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime | None = None

    @property
    def has_signal(self) -> bool:
        """Whether it ranked later rows better than chance; true of versions from before this was kept."""
        return self.tags.get(SIGNAL_TAG, "true") == "true"

    @property
    def champion_before(self) -> str | None:
        """Number of the version that it took the place of when it was promoted."""
        return self.tags.get(BEFORE_TAG)


def every(client: Any, model_name: str) -> list[Version]:
    """All versions, newest first."""
    found = client.search_model_versions(f"name = '{model_name}'")
    aliases = _aliases(client, model_name) if found else {}
    return sorted((_version(v, aliases) for v in found), key=lambda v: -int(v.version))


def in_force(versions: Sequence[Version], model_name: str) -> Version:
    """The champion among all versions of a model.

    Raises
    ------
    ModelError
        None of them is.
    """
    for version in versions:
        if CHAMPION in version.aliases:
            return version
    raise ModelError(
        f"no version of model '{model_name}' is the champion",
        hint="none has shown signal yet: add history or fields, then run `leadrank train`"
        if versions
        else "run `leadrank train`",
    )


def numbered(versions: Sequence[Version], model_name: str, number: str) -> Version:
    """The version with this number.

    Raises
    ------
    ModelError
        There is none.
    """
    for version in versions:
        if version.version == number:
            return version
    raise ModelError(
        f"model '{model_name}' has no version {number}", hint="`leadrank models` lists the versions"
    )


def register(client: Any, model_name: str, source: str, run_id: str, tags: Mapping[str, str]) -> Version:
    """Register a new version: the first with signal as ``champion``, every other as ``challenger``."""
    if not client.search_registered_models(f"name = '{model_name}'"):
        client.create_registered_model(model_name)
    made = client.create_model_version(model_name, source=source, run_id=run_id, tags=dict(tags))
    is_first = CHAMPION not in _aliases(client, model_name)
    alias = CHAMPION if is_first and _version(made, {}).has_signal else CHALLENGER
    client.set_registered_model_alias(model_name, alias, made.version)
    return _version(made, _aliases(client, model_name))


def move(
    client: Any, model_name: str, version: Version, *, instead_of: str | None, record: Mapping[str, str]
) -> Version:
    """Make a version the champion; see ``registry.put_in_force``."""
    aliases = _aliases(client, model_name)
    if aliases.get(CHAMPION) != instead_of:
        raise ModelError(
            f"the champion is version {aliases.get(CHAMPION)} by now, not {instead_of}",
            hint="somebody else moved it: look at `leadrank models`, then decide again",
        )
    mark(client, model_name, version, record)
    client.set_registered_model_alias(model_name, CHAMPION, version.version)
    if aliases.get(CHALLENGER) == version.version:
        client.delete_registered_model_alias(model_name, CHALLENGER)
    found = client.get_model_version(model_name, version.version)
    return _version(found, _aliases(client, model_name))


def mark(client: Any, model_name: str, version: Version, record: Mapping[str, str]) -> None:
    """Record words with a version."""
    for name, text in record.items():
        client.set_model_version_tag(model_name, version.version, name, text[:_LONGEST_TAG])


def _aliases(client: Any, model_name: str) -> dict[str, str]:
    """Version number by alias."""
    aliases = client.get_registered_model(model_name).aliases
    return {alias: str(version) for alias, version in aliases.items()}


def _version(found: Any, aliases: Mapping[str, str]) -> Version:
    number, stamp = str(found.version), found.creation_timestamp  # milliseconds
    return Version(
        version=number,
        digest=found.tags.get(DIGEST_TAG, ""),
        run_id=found.run_id,
        artifact_uri=found.source,
        aliases=tuple(sorted(alias for alias, version in aliases.items() if version == number)),
        tags=dict(found.tags),
        created_at=None if stamp is None else _EPOCH + timedelta(milliseconds=stamp),
    )
