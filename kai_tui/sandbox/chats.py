"""The chats about the project: messages, votes, settings, quota. Shapes of protocols/kai.md §4."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, TypeAlias

from kai_tui.sandbox.company import PROJECT_ID
from kai_tui.sandbox.project import Project, stamp, to_json, whole

JsonObject: TypeAlias = dict[str, Any]
Scope: TypeAlias = Literal["project", "user"]
Direction: TypeAlias = Literal["older", "newer"]

USER_ID = "7"
MESSAGES_PER_MONTH = 500
NEW_CHAT = "New chat"


@dataclass(frozen=True, slots=True)
class ChatPage:
    """Some chats, newest first."""

    chats: list[JsonObject]
    has_more: bool


class ChatStore:
    """Reads and writes chats. All methods block and may be called from any thread."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def chat(self, chat_id: str) -> JsonObject | None:
        """The head of a chat, without its messages."""
        with self._project.look() as connection:
            row = connection.execute("SELECT * FROM kai_chats WHERE id=?", (chat_id,)).fetchone()
        return _chat(row) if row is not None else None

    def restrictions(self, chat_id: str) -> JsonObject:
        """The `toolRestrictions` of the chat's first message (kai.md §4.3)."""
        with self._project.look() as connection:
            row = connection.execute("SELECT restrictions FROM kai_chats WHERE id=?", (chat_id,)).fetchone()
        return json.loads(row[0]) if row is not None else {}

    def messages(self, chat_id: str) -> list[JsonObject]:
        """Its messages, oldest first."""
        with self._project.look() as connection:
            rows = connection.execute(
                "SELECT * FROM kai_messages WHERE chat_id=? ORDER BY number", (chat_id,)
            ).fetchall()
        return [_message(row) for row in rows]

    def message_place(self, message_id: str) -> tuple[str, str] | None:
        """Chat and role of a message, by its id."""
        with self._project.look() as connection:
            row = connection.execute(
                "SELECT chat_id, role FROM kai_messages WHERE id=?", (message_id,)
            ).fetchone()
        return (row[0], row[1]) if row is not None else None

    def add_chat(
        self, chat_id: str, visibility: str, branch_id: int | None, restrictions: Mapping[str, Any]
    ) -> None:
        """Make a chat; no effect when it is there."""
        now = stamp(self._project.now())
        with self._project.change() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO kai_chats VALUES(?, ?, ?, ?, ?, ?, ?)",
                (chat_id, NEW_CHAT, visibility, branch_id, to_json(dict(restrictions)), now, now),
            )

    def set_title(self, chat_id: str, title: str) -> None:
        """Name a chat."""
        with self._project.change() as connection:
            connection.execute("UPDATE kai_chats SET title=? WHERE id=?", (whole(title), chat_id))

    def put_message(self, chat_id: str, message: Mapping[str, Any]) -> None:
        """Store a message, or replace it where it stands. A chat deleted meanwhile stays deleted."""
        now = stamp(self._project.now())
        metadata = message.get("metadata")
        values = (to_json(message["parts"]), to_json(metadata) if metadata is not None else None)
        with self._project.change() as connection:
            if not connection.execute("UPDATE kai_chats SET updated=? WHERE id=?", (now, chat_id)).rowcount:
                return
            if not connection.execute(
                "UPDATE kai_messages SET parts=?, metadata=? WHERE id=? AND chat_id=?",
                (*values, message["id"], chat_id),
            ).rowcount:
                connection.execute(
                    "INSERT INTO kai_messages(id, chat_id, role, parts, metadata, created) VALUES(?, ?, ?, ?, ?, ?)",
                    (message["id"], chat_id, message["role"], *values, now),
                )

    def delete(self, chat_id: str) -> JsonObject | None:
        """Delete a chat with all that belongs to it; answers with what it was."""
        with self._project.change() as connection:
            old = self.chat(chat_id)
            for statement in (
                "DELETE FROM kai_votes WHERE chat_id=?",
                "DELETE FROM kai_messages WHERE chat_id=?",
                "DELETE FROM kai_chats WHERE id=?",
            ):
                connection.execute(statement, (chat_id,))
        return old

    def page(self, limit: int, cursor: str | None, direction: Direction) -> ChatPage | None:
        """Chats older or newer than `cursor`, newest first; None when there is no such chat."""
        with self._project.look() as connection:
            rows = connection.execute("SELECT * FROM kai_chats ORDER BY created DESC, id DESC").fetchall()
        chats = [_chat(row) for row in rows]
        if cursor is not None:
            at = next((index for index, chat in enumerate(chats) if chat["id"] == cursor), None)
            if at is None:
                return None
            chats = chats[at + 1 :] if direction == "older" else chats[:at]
        return ChatPage(chats[:limit], len(chats) > limit)

    def vote(self, chat_id: str, message_id: str, up: bool) -> None:
        """Vote on a message; the last vote counts."""
        with self._project.change() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO kai_votes VALUES(?, ?, ?)", (chat_id, message_id, int(up))
            )

    def votes(self, chat_id: str) -> list[JsonObject]:
        """All votes of a chat."""
        with self._project.look() as connection:
            rows = connection.execute("SELECT * FROM kai_votes WHERE chat_id=?", (chat_id,)).fetchall()
        return [
            {"chatId": row["chat_id"], "messageId": row["message_id"], "isUpvoted": bool(row["up"])}
            for row in rows
        ]

    def usage(self) -> JsonObject:
        """The quota: the user's messages of this month. Nobody is turned away when it is used up."""
        now = self._project.now()
        first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        with self._project.look() as connection:
            used = connection.execute(
                "SELECT count(*) FROM kai_messages WHERE role='user' AND created >= ?", (stamp(first),)
            ).fetchone()[0]
        reset = (first + timedelta(days=32)).replace(day=1)
        return {"messagesUsed": used, "messagesLimit": MESSAGES_PER_MONTH, "resetDate": stamp(reset)}

    def settings(self, scope: Scope) -> JsonObject:
        """Settings of the project or of the user, as the API shows them (kai.md §4.12)."""
        with self._project.look() as connection:
            row = connection.execute("SELECT * FROM kai_settings WHERE scope=?", (scope,)).fetchone()
        created = self._project.fact("created")
        shown: JsonObject = {
            "projectId": PROJECT_ID,
            "customInstructions": row["instructions"] if row is not None else None,
            "createdAt": row["created"] if row is not None else created,
            "updatedAt": row["updated"] if row is not None else created,
        }
        if scope == "user":
            shown |= {
                "userId": USER_ID,
                "toolPermissions": json.loads(row["permissions"]) if row is not None else {},
            }
        return shown

    def change_settings(self, scope: Scope, changes: Mapping[str, Any]) -> JsonObject:
        """Take over the changes that are there; permissions are merged, null forgets."""
        now = stamp(self._project.now())
        with self._project.change() as connection:
            old = self.settings(scope)
            permissions: Any = old.get("toolPermissions", {})
            if "toolPermissions" in changes:
                new = changes["toolPermissions"]
                permissions = {} if new is None else {**permissions, **new}
            instructions = changes.get("customInstructions", old["customInstructions"])
            connection.execute(
                "INSERT OR REPLACE INTO kai_settings VALUES(?, ?, ?, ?, ?)",
                (
                    scope,
                    whole(instructions) if instructions is not None else None,
                    to_json(permissions),
                    old["createdAt"],
                    now,
                ),
            )
        return self.settings(scope)


def _chat(row: sqlite3.Row) -> JsonObject:
    return {
        "id": row["id"],
        "createdAt": row["created"],
        "title": row["title"],
        "userId": USER_ID,
        "visibility": row["visibility"],
        "updatedAt": row["updated"],
        **({"branchId": row["branch_id"]} if row["branch_id"] is not None else {}),
    }


def _message(row: sqlite3.Row) -> JsonObject:
    return {
        "id": row["id"],
        "chatId": row["chat_id"],
        "role": row["role"],
        "parts": json.loads(row["parts"]),
        "attachments": [],
        "createdAt": row["created"],
        **({"metadata": json.loads(row["metadata"])} if row["metadata"] is not None else {}),
    }
