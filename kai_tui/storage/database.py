"""A SQLite file behind one thread of its own, so that the disk never holds up the event loop (S1)."""

from __future__ import annotations

import asyncio
import atexit
import queue
import threading
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from kai_tui.storage.errors import StorageError
from kai_tui.storage.schema import Schema, StoreKind
from kai_tui.storage.store import Store

if TYPE_CHECKING:
    import sqlite3

T = TypeVar("T")
Work: TypeAlias = "Callable[[sqlite3.Connection], T]"

_IDLE_SECONDS = 2.0
_CLOSE_SECONDS = 6.0
"""One busy timeout and a bit."""


@dataclass(slots=True)
class _Job:
    """One thing for the thread to do, and where its outcome goes."""

    what: Literal["open", "read", "write", "renew", "close"]
    work: Callable[[sqlite3.Connection], Any] | None
    loop: asyncio.AbstractEventLoop | None
    future: asyncio.Future[Any] | None
    replaces: object = None

    def settle(self, result: Any, error: Exception | None) -> None:
        if self.loop is None:
            return
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self.loop.call_soon_threadsafe(self._settle, result, error)

    def _settle(self, result: Any, error: Exception | None) -> None:
        if self.future is None or self.future.done():
            return
        if error is None:
            self.future.set_result(result)
        else:
            self.future.set_exception(error)


class Database:
    """One file, one thread, one connection. Several may be open on the same file, in several processes."""

    def __init__(self, path: Path, schema: Schema, kind: StoreKind) -> None:
        self._store = Store(path, schema, kind)
        self._queue: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._closed = False
        self.path = path

    @classmethod
    def open(cls, path: Path, schema: Schema, *, kind: StoreKind) -> Database:
        """Returns at once; the file is opened in the thread by the first use. Never raises."""
        return cls(path, schema, kind)

    @property
    def notice(self) -> str | None:
        """One sentence for the user when not all is well on disk; final after `ready()`, but may change."""
        return self._store.notice

    @property
    def in_memory(self) -> bool:
        """Nothing is on disk right now."""
        return self._store.in_memory

    async def ready(self) -> str | None:
        """Open the file now; the notice."""
        await self._submit("open", None)
        return self.notice

    async def run(self, work: Work[T]) -> T:
        """Read: `work` gets the connection inside a transaction, in the thread. Raises StorageError."""
        return await self._submit("read", work)

    async def write(self, work: Work[T], *, replaces: object = None) -> T:
        """Change: all of `work` is on disk when this returns, or nothing of it.

        Goes on in the thread when the caller is cancelled. `work` may run more than once (a file that
        vanished, a disk that was full): it must depend on nothing but the connection. `replaces`: a name; while
        the disk takes nothing, only the last work of each name is held in memory.
        Raises StorageError.
        """
        return await asyncio.shield(self._submit("write", work, replaces))

    async def execute(self, statement: str, parameters: Sequence[str | int | None] = ()) -> None:
        """Write with a single statement. Raises StorageError."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(statement, parameters)

        await self.write(work)

    async def renew_backups(self) -> None:
        """After deleting user data: backups that still hold it are replaced by a new one (P18)."""
        await asyncio.shield(self._submit("renew", None))

    def _submit(
        self,
        what: Literal["open", "read", "write", "renew"],
        work: Work[Any] | None,
        replaces: object = None,
    ) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        job = _Job(what, work, loop, future, replaces)
        with self._lock:
            if self._closed:
                raise StorageError("The program is closing; this was not saved.", fault="closed")
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._serve, name=f"storage {self.path.name}", daemon=True
                )
                self._thread.start()
                _open_databases.add(self)
            self._queue.put(job)
        return future

    def _serve(self) -> None:
        while True:
            try:
                job = self._queue.get(timeout=_IDLE_SECONDS if self._store.restless else None)
            except queue.Empty:
                self._store.idle(lambda: not self._queue.empty())
                continue
            if job.what == "read" and job.future is not None and job.future.cancelled():
                continue
            try:
                job.settle(self._do(job), None)
            except Exception as error:  # noqa: BLE001 - belongs to whoever waits, the thread goes on
                job.settle(None, error)
            if job.what == "close":
                return

    def _do(self, job: _Job) -> Any:
        if job.what == "read" and job.work is not None:
            return self._store.read(job.work)
        if job.what == "write" and job.work is not None:
            return self._store.write(job.work, job.replaces)
        if job.what == "renew":
            self._store.renew_backups()
        elif job.what == "close":
            self._store.close()
        else:
            self._store.open()
        return None

    def _ask_to_close(self, job: _Job) -> bool:
        """True when the thread will answer `job`."""
        with self._lock:
            first, self._closed = not self._closed, True
            if first and self._thread is not None:
                self._queue.put(job)
            return first and self._thread is not None

    def close(self) -> None:
        """Finish every write that was asked for, then close. Waits at most some seconds. May be called twice."""
        self._ask_to_close(_Job("close", None, None, None))
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_CLOSE_SECONDS)

    async def aclose(self) -> None:
        """As `close`, without holding up the event loop."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        if self._ask_to_close(_Job("close", None, loop, future)):
            await asyncio.shield(future)
        elif self._thread is not None:
            await asyncio.to_thread(self._thread.join, _CLOSE_SECONDS)


_open_databases: weakref.WeakSet[Database] = weakref.WeakSet()


def _close_all() -> None:
    """At exit: the threads are daemons, so nothing waits for them but this."""
    for database in list(_open_databases):
        database.close()


atexit.register(_close_all)
