"""Questions that waited for the user, as they are kept: what tells one from another, and what a list shows of it.

Never the input itself: it is read anew from the server before anybody is asked again (reliability.md A8).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final, cast

LONGEST: Final = 400
"""Characters of a text that are kept."""
MOST: Final = 200
"""Questions of one chat, or chats of one account, that are read."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question that was put to the user. Texts are raw."""

    tool_call_id: str
    digest: str
    """What was shown, as a hash (A5)."""
    message_id: str = ""
    approval_id: str = ""
    """Empty where there is none."""
    tool_name: str = ""
    sentence: str = ""
    """Verb and object."""
    about: str = ""
    """The object it touches."""
    effect: str = "unknown"
    """The gravest of `conversation.reviews.review.Effect`."""
    chat_title: str = ""
    branch: str = ""
    asked_at: float = 0.0
    """Seconds since the epoch."""
    answered: bool = False
    """The user decided, and what came of it was not seen yet."""


def to_note(asked: Sequence[Asked], owner: str) -> dict[str, Any] | None:
    """The note of a chat; None when nothing waits in it. `owner`: the window that asks."""
    if not asked:
        return None
    return {"owner": owner, "questions": [_short(asdict(each)) for each in asked[:MOST]]}


def owner_of(note: object) -> str:
    """The window that asked; empty when nobody knows."""
    owner = cast("dict[str, Any]", note).get("owner") if isinstance(note, dict) else None
    return owner if isinstance(owner, str) else ""


def from_note(note: object) -> list[Asked]:
    """What was noted of a chat; what cannot be read any more is left out. Never raises."""
    rows: Any = cast("dict[str, Any]", note).get("questions") if isinstance(note, dict) else None
    if not isinstance(rows, list):
        return []
    found = [_read(row) for row in cast("list[Any]", rows)[:MOST]]
    return [each for each in found if each is not None]


_TYPES: Final = {"asked_at": (int, float), "answered": (bool,)}


def _read(row: object) -> Asked | None:
    if not isinstance(row, dict):
        return None
    entries = cast("dict[str, Any]", row)
    values = {
        each.name: entries[each.name]
        for each in fields(Asked)
        if type(entries.get(each.name)) in _TYPES.get(each.name, (str,))
    }
    if not values.get("tool_call_id") or not values.get("digest"):
        return None
    return Asked(**values)


def _short(row: dict[str, Any]) -> dict[str, Any]:
    """Ids and digests are kept whole: they tell one question from another."""
    texts = ("sentence", "about", "chat_title", "tool_name", "branch")
    return {key: value[:LONGEST] if key in texts else value for key, value in row.items()}


def read_file(state_file: Path) -> dict[str, tuple[str, list[Asked]]]:
    """What waited in an account that is not open here: by chat id, the window that asked, and its questions.

    Reads the state file and changes nothing in it. Blocks for some milliseconds; never raises.
    """
    import json
    import sqlite3
    from contextlib import closing

    if not state_file.is_file():
        return {}
    found: dict[str, tuple[str, list[Asked]]] = {}
    try:
        address = f"{state_file.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=0.5)) as connection:
            rows = connection.execute(
                "SELECT chat_id, value FROM chat_notes WHERE kind = 'asked' ORDER BY rowid LIMIT ?", (MOST,)
            ).fetchall()
        for chat_id, text in rows:
            note: Any = json.loads(text)
            asked = from_note(note)
            if asked:
                found[str(chat_id)] = (owner_of(note), asked)
    except (sqlite3.Error, OSError, ValueError, TypeError, RecursionError):
        return found
    return found
