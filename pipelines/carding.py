"""The model card as a step of training: from what was reported to three files beside the bundle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from features.questions import Question
from models.audit.audit import Audit
from models.cards.card import LaterRows, card
from models.cards.forward_test import ForwardTest
from models.cards.limits import Facts
from models.cards.markdown import markdown
from models.cards.page import page
from models.labels import labels
from models.training import Trained
from pipelines.inputs import Inputs
from pipelines.params import Params


def card_of(
    params: Params,
    inputs: Inputs,
    asked: Question,
    trained: Trained,
    test: ForwardTest,
    found: Audit,
    further: Mapping[str, Any],
    views: Mapping[str, Any],
) -> dict[str, Any]:
    """The card of a training, as plain data.

    Parameters
    ----------
    further
        As `pipelines.further.with_further` reported it.
    views
        As `models.views.overview.Overview.as_json` told them.
    """
    facts = Facts(
        model=params.tracking.model,
        tables=tuple(inputs.tables),
        is_flat=inputs.is_flat,
        undecided=asked.immature,
        split=trained.report["split"],
        base_rate=trained.report["base_rate"],
        views=views,
        drawn_from=None if asked.sample is None else asked.sample.of,
    )
    leads = np.asarray(test.rows.column("lead").to_numpy(), dtype=np.int64)
    return card(
        trained.bundle,
        facts,
        LaterRows(test.label, test.probability, leads, test.slices, test.weight),
        found,
        test.with_intervals(),
        further=further,
        min_slice_outcomes=params.promotion.min_slice_outcomes,
    )


def write(made: Mapping[str, Any], folder: Path, language: str, pictures: Mapping[str, Path]) -> Path:
    """Write ``card.md`` and ``card.html`` in a language and ``card.json`` into a new folder; return it."""
    words = labels(language)
    folder.mkdir()
    (folder / "card.md").write_text(markdown(made, words), encoding="utf-8")
    (folder / "card.html").write_text(page(made, words, pictures=pictures), encoding="utf-8")
    (folder / "card.json").write_text(json.dumps(made, indent=1, ensure_ascii=False), encoding="utf-8")
    return folder
