"""Which features there are: what ``params.yaml`` says of them on training, what the model says on scoring."""

from __future__ import annotations

from features.families import Most, Offer, candidates
from features.vocabulary import Vocabulary
from models.bundle import Bundle
from pipelines.inputs import Inputs
from pipelines.params import Params

VOCABULARY = "vocabulary"
"""Under this name a bundle keeps the words that it was trained with."""


def offered(params: Params, inputs: Inputs) -> Offer:
    """Every feature that the loaded tables can feed, by the limits and words of the parameters."""
    given = params.features
    return candidates(
        inputs.tables,
        inputs.fields,
        modules=given.modules,
        most=Most(given.kinds_max, given.places_max, given.values_max),
        vocabulary=Vocabulary(
            kinds=given.kinds,
            places=given.places,
            half_life_days=given.half_life_days,
            returned_days=given.returned_days,
            stage=params.train.stage,
            horizon_days=params.train.horizon_days,
            reporting_delay_days=params.train.reporting_delay_days,
        ),
    )


def vocabulary_of(bundle: Bundle) -> Vocabulary:
    """The words that a model was trained with: a changed weight counts from the next training on."""
    return Vocabulary.from_json(bundle.extras[VOCABULARY])
