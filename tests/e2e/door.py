"""A door before a server on loopback: everything passes, and what clients posted can be counted."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

_HOST = re.compile(rb"(?i)(\r\nhost: )[^\r]+")


class Door:
    """Pumps bytes both ways; a side that ends takes the other along, as without a door."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        assert parts.hostname is not None
        assert parts.port is not None
        self._server = (parts.hostname, parts.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._posted: list[bytearray] = []
        """What each connection brought from its client."""
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def answers(self) -> list[bytes]:
        """The posts that decide about a call, of either Kai (kai.md §9)."""
        bodies = [bytes(each) for each in self._posted if each.startswith(b"POST /api/chat")]
        head = [each.split(b"\r\n", 1)[0] for each in bodies]
        return [
            body
            for line, body in zip(head, bodies, strict=True)
            if b"/approval " in line or b'"approval-responded"' in body
        ]

    def close(self) -> None:
        for each in (self._listener, *self._open):
            _end(each)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                self._open += [client, server]
                posted = bytearray()
                self._posted.append(posted)
                threading.Thread(target=self._pump, args=(client, server, posted), daemon=True).start()
                threading.Thread(target=self._pump, args=(server, client, None), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, copy: bytearray | None) -> None:
        host = b"%s:%d" % (self._server[0].encode(), self._server[1])
        with suppress(OSError):
            while data := source.recv(65536):
                if copy is not None:
                    copy += data
                    data = _HOST.sub(rb"\g<1>" + host, data, count=1)
                sink.sendall(data)
        _end(source)
        _end(sink)


def _end(which: socket.socket) -> None:
    with suppress(OSError):
        which.shutdown(socket.SHUT_RDWR)
    which.close()


@contextmanager
def door_before(address: str) -> Iterator[Door]:
    """The door, closed at the end."""
    door = Door(address)
    try:
        yield door
    finally:
        door.close()
