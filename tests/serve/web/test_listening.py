"""The server's socket: what it accepts sends at once."""

from __future__ import annotations

import socket

from serve.web.listening import listening


def test_a_connection_does_not_wait_before_it_sends_the_rest_of_an_answer() -> None:
    with listening("127.0.0.1", 0) as server, socket.create_connection(server.getsockname()):
        accepted, _ = server.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
