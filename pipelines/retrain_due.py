"""Whether a training is due: what ``retrain`` asks, answered with as little reading as it takes.

The registry and two small files are read first; a table is loaded only where the number of new outcomes
decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from models import registry
from models.phrases import Phrase
from models.tracking.versions import CHALLENGER
from pipelines import retrain_asked, shadowing
from pipelines.params import Params
from pipelines.promote import HOW_TAG, REFUSED, SHUT_TAG

TRAIN, PROMOTE, WAIT = "train", "promote", "wait"


@dataclass(frozen=True)
class Rule:
    """One rule of the policy: its name, whether it asks for the work now, and why in words."""

    name: str
    is_met: bool
    says: str


@dataclass(frozen=True)
class Decision:
    """What is to be done.

    Attributes
    ----------
    action
        ``train`` (and all that follows), ``promote`` (the challenger has been on trial long enough) or
        ``wait``.
    rules
        Those that were asked, in order; a rule that needs a table is not asked where another one decides.
    """

    action: str
    rules: Sequence[Rule]


@dataclass(frozen=True)
class Standing:
    """The versions that matter: the latest, the one in force, and the one that would follow it."""

    newest: registry.Version | None
    champion: registry.Version | None
    challenger: registry.Version | None


def standing(params: Params, home: Path) -> Standing:
    """The versions as the registry has them.

    Raises
    ------
    UpstreamError, StorageError
        MLflow does not answer, or its database is damaged.
    """
    every = registry.versions(registry.anchored(params.tracking.uri, home), params.tracking.model)
    by_alias = {alias: version for version in every for alias in version.aliases}
    newest = every[0] if every else None
    return Standing(newest, by_alias.get(registry.CHAMPION), by_alias.get(CHALLENGER))


def decided(params: Params, home: Path, stands: Standing, *, now: datetime, is_forced: bool) -> Decision:
    """What is due now.

    Parameters
    ----------
    now
        The moment, UTC.
    is_forced
        Whether a training is wanted whatever the policy says.

    Raises
    ------
    InputError, UpstreamError
        The table with the outcomes cannot be read.
    """
    if is_forced:
        return Decision(TRAIN, [Rule("force", is_met=True, says=Phrase("it was asked for by hand"))])
    if stands.newest is None:
        return Decision(TRAIN, [Rule("first", is_met=True, says=Phrase("no model was trained yet"))])
    if (trial := _trial(params, home, stands)) is not None:
        return trial
    asked: list[Rule] = []
    for rule in _asked(params, home, stands, stands.newest, now):
        asked.append(rule)
        if rule.name == "rest_days" and not rule.is_met:
            return Decision(WAIT, asked)
        if rule.name != "rest_days" and rule.is_met:
            return Decision(TRAIN, asked)
    if all(rule.name == "rest_days" for rule in asked):
        says = Phrase(
            "no rule says when: see `retrain` in params.yaml; `leadrank retrain --force` trains now"
        )
        asked.append(Rule("no_rule", is_met=False, says=says))
    return Decision(WAIT, asked)


def _trial(params: Params, home: Path, stands: Standing) -> Decision | None:
    """A challenger on trial keeps others away until it was judged; None: none is."""
    asked, challenger = params.shadow, stands.challenger
    if challenger is None or stands.champion is None or not asked.nights or not asked.needed_to_promote:
        return None
    if challenger.digest == stands.champion.digest:
        return None  # the same model under another number: no night can tell the two apart
    done = shadowing.nights(home, challenger.digest)
    values = {"version": challenger.version, "done": done, "nights": asked.nights}
    if done < asked.nights:
        says = Phrase("version {version} is on trial: {done:,} of {nights:,} nights", **values)
        return Decision(WAIT, [Rule("shadow", is_met=False, says=says)])
    if not params.retrain.promote or _was_judged(challenger):
        return None
    says = Phrase("version {version} was on trial for {nights:,} nights", **values)
    return Decision(PROMOTE, [Rule("shadow", is_met=True, says=says)])


def _was_judged(version: registry.Version) -> bool:
    """Whether gates have kept it out already, and not only for the nights that it lacked."""
    shut = version.tags.get(SHUT_TAG, "").split(", ")
    return version.tags.get(HOW_TAG) == REFUSED and shadowing.GATE not in shut


def _asked(
    params: Params, home: Path, stands: Standing, newest: registry.Version, now: datetime
) -> Iterator[Rule]:
    """The rules, the cheap ones first; each is worked out only when it is its turn."""
    policy = params.retrain
    days = None if newest.created_at is None else (_day(now) - _day(newest.created_at)).days
    if days is not None and policy.rest_days:
        says = Phrase(
            "the latest training is {days:,} days old, {least:,} at least", days=days, least=policy.rest_days
        )
        yield Rule("rest_days", is_met=days >= policy.rest_days, says=says)
    if policy.every_days is not None:
        yield _by_time(days, policy.every_days)
    if policy.on_drift:
        yield _by_drift(home, stands.champion)
    if policy.new_outcomes is not None:
        yield _by_outcomes(params, home, newest, policy.new_outcomes)


def _by_time(days: int | None, most: int) -> Rule:
    if days is None:
        return Rule("every_days", is_met=True, says=Phrase("nobody knows when the latest training was"))
    says = Phrase("the latest training is {days:,} days old; one is due every {most:,}", days=days, most=most)
    return Rule("every_days", is_met=days >= most, says=says)


def _by_drift(home: Path, champion: registry.Version | None) -> Rule:
    """The advice of the monitor counts while the model that it is about is in force."""
    advice = retrain_asked.advice(home)
    if advice is None and retrain_asked.is_damaged(home):
        says = Phrase("what the monitor found cannot be read: run `leadrank monitor`")
        return Rule("on_drift", is_met=False, says=says)
    if advice is None:
        return Rule("on_drift", is_met=False, says=Phrase("no night was monitored yet"))
    about = advice.get("model_digest")
    if champion is None or about not in {None, champion.digest}:
        return Rule("on_drift", is_met=False, says=Phrase("the latest monitoring is of another model"))
    if advice.get("retrain"):
        return Rule(
            "on_drift",
            is_met=True,
            says=Phrase("the monitoring of {night} advises it", night=advice["as_of"][:10]),
        )
    says = Phrase("the monitoring of {night} does not advise it", night=advice["as_of"][:10])
    return Rule("on_drift", is_met=False, says=says)


def _by_outcomes(params: Params, home: Path, newest: registry.Version, least: int) -> Rule:
    new = retrain_asked.new_outcomes(params, home, newest.tags)
    if new is None:
        says = Phrase(
            "nobody knows which outcomes version {version} has learned from", version=newest.version
        )
        return Rule("new_outcomes", is_met=True, says=says)
    says = Phrase("{new:,} leads were decided since; {least:,} are enough", new=new, least=least)
    return Rule("new_outcomes", is_met=new >= least, says=says)


def _day(moment: datetime) -> datetime:
    """The midnight that begins its day: cron's own minutes do not put a training off by a night."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
