"""Addresses that are no Keboola stack with Kai: what people type, and what stands in the way of it."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Asked(NamedTuple):
    """A request."""

    method: str
    path: str
    body: bytes


Answer = Callable[[Asked], tuple[int, str, bytes]]
"""Request → status, content type, body."""


@contextmanager
def answering(answer: Answer) -> Iterator[str]:
    """A server on loopback that answers every request in one way; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, kind, body = answer(Asked(self.command, self.path, sent))
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_DELETE = do_PATCH = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def a_web_page(_: Asked) -> tuple[int, str, bytes]:
    """A login page or a proxy."""
    return 200, "text/html; charset=utf-8", b"<!doctype html><html><title>Log in</title><h1>Log in</h1>"


def a_stack_without_kai(asked: Asked) -> tuple[int, str, bytes]:
    """Knows the token, but lists no Kai."""
    body: dict[str, Any] = {"services": [{"id": "queue", "url": "https://queue.example.com"}]}
    if asked.path.startswith("/v2/storage/tokens/verify"):
        body = {"description": "x", "isMasterToken": True, "owner": {"id": 1, "name": "Small"}}
    return 200, "application/json", json.dumps(body).encode()


def nobody() -> str:
    """An address at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"
