"""What roles are called on a page."""

from __future__ import annotations

from models.labels import marked
from serve.web.rules import Role

ROLES = {
    Role.REP.value: marked("rep"),
    Role.MANAGER.value: marked("manager"),
    Role.ANALYST.value: marked("analyst"),
    Role.ADMIN.value: marked("admin"),
}
"""English; a page says them in its reader's language."""
