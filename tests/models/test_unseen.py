"""Which rows a version may be asked about: never one whose outcome it could have learned."""

from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pyarrow as pa

from models.bundle import Window
from models.cards.forward_test import ForwardTest
from models.promoting.paired import Pair
from models.promoting.unseen import Keys, Voice, common_tests, joined, unseen_from


def day(number):
    return datetime(2026, 1, 1, tzinfo=UTC).replace(day=number)


def bundle(*, last, horizon=10.0):
    window = Window(None if last is None else "2025-01-01", last, 100, 10)
    return SimpleNamespace(window=window, target=SimpleNamespace(horizon_days=horizon))


def kept(*rows, first=None):
    leads, days, chances = zip(*rows, strict=True)
    table = pa.table(
        {
            "lead_id": list(leads),
            "as_of": pa.array([day(number) for number in days]),
            "label": [1.0 if lead == "A" else 0.0 for lead in leads],
            "margin": [0.0] * len(leads),
            "probability": list(chances),
        }
    )
    parts = {"source": np.array([f"from {lead}" for lead in leads], dtype=object)}
    return ForwardTest.of(table, {}, {}, slices=parts, first=first)


def keys(*rows):
    leads, days = zip(*rows, strict=True)
    return Keys.of(pa.table({"lead_id": list(leads), "as_of": pa.array([day(number) for number in days])}))


def test_a_bundle_may_be_asked_from_one_horizon_after_its_last_row_on():
    voice = Voice(bundle(last="2026-01-05T00:00:00.000000"), kept(("A", 1, 0.3)))
    asked = keys(("B", 14), ("B", 15), ("B", 16))
    assert voice.may_say(asked).tolist() == [False, True, True]


def test_a_row_of_the_forward_test_has_the_opinion_of_the_first_pass():
    voice = Voice(bundle(last="2026-01-20T00:00:00"), kept(("A", 3, 0.3), ("B", 3, 0.1)))
    asked = keys(("B", 3), ("A", 3), ("A", 4))
    assert voice.may_say(asked).tolist() == [True, True, False]
    assert voice.probability(asked, lambda _: np.full(3, 0.9))[:2].tolist() == [0.1, 0.3]


def test_the_bundle_is_asked_first_and_then_the_model_of_the_first_pass():
    first = bundle(last="2026-01-01T00:00:00", horizon=1.0)
    shipped = bundle(last="2026-01-10T00:00:00", horizon=5.0)
    voice = Voice(shipped, kept(("A", 1, 0.3), first=first))
    asked = keys(("A", 1), ("A", 2), ("A", 14), ("A", 15))
    answers = {id(shipped): np.full(4, 0.8), id(first): np.full(4, 0.6)}
    assert voice.may_say(asked).all()
    assert voice.probability(asked, lambda b: answers[id(b)]).tolist() == [0.3, 0.6, 0.6, 0.8]


def test_without_dates_or_a_horizon_only_the_forward_test_speaks():
    assert unseen_from(bundle(last=None)) is None
    assert unseen_from(bundle(last="2026-01-05T00:00:00", horizon=None)) is None
    assert Voice(bundle(last=None), kept(("A", 1, 0.3))).may_say(keys(("A", 1), ("A", 20))).tolist() == [
        True,
        False,
    ]


def test_rows_of_both_forward_tests_are_paired_by_lead_and_moment():
    champion = Voice(bundle(last=None), kept(("C", 2, 0.7), ("A", 2, 0.1), ("B", 3, 0.2)))
    challenger = Voice(bundle(last=None), kept(("A", 2, 0.4), ("A", 3, 0.5), ("C", 2, 0.6)))
    pair = common_tests(champion, challenger)
    assert pair.champion.tolist() == [0.1, 0.7]
    assert pair.challenger.tolist() == [0.4, 0.6]
    assert pair.label.tolist() == [1, 0]
    assert pair.segments["source"].tolist() == ["from A", "from C"]
    assert len(set(pair.leads.tolist())) == 2


def test_joined_pairs_keep_the_slices_that_both_have():
    def of(chance, **segments):
        rows = np.array([chance])
        parts = {name: np.array([text], dtype=object) for name, text in segments.items()}
        return Pair(rows, rows, rows, np.array([1]), parts)

    both = joined(of(0.1, source="web", age="new"), of(0.2, source="fair"))
    assert both.champion.tolist() == [0.1, 0.2]
    assert {name: values.tolist() for name, values in both.segments.items()} == {"source": ["web", "fair"]}
    nothing = Pair(*(np.empty(0) for _ in range(3)), np.empty(0, np.int64), {})
    assert joined(nothing, of(0.1, source="web")).segments["source"].tolist() == ["web"]
