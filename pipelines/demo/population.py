"""Who turns up: accounts, their leads, what each lead is, and the fit and classes that follow.

Leads of one account stand together, in the order of their arrival.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.demo import vocabulary as words
from pipelines.demo import world
from pipelines.demo.turning import TurnsBad
from pipelines.demo.world import Floats, Ints

# At the largest rate an account gets as many leads in the history less than once in 1e14.
_MOST_LEADS = 24
_TRAITS = {
    "source": words.SOURCES,
    "seniority": words.SENIORITIES,
    "department": words.DEPARTMENTS,
    "email_kind": words.EMAIL_KINDS,
    "role": words.ROLES,
    "tshirt_size": words.TSHIRT_SIZES,
}


@dataclass(frozen=True)
class Accounts:
    """One entry per account.

    Attributes
    ----------
    industry, country
        Positions in the vocabulary.
    band
        Position in the employee bands.
    employees, revenue
        Head count, and yearly revenue in EUR.
    size
        Size class of the process: 0 small, 1 medium, 2 large.
    """

    industry: Ints
    country: Ints
    band: Ints
    employees: Ints
    revenue: Ints

    @property
    def size(self) -> Ints:
        """Size class: 0 small, 1 medium, 2 large."""
        return np.asarray(words.SIZE_CLASS)[self.band]


@dataclass(frozen=True)
class Population:
    """One entry per lead of a block.

    Attributes
    ----------
    accounts
        The block's accounts.
    account
        Position of the lead's account.
    day
        Day of the history on which the lead was created.
    traits
        Own fields by name, as positions in the vocabulary.
    fit
        Fit class, a row of ``world.hazards()``.
    colleagues
        Leads of the account created in the ``COMMITTEE_DAYS`` before, two at most.
    is_bad
        Whether the lead came after its source had turned bad.
    """

    accounts: Accounts
    account: Ints
    day: Ints
    traits: dict[str, Ints]
    fit: Ints
    colleagues: Ints
    is_bad: npt.NDArray[np.bool_]

    @property
    def leads(self) -> int:
        """Number of leads."""
        return len(self.day)

    @property
    def size(self) -> Ints:
        """Size class of each lead's company."""
        return self.accounts.size[self.account]

    def first_states(self) -> Floats:
        """Chance of each hidden state on the first day: leads by states."""
        table = world.first_states((*words.SOURCE_WARMTH, words.BAD_WARMTH))
        source = np.where(self.is_bad, len(words.SOURCE_WARMTH), self.traits["source"])
        return table[source, self.size, self.colleagues]

    def arrivals(self) -> tuple[Ints, Ints]:
        """Colleagues turning up: (lead, day) for each lead that was there before the newcomer."""
        lead, day = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
        for gap in range(1, min(_MOST_LEADS, self.leads)):
            first = np.flatnonzero(self.account[:-gap] == self.account[gap:])
            lead.append(first)
            day.append(self.day[first + gap])
        return np.concatenate(lead), np.concatenate(day)


def draw(rng: np.random.Generator, leads: int, turns_bad: TurnsBad | None = None) -> Population:
    """Draw a block of exactly ``leads`` leads with their accounts.

    The block is cut after its last lead, so one account at most misses later colleagues. Who turns up is the
    same whether a source turns bad or not; what its later leads are is not.
    """
    accounts = _accounts(rng, leads)
    account, day = _arrivals(rng, accounts.size)
    account, day = account[:leads], day[:leads]
    traits = {name: _pick(rng, trait, leads) for name, trait in _TRAITS.items()}
    is_bad = np.zeros(leads, dtype=bool)
    if turns_bad is not None:
        is_bad = turns_bad.leads(traits["source"], day)
        traits["email_kind"] = _turned(rng.spawn(1)[0], traits["email_kind"], is_bad)
    fit, colleagues = _fit(accounts, account, traits), _colleagues(account, day)
    return Population(accounts, account, day, traits, fit, colleagues, is_bad)


def _turned(rng: np.random.Generator, email_kind: Ints, is_bad: npt.NDArray[np.bool_]) -> Ints:
    """E-mail kinds, those of bad leads drawn anew from a stream of their own."""
    drawn = rng.choice(len(words.EMAIL_KINDS.values), len(email_kind), p=words.BAD_EMAIL_SHARES)
    return np.where(is_bad, drawn, email_kind)


def _accounts(rng: np.random.Generator, count: int) -> Accounts:
    band = rng.choice(len(words.EMPLOYEE_SHARES), count, p=words.EMPLOYEE_SHARES)
    low, high = np.log(np.asarray([words.EMPLOYEE_EDGES[:-1], words.EMPLOYEE_EDGES[1:]]))[:, band]
    employees = np.floor(np.exp(low + (high - low) * rng.random(count))).astype(np.int64)
    revenue = employees * np.exp(rng.normal(11.6, 0.5, count))
    return Accounts(
        _pick(rng, words.INDUSTRIES, count),
        _pick(rng, words.COUNTRIES, count),
        band,
        employees,
        np.round(revenue, -4).astype(np.int64),
    )


def _pick(rng: np.random.Generator, trait: words.Trait, count: int) -> Ints:
    return rng.choice(len(trait.values), count, p=trait.shares)


def _arrivals(rng: np.random.Generator, size: Ints) -> tuple[Ints, Ints]:
    """Account and day of every lead: the first rather early, then at most one a day at the size's rate."""
    rate = np.asarray(world.COLLEAGUES_A_DAY)[size]
    first = (world.HISTORY_DAYS * rng.random(len(size)) ** world.INFLOW_BEND).astype(np.int64)
    gaps = rng.geometric(rate[:, None], (len(size), _MOST_LEADS - 1))
    day = np.concatenate([first[:, None], first[:, None] + np.cumsum(gaps, axis=1)], axis=1)
    account, order = np.nonzero(day < world.HISTORY_DAYS)
    return account, day[account, order]


def _fit(accounts: Accounts, account: Ints, traits: dict[str, Ints]) -> Ints:
    tenths = sum(np.asarray(trait.fit)[traits[name]] for name, trait in _TRAITS.items())
    tenths = tenths + np.asarray(words.EMPLOYEE_FIT)[accounts.band[account]]
    tenths = tenths + np.asarray(words.INDUSTRIES.fit)[accounts.industry[account]]
    tenths = tenths + np.asarray(words.COUNTRIES.fit)[accounts.country[account]]
    place = tenths - round(world.FIT_LOWEST * 10)
    inside: Ints = np.clip(place, 0, world.FIT_CLASSES - 1)
    return inside


def _colleagues(account: Ints, day: Ints) -> Ints:
    recent = np.zeros(len(day), dtype=np.int64)
    for gap in (1, 2):
        same = account[gap:] == account[:-gap]
        recent[gap:] += same & (day[gap:] - day[:-gap] <= world.COMMITTEE_DAYS)
    return recent
