"""What a person reads of the page's users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.terminal import say, show_table

Result = Mapping[str, Any]


def user(result: Result) -> None:
    """One user."""
    state = "" if result["is_active"] else ", may not log in"
    where = f" for {', '.join(result['territories'])}" if result["territories"] else ""
    say(f"{result['name']}: {result['role']}{where}{state}")


def users(result: Result) -> None:
    """All users."""
    rows = [
        (
            each["name"],
            each["role"],
            ", ".join(each["territories"]),
            each["owner"] or "",
            "yes" if each["is_active"] else "no",
        )
        for each in result["users"]
    ]
    show_table(("name", "role", "territories", "only the leads of", "may log in"), rows)


def passwords(by_name: Result) -> None:
    """Passwords of the users of a demo; this is the only time that they are told."""
    if by_name:
        say("\nUsers of the page, and their passwords, which are not told again:")
        show_table(("name", "password"), list(by_name.items()))
    else:
        say("\nThe page has its users already: see `leadrank users list`.")
