"""Chats, and replies, that no server keeps: the only copy there is. In the state file: never thrown away (P7)."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

from kai_tui.conversation.events import JsonObject
from kai_tui.storage.chats import CachedChat, ReplyState
from kai_tui.storage.database import Database
from kai_tui.storage.text import from_json, storable, to_json

if TYPE_CHECKING:
    from sqlite3 import Connection


@dataclass(frozen=True, slots=True)
class OwnMessage:
    """One message as UIMessage JSON, and how far it came."""

    wire: JsonObject
    state: ReplyState | Literal["elsewhere"]
    """`elsewhere`: another window, which is open, writes it."""
    ending: JsonObject = field(default_factory=dict[str, Any])
    """How it ended, as `checkpoint` was told."""


@dataclass(frozen=True, slots=True)
class OwnConversation:
    """A chat with its messages, the oldest first."""

    summary: CachedChat
    messages: Sequence[OwnMessage]
    whole: bool
    """False: a server has the chat, and these are only the replies it did not keep, each after its question."""


@dataclass(frozen=True, slots=True)
class OwnRow:
    """A row of the list."""

    summary: CachedChat
    sequence: int
    """What was written in later has a higher one."""


_COLUMNS = "id, title, created_at, updated_at"


class OwnChats:
    """Those of one account. Every method raises StorageError only."""

    def __init__(self, database: Database, owner: str | None = None) -> None:
        """`owner` names this window in rows it writes; see `presence.py`."""
        self._database = database
        self._owner = owner or secrets.token_hex(8)

    async def page(self, limit: int, before: int | None = None) -> list[OwnRow]:
        """Whole chats, those written in last first, by our own order of events and not by any clock.

        `before`: only those with a lower `sequence`.
        """

        def work(connection: Connection) -> list[OwnRow]:
            rows = connection.execute(
                f"""SELECT {_COLUMNS}, sequence FROM chats WHERE whole = 1 AND (?1 IS NULL OR sequence < ?1)
                    ORDER BY sequence DESC LIMIT ?2""",  # noqa: S608 - our columns
                (before, limit),
            )
            return [OwnRow(_summary(row), int(row[4])) for row in rows]

        return await self._database.run(work)

    async def ids(self) -> set[str]:
        """Of all whole chats."""
        return await self._database.run(
            lambda connection: {
                str(row[0]) for row in connection.execute("SELECT id FROM chats WHERE whole = 1")
            }
        )

    async def chat(self, chat_id: str, open_windows: Collection[str] = ()) -> OwnConversation | None:
        """A reply whose writer died, which is none of `open_windows`, is `cut-off` (P7, P8)."""
        chat_id = storable(chat_id)

        def work(connection: Connection) -> OwnConversation | None:
            row = connection.execute(
                f"SELECT {_COLUMNS}, whole FROM chats WHERE id = ?",  # noqa: S608
                (chat_id,),
            ).fetchone()
            if row is None:
                return None
            found: list[OwnMessage] = []
            for wire, state, owner, ending in connection.execute(
                "SELECT wire, state, owner, ending FROM messages WHERE chat_id = ? ORDER BY position, id",
                (chat_id,),
            ):
                read = from_json(wire)
                if read is not None:
                    if state == "streaming" and owner != self._owner:
                        state = "elsewhere" if owner in open_windows else "cut-off"
                    found.append(OwnMessage(read, cast(ReplyState, state), from_json(ending) or {}))
            return OwnConversation(_summary(row), found, bool(row[4]))

        return await self._database.run(work)

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

    async def checkpoint(
        self,
        chat_id: str,
        message_id: str,
        wire: str,
        state: ReplyState,
        *,
        title: str,
        now: str,
        ending: JsonObject | None = None,
        whole: bool = True,
    ) -> None:
        """Keep one message as it is now, behind those that are there. The chat becomes the newest of the list.

        `wire`: the message as `to_json` writes it. `now`: the time (ISO 8601, UTC), for the user to see.
        An empty `title` leaves the known one.
        """
        chat_id, message_id, title = storable(chat_id), storable(message_id), storable(title)
        owner, ended = self._owner, to_json(ending or {})

        def work(connection: Connection) -> None:
            connection.execute(
                """INSERT INTO chats (id, title, created_at, updated_at, whole, sequence)
                   VALUES (?1, ?2, ?3, ?3, ?4, (SELECT coalesce(max(sequence), 0) + 1 FROM chats))
                   ON CONFLICT (id) DO UPDATE SET updated_at = excluded.updated_at,
                     whole = max(whole, excluded.whole), sequence = excluded.sequence,
                     title = CASE excluded.title WHEN '' THEN title ELSE excluded.title END""",
                (chat_id, title, now, int(whole)),
            )
            connection.execute(
                """INSERT INTO messages (chat_id, id, position, state, owner, wire, ending)
                   VALUES (?1, ?2, (SELECT coalesce(max(position), -1) + 1 FROM messages WHERE chat_id = ?1),
                     ?3, ?4, ?5, ?6)
                   ON CONFLICT (chat_id, id) DO UPDATE SET state = excluded.state, owner = excluded.owner,
                     wire = excluded.wire, ending = excluded.ending""",
                (chat_id, message_id, state, owner, wire, ended),
            )

        await self._database.write(work, replaces=("checkpoint", chat_id, message_id))

    async def rename_message(self, chat_id: str, old_id: str, new_id: str) -> None:
        """The server gave an answer another id than the one it was kept under."""
        parameters = (storable(new_id), storable(chat_id), storable(old_id))
        await self._database.execute(
            "UPDATE OR REPLACE messages SET id = ? WHERE chat_id = ? AND id = ?", parameters
        )

    async def drop_message(self, chat_id: str, message_id: str) -> None:
        """Forget one message; unknown ids are ignored."""
        parameters = (storable(chat_id), storable(message_id))
        await self._database.execute("DELETE FROM messages WHERE chat_id = ? AND id = ?", parameters)

    async def delete(self, chat_id: str) -> None:
        """Nothing of it stays in the file (secure_delete, P18). Backups: see `Database.renew_backups`."""
        await self._database.execute("DELETE FROM chats WHERE id = ?", (storable(chat_id),))


def _summary(row: Sequence[Any]) -> CachedChat:
    return CachedChat(str(row[0]), str(row[1]), str(row[2]), str(row[3]), "")
