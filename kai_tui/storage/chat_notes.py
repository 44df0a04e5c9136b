"""What is known here and nowhere else about a chat: one JSON value per chat and kind, in the state file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from kai_tui.storage.text import storable

if TYPE_CHECKING:
    from sqlite3 import Connection

    from kai_tui.storage.database import Database

NoteKind: TypeAlias = Literal[
    "terms",
    "about",
    "superseded",
    "usage",
    "fork",
    "quote",
    "unseen",
    "unsaved",
    "baggage",
    "enclosed",
    "asked",
    "read-only",
    "jobs",
    "before",
]
"""`terms`: what holds for the chat from its first message on. `about`: the page of the web interface it is
about, and those of messages the server may not have. `superseded`: ids of questions that were asked again,
each by the id of the one that took its place. `usage`: tokens so far. `fork`: the chat and message this one
began from. `quote`: what goes in front of its first message, until that is on its way.
`unseen`: what the chat wanted of the user (`services/attention.py`) that was not looked at.
`unsaved`: instructions for Kai that were typed and not saved; their place is no chat. `baggage`: what a
backend keeps along with a chat of which its server keeps nothing. `enclosed`: files and addresses that go
with the next message, and with those the server may not have. `asked`: questions that wait for the user
(`storage/inbox.py`). `read-only`: the user's switch is on. `jobs`: how jobs ended that the chat's calls
started, by call. `before`: what the project had before calls the user approved, by call, secrets masked."""

_OF_ACCOUNT = "\n"
"""No chat's id: the place of what is kept for the account and not for one of its chats."""


class ChatNotes:
    """Notes of one account. Every method raises StorageError only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, chat_id: str, kind: NoteKind, value: Any) -> None:
        """Keep a JSON value in place of the one before; None removes it."""
        chat_id, kind = storable(chat_id), cast(NoteKind, storable(kind))
        if value is None:
            await self._database.execute(
                "DELETE FROM chat_notes WHERE chat_id = ? AND kind = ?", (chat_id, kind)
            )
            return
        text = storable(json.dumps(value, ensure_ascii=False))
        await self._database.execute(
            """INSERT INTO chat_notes (chat_id, kind, value) VALUES (?, ?, ?)
               ON CONFLICT (chat_id, kind) DO UPDATE SET value = excluded.value""",
            (chat_id, kind, text),
        )

    async def keep_text(self, name: str, text: str | None) -> None:
        """Keep a text for the account under a name; None removes it."""
        await self.put(_OF_ACCOUNT, cast(NoteKind, name), text)

    async def kept_text(self, name: str) -> str | None:
        """The text that was kept under this name."""
        found = (await self.of_chat(_OF_ACCOUNT)).get(storable(name))
        return found if isinstance(found, str) else None

    async def drop_unused_quotes(self) -> None:
        """Forks that were left before anything was written in them need their quote no more."""
        await self._database.execute(
            "DELETE FROM chat_notes WHERE kind = 'quote' AND chat_id NOT IN (SELECT chat_id FROM drafts)"
        )

    async def of_chat(self, chat_id: str) -> dict[str, Any]:
        """All notes of a chat by kind; what cannot be read any more is left out."""
        chat_id = storable(chat_id)

        def work(connection: Connection) -> dict[str, Any]:
            rows = connection.execute("SELECT kind, value FROM chat_notes WHERE chat_id = ?", (chat_id,))
            return _read(rows)

        return await self._database.run(work)

    async def of_kind(self, kind: NoteKind) -> dict[str, Any]:
        """The notes of one kind by chat id; what cannot be read any more is left out."""

        def work(connection: Connection) -> dict[str, Any]:
            rows = connection.execute(
                "SELECT chat_id, value FROM chat_notes WHERE kind = ? ORDER BY rowid", (kind,)
            )
            return _read(rows)

        return await self._database.run(work)


def _read(rows: Iterable[tuple[object, str]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, text in rows:
        try:
            found[str(key)] = json.loads(text)
        except (ValueError, RecursionError):
            continue
    return found
