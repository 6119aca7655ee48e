"""The socket that the server listens on."""

from __future__ import annotations

import socket


def listening(host: str, port: int, *, backlog: int | None = None) -> socket.socket:
    """A socket whose connections send at once.

    An answer goes out in two parts, its head and its body. Without ``TCP_NODELAY`` the second waits until
    the other side says that it has the first, which it does after 40 ms; asyncio sets it only for sockets
    that say that they are of TCP, and those of `socket.create_server` do not.

    Parameters
    ----------
    host
        An address; with a colon of IPv6.
    port
        0 takes a free one.
    backlog
        Connections that may wait; None: as many as the system says.

    Raises
    ------
    OSError
        Nothing can listen there.
    """
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.create_server((host, port), family=kind, backlog=backlog)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what it accepts has it, too
    return made
