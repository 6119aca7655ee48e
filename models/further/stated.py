"""Which value of a field a lead would state: a light model a value, each against all others.

Learned from leads that state one, at one moment each, for otherwise a model could learn who they are. The
tag of a value is for leads for which it is the likeliest of all, from a probability on that held forward in
time; rare values are together what is none of them.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from features.errors import TooFewOutcomesError
from models.audit.association import Flags
from models.fitting.split import Places
from models.further.answers import Answers
from models.further.tags import Said, Tag, Trial, shown, tried
from models.further.targets import Fitted, Judged, LightFit
from models.metrics import Vector
from models.phrases import Phrase
from models.weights import mean

STATED = "stated"
"""Under this name a bundle keeps the targets of each field whose values are tags, by field."""
MOST_VALUES = 8
FILLED_TOGETHER = (
    0.5  # of the share in which leads that state the field have another one: below, it comes with it
)

Texts = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Values:
    """The values of one field that have a model.

    Attributes
    ----------
    fitted
        By value, the most frequent first.
    left_out
        Why a frequent value has none.
    blank
        Features that the models do not read.
    """

    fitted: Mapping[str, Fitted]
    left_out: Mapping[str, str]
    blank: tuple[str, ...]


def fit_values(
    light: LightFit, name: str, stated: Texts, *, made_of: Sequence[str] = (), least: int
) -> Values:
    """One model for each frequent value.

    Parameters
    ----------
    light
        The rows; the models read its features.
    name
        Of the tag.
    stated
        What the lead of each row of the history stated, as of its moment, shape (n,); None where nothing.
    made_of
        Features that are made from the field.
    least
        Leads that a value needs before the calibrate slice.

    Raises
    ------
    TooFewOutcomesError
        Every lead states the field, or no value has enough leads.
    """
    first = light.first
    is_stated = np.array([value is not None for value in stated]) & light.is_read
    is_silent = light.is_read & ~is_stated
    if not is_silent.any():
        raise TooFewOutcomesError(Phrase("every lead states it"), hint="leave the tag out")
    blank = (*made_of, *filled_together(light.known_shares(is_stated), light.known_shares(is_silent)))
    chosen = one_moment_each(first.history.leads, is_stated)
    seen = np.concatenate([first.split["train"], first.split["stop"]])
    frequent = _frequent(stated[seen[chosen[seen]]], least)
    blind, fitted, left_out = light.without(blank), dict[str, Fitted](), dict[str, str]()
    for place, value in enumerate(frequent):
        answers = Answers((stated == value).astype(np.float64), chosen)
        try:
            fitted[value] = blind.fit(f"{name}-{place}", tag_text(name, value), None, answers)
        except TooFewOutcomesError as error:
            left_out[value] = error.reason
    return Values(fitted, left_out, tuple(dict.fromkeys(blank)))


def tag_text(name: str, value: str) -> str:
    """The tag of a value, without the comma that stands between tags.

    >>> tag_text("persona", "buyer, finance")
    'persona: buyer; finance'
    """
    return f"{name}: {' '.join(value.replace(',', ';').split())}"


def tried_values(values: Values, leads: Texts, *, floor: float, least_rows: int) -> dict[str, Trial]:
    """What became of the tag of each value, where it is the likeliest.

    Parameters
    ----------
    leads
        Lead of each row of the history, shape (n,).
    floor, least_rows
        As for `models.further.tags.tried`.
    """
    slices = [{v: getattr(f, part) for v, f in values.fitted.items()} for part in ("calibrate", "test")]
    first = [likeliest({v: judged.probability for v, judged in part.items()}) for part in slices]
    return {
        value: _tried(*(_said(s[value], f[value], leads) for s, f in zip(slices, first, strict=True)),
                      floor=floor, least_rows=least_rows, rate=mean(fitted.test.label, fitted.test.weight))
        for value, fitted in values.fitted.items()
    }  # fmt: skip


def tags_of(name: str, values: Values, trials: Mapping[str, Trial], floor: float) -> tuple[Tag, ...]:
    """The tags that held."""
    targets = {value: fitted.target for value, fitted in values.fitted.items()}
    return tuple(
        shown(tag_text(name, value), targets[value].name, targets[value].calibration, 0.0, floor, trial)
        for value, trial in trials.items()
        if trial.why_not is None
    )


def likeliest(chances: Mapping[str, Vector]) -> dict[str, Flags]:
    """Whether each is the greatest of a row's chances, by key; of equal ones the first is."""
    if not chances:
        return {}
    best = np.argmax(np.vstack(list(chances.values())), axis=0)
    return {key: best == place for place, key in enumerate(chances)}


def filled_together(stating: Mapping[str, float], silent: Mapping[str, float]) -> list[str]:
    """Features that hardly a lead has that does not state the field: they could not help where it is asked.

    Parameters
    ----------
    stating, silent
        Share of the rows with and without the field in which each feature has a value.
    """
    return [name for name, share in stating.items() if silent[name] < FILLED_TOGETHER * share]


def one_moment_each(leads: Texts, known: Flags) -> Flags:
    """One of the known rows of each lead, chosen by a hash of its id: of any age, the same every time."""
    places = np.flatnonzero(known)
    ids = leads[places].astype(str)
    each, inverse, counts = np.unique(ids, return_inverse=True, return_counts=True)
    order = places[np.argsort(inverse, kind="stable")]
    steps = np.array([zlib.crc32(lead.encode()) for lead in each], dtype=np.int64) % np.maximum(counts, 1)
    found = np.zeros(len(known), dtype=bool)
    found[order[np.cumsum(counts) - counts + steps]] = True
    return found


def _frequent(stated: Texts, least: int) -> list[str]:
    counted = sorted(Counter(stated.tolist()).items(), key=lambda pair: (-pair[1], pair[0]))
    found = [value for value, leads in counted if leads >= least][:MOST_VALUES]
    if not found:
        raise TooFewOutcomesError(
            Phrase("no value is stated by {least} earlier leads", least=least), hint="add history"
        )
    return found


def _said(judged: Judged, is_first: Flags, leads: Texts) -> Said:
    places: Places = judged.places[is_first]
    weight = None if judged.weight is None else judged.weight[is_first]
    return Said(judged.label[is_first], judged.probability[is_first], leads[places], weight)


def _tried(calibrate: Said, test: Said, *, floor: float, least_rows: int, rate: float) -> Trial:
    if not len(calibrate.label) or not len(test.label):
        return Trial(None, None, 0, None, 0, rate, "on later rows it is never the likeliest value")
    return replace(tried(calibrate, test, floor=floor, least_rows=least_rows), base_rate=rate)
