"""What the user typed: drafts, the outbox, answered approvals, the prompt history. Lives in the state file (P6)."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from kai_tui.storage.database import Database
from kai_tui.storage.state import STATE_SCHEMA as STATE_SCHEMA
from kai_tui.storage.text import storable

if TYPE_CHECKING:
    from sqlite3 import Connection

OutboxState: TypeAlias = Literal["queued", "sending", "not-sent", "unsure"]

PROMPTS_KEPT = 1000


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A message of the user that the server may not have."""

    message_id: str
    chat_id: str
    text: str
    state: OutboxState
    position: int = 0
    """Order of sending over all chats; given by `put_outbox`."""
    owner: str = ""
    """The window that has it in hand, or had; given on reading."""


class Drafts:
    """The user's own text of one account. Every method raises StorageError only."""

    def __init__(self, database: Database, owner: str | None = None) -> None:
        """`owner` names this window in the outbox; see `presence.py`."""
        self._database = database
        self._owner = owner or secrets.token_hex(8)

    async def save_draft(self, chat_id: str, text: str) -> None:
        """Keep what is being typed; an empty text removes it."""
        if not text:
            await self.delete_draft(chat_id)
            return
        parameters = (storable(chat_id), storable(text))
        await self._database.execute(
            """INSERT INTO drafts (chat_id, text, sequence)
                   VALUES (?, ?, (SELECT coalesce(max(sequence), 0) + 1 FROM drafts))
                   ON CONFLICT (chat_id) DO UPDATE SET text = excluded.text, sequence = excluded.sequence""",
            parameters,
        )

    async def draft(self, chat_id: str) -> str:
        """What was being typed in this chat, else an empty string."""
        chat_id = storable(chat_id)

        def work(connection: Connection) -> str:
            row = connection.execute("SELECT text FROM drafts WHERE chat_id = ?", (chat_id,)).fetchone()
            return str(row[0]) if row else ""

        return await self._database.run(work)

    async def last_draft(self, besides: str = "") -> tuple[str, str] | None:
        """(chat id, text) of the draft that was changed last, not counting that of the chat `besides`."""
        besides = storable(besides)

        def work(connection: Connection) -> tuple[str, str] | None:
            row = connection.execute(
                "SELECT chat_id, text FROM drafts WHERE chat_id <> ? ORDER BY sequence DESC LIMIT 1",
                (besides,),
            ).fetchone()
            return (str(row[0]), str(row[1])) if row else None

        return await self._database.run(work)

    async def delete_draft(self, chat_id: str) -> None:
        """Forget what was being typed."""
        chat_id = storable(chat_id)
        await self._database.execute("DELETE FROM drafts WHERE chat_id = ?", (chat_id,))

    async def put_outbox(self, row: OutboxRow) -> OutboxRow:
        """Keep a message before it is sent. The same message id again changes text and state, not its place."""
        message_id, chat_id, text = storable(row.message_id), storable(row.chat_id), storable(row.text)
        state, owner = row.state, self._owner

        def work(connection: Connection) -> OutboxRow:
            connection.execute(
                """INSERT INTO outbox (message_id, chat_id, text, state, position, owner)
                   VALUES (?, ?, ?, ?, (SELECT coalesce(max(position), 0) + 1 FROM outbox), ?)
                   ON CONFLICT (message_id) DO UPDATE
                     SET text = excluded.text, state = excluded.state, owner = excluded.owner""",
                (message_id, chat_id, text, state, owner),
            )
            found = connection.execute(
                "SELECT position FROM outbox WHERE message_id = ?", (message_id,)
            ).fetchone()
            return OutboxRow(message_id, chat_id, text, state, int(found[0]), owner)

        return await self._database.write(work)

    async def put_queue(self, chat_id: str, waiting: Sequence[tuple[str, str]]) -> None:
        """(message id, text) of what waits to be sent in a chat, in order, in place of what this window had there.

        A message that was being sent and is held back becomes one that waits.
        """
        chat_id = storable(chat_id)
        rows = [(storable(message_id), chat_id, storable(text), self._owner) for message_id, text in waiting]
        mine = (chat_id, self._owner)

        def work(connection: Connection) -> None:
            connection.execute(
                "DELETE FROM outbox WHERE chat_id = ? AND owner = ? AND state = 'queued'", mine
            )
            connection.executemany(
                """INSERT INTO outbox (message_id, chat_id, text, state, position, owner)
                   VALUES (?, ?, ?, 'queued', (SELECT coalesce(max(position), 0) + 1 FROM outbox), ?)
                   ON CONFLICT (message_id) DO UPDATE
                     SET text = excluded.text, state = excluded.state, position = excluded.position,
                         owner = excluded.owner""",
                rows,
            )

        await self._database.write(work)

    async def owners(self) -> set[str]:
        """The windows that have, or had, messages in the outbox."""

        def work(connection: Connection) -> set[str]:
            return {str(row[0]) for row in connection.execute("SELECT DISTINCT owner FROM outbox")}

        return await self._database.run(work)

    async def take_over(self, chat_id: str, others: Collection[str]) -> None:
        """Messages of this chat become this window's, except those of windows that are open (`others`).

        One that was being sent when its window ended is `unsure` from now on.
        """
        open_windows = [self._owner, *others]
        marks = ",".join("?" * len(open_windows))
        parameters = (self._owner, storable(chat_id), *open_windows)

        def work(connection: Connection) -> None:
            connection.execute(
                f"""UPDATE outbox SET owner = ?, state = CASE state WHEN 'sending' THEN 'unsure' ELSE state END
                    WHERE chat_id = ? AND owner NOT IN ({marks})""",  # noqa: S608 - our question marks
                parameters,
            )

        await self._database.write(work)

    async def set_outbox_state(self, message_id: str, state: OutboxState) -> None:
        """Note what became of a message; unknown ids are ignored."""
        parameters = (state, self._owner, storable(message_id))
        await self._database.execute(
            "UPDATE outbox SET state = ?, owner = ? WHERE message_id = ?", parameters
        )

    async def remove_outbox(self, message_id: str) -> None:
        """The server has it, or the user gave it up."""
        message_id = storable(message_id)
        await self._database.execute("DELETE FROM outbox WHERE message_id = ?", (message_id,))

    async def outbox(self, chat_id: str | None = None) -> list[OutboxRow]:
        """Messages of one chat or of all, in order of sending.

        One that was being sent when its process died reads as `unsure`: ask the server (design.md §4).
        """
        wanted = None if chat_id is None else storable(chat_id)

        def work(connection: Connection) -> list[OutboxRow]:
            rows = connection.execute(
                """SELECT message_id, chat_id, text, state, position, owner FROM outbox
                   WHERE ?1 IS NULL OR chat_id = ?1 ORDER BY position""",
                (wanted,),
            )
            return [
                OutboxRow(
                    row[0],
                    row[1],
                    row[2],
                    "unsure" if row[3] == "sending" and row[5] != self._owner else cast(OutboxState, row[3]),
                    row[4],
                    row[5],
                )
                for row in rows
            ]

        return await self._database.run(work)

    async def remember_answer(
        self, chat_id: str, tool_call_id: str, approval_id: str | None, approved: bool
    ) -> bool:
        """Note an approval's answer BEFORE it is posted (A6). False: it was answered before; do not post (P4)."""
        parameters = (storable(chat_id), storable(tool_call_id), storable(approval_id or ""), int(approved))

        def work(connection: Connection) -> bool:
            cursor = connection.execute(
                """INSERT INTO answers (chat_id, tool_call_id, approval_id, approved) VALUES (?, ?, ?, ?)
                   ON CONFLICT DO NOTHING""",
                parameters,
            )
            return cursor.rowcount == 1

        return await self._database.write(work)

    async def answers(self, chat_id: str) -> dict[tuple[str, str], bool]:
        """Every decision noted for a chat, by tool call and approval id (empty where there was none)."""
        chat_id = storable(chat_id)

        def work(connection: Connection) -> dict[tuple[str, str], bool]:
            rows = connection.execute(
                "SELECT tool_call_id, approval_id, approved FROM answers WHERE chat_id = ?", (chat_id,)
            )
            return {(str(row[0]), str(row[1])): bool(row[2]) for row in rows}

        return await self._database.run(work)

    async def answered(self, chat_id: str, tool_call_id: str, approval_id: str | None) -> bool | None:
        """The decision that was noted; None when there is none."""
        parameters = (storable(chat_id), storable(tool_call_id), storable(approval_id or ""))

        def work(connection: Connection) -> bool | None:
            row = connection.execute(
                "SELECT approved FROM answers WHERE chat_id = ? AND tool_call_id = ? AND approval_id = ?",
                parameters,
            ).fetchone()
            return bool(row[0]) if row else None

        return await self._database.run(work)

    async def withdraw_answer(self, chat_id: str, tool_call_id: str, approval_id: str | None) -> None:
        """The answer provably never reached the server: it may be given again (A7)."""
        parameters = (storable(chat_id), storable(tool_call_id), storable(approval_id or ""))
        await self._database.execute(
            "DELETE FROM answers WHERE chat_id = ? AND tool_call_id = ? AND approval_id = ?", parameters
        )

    async def remember_prompt(self, text: str, chat_id: str = "") -> None:
        """Add to the history of prompts, unless it is the same as the last one.

        With `chat_id` it is forgotten together with that chat.
        """
        text, chat_id = storable(text), storable(chat_id)
        if not text.strip():
            return

        def work(connection: Connection) -> None:
            last = connection.execute("SELECT text FROM prompts ORDER BY sequence DESC LIMIT 1").fetchone()
            if last is None or last[0] != text:
                added = (
                    connection.execute(
                        "INSERT INTO prompts (text, chat_id) VALUES (?, ?)", (text, chat_id)
                    ).lastrowid
                    or 0
                )
                connection.execute("DELETE FROM prompts WHERE sequence <= ?", (added - PROMPTS_KEPT,))

        await self._database.write(work)

    async def prompts(self, limit: int = 100) -> list[str]:
        """What was sent before, the newest first."""

        def work(connection: Connection) -> list[str]:
            rows = connection.execute("SELECT text FROM prompts ORDER BY sequence DESC LIMIT ?", (limit,))
            return [str(row[0]) for row in rows]

        return await self._database.run(work)

    async def forget_chat(self, chat_id: str) -> None:
        """A chat was deleted: its draft, outbox, answers, prompts and notes go, from the backups too (P18)."""
        chat_id = storable(chat_id)

        def work(connection: Connection) -> None:
            for table in ("drafts", "outbox", "answers", "prompts", "chat_notes"):
                connection.execute(f"DELETE FROM {table} WHERE chat_id = ?", (chat_id,))  # noqa: S608 - our words

        await self._database.write(work)
        await self._database.renew_backups()
