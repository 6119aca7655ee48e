"""Leads and accounts as the CRM shows them tonight: one row each, with the user's own fields.

One field is a trap: ``onboarding_tier`` is filled in when a customer starts, so it knows the outcome.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.demo import process, world
from pipelines.demo import vocabulary as words
from pipelines.demo.clock import Ids, moment, word
from pipelines.demo.population import Population
from pipelines.demo.simulate import Facts, History
from pipelines.demo.world import Ints

_TRAP_SHARE_OF_WON, _TRAP_SHARE_OF_OTHERS = 0.97, 0.0005


def leads(
    rng: np.random.Generator, population: Population, history: History, moves: Facts, created: Ints, ids: Ids
) -> pa.Table:
    """The lead table: contract columns, own fields, noise and the trap.

    Parameters
    ----------
    moves
        The moves recorded by tonight.
    created
        Creation of each lead, in seconds since 1970.
    """
    traits, accounts, account = population.traits, population.accounts, population.account
    territories = [words.TERRITORY[country] for country in words.COUNTRIES.values]
    country = accounts.country[account]
    territory = word(territories, country)
    owner = rng.integers(1, words.OWNERS_PER_TERRITORY + 1, population.leads)
    campaign = rng.integers(1, words.CAMPAIGNS_PER_SOURCE + 1, population.leads)
    source = word(words.SOURCES.values, traits["source"])
    title = [
        t.format(words.DEPARTMENT_TITLES[d]) for t in words.TITLES.values() for d in words.DEPARTMENTS.values
    ]
    departments = len(words.DEPARTMENTS.values)
    return pa.table(
        {
            "lead_id": ids.lead(population.leads),
            "created_at": moment(created),
            "name": _names(rng, population.leads),
            "title": word(title, traits["seniority"] * departments + traits["department"]),
            "seniority": word(words.SENIORITIES.values, traits["seniority"]),
            "department": word(words.DEPARTMENTS.values, traits["department"]),
            "role": word(words.ROLES.values, traits["role"]),
            "email_kind": word(words.EMAIL_KINDS.values, traits["email_kind"]),
            "source": source,
            "campaign": pc.binary_join_element_wise(source, pa.array(campaign).cast(pa.string()), "-"),
            "owner": pc.binary_join_element_wise(territory, pa.array(owner).cast(pa.string()), " "),
            "territory": territory,
            "account_id": ids.account(int(account.max()) + 1).take(account),
            "country": word(words.COUNTRIES.values, country),
            "industry": word(words.INDUSTRIES.values, accounts.industry[account]),
            "employees": accounts.employees[account],
            "revenue": accounts.revenue[account],
            "timeline": word(world.TIMELINES, _timeline_today(history)),
            "tshirt_size": word(words.TSHIRT_SIZES.values, traits["tshirt_size"]),
            "onboarding_tier": _trap(rng, population, moves),
        }
    )


def _names(rng: np.random.Generator, count: int) -> pa.Array:
    full = [f"{first} {last}" for first in words.FIRST_NAMES for last in words.LAST_NAMES]
    return word(full, rng.integers(0, len(full), count))


def _timeline_today(history: History) -> Ints:
    today = history.first_timeline.copy()
    today[history.timeline.lead] = history.timeline.what  # in time order, the last one stays
    return today


def _trap(rng: np.random.Generator, population: Population, moves: Facts) -> pa.Array:
    """Filled in when the customer starts: a field that knows the outcome."""
    is_won = np.zeros(population.leads, dtype=bool)
    is_won[moves.lead[process.IS_WON[moves.what]]] = True
    share = np.where(is_won, _TRAP_SHARE_OF_WON, _TRAP_SHARE_OF_OTHERS)
    tier = rng.integers(0, len(words.ONBOARDING_TIERS), population.leads)
    is_filled = rng.random(population.leads) < share
    return word(words.ONBOARDING_TIERS, np.ma.masked_array(tier, ~is_filled))


def accounts(rng: np.random.Generator, population: Population, ids: Ids) -> pa.Table:
    """The account table: every account that has a lead."""
    count = int(population.account.max()) + 1
    accounts = population.accounts
    company = [
        f"{a}{b.lower()} {kind}"
        for a in words.COMPANY_WORDS
        for b in words.COMPANY_WORDS
        for kind in words.COMPANY_KINDS
    ]
    return pa.table(
        {
            "account_id": ids.account(count),
            "name": word(company, rng.integers(0, len(company), count)),
            "industry": word(words.INDUSTRIES.values, accounts.industry[:count]),
            "employees": accounts.employees[:count],
            "revenue": accounts.revenue[:count],
            "country": word(words.COUNTRIES.values, accounts.country[:count]),
        }
    )
