"""The tables of the state file: what the user typed, decided and chose, and chats no server keeps.

User data, never thrown away (P6).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kai_tui.storage.schema import Schema

if TYPE_CHECKING:
    from sqlite3 import Connection

_CHAT_NOTES = """CREATE TABLE chat_notes (
    chat_id TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (chat_id, kind))"""

_OWN_CHATS = (
    """CREATE TABLE chats (
         id TEXT PRIMARY KEY, title TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
         whole INTEGER NOT NULL, sequence INTEGER NOT NULL) WITHOUT ROWID""",
    "CREATE INDEX chats_newest ON chats (sequence DESC)",
    """CREATE TABLE messages (
         chat_id TEXT NOT NULL REFERENCES chats (id) ON DELETE CASCADE, id TEXT NOT NULL,
         position INTEGER NOT NULL, state TEXT NOT NULL, owner TEXT NOT NULL, wire TEXT NOT NULL,
         ending TEXT NOT NULL, PRIMARY KEY (chat_id, id))""",
    "CREATE INDEX messages_in_order ON messages (chat_id, position)",
)


def _add_chat_notes(connection: Connection) -> None:
    connection.execute(_CHAT_NOTES)


def _add_own_chats(connection: Connection) -> None:
    for statement in _OWN_CHATS:
        connection.execute(statement)


STATE_SCHEMA = Schema(
    version=3,
    tables=("drafts", "outbox", "answers", "prompts", "chat_notes", "chats", "messages"),
    create=(
        "CREATE TABLE drafts (chat_id TEXT PRIMARY KEY, text TEXT NOT NULL, sequence INTEGER NOT NULL)",
        """CREATE TABLE outbox (
             message_id TEXT PRIMARY KEY, chat_id TEXT NOT NULL, text TEXT NOT NULL, state TEXT NOT NULL,
             position INTEGER NOT NULL, owner TEXT NOT NULL)""",
        "CREATE INDEX outbox_of_chat ON outbox (chat_id, position)",
        """CREATE TABLE answers (
             chat_id TEXT NOT NULL, tool_call_id TEXT NOT NULL, approval_id TEXT NOT NULL, approved INTEGER NOT NULL,
             PRIMARY KEY (chat_id, tool_call_id, approval_id))""",
        """CREATE TABLE prompts (
             sequence INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL, chat_id TEXT NOT NULL)""",
        _CHAT_NOTES,
        *_OWN_CHATS,
    ),
    migrations={1: _add_chat_notes, 2: _add_own_chats},
)
