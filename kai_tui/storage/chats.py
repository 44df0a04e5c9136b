"""Copies of the server's chats, and the reply that is being written right now (P7). Lives in the cache file."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from kai_tui.conversation.events import JsonObject
from kai_tui.storage.chat_rows import (
    CopyState,
    MessageText,
    ReplyState,
    copies,
    message_id_of,
    put_messages,
    storable_text,
    text_of,
    unfinished_tail,
    written_by,
)
from kai_tui.storage.database import Database
from kai_tui.storage.schema import Schema
from kai_tui.storage.text import from_json, storable, to_json

if TYPE_CHECKING:
    from sqlite3 import Connection

T = TypeVar("T")

CACHE_LIMIT_BYTES = 200 * 1024 * 1024
"""S8."""


@dataclass(frozen=True, slots=True)
class CachedChat:
    """A row of the history; times as the server wrote them (ISO 8601)."""

    id: str
    title: str
    created_at: str = ""
    updated_at: str = ""
    visibility: str = "private"


@dataclass(frozen=True, slots=True)
class CachedMessage:
    """One message as the text of UIMessage JSON, an object, and how far it came."""

    text: bytes
    state: CopyState

    @property
    def wire(self) -> JsonObject:
        """The message; read anew each time."""
        return from_json(self.text) or {}


@dataclass(frozen=True, slots=True)
class CachedConversation:
    """A chat with its messages, the oldest first. `whole` is False when only summary and checkpoints are here."""

    summary: CachedChat
    messages: Sequence[CachedMessage]
    whole: bool


def _halve(connection: Connection) -> None:
    """Throw away the messages of the older half of the chats that have any (a full disk)."""
    connection.execute(
        """DELETE FROM messages WHERE chat_id IN (
             SELECT id FROM chats WHERE id IN (SELECT chat_id FROM messages) ORDER BY sequence
             LIMIT (SELECT (count(DISTINCT chat_id) + 1) / 2 FROM messages))"""
    )
    connection.execute("UPDATE chats SET whole = 0 WHERE id NOT IN (SELECT chat_id FROM messages)")


CACHE_SCHEMA = Schema(
    version=1,
    tables=("chats", "messages"),
    create=(
        # stamp: the server's time in one fixed form; sequence: our own order where times are equal or missing.
        """CREATE TABLE chats (
             id TEXT PRIMARY KEY, title TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
             visibility TEXT NOT NULL, stamp TEXT NOT NULL, sequence INTEGER NOT NULL,
             whole INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID""",
        "CREATE INDEX chats_newest ON chats (stamp DESC, sequence DESC)",
        "CREATE INDEX chats_sequence ON chats (sequence)",
        """CREATE TABLE messages (
             chat_id TEXT NOT NULL REFERENCES chats (id) ON DELETE CASCADE, id TEXT NOT NULL,
             position INTEGER NOT NULL, state TEXT NOT NULL, owner TEXT NOT NULL, wire TEXT NOT NULL,
             PRIMARY KEY (chat_id, id))""",
        "CREATE INDEX messages_in_order ON messages (chat_id, position)",
    ),
    make_room=_halve,
)

_COLUMNS = "id, title, created_at, updated_at, visibility"


class Chats:
    """The cache of one account. Every method raises StorageError only."""

    def __init__(self, database: Database, owner: str | None = None) -> None:
        """`owner` names this window in rows it writes; see `presence.py`."""
        self._database = database
        self._owner = owner or secrets.token_hex(8)
        """A "streaming" message of another owner belongs to another window, or to one that died."""

    async def put_summaries(self, chats: Sequence[CachedChat]) -> None:
        """Keep rows as the server listed them, the newest first."""
        rows = [_clean(chat) for chat in chats]

        def work(connection: Connection) -> None:
            sequence = _next_sequence(connection)
            for back, chat in enumerate(reversed(rows)):
                _put_summary(connection, chat, sequence + back)

        await self._database.write(work)

    async def summaries(self, limit: int = 50, offset: int = 0) -> list[CachedChat]:
        """Newest first, by the server's times and our own order of events, never by this machine's clock."""

        def work(connection: Connection) -> list[CachedChat]:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM chats ORDER BY stamp DESC, sequence DESC LIMIT ? OFFSET ?",  # noqa: S608
                (limit, offset),
            )
            return [CachedChat(*map(str, row)) for row in rows]

        return await self._database.run(work)

    async def count(self) -> int:
        """How many chats are known."""
        return await self._database.run(
            lambda connection: int(connection.execute("SELECT count(*) FROM chats").fetchone()[0])
        )

    async def put_chat(
        self,
        chat: CachedChat,
        messages: Sequence[JsonObject | MessageText],
        states: Mapping[str, ReplyState] | None = None,
        *,
        open_windows: Collection[str] = (),
    ) -> None:
        """Keep a chat as the server has it now; messages not in `states` (by id) are complete.

        An unfinished reply of ours stays behind it when the server has nothing after the message it
        answers: what was seen is not lost (P7). A reply that one of the `open_windows` writes stays its own.
        """
        chat = _clean(chat)
        texts = [
            message if isinstance(message, MessageText) else text_of(message, number)
            for number, message in enumerate(messages)
        ]
        ended = {storable(message_id): state for message_id, state in (states or {}).items()}

        def work(connection: Connection) -> None:
            _make_room(connection)
            _put_summary(connection, chat, _next_sequence(connection))
            rows = [storable_text(text, number) for number, text in enumerate(texts)]
            unfinished = unfinished_tail(connection, chat.id, [row.id for row in rows])
            theirs = written_by(connection, chat.id, open_windows)
            wanted = {
                row.id: (position, *theirs.get(row.id, (row.text, ended.get(row.id, "complete"), "")))
                for position, row in enumerate(rows)
            }
            if unfinished is not None:
                wanted[unfinished[0]] = (len(rows), *unfinished[1:])
            put_messages(connection, chat.id, wanted)
            connection.execute("UPDATE chats SET whole = 1 WHERE id = ?", (chat.id,))

        await self._database.write(work)

    async def writers(self, chat_id: str) -> set[str]:
        """The other windows that write, or wrote when they died, a reply of this chat."""
        parameters = (storable(chat_id), self._owner)

        def work(connection: Connection) -> set[str]:
            rows = connection.execute(
                "SELECT owner FROM messages WHERE chat_id = ? AND state = 'streaming' AND owner <> ?",
                parameters,
            )
            return {str(row[0]) for row in rows}

        return await self._database.run(work)

    async def chat(self, chat_id: str, open_windows: Collection[str] = ()) -> CachedConversation | None:
        """The copy of a chat. A reply whose writer died, which is none of `open_windows`, is `cut-off` (P7, P8)."""
        chat_id = storable(chat_id)

        def work(connection: Connection) -> CachedConversation | None:
            row = connection.execute(
                f"SELECT {_COLUMNS}, whole FROM chats WHERE id = ?",  # noqa: S608
                (chat_id,),
            ).fetchone()
            if row is None:
                return None
            messages = [
                CachedMessage(text, state)
                for text, state in copies(connection, chat_id, self._owner, open_windows)
            ]
            return CachedConversation(CachedChat(*map(str, row[:5])), messages, bool(row[5]))

        return await self._database.run(work)

    async def read(
        self,
        chat_id: str,
        make: Callable[[bytes, CopyState], T | None],
        *,
        newest: int | None = None,
        open_windows: Collection[str] = (),
    ) -> tuple[CachedChat, list[T]] | None:
        """As `chat`, each message as `make` makes it, in the database's thread; what is None is left out.

        `newest`: only that many from the end.
        """
        chat_id = storable(chat_id)

        def work(connection: Connection) -> tuple[CachedChat, list[T]] | None:
            row = connection.execute(f"SELECT {_COLUMNS} FROM chats WHERE id = ?", (chat_id,)).fetchone()  # noqa: S608
            if row is None:
                return None
            found_rows = copies(connection, chat_id, self._owner, open_windows, newest)
            found = [made for text, state in found_rows if (made := make(text, state)) is not None]
            return CachedChat(*map(str, row)), found

        return await self._database.run(work)

    async def checkpoint(
        self,
        chat_id: str,
        message: JsonObject,
        state: ReplyState,
        *,
        title: str = "",
        text: str | None = None,
    ) -> None:
        """Keep one message as it is now: a reply while it is written (S4), or the user's own message.

        The chat becomes the newest of the list. An empty `title` leaves the known one. `text`: the
        whole message as `to_json` writes it, from who has it already; `message` needs only its id then.
        """
        chat_id, title = storable(chat_id), storable(title)
        message_id, owner = message_id_of(message, 0), self._owner
        wire = to_json(message) if text is None else text

        def work(connection: Connection) -> None:
            sequence = _next_sequence(connection)
            newest = connection.execute("SELECT max(stamp) FROM chats").fetchone()[0] or ""
            connection.execute(
                """INSERT INTO chats (id, title, created_at, updated_at, visibility, stamp, sequence)
                   VALUES (?, ?, '', '', 'private', ?, ?)
                   ON CONFLICT (id) DO UPDATE SET stamp = excluded.stamp, sequence = excluded.sequence,
                     title = CASE excluded.title WHEN '' THEN title ELSE excluded.title END""",
                (chat_id, title, newest, sequence),
            )
            connection.execute(
                """INSERT INTO messages (chat_id, id, position, state, owner, wire)
                   VALUES (?1, ?2, (SELECT coalesce(max(position), -1) + 1 FROM messages WHERE chat_id = ?1), ?3, ?4, ?5)
                   ON CONFLICT (chat_id, id) DO UPDATE
                     SET state = excluded.state, owner = excluded.owner, wire = excluded.wire""",
                (chat_id, message_id, state, owner, wire),
            )

        await self._database.write(work)

    async def rename_message(self, chat_id: str, old_id: str, new_id: str) -> None:
        """The server gave an answer another id than the one it was kept under."""
        parameters = (storable(new_id), storable(chat_id), storable(old_id))
        await self._database.execute(
            "UPDATE OR REPLACE messages SET id = ? WHERE chat_id = ? AND id = ?", parameters
        )

    async def delete(self, chat_id: str) -> None:
        """Remove the copy; nothing of it stays in the file (secure_delete, P18)."""
        chat_id = storable(chat_id)
        await self._database.execute("DELETE FROM chats WHERE id = ?", (chat_id,))


def _clean(chat: CachedChat) -> CachedChat:
    return CachedChat(
        storable(chat.id),
        storable(chat.title),
        storable(chat.created_at),
        storable(chat.updated_at),
        storable(chat.visibility),
    )


def _stamp(chat: CachedChat) -> str:
    """The server's time as UTC in one form, so that text order is time order; empty when it says nothing."""
    for text in (chat.updated_at, chat.created_at):
        try:
            moment = datetime.fromisoformat(text)
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            continue
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")
    return ""


def _next_sequence(connection: Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(sequence), 0) + 1 FROM chats").fetchone()[0])


def _put_summary(connection: Connection, chat: CachedChat, sequence: int) -> None:
    connection.execute(
        """INSERT INTO chats (id, title, created_at, updated_at, visibility, stamp, sequence)
           VALUES (?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (id) DO UPDATE SET title = excluded.title, created_at = excluded.created_at,
             updated_at = excluded.updated_at, visibility = excluded.visibility,
             stamp = excluded.stamp, sequence = excluded.sequence""",
        (chat.id, chat.title, chat.created_at, chat.updated_at, chat.visibility, _stamp(chat), sequence),
    )


def _make_room(connection: Connection) -> None:
    """Keep the file below its limit, the oldest chats' messages first (S8)."""
    size, free, pages = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_size", "freelist_count", "page_count")
    )
    if (pages - free) * size > CACHE_LIMIT_BYTES:
        _halve(connection)
