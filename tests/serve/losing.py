"""A way to a server that loses a connection: what the client says last arrives, the answer does not."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def losing(port: int, *, at: bytes, times: int) -> Iterator[int]:
    """Forward to a port of loopback; the first ``times`` connections that say ``at`` are cut behind it."""
    way = _Way(port, at, times)
    listener = threading.Thread(target=way.serve)
    listener.start()
    try:
        yield way.listening.getsockname()[1]
    finally:
        way.close()
        listener.join()


class _Way:
    def __init__(self, port: int, at: bytes, times: int) -> None:
        self.port, self.at, self.left = port, at, times
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.sockets, self.threads = [self.listening], []

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listening.accept()
                server = socket.create_connection(("127.0.0.1", self.port))
                self.sockets += [client, server]
                lost = threading.Event()
                for way in ((self.forward, client, server), (self.answer, server, client)):
                    self.threads.append(threading.Thread(target=way[0], args=(*way[1:], lost)))
                    self.threads[-1].start()

    def forward(self, client: socket.socket, server: socket.socket, lost: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(1 << 16):
                if self.at in data and self.left:
                    self.left -= 1
                    lost.set()
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)

    def answer(self, server: socket.socket, client: socket.socket, lost: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while (data := server.recv(1 << 16)) and not lost.is_set():
                client.sendall(data)
            client.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        for one in self.sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join()
        for one in self.sockets:
            one.close()
