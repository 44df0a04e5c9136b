"""`kai-tui sandbox serve`: the sandbox as a real server, on this machine only (reliability.md L2-L5)."""

from __future__ import annotations

import asyncio
import json
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from kai_tui.sandbox.modes import Role
from kai_tui.sandbox.project import Project, ProjectUnusable
from kai_tui.sandbox.refusals import Flavour
from kai_tui.sandbox.server import create_app

if TYPE_CHECKING:
    from starlette.applications import Starlette

ADDRESS = "127.0.0.1"
CONNECTIONS = 32
HEADER_SECONDS = 10.0
"""How long a client may take to send the head of a request."""


def serve(
    port: int = 0,
    service: Flavour = "agent",
    path: Path | None = None,
    *,
    pace: float = 1.0,
    role: Role = "admin",
) -> int:
    """Serve until SIGINT or SIGTERM; answers with the exit code.

    Prints one line of JSON when ready: `base_url`, `storage_api_url`, `token`. `path`: where the
    project is kept; None keeps it in memory.
    """
    try:
        project = Project.open(path if path is not None else ":memory:")
    except ProjectUnusable as error:
        print(f"kai-tui: {error}", file=sys.stderr)  # noqa: T201 - a command speaks to its user
        return 1
    try:
        listener = _listen(port)
    except OSError as error:
        project.close()
        print(f"kai-tui: port {port} cannot be used: {error.strerror}.", file=sys.stderr)  # noqa: T201
        return 1
    try:
        number = listener.getsockname()[1]
        token = secrets.token_urlsafe(32)
        app = create_app(
            project,
            service=service,
            token=token,
            pace=pace,
            role=role,
            hosts=(f"{ADDRESS}:{number}", f"localhost:{number}"),
        )
        url = f"http://{ADDRESS}:{number}"
        ready = json.dumps({"base_url": url, "storage_api_url": url, "token": token})
        config = uvicorn.Config(
            app,
            http=_ImpatientProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=CONNECTIONS,
            timeout_graceful_shutdown=3,
        )
        _Server(config, app, ready).run(sockets=[listener])
    finally:
        listener.close()
        project.close()
    return 0


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":
            # There, reusing an address would let another program listen on our port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((ADDRESS, port))
        listener.listen(CONNECTIONS)
    except BaseException:
        listener.close()
        raise
    return listener


class _Server(uvicorn.Server):
    """A server that says when it is ready and counts a signal as a good end."""

    def __init__(self, config: uvicorn.Config, app: Starlette, ready: str) -> None:
        super().__init__(config)
        self._app = app
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        print(self._ready, flush=True)  # noqa: T201 - what the command is for

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.state.desk.hang_up()
        await super().shutdown(sockets=sockets)

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """As uvicorn's, but the signal is not raised again afterwards: it was obeyed."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        wanted = [signal.SIGINT, signal.SIGTERM]
        if sys.platform == "win32":
            wanted.append(signal.SIGBREAK)
        before = {each: signal.signal(each, self._obey) for each in wanted}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def _obey(self, _signal: int, _frame: FrameType | None) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True


class _ImpatientProtocol(H11Protocol):
    """Closes connections whose next request does not get to its body in time."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._idle():
            self._start()
        else:
            self._stop()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._start()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def _start(self) -> None:
        if self._clock is None:
            self._clock = self.loop.call_later(HEADER_SECONDS, self._expired)

    def _stop(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _expired(self) -> None:
        self._clock = None
        if self._idle():
            self.transport.close()

    def _idle(self) -> bool:
        """No request is being answered. The cycle is None before the first one, whatever its type says."""
        cycle: Any = self.cycle
        return cycle is None or bool(cycle.response_complete)
