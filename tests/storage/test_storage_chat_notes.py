"""Notes about chats: kept, replaced, gone with their chat; an older state file gets their table."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from kai_tui.storage.chat_notes import ChatNotes
from kai_tui.storage.database import Database
from kai_tui.storage.drafts import Drafts
from kai_tui.storage.schema import Schema
from kai_tui.storage.state import STATE_SCHEMA

_NOTES = next(n for n, statement in enumerate(STATE_SCHEMA.create) if "TABLE chat_notes" in statement)
VERSION_1 = Schema(1, STATE_SCHEMA.tables[:4], STATE_SCHEMA.create[:_NOTES])


async def test_a_note_is_replaced_removed_and_goes_with_its_chat(tmp_path: Path):
    database = Database.open(tmp_path / "s", STATE_SCHEMA, kind="state")
    notes = ChatNotes(database)
    await notes.put("a", "terms", {"visibility": "public", "text": "ž \ud800"})
    await notes.put("a", "terms", {"visibility": "private"})
    await notes.put("a", "superseded", ["m1"])
    await notes.put("b", "usage", {"total": 3})
    assert await notes.of_chat("a") == {"terms": {"visibility": "private"}, "superseded": ["m1"]}
    await notes.put("a", "superseded", None)
    assert await notes.of_chat("a") == {"terms": {"visibility": "private"}}
    await Drafts(database).forget_chat("a")
    assert await notes.of_chat("a") == {}
    assert await notes.of_chat("b") == {"usage": {"total": 3}}
    await database.aclose()


async def test_what_cannot_be_read_is_left_out(tmp_path: Path):
    database = Database.open(tmp_path / "s", STATE_SCHEMA, kind="state")
    notes = ChatNotes(database)
    await notes.put("a", "usage", 1)
    await database.execute("INSERT INTO chat_notes VALUES ('a', 'terms', '{')", ())
    assert await notes.of_chat("a") == {"usage": 1}
    await database.aclose()


async def test_a_state_file_of_version_1_keeps_everything_and_can_take_notes(tmp_path: Path):
    old = Database.open(tmp_path / "s", VERSION_1, kind="state")
    await Drafts(old).save_draft("a", "half a thought")
    await old.aclose()
    new = Database.open(tmp_path / "s", STATE_SCHEMA, kind="state")
    assert await Drafts(new).draft("a") == "half a thought"
    await ChatNotes(new).put("a", "terms", {"read_only": True})
    assert new.notice is None
    await new.aclose()
    with sqlite3.connect(tmp_path / "s") as file:
        assert file.execute("PRAGMA user_version").fetchone() == (STATE_SCHEMA.version,)
