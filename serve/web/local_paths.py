"""Where a login may lead: to a path of ours, never to another host."""

from __future__ import annotations

import re

_LOCAL = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")
_LONGEST = 2000


def local(path: str) -> str:
    r"""The path if it is one of ours, else the first page.

    A browser reads ``\`` as ``/``, and skips line breaks and tabs.

    >>> local("/leads/7?q=a"), local("//evil.example"), local("/\\evil.example"), local("https:evil.example")
    ('/leads/7?q=a', '/', '/', '/')
    """
    return path if len(path) <= _LONGEST and _LOCAL.fullmatch(path) else "/"
