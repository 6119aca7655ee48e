"""``leadrank promote``: a paired forward test of the challenger against the champion, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from features.errors import ModelError, ParameterError
from models import registry
from models.promoting.gates import Evidence, Verdict, judge, signal
from models.promoting.unseen import Voice
from models.tracking.versions import BEFORE_TAG, CHALLENGER, CHAMPION
from pipelines import shadowing, working
from pipelines.asking import question
from pipelines.champion import Champion, fetched, forward_test_of, moving
from pipelines.deferring import keep
from pipelines.inputs import Opening, opened
from pipelines.pairing import paired, tonight
from pipelines.params import Params
from pipelines.progress import Progress
from pipelines.train import with_rows

HOW_TAG, REASON_TAG, SHUT_TAG = "leadrank.promotion", "leadrank.promotion_reason", "leadrank.promotion_shut"
REFUSED = "refused"


def run(
    params: Params,
    home: Path,
    *,
    version: str | None,
    progress: Progress,
    rows: Path | None = None,
    forced_for: str | None = None,
    opening: Opening = opened,
) -> dict[str, Any]:
    """Make a version the champion if every gate is open.

    Parameters
    ----------
    version
        Number of the version; None is the challenger.
    rows
        Explicit rows ``lead_id, as_of, label`` to compare on; as for ``train``.
    forced_for
        Reason to promote whatever gate is shut; it is recorded. None refuses.
    opening
        How the tables are opened.

    Returns
    -------
    dict
        ``model``, ``version``, ``instead_of`` (None: there was no champion), ``is_new`` (False: it was the
        champion already), ``gates`` (``name``, ``is_open``, ``says``), ``figures``, ``slices``, ``rows``,
        ``positives``, ``leads``, ``forced_for``.

    Raises
    ------
    ModelError
        A gate is shut, there is no such version or nothing to promote, or the champion was changed meanwhile.
    """
    if forced_for is not None and not forced_for.strip():
        raise ParameterError("--reason is empty", hint="say why the version should be promoted all the same")
    uri, name = registry.anchored(params.tracking.uri, home), params.tracking.model
    with moving(home):
        every = registry.versions(uri, name)
        wanted = _wanted(every, name, version)
        standing = next((v for v in every if CHAMPION in v.aliases), None)
        if standing is not None and standing.version == wanted.version:
            return {**_told(name, wanted, standing, Verdict((), {}, ()), {}), "is_new": False}
        verdict, about = _judged(params, home, standing, wanted, rows, progress, opening)
        verdict = replace(verdict, gates=(*verdict.gates, *shadowing.gates(params, home, standing, wanted)))
        told = _told(name, wanted, standing, verdict, about)
        against = "nothing" if standing is None else f"version-{standing.version}"
        registry.note(uri, wanted, f"promotion/against-{against}.json", told)
        _refuse_shut(uri, name, wanted, verdict, forced_for)
        instead_of = None if standing is None else standing.version
        record = {
            HOW_TAG: "forced" if verdict.shut else "passed",
            REASON_TAG: forced_for or "every gate is open",
            SHUT_TAG: ", ".join(gate.name for gate in verdict.shut) or "none",
            BEFORE_TAG: instead_of or "",
        }
        keep(home, name, registry.put_in_force(uri, name, wanted, instead_of=instead_of, record=record))
    return {**told, "forced_for": forced_for if verdict.shut else None}


def _wanted(every: list[registry.Version], name: str, version: str | None) -> registry.Version:
    found = [v for v in every if (CHALLENGER in v.aliases if version is None else v.version == version)]
    if not found:
        what = "challenger" if version is None else f"version {version}"
        raise ModelError(
            f"model '{name}' has no {what}", hint="`leadrank models` lists the versions; `leadrank train`"
        )
    return found[0]


def _judged(
    params: Params,
    home: Path,
    standing: registry.Version | None,
    wanted: registry.Version,
    rows: Path | None,
    progress: Progress,
    opening: Opening,
) -> tuple[Verdict, dict[str, Any]]:
    """The verdict, and what was compared; a model that takes nobody's place has one gate."""
    if standing is None:
        return Verdict((signal(has_signal=wanted.has_signal),), {}, ()), {}
    uri = registry.anchored(params.tracking.uri, home)
    with progress.stage("fetching both models"):
        champion, challenger = (fetched(uri, home, version) for version in (standing, wanted))
        voices = [
            Voice(m.bundle, forward_test_of(uri, v)) for m, v in ((champion, standing), (challenger, wanted))
        ]
    with opening(with_rows(params, rows), home, progress) as inputs:
        with progress.stage("comparing on rows that neither has learned from"):
            called = working.calls(params, home, inputs)
            asked = question(params, inputs, has_rows=rows is not None, calls=called)
            pair = paired(params, inputs, voices[0], voices[1], asked.mature)
        with progress.stage("comparing tonight's lists"):
            churn, same = tonight(params, inputs, champion.bundle, challenger.bundle)
    evidence = Evidence(
        pair=pair,
        questions=(_question(champion), _question(challenger)),
        has_signal=wanted.has_signal,
        churn_share=churn,
        same_reason_share=same,
    )
    about = {
        "rows": len(pair.label),
        "positives": pair.positives,
        "leads": len(set(pair.leads.tolist())),
        "churn_share": churn,
        "same_reason_share": same,
    }
    return judge(evidence, params.promotion), about


def _question(model: Champion) -> str:
    target = model.bundle.target
    within = "" if target.horizon_days is None else f" within {target.horizon_days:g} days"
    return f"{target.stage}{within}"


def _refuse_shut(
    uri: str, name: str, wanted: registry.Version, verdict: Verdict, forced_for: str | None
) -> None:
    """End here if a gate is shut and nobody may or wants to open it."""
    if not verdict.shut or (forced_for is not None and verdict.may_be_forced):
        return
    shut = ", ".join(gate.name for gate in verdict.shut)
    registry.mark(uri, name, wanted, {HOW_TAG: REFUSED, SHUT_TAG: shut})
    said = "; ".join(f"gate '{gate.name}' is shut: {gate.says}" for gate in verdict.shut)
    hint = (
        f"`leadrank promote {wanted.version} --force --reason TEXT` promotes it all the same"
        if verdict.may_be_forced
        else "a model that ranks like chance is never promoted: add history or fields, then train again"
    )
    raise ModelError(f"version {wanted.version} is not promoted: {said}", hint=hint)


def _told(
    name: str,
    wanted: registry.Version,
    standing: registry.Version | None,
    verdict: Verdict,
    about: Mapping[str, Any],
) -> dict[str, Any]:
    compared = {"rows": 0, "positives": 0, "leads": 0, "churn_share": None, "same_reason_share": None}
    return {
        "model": name,
        "version": wanted.version,
        "digest": wanted.digest,
        "instead_of": None if standing is None else standing.version,
        "is_new": True,
        "forced_for": None,
        "gates": [asdict(gate) for gate in verdict.gates],
        "figures": dict(verdict.figures),
        "slices": list(verdict.slices),
        **compared,
        **about,
    }
