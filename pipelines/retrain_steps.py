"""The steps of a retraining, each the command of its name, and what is told of each."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from features.errors import LeadrankError
from models.phrases import Phrase
from models.registry import CHAMPION
from pipelines import backtest, checks, promote, train
from pipelines.inputs import Inputs, opened
from pipelines.params import Params
from pipelines.progress import Progress
from pipelines.retrain_due import TRAIN

Summary: TypeAlias = dict[str, Any]
FIGURES = ("roc_auc", "capture_20", "log_loss", "calibration_error")


@dataclass
class OneLoad:
    """The tables, opened by the first step that asks and kept for the others: all speak of the same data."""

    kept: ExitStack
    inputs: list[Inputs] = field(default_factory=list)

    def __call__(self, params: Params, home: Path, progress: Progress, /) -> AbstractContextManager[Inputs]:
        """As `pipelines.inputs.opened`; the inputs stay open after the block."""
        if not self.inputs:
            self.inputs.append(self.kept.enter_context(opened(params, home, progress)))
        return nullcontext(self.inputs[0])


@dataclass
class Work:
    """The steps that were done, and the one that is.

    Attributes
    ----------
    steps
        ``step``, ``seconds`` (None: it is a part of the next one) and ``summary``, in order.
    at
        The step that runs, or ended it all.
    """

    params: Params
    home: Path
    progress: Progress
    steps: list[dict[str, Any]] = field(default_factory=list)
    at: str = ""

    def carry_out(self, action: str, load: OneLoad) -> None:
        """Do all steps of a training, or the last one alone.

        Raises
        ------
        LeadrankError
            A step refuses; `steps` has those before it.
        """
        version: Mapping[str, Any] | None = None
        if action == TRAIN:
            self._do("check", lambda: self._check(load))
            version = self._train(load)
            self._do("backtest", lambda: self._backtest(load))
        self._do("promote", lambda: self._promote(load, version))

    def refused(self, error: LeadrankError) -> dict[str, Any]:
        """What ended it: ``step``, ``code`` and ``reason``."""
        return {"step": self.at, "code": error.code, "reason": error.reason}

    def _do(self, name: str, make: Callable[[], Summary]) -> None:
        self.at, start = name, time.perf_counter()
        summary = make()
        self._done(name, summary, time.perf_counter() - start)

    def _done(self, name: str, summary: Summary, seconds: float | None) -> None:
        told = None if seconds is None else round(seconds, 3)
        self.steps.append({"step": name, "seconds": told, "summary": summary})

    def _check(self, load: OneLoad) -> Summary:
        found = checks.run(self.params, self.home, progress=self.progress, opening=load)
        parts = ("read", "accepted", "quarantined", "deduplicated")
        return {
            **{part: sum(counts[part] for counts in found["counts"]) for part in parts},
            "features": found["features"],
            "warnings": found["warnings"],
            "data_digest": found["data_digest"],
        }

    def _train(self, load: OneLoad) -> Mapping[str, Any]:
        """Train; the leakage audit is a part of it, and stands before it all the same."""
        self.at, start = "train", time.perf_counter()
        found = train.run(self.params, self.home, rows=None, progress=self.progress, opening=load)
        left_out = [finding["column"] for finding in found["excluded"]]
        audited = {"verdicts": found["audit"]["verdicts"], "excluded": list(dict.fromkeys(left_out))}
        self._done("audit", audited, None)
        tested = found["metrics"]["model"]
        summary = {
            **{name: found[name] for name in ("version", "aliases", "rows", "positives", "no_signal")},
            "figures": {name: tested[name] for name in FIGURES},
            "lineage": found["lineage"],
        }
        self._done("train", summary, time.perf_counter() - start)
        return found

    def _backtest(self, load: OneLoad) -> Summary:
        if not self.params.retrain.backtest:
            return _left_out(Phrase("retrain.backtest is false"))
        if "outcomes" not in self.params.tables:
            return _left_out(Phrase("one table without dates has no past to replay"))
        found = backtest.run(self.params, self.home, progress=self.progress, opening=load)
        model = {row["figure"]: row for row in found["contenders"] if row["contender"] == "model"}
        figure = model["capture_20"]
        return {
            **{name: found[name] for name in ("lists", "won_leads", "run_id")},
            "capture_20": {end: figure[end] for end in ("value", "low", "high")},
        }

    def _promote(self, load: OneLoad, trained: Mapping[str, Any] | None) -> Summary:
        if trained is not None and CHAMPION in trained["aliases"]:
            return _left_out(Phrase("it is the first one with signal, and in force"))
        if not self.params.retrain.promote:
            return _left_out(Phrase("retrain.promote is false: `leadrank promote` decides"))
        if trained is not None and self.params.shadow.nights and self.params.shadow.needed_to_promote:
            nights = self.params.shadow.nights
            return _left_out(
                Phrase("it is on trial beside the champion for {nights:,} nights", nights=nights)
            )
        version = None if trained is None else trained["version"]
        found = promote.run(self.params, self.home, version=version, progress=self.progress, opening=load)
        shown = ("version", "instead_of", "rows", "positives")
        gates = {gate["name"]: gate["says"] for gate in found["gates"]}
        return {**{name: found[name] for name in shown}, "gates": gates}


def _left_out(why: str) -> Summary:
    return {"left_out": why}
