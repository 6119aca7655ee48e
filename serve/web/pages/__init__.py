"""The pages, one file each; a file's ``router`` has its routes."""

from __future__ import annotations

NAMES = (
    "login", "login_oidc", "account", "today", "saved_views", "exporting", "lead", "would_help", "feedback",
    "team", "sources", "funnel", "model", "admin_users", "admin_territories", "admin_tokens", "admin_audit",
    "documentation",
)  # fmt: skip
"""Files of this folder in the order in which their routes are asked."""
