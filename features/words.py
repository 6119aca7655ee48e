"""Words for our own codes: what `email_class`, a stage or a kind of touch is called in a sentence.

English words by code; the catalogues of `features/locales` have them under the name of their list. A code
that is in no list is the user's: it is shown as it is, with spaces for ``_``.
"""

from __future__ import annotations

from collections.abc import Mapping

_YES = {"1": "yes", "0": "no"}
_EMAIL = {
    "business": "business address",
    "role": "shared mailbox such as info@",
    "free": "free e-mail service",
    "disposable": "throw-away address",
    "invalid": "invalid",
}
_PHONE = {"valid": "valid", "possible": "plausible, not confirmed", "invalid": "invalid"}
_SENIORITY = {
    "owner": "owner or founder",
    "c_level": "top management",
    "vp": "vice president",
    "director": "director or head of department",
    "manager": "manager",
    "specialist": "specialist",
    "junior": "junior or assistant",
    "student": "student or trainee",
    "job_seeker": "job seeker",
    "other": "the title does not tell",
}
_DEPARTMENT = {
    "it": "IT",
    "customer_service": "customer service",
    "purchasing": "purchasing",
    "hr": "human resources",
    "legal": "legal",
    "marketing": "marketing",
    "sales": "sales",
    "finance": "finance",
    "engineering": "engineering and research",
    "operations": "operations and production",
    "management": "company management",
    "other": "the title does not tell",
}
_STAGE = {
    "lead": "lead",
    "mql": "marketing-qualified",
    "sql": "accepted by sales",
    "opportunity": "opportunity",
    "won": "won",
    "lost": "lost",
    "disqualified": "disqualified",
    "returned": "handed back",
    "returned_at_once": "handed back right away",
    "returned_after_follow_up": "handed back after follow-up",
    "reopened": "opened again",
    "recycled": "back in nurturing",
}
_KIND = {
    "email": "e-mail",
    "email_sent": "e-mail sent",
    "email_open": "e-mail opened",
    "email_click": "click in an e-mail",
    "email_reply": "e-mail reply",
    "reply": "reply",
    "call": "call",
    "meeting": "meeting",
    "visit": "visit",
    "web_visit": "website visit",
    "page_view": "page view",
    "pricing_visit": "visit to the pricing page",
    "careers_visit": "visit to the careers page",
    "download": "download",
    "content_download": "content download",
    "form": "form",
    "form_fill": "form filled in",
    "form_submit": "form sent",
    "demo_request": "demo request",
    "trial": "trial",
    "event": "event",
    "offline_event": "offline event",
    "webinar": "webinar",
    "webinar_attended": "webinar attended",
    "social": "social media action",
    "unsubscribe": "unsubscription",
    "other": "other touch",
}
_PLACE = {
    "pricing": "pricing page",
    "careers": "careers page",
    "product": "product page",
    "library": "library",
    "form": "form",
    "email": "e-mail",
    "phone": "phone",
    "webinar": "webinar",
    "event": "event",
    "meeting": "meeting",
    "website": "website",
    "online": "online",
    "office": "office",
    "trade_fair": "trade fair",
    "blog": "blog",
}
_AIM = {
    "decision": "a decision",
    "evaluation": "weighing the options",
    "interest": "first interest",
    "unclear": "nothing clear yet",
}
_COLUMN = {
    "source": "source",
    "campaign": "campaign",
    "country": "country",
    "industry": "industry",
    "weight": "weight",
    "first.place": "first place visited",
    "first.campaign": "first campaign",
    "first.keyword": "first search",
    "account.industry": "industry of the company",
    "account.employees": "number of employees",
    "account.revenue": "yearly revenue",
    "account.country": "country of the company",
}
WORDS: Mapping[str, Mapping[str, str]] = {
    "yes": _YES,
    "email": _EMAIL,
    "phone": _PHONE,
    "seniority": _SENIORITY,
    "department": _DEPARTMENT,
    "stage": _STAGE,
    "kind": _KIND,
    "place": _PLACE,
    "aim": _AIM,
    "column": _COLUMN,
}
"""English words by code, by the name that a sentence asks for them with: ``{value:stage}``."""
OCTANT: Mapping[str, tuple[str, str]] = {
    "R": ("recent", "not recent"),
    "F": ("frequent", "rare"),
    "M": ("long", "short"),
}
"""What each letter of an RFM octant says: high, low."""
