"""The true probabilities: right on average, blind to later knowledge, equal to a slow sum over all paths."""

from dataclasses import replace

import numpy as np
import pytest

from pipelines.demo import process, world
from pipelines.demo.population import Population, draw
from pipelines.demo.simulate import Facts, History, simulate
from pipelines.demo.truth import Truth, moments, truth

LEADS = 4_000


@pytest.fixture(scope="module")
def people() -> Population:
    return draw(np.random.default_rng(11), LEADS)


@pytest.fixture(scope="module")
def history(people: Population) -> History:
    return simulate(np.random.default_rng(12), people)


@pytest.fixture(scope="module")
def known(people: Population, history: History) -> Truth:
    return truth(people, history)


def _labels(found: Truth, history: History) -> np.ndarray:
    won = history.moves.where(process.IS_WON[history.moves.what])
    day = np.full(LEADS, 10_000)
    day[won.lead] = won.day
    return (day[found.lead] >= found.day) & (day[found.lead] < found.day + world.HORIZON_DAYS)


def _mature(found: Truth) -> np.ndarray:
    return found.day <= world.HISTORY_DAYS - world.HORIZON_DAYS


def test_the_truth_is_calibrated_in_every_tenth(known: Truth, history: History) -> None:
    mature, label = _mature(known), _labels(known, history)
    order = np.argsort(known.probability[mature], kind="stable")
    for rows in np.array_split(np.flatnonzero(mature)[order], 10):
        # Snapshots of a lead repeat each other (about 13 a horizon), so the error is that of far fewer rows.
        spread = np.sqrt(np.mean(known.probability[rows] * (1 - known.probability[rows])) / (len(rows) / 13))
        assert abs(known.probability[rows].mean() - label[rows].mean()) < 4 * spread


def test_the_base_rate_is_between_three_and_eight_percent(known: Truth, history: History) -> None:
    assert 0.03 < _labels(known, history)[_mature(known)].mean() < 0.08


def test_there_is_one_row_for_each_open_lead_and_week(
    people: Population, history: History, known: Truth
) -> None:
    assert moments()[-1] == world.HISTORY_DAYS
    assert set(np.diff(moments())) == {7}
    for moment in (moments()[0], 301, world.HISTORY_DAYS):
        assert known.lead[known.day == moment].tolist() == _open_one_by_one(people, history.moves, moment)


def _open_one_by_one(people: Population, moves: Facts, moment: int) -> list[int]:
    is_open = {lead: True for lead in range(people.leads) if people.day[lead] < moment}
    for lead, day, number, late in zip(moves.lead, moves.day, moves.what, moves.late, strict=True):
        stage = world.MOVES[number].stage
        if day + late < moment and stage in ("won", "lost", "disqualified", "reopened"):
            is_open[lead] = stage == "reopened"
    return [lead for lead, still in is_open.items() if still]


@pytest.fixture(scope="module")
def few() -> tuple[Population, History, Truth]:
    people = draw(np.random.default_rng(13), 500)
    history = simulate(np.random.default_rng(14), people)
    return people, history, truth(people, history)


@pytest.mark.parametrize("moment", [154, 455])
def test_later_knowledge_changes_nothing(few: tuple[Population, History, Truth], moment: int) -> None:
    """Facts recorded at or after the moment vanish; the truth at the moment stays."""
    people, history, known = few
    touches, moves, timeline = (
        facts.where(facts.day + facts.late < moment)
        for facts in (history.touches, history.moves, history.timeline)
    )
    cut = truth(people, History(touches, moves, timeline, history.first_timeline))
    before, after = (found.day == moment for found in (known, cut))
    assert known.lead[before].tolist() == cut.lead[after].tolist()
    np.testing.assert_allclose(known.probability[before], cut.probability[after], rtol=1e-9)


def test_a_fact_recorded_the_day_before_the_moment_counts(few: tuple[Population, History, Truth]) -> None:
    """The boundary of the claim above: the same cut one day earlier does change something."""
    people, history, whole = few
    moment = 301
    cut = history.touches.where(history.touches.day + history.touches.late < moment - 1)
    less = truth(people, replace(history, touches=cut))
    at = whole.day == moment
    assert not np.allclose(whole.probability[at], less.probability[at])


# -- against a sum over every path, by hand ---------------------------------------------------------------

LATE = 3  # days that a single drawn lead lives before its moment; all of them are replayed


def _one_lead(fit: int, size: int) -> Population:
    people = draw(np.random.default_rng(0), 1)
    accounts = replace(people.accounts, band=np.asarray([(0, 2, 4)[size]]))
    day = np.asarray([moments()[0] - LATE])
    return replace(people, accounts=accounts, day=day, fit=np.asarray([fit]), colleagues=np.asarray([0]))


def _by_hand(people: Population, history: History) -> float:
    """Sum over the hidden states and all moves, recorded or not yet, of the last LATE days: plain loops."""
    fit, moment = int(people.fit[0]), moments()[0]
    timeline = int(history.first_timeline[0])
    first = people.first_states()[0] * world.timelines()[:, timeline]
    now = {(world.LEAD, state): float(first[state]) for state in range(world.STATES)}
    for day in range(moment - LATE, moment):
        after: dict[tuple[int, int], float] = {}
        for (place, state), chance in now.items():
            here = chance * _seen(history, day, state, place, timeline, moment)
            for end, landed, passing in _passing(history, day, state, place, fit, moment):
                for then in range(world.STATES):
                    step = here * passing * float(landed @ world.steps()[0][:, then])
                    after[end, then] = after.get((end, then), 0.0) + step
        answer = history.timeline.what[history.timeline.day == day]
        now, timeline = after, int(answer[0]) if len(answer) else timeline
    won = process.winning()[people.size[0], fit].reshape(process.PLACES, world.STATES)
    return float(sum(chance * won[at] for at, chance in now.items()) / sum(now.values()))


def _seen(history: History, day: int, state: int, place: int, timeline: int, moment: int) -> float:
    touches = history.touches.where(
        (history.touches.day == day) & (history.touches.day + history.touches.late < moment)
    )
    answer = history.timeline.what[history.timeline.day == day]
    if place in (world.LOST, world.GONE):
        return float(len(touches.lead) == 0 and len(answer) == 0)
    chance = 1.0
    for kind, name in enumerate(world.KINDS):
        known = sum(world.LATE_TOUCH_SHARES[: moment - day]) if name in world.LATE_KINDS else 1.0
        rate = world.touch_rates()[kind, state] * world.pace()[day] * known
        count = int((touches.what == kind).sum())
        chance *= np.exp(-rate) * rate**count
    said = world.timelines()[state]
    asked = world.TIMELINE_ASKED_A_DAY
    return float(chance * (asked * said[answer[0]] if len(answer) else 1 - asked + asked * said[timeline]))


def _passing(
    history: History, day: int, state: int, place: int, fit: int, moment: int
) -> list[tuple[int, np.ndarray, float]]:
    """Evening place, chance of each state there, and chance of the passage, given the recorded moves."""
    moves = history.moves
    shown = moves.what[(moves.day == day) & (moves.day + moves.late < moment)]
    same = np.eye(world.STATES)[state]
    ways = [(n, world.hazards()[fit, n, state]) for n, move in enumerate(world.MOVES) if move.start == place]
    landed = {n: world.reopened_states() if place == world.LOST else same for n, _ in ways}
    if len(shown):
        return [(world.MOVES[n].end, landed[n], chance) for n, chance in ways if n == shown[0]]
    unrecorded = 1 - sum(world.LATE_OUTCOME_SHARES[: moment - day])
    stays = (place, same, 1 - sum(chance for _, chance in ways))
    return [stays, *((world.MOVES[n].end, landed[n], chance * unrecorded) for n, chance in ways)]


def _facts(*rows: tuple[int, int, int]) -> Facts:
    day, what, late = (np.asarray([row[at] for row in rows], dtype=np.int64) for at in range(3))
    return Facts(np.zeros(len(rows), dtype=np.int64), day, what, late)


FIRST = moments()[0] - LATE
CALL, VISIT, DEMO = (world.KINDS.index(kind) for kind in ("call", "pricing_visit", "demo_request"))


@pytest.mark.parametrize(
    ("touches", "moves", "timeline"),
    [
        ((), (), ()),
        (((FIRST, VISIT, 0), (FIRST, VISIT, 0), (FIRST + 2, DEMO, 0)), (), ()),
        (((FIRST + 1, CALL, 0), (FIRST + 1, CALL, 2)), (), ((FIRST + 1, 2, 0),)),
        ((), ((FIRST, 0, 0), (FIRST + 1, 1, 1)), ()),
        (((FIRST + 2, VISIT, 0),), ((FIRST + 2, 0, 1),), ()),
    ],
    ids=["silence", "visits", "a late call and an answer", "recorded moves", "an unrecorded move"],
)
@pytest.mark.parametrize("size", [0, 2])
def test_the_truth_is_the_sum_over_all_paths(
    touches: tuple[tuple[int, int, int], ...],
    moves: tuple[tuple[int, int, int], ...],
    timeline: tuple[tuple[int, int, int], ...],
    size: int,
) -> None:
    people = _one_lead(fit=45, size=size)
    history = History(_facts(*touches), _facts(*moves), _facts(*timeline), np.asarray([0]))
    found = truth(people, history)
    assert found.day[0] == moments()[0]
    assert found.probability[0] == pytest.approx(_by_hand(people, history), rel=1e-9)


def test_a_colleague_raises_the_chance_and_their_absence_does_not(people: Population) -> None:
    quiet, lift = world.steps()
    np.testing.assert_allclose(lift.sum(axis=1), 1)
    np.testing.assert_allclose(quiet.sum(axis=1), 1)
    lead_place = process.winning()[0, 40, : world.STATES]
    assert ((lift - quiet) @ lead_place >= -1e-12).all()
    assert (people.colleagues > 0).any()


def test_the_chance_of_winning_agrees_with_living_it_through() -> None:
    """Monte Carlo from one (place, state) with the plain hazards, day by day."""
    rng, runs, fit, size = np.random.default_rng(5), 20_000, 50, 1
    place, state, won = np.full(runs, world.SQL), np.full(runs, 2), np.zeros(runs, dtype=bool)
    rate = world.COLLEAGUES_A_DAY[size]
    quiet, lift = world.steps()
    step = np.cumsum((1 - rate) * quiet + rate * lift, axis=1)
    for _ in range(world.HORIZON_DAYS):
        chance, left, before = rng.random(runs), np.zeros(runs), place.copy()
        for number, move in enumerate(world.MOVES):
            hazard = np.where(before == move.start, world.hazards()[fit, number, state], 0.0)
            goes = (chance >= left) & (chance < left + hazard)
            left += hazard
            place[goes] = move.end
            won |= goes & (move.stage == world.WON)
            if move.start == world.LOST:
                state[goes] = rng.choice(world.STATES, goes.sum(), p=world.reopened_states())
        state = (rng.random(runs)[:, None] >= step[state]).sum(axis=1).clip(max=world.STATES - 1)
    exact = process.winning()[size, fit].reshape(process.PLACES, world.STATES)[world.SQL, 2]
    assert abs(won.mean() - exact) < 4 * np.sqrt(exact * (1 - exact) / runs)


def test_no_fit_class_has_a_chance_outside_0_and_1() -> None:
    assert process.stay().min() > 0
    assert (process.winning() >= 0).all()
    assert (process.winning() <= 1).all()
