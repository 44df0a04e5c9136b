"""What the server offers beside the chats: quota, health, suggestions (kai.md §4.1, §4.2, §4.11, §4.13)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from kai_tui.backends.agents import caps_for
from kai_tui.backends.errors import BackendError
from kai_tui.services.health import Health
from kai_tui.services.observers import Observers
from kai_tui.services.quota import QuotaWatch

if TYPE_CHECKING:
    from kai_tui.backends.base import Backend, Suggestion
    from kai_tui.services.chat_service import ChatService
    from kai_tui.services.tool_permissions import ToolPermissions


class Offers:
    """Observers hear that something of it changed."""

    def __init__(
        self,
        backend: Callable[[], Awaitable[Backend]],
        chats: ChatService,
        *,
        heard: Callable[[BackendError | None], None],
        offline: Callable[[], bool],
    ) -> None:
        """`heard`: told that the server answered, or why it did not. `offline`: whether it counts as gone."""
        self._backend = backend
        self._chats = chats
        self._offline = offline
        self._observers: Observers[None] = Observers()
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: set[str] = set()
        """Chats with a running turn."""
        self.health = Health(backend, heard)
        self.quota = QuotaWatch(backend, busy=self._busy, changed=self._tell, heard=heard)
        self._permissions: ToolPermissions | None = None
        self.suggestions: Sequence[Suggestion] = ()
        """What a new chat could begin with; empty when the server has none."""
        self._reading: object = None
        """The newest reading of the suggestions: what an older one finds is of somebody else by now."""
        self._leave = chats.observe(self._turn_moved)

    def observe(self, callback: Callable[[None], None]) -> Callable[[], None]:
        """Hear that the quota or the suggestions changed."""
        return self._observers.add(callback)

    @property
    def permissions(self) -> ToolPermissions:
        """The tools and what they may do; nothing is read before it is asked to."""
        if self._permissions is None:
            from kai_tui.services.tool_permissions import ToolPermissions

            self._permissions = ToolPermissions(self._backend, self._chats.use_tools)
        return self._permissions

    def connected(self) -> None:
        """The server answered: read what it offers, in the background."""
        self.quota.wake()
        self._in_background(self._read_suggestions())

    def agent_chosen(self) -> None:
        """Somebody else is talked to in new chats: they suggest other things."""
        if self.suggestions:
            self.suggestions = ()
            self._tell()
        self._in_background(self._read_suggestions())

    async def aclose(self) -> None:
        """Ask no more."""
        self._leave()
        await self.quota.aclose()
        if self._permissions is not None:
            await self._permissions.aclose()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _tell(self) -> None:
        self._observers.tell(None)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _busy(self) -> bool:
        return any(session.turn.busy for session in self._chats.sessions.values())

    def _turn_moved(self, chat_id: str) -> None:
        session = self._chats.sessions.get(chat_id)
        if session is not None and session.turn.busy:
            self._running.add(chat_id)
        elif chat_id in self._running:
            self._running.discard(chat_id)
            self.quota.wake()
            if session is not None and (self._offline() or session.turn.reason in ("lost", "error")):
                # Where there is no quota to read, this tells whether the server is (still, again) there.
                self._in_background(self._look())

    async def _look(self) -> None:
        await self.health.ping()

    async def _read_suggestions(self) -> None:
        self._reading = reading = object()
        try:
            backend = await self._backend()
            found = await backend.suggestions() if caps_for(backend).suggestions else ()
        except BackendError:
            return  # an ornament: the usual ones stay
        if self._reading is reading and list(found) != list(self.suggestions):
            self.suggestions = tuple(found)
            self._tell()
