"""Rows of one chat's messages in the cache: as texts, which nobody has to read to keep them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, cast

from kai_tui.storage.text import from_json, storable, to_json

if TYPE_CHECKING:
    from sqlite3 import Connection

    from kai_tui.conversation.events import JsonObject

ReplyState: TypeAlias = Literal["streaming", "complete", "stopped", "cut-off", "failed"]

CopyState: TypeAlias = ReplyState | Literal["elsewhere"]
"""`elsewhere`: another window, which is open, writes it."""


class MessageText(NamedTuple):
    """A message that somebody has as JSON already, in UTF-8."""

    id: str
    text: bytes


def copies(
    connection: Connection,
    chat_id: str,
    owner: str,
    open_windows: Collection[str],
    newest: int | None = None,
) -> Iterator[tuple[bytes, CopyState]]:
    """The texts of a chat's messages that are JSON objects, the oldest first, as the window `owner` sees them."""
    order = "ORDER BY position, id"
    if newest is not None:
        order = f"ORDER BY position DESC, id DESC LIMIT {int(newest)}"
    rows: Iterable[tuple[Any, Any, Any, Any]] = connection.execute(
        f"SELECT CAST(wire AS BLOB), state, owner, {_valid(connection)} FROM messages WHERE chat_id = ? {order}",  # noqa: S608
        (chat_id,),
    )
    if newest is not None:
        rows = reversed(list(rows))
    for text, state, writer, valid in rows:
        if not isinstance(text, bytes) or not ((valid and text[:1] == b"{") or from_json(text) is not None):
            continue
        if state == "streaming" and writer != owner:
            state = "elsewhere" if writer in open_windows else "cut-off"
        yield text, cast("CopyState", state)


def text_of(message: JsonObject, number: int) -> MessageText:
    """As it is kept. Raises StorageError for what has no JSON."""
    return MessageText(message_id_of(message, number), to_json(message).encode())


def storable_text(message: MessageText, number: int) -> MessageText:
    """As SQLite takes it."""
    found, text = message
    try:
        text.decode()
    except UnicodeDecodeError:
        text = storable(text.decode("utf-8", "surrogatepass")).encode()
    return MessageText(storable(found) or f"#{number}", text)


def _valid(connection: Connection) -> str:
    """SQL that says whether a row's wire is JSON without a doubt; SQLite may be built without that."""
    from sqlite3 import OperationalError

    try:
        connection.execute("SELECT json_valid('{}')")
    except OperationalError:
        return "0"
    return "CASE typeof(wire) WHEN 'text' THEN json_valid(wire) ELSE 0 END"


def put_messages(
    connection: Connection, chat_id: str, wanted: Mapping[str, tuple[int, bytes, str, str]]
) -> None:
    """Make the rows of a chat these: (position, text, state, owner) by id."""
    same: set[str] = set()
    gone: list[tuple[str, str]] = []
    for found, *row in connection.execute(
        "SELECT id, position, CAST(wire AS BLOB), state, owner FROM messages WHERE chat_id = ?", (chat_id,)
    ):
        if found not in wanted:
            gone.append((chat_id, found))
        elif tuple(row) == wanted[found]:
            same.add(found)
    connection.executemany("DELETE FROM messages WHERE chat_id = ? AND id = ?", gone)
    connection.executemany(
        """INSERT INTO messages (chat_id, id, position, wire, state, owner) VALUES (?, ?, ?, CAST(? AS TEXT), ?, ?)
           ON CONFLICT (chat_id, id) DO UPDATE SET position = excluded.position, wire = excluded.wire,
             state = excluded.state, owner = excluded.owner""",
        ((chat_id, found, *row) for found, row in wanted.items() if found not in same),
    )


def message_id_of(wire: JsonObject, number: int) -> str:
    """Foreign messages may lack an id; they still have a place."""
    found = wire.get("id")
    return storable(found) if isinstance(found, str) and found else f"#{number}"


def unfinished_tail(
    connection: Connection, chat_id: str, ids: Sequence[str]
) -> tuple[str, bytes, str, str] | None:
    """(id, wire, state, owner) of our last message when it is unfinished and follows the server's last one."""
    last = connection.execute(
        "SELECT id, CAST(wire AS BLOB), state, owner FROM messages WHERE chat_id = ? ORDER BY position DESC, id DESC LIMIT 2",
        (chat_id,),
    ).fetchall()
    if len(last) < 2 or last[0][2] == "complete" or last[0][0] in ids:
        return None
    return last[0] if ids and ids[-1] == last[1][0] else None


def written_by(
    connection: Connection, chat_id: str, owners: Collection[str]
) -> dict[str, tuple[bytes, str, str]]:
    """(wire, state, owner) of replies these windows write, by message id."""
    rows = connection.execute(
        "SELECT id, CAST(wire AS BLOB), state, owner FROM messages WHERE chat_id = ? AND state = 'streaming'",
        (chat_id,),
    )
    return {str(row[0]): (row[1], row[2], row[3]) for row in rows if row[3] in owners}
