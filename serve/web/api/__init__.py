"""The API, one file a resource; a file's ``router`` has its routes, all under ``/api/v1``."""

from __future__ import annotations

from typing import Any

NAMES = ("health", "runs", "leads", "score", "feedback")
"""Files of this folder in the order in which their routes are asked."""
REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"description": "log in first"},
    403: {"description": "not allowed"},
    404: {"description": "no such thing, or it is not yours to see"},
    409: {"description": "somebody has changed it meanwhile"},
    412: {"description": "If-Match names an older version"},
    413: {"description": "too large"},
    414: {"description": "the address is too long"},
    422: {"description": "not understood; what was sent is not repeated"},
    429: {"description": "too many requests: wait a minute"},
    503: {"description": "no ranking has been published yet"},
}
"""How the API refuses: each as ``error``, ``status`` and ``request_id``."""
