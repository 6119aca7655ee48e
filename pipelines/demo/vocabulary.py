"""The words of the demo company: what a lead can be, how common it is, and what it adds to the fit.

``fit`` is in tenths of log-odds. Nothing here changes over time, unless a
source is told to turn bad.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Trait:
    """The values of one own field: how common each is, and its fit in tenths of log-odds."""

    values: tuple[str, ...]
    shares: tuple[float, ...]
    fit: tuple[int, ...]


SOURCES = Trait(
    (
        "referral",
        "organic",
        "webinar",
        "trade_show",
        "paid_search",
        "paid_social",
        "content_syndication",
        "outbound_list",
    ),
    (0.07, 0.22, 0.12, 0.09, 0.20, 0.10, 0.10, 0.10),
    (8, 3, 3, 0, 0, -5, -5, -5),
)
# Log-odds a level of intent that the leads of each source bring along at first.
SOURCE_WARMTH = (0.3, 0.2, 0.2, 0.0, 0.2, -0.2, -0.3, -0.3)
COST_PER_LEAD_EUR = (15.0, 4.0, 45.0, 140.0, 70.0, 40.0, 30.0, 8.0)
CAMPAIGNS_PER_SOURCE = 3

INDUSTRIES = Trait(
    (
        "manufacturing",
        "software",
        "finance",
        "logistics",
        "healthcare",
        "retail",
        "education",
        "public_sector",
    ),
    (0.19, 0.17, 0.12, 0.12, 0.11, 0.12, 0.09, 0.08),
    (5, 5, 1, 1, 1, -4, -4, -4),
)
COUNTRIES = Trait(
    ("DE", "AT", "CH", "FR", "NL", "GB", "US"),
    (0.38, 0.08, 0.09, 0.14, 0.10, 0.12, 0.09),
    (0, 0, 0, 0, 0, 0, 0),
)
SENIORITIES = Trait(
    ("c_level", "director", "manager", "specialist", "student"),
    (0.10, 0.20, 0.35, 0.27, 0.08),
    (3, 7, 3, -3, -12),
)
DEPARTMENTS = Trait(
    ("it", "operations", "finance", "marketing", "sales", "hr"),
    (0.27, 0.22, 0.14, 0.16, 0.13, 0.08),
    (2, 2, 0, -2, -2, -2),
)
EMAIL_KINDS = Trait(("business", "free"), (0.82, 0.18), (1, -7))
# Leads of a source that has turned bad (`turning`): e-mail kinds, and the intent that they bring along.
BAD_EMAIL_SHARES = (0.15, 0.85)
BAD_WARMTH = -2.0
ROLES = Trait(("user", "selector", "influencer", "decider"), (0.38, 0.24, 0.22, 0.16), (0, 0, 0, 0))
TSHIRT_SIZES = Trait(("S", "M", "L", "XL"), (0.2, 0.35, 0.3, 0.15), (0, 0, 0, 0))  # noise on purpose

# Size of the company: lower edge of each band in employees, share, fit; three classes for the process.
EMPLOYEE_EDGES = (1, 20, 60, 200, 600, 2000, 20000)
EMPLOYEE_SHARES = (0.24, 0.24, 0.22, 0.15, 0.10, 0.05)
EMPLOYEE_FIT = (-6, -2, 4, 5, 5, 2)
SIZE_CLASS = (0, 0, 1, 1, 2, 2)

TITLES = {
    "c_level": "Chief {} Officer",
    "director": "Director {}",
    "manager": "{} Manager",
    "specialist": "{} Specialist",
    "student": "Student, {}",
}
DEPARTMENT_TITLES = {
    "it": "IT",
    "operations": "Operations",
    "finance": "Finance",
    "marketing": "Marketing",
    "sales": "Sales",
    "hr": "HR",
}
TERRITORY = {
    "DE": "DACH",
    "AT": "DACH",
    "CH": "DACH",
    "FR": "France",
    "NL": "Benelux",
    "GB": "UK & US",
    "US": "UK & US",
}
OWNERS_PER_TERRITORY = 4
FIRST_NAMES = (
    "Ada", "Ben", "Carla", "David", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kim",
    "Lena", "Mila", "Noah", "Olga", "Pablo", "Rosa", "Samir", "Tara", "Uwe", "Vera", "Wim", "Yara",
    "Zoe",
)  # fmt: skip
LAST_NAMES = (
    "Abel", "Brandt", "Conti", "Dubois", "Ebert", "Fischer", "Garcia", "Huber", "Ivanova", "Jansen",
    "Keller", "Lang", "Meyer", "Novak", "Okafor", "Peters", "Quandt", "Rossi", "Schmid", "Tran",
    "Ulrich", "Visser", "Weber", "Yilmaz",
)  # fmt: skip
COMPANY_WORDS = (
    "Alpen", "Baltic", "Cobalt", "Delta", "Elbe", "Falken", "Granit", "Hansa", "Isar", "Juno",
    "Kranich", "Linden", "Meridian", "Nord", "Orion", "Pfeil", "Quarz", "Rhein", "Sonnen", "Taunus",
    "Union", "Vega", "Wald", "Zenit",
)  # fmt: skip
COMPANY_KINDS = ("Works", "Systems", "Group", "Partners", "Industries", "Labs", "Trading", "Services")

LOST_REASONS = ("price", "competitor", "no budget", "no decision", "timing")
DISQUALIFIED_REASONS = ("wrong email", "dead number", "no such company", "competitor", "job seeker")
RETURNED_REASONS = ("not reachable", "too early", "wrong contact")
ONBOARDING_TIERS = ("basic", "plus", "premium")
