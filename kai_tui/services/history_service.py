"""The list of chats: server history joined with the local copy."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kai_tui.backends.errors import BackendError, NotAllowed, NotFound
from kai_tui.services.observers import Observers
from kai_tui.services.session_tools import NEW_CHAT_TITLE

if TYPE_CHECKING:
    from kai_tui.backends.base import Backend, ChatSummary, Page
    from kai_tui.services.disk_keeper import DiskKeeper

PAGE = 50


def is_name(title: str) -> bool:
    """Whether the server gave a name: the chat template says "New chat" until it does (kai.md §10)."""
    return bool(title.strip()) and title != NEW_CHAT_TITLE


class HistoryService:
    """Rows for the sidebar, newest first. Observers are told when `rows` changed."""

    def __init__(self, backend: Callable[[], Awaitable[Backend]], keeper: DiskKeeper) -> None:
        self._backend = backend
        self._keeper = keeper
        self._rows: dict[str, ChatSummary] = {}
        self._unsent: dict[str, ChatSummary] = {}
        self._here: set[str] = set()
        """Chats that were written in during this run: the server may not list them yet."""
        self._at_hand: dict[str, ChatSummary] = {}
        """Chats that want something of the user: shown even if no page of the list had them yet."""
        self._gone: set[str] = set()
        """Chats that were in the list and are not on the server any more: deleted elsewhere."""
        self._deleted: set[str] = set()
        """Chats deleted during this run: pages and turns that were on their way must not bring them back."""
        self._leave: Callable[[str], Awaitable[None]] | None = None
        self._read: Callable[[Sequence[ChatSummary]], None] = lambda rows: None
        self._cursor: str | None = None
        self._read_copies = False
        self._observers: Observers[None] = Observers()
        self.loading = False
        self.offline: str | None = None
        """One sentence when the rows come from the local copy because the server did not answer."""

    @property
    def rows(self) -> Sequence[ChatSummary]:
        """Chats, the newest first. At the top: those that never reached the server, and those that want
        something of the user and are in no page read so far, or further down than the first."""
        ordered = sorted(self._rows.values(), key=_age, reverse=True)
        unsent = [row for row in self._unsent.values() if row.id not in self._rows]
        if not self._at_hand:
            return [*unsent, *ordered]
        elsewhere = {row.id for row in unsent} | {row.id for row in ordered[:PAGE]}
        lifted = [
            replace(self._rows.get(row.id, row), updated_at=row.updated_at)
            for row in self._at_hand.values()
            if row.id not in elsewhere
        ]
        known = {row.id for row in lifted}
        return [*unsent, *lifted, *(row for row in ordered if row.id not in known)]

    def observe(self, callback: Callable[[None], None]) -> Callable[[], None]:
        """Hear when `rows`, `loading` or `offline` changed."""
        return self._observers.add(callback)

    def before_forgetting(self, leave: Callable[[str], Awaitable[None]]) -> None:
        """`leave` ends the work on a chat the server deleted, before what is kept here goes."""
        self._leave = leave

    def when_read(self, read: Callable[[Sequence[ChatSummary]], None]) -> None:
        """`read` hears every row the server gives, as the server wrote it."""
        self._read = read

    def is_deleted(self, chat_id: str) -> bool:
        """Whether this chat was deleted during this run."""
        return chat_id in self._deleted

    def is_local(self, chat_id: str) -> bool:
        """Whether this chat is on this computer only: its server keeps none, or it never got there."""
        return self._keeper.is_here(chat_id) or chat_id not in self._rows

    def is_gone(self, chat_id: str) -> bool:
        """Whether this chat was deleted here, or is missing in the server's list where it should stand."""
        return chat_id in self._deleted or chat_id in self._gone

    def lists(self, chat_id: str) -> bool:
        """Whether this chat is or was in the server's list, or was written in during this run."""
        return chat_id in self._rows

    def keep_at_hand(self, chat_id: str, title: str) -> None:
        """This chat is shown, in the list's pages or not, until `let_go`."""
        from kai_tui.backends.base import ChatSummary

        before = self._at_hand.get(chat_id)
        if self.is_gone(chat_id) or (before is not None and before.title == title):
            return
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        self._at_hand[chat_id] = ChatSummary(chat_id, title, now, now)
        self._observers.tell(None)

    def let_go(self, chat_id: str) -> None:
        """This chat wants nothing more: it stands where the pages have it."""
        if self._at_hand.pop(chat_id, None) is not None:
            self._observers.tell(None)

    def touch(self, chat_id: str, title: str, updated_at: str, visibility: str = "") -> None:
        """A chat got a message or a name here. An empty `visibility` changes nothing."""
        from kai_tui.backends.base import ChatSummary

        if chat_id in self._deleted:
            return
        self._here.add(chat_id)
        self._gone.discard(chat_id)
        before = self._rows.get(chat_id) or ChatSummary(chat_id, title, updated_at)
        self._unsent.pop(chat_id, None)
        self._rows[chat_id] = replace(
            before, title=title, updated_at=updated_at, visibility=visibility or before.visibility
        )
        self._observers.tell(None)

    async def refresh(self) -> None:
        """Local rows first, then the server's; never raises a BackendError, failures are in `offline`."""
        self.loading = True
        try:
            await self._refresh()
        finally:
            self.loading = False
            self._observers.tell(None)

    async def _refresh(self) -> None:
        if not self._read_copies:
            self._read_copies = True
            for row in await self._keeper.summaries():
                if row.id not in self._deleted:
                    self._rows.setdefault(row.id, row)
            self._unsent = {row.id: row for row in await self._keeper.unsent_chats()}
        self._observers.tell(None)
        try:
            backend = await self._backend()
            page = await backend.chats(limit=PAGE)
        except BackendError as error:
            self.offline = error.sentence
        else:
            self.offline = None
            self._cursor = page.cursor
            own = await self._keeper.ids_here()
            self._drop_deleted(page.items, own, complete=page.cursor is None)
            await self._keep(page.items)

    async def load_more(self) -> None:
        """The next page, when there is one; never raises a BackendError."""
        if self._cursor is None or self.loading:
            return
        self.loading = True
        self._observers.tell(None)
        try:
            backend = await self._backend()
            page = await backend.chats(cursor=self._cursor, limit=PAGE)
        except BackendError as error:
            self.offline = error.sentence
        else:
            self._cursor = page.cursor
            await self._keep(page.items)
        finally:
            self.loading = False
            self._observers.tell(None)

    async def delete(self, chat_id: str) -> None:
        """Server first, then the local copy and draft. Raises BackendError and keeps everything then.

        A turn that runs in the chat is stopped, and nothing of it is kept (P18).
        """
        if chat_id in self._rows:
            await self._delete_there(chat_id)
        await self._remove(chat_id)

    async def _remove(self, chat_id: str) -> None:
        """What is here of a chat that the server deleted."""
        self._deleted.add(chat_id)
        if self._leave is not None:
            await self._leave(chat_id)
        await self._keeper.delete_chat(chat_id)
        self._rows.pop(chat_id, None)
        self._unsent.pop(chat_id, None)
        self._at_hand.pop(chat_id, None)
        self._observers.tell(None)

    async def all_ids(self) -> frozenset[str]:
        """Every chat the server lists, page by page. Raises BackendError."""
        backend = await self._backend()
        found: set[str] = set()
        cursor: str | None = None
        while True:
            page = await backend.chats(cursor=cursor, limit=PAGE)
            before = len(found)
            found.update(row.id for row in page.items)
            if page.cursor is None or len(found) == before:
                return frozenset(found)
            cursor = page.cursor

    async def delete_all(self, counted: Collection[str]) -> tuple[int, frozenset[str]]:
        """All chats at the server (`caps.delete_all`), then what is here of them: how many the server says there
        were, and whose copies went. Chats that never reached it stay.

        `counted`: those the user was told of. Raises BackendError; then the list is read anew, and what is here stays.
        """
        backend = await self._backend()
        try:
            count = await backend.delete_all()
        except BackendError:
            await self.refresh()
            raise
        # Words that were never sent are on no server: nobody was told that they go.
        unsent = {row.id for row in await self._keeper.unsent_chats()}
        gone = frozenset({*counted, *(self._rows.keys() - unsent)})
        for chat_id in gone:
            await self._remove(chat_id)
        self._cursor = None
        await self.refresh()
        return count, gone

    async def restore(self, chat_id: str) -> None:
        """Bring back a deleted chat (`caps.restore`). Raises BackendError."""
        backend = await self._backend()
        await backend.restore(chat_id)
        self._deleted.discard(chat_id)
        await self.refresh()

    async def deleted(self, cursor: str | None) -> Page[ChatSummary]:
        """A page of the chats that can be brought back (`caps.restore`). Raises BackendError."""
        backend = await self._backend()
        return await backend.deleted_chats(cursor=cursor, limit=PAGE)

    async def _delete_there(self, chat_id: str) -> None:
        try:
            backend = await self._backend()
        except BackendError:
            if not self._keeper.is_here(chat_id):
                raise
            # An account that cannot be opened: no server has this chat, and here it must really go.
            await self._keeper.local_chats.delete(chat_id)
            return
        try:
            await backend.delete(chat_id)
        except NotFound:
            pass  # somebody else deleted it: what was wanted is so
        except NotAllowed:
            # The template says 403 for an unknown id (protocols/kai.md §4.6).
            if not await self._is_gone(backend, chat_id):
                raise

    async def _is_gone(self, backend: Backend, chat_id: str) -> bool:
        try:
            await backend.chat(chat_id)
        except NotFound:
            return True
        except BackendError:
            return False
        return False

    async def _keep(self, items: Sequence[ChatSummary]) -> None:
        items = [row for row in items if row.id not in self._deleted]
        self._gone.difference_update(row.id for row in items)
        for row in items:
            mine = self._rows.get(row.id)
            # A chat that is going on here is newer than what the server says.
            if mine is not None and mine.updated_at > (row.updated_at or row.created_at):
                row = replace(row, updated_at=mine.updated_at)
            if mine is not None and not is_name(row.title):
                row = replace(row, title=mine.title)
            self._rows[row.id] = row
        self._read(items)
        await self._keeper.keep_summaries(items)

    def _drop_deleted(
        self, items: Sequence[ChatSummary], own: Collection[str] | None, *, complete: bool
    ) -> None:
        """Forget copies of chats that the page should hold and does not: deleted elsewhere.

        `own`: all chats that no server keeps, where that is known. They are gone when another window deleted them.
        """
        there = {row.id for row in items}
        oldest = min((_age(row) for row in items), default="")
        for row in list(self._rows.values()):
            if row.id in there or row.id in self._here:
                continue
            if self._keeper.is_here(row.id):
                gone = own is not None and row.id not in own
            else:
                gone = complete or _age(row) > oldest
            if gone:
                del self._rows[row.id]
                self._gone.add(row.id)
                self._at_hand.pop(row.id, None)
                self._keeper.drop_copy(row.id)


def _age(row: ChatSummary) -> str:
    return row.updated_at or row.created_at
