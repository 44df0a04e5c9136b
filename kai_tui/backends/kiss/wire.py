"""What goes over the wire to a KISS AI Stack server and back (kiss-ai-stack.md §2-§6)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias, cast

from pydantic import Field

from kai_tui.backends.multipart import Form, LocalFile, OnProgress
from kai_tui.backends.tolerant import Fields, SnakeModel, Text, whole
from kai_tui.conversation.events import JsonObject

Scope: TypeAlias = Literal["temporary", "persistent"]
"""Temporary: the server forgets the client and its documents when it is closed (§2, §3)."""
Value: TypeAlias = str | int | float | bool

GREETING: Final = "Hello, Stack!"
"""Sent with `init` and `close`; the text does nothing (§3)."""
GONE_DETAILS: Final = frozenset({"Invalid client_id or client_secret", "Invalid or inactive session"})
"""How the server says that it does not know these credentials (any more) (§2, §6)."""
_FIXED: Final = frozenset({"end_token", "file_name", "file_path", "start_token", "total_tokens"})
"""What the server itself notes about a piece of a document; the rest is the uploader's (§4)."""
_PIECE: Final = 48 * 1024
"""Bytes that become one piece of base64; a multiple of three, so that pieces can stand behind each other."""
_TAIL: Final = b'"}'


class Authorized(SnakeModel):
    """POST /auth (§2)."""

    client_id: str
    client_secret: str = Field(repr=False)
    access_token: str = Field(repr=False)


class StackAnswer(SnakeModel):
    """Every other answer (§3-§5). `result` is text as a rule; `extras` differs from call to call."""

    stack_id: Text = None
    result: Any = None
    extras: Fields = None

    @property
    def text(self) -> str:
        """The answer as prose; what is no text is shown as JSON (§4)."""
        if self.result is None or isinstance(self.result, str):
            return self.result or ""
        return json.dumps(self.result, ensure_ascii=False, indent=2)


def auth_body(
    scope: Scope | None, client_id: str | None = None, client_secret: str | None = None
) -> JsonObject:
    """All three keys, as the official client sends them (§2)."""
    return {"scope": scope, "client_id": client_id, "client_secret": client_secret}


def query_body(text: str) -> JsonObject:
    """Body of POST /queries; `init` and `close` take the same (§3, §4)."""
    return {"query": whole(text)}


class DocumentsBody(Form):
    """Body of POST /documents: base names and standard base64 (§5), made piece by piece as it is sent.

    Not in one go: for a large file that would hold up the screen for a second.
    """

    def __init__(
        self,
        files: Sequence[LocalFile],
        metadata: Mapping[str, Value],
        *,
        on_progress: OnProgress | None = None,
    ) -> None:
        super().__init__((), on_progress=on_progress)
        self.content_type = "application/json"
        plain = {
            whole(name): whole(value) if isinstance(value, str) else value for name, value in metadata.items()
        }
        self._files = tuple(files)
        begin = [b'{"files":['] + [b","] * (len(files) - 1)
        self._heads = [
            b'%b{"name":%b,"content":"' % (before, _base_name(file))
            for before, file in zip(begin, files, strict=True)
        ]
        self._end = f'],"metadata":{json.dumps(plain)}}}'.encode()

    def __len__(self) -> int:
        """Bytes of the whole body."""
        contents = sum(4 * -(-len(file.content) // 3) for file in self._files)
        return sum(map(len, self._heads)) + contents + len(_TAIL) * len(self._files) + len(self._end)

    def _pieces(self) -> Iterator[bytes]:
        for file, head in zip(self._files, self._heads, strict=True):
            yield head
            for at in range(0, len(file.content), _PIECE):
                yield base64.b64encode(file.content[at : at + _PIECE])
            yield _TAIL
        yield self._end


def _base_name(file: LocalFile) -> bytes:
    return json.dumps(whole(file.name.replace("\\", "/").rsplit("/", 1)[-1])).encode()


def stored_chunks(answer: StackAnswer) -> dict[str, tuple[str, ...]]:
    """Tool name → ids of what it stored. Empty: nothing was stored, whatever `result` says (§5)."""
    found: dict[str, tuple[str, ...]] = {}
    for tool, ids in (answer.extras or {}).items():
        kept = (
            tuple(str(each) for each in cast("list[Any]", ids) if isinstance(each, str | int))
            if isinstance(ids, list)
            else ()
        )
        if kept:
            found[tool] = kept
    return found


def sources(answer: StackAnswer) -> list[JsonObject]:
    """The documents an answer was made from, as source parts: pieces of one file together (§4).

    `file_path` is a place on the server and stays out.
    """
    extras = answer.extras or {}
    texts = _first(extras.get("supporting_documents"))
    notes = _first(extras.get("metadata"))
    by_name: dict[str, JsonObject] = {}
    for index, text in enumerate(texts):
        note = notes[index] if index < len(notes) else None
        fields = cast("JsonObject", note) if isinstance(note, dict) else {}
        name = fields.get("file_name")
        title = name if isinstance(name, str) and name.strip() else f"Document {index + 1}"
        piece = text if isinstance(text, str) else json.dumps(text, ensure_ascii=False)
        known = by_name.get(title)
        if known is not None:
            known["excerpt"] = f"{known['excerpt']}\n\n{piece}"
            continue
        part: JsonObject = {
            "type": "source-document",
            "sourceId": f"document-{len(by_name) + 1}",
            "mediaType": "text/plain",
            "title": title,
            "number": len(by_name) + 1,
            "excerpt": piece,
        }
        extra = {key: value for key, value in fields.items() if key not in _FIXED}
        if extra:
            part["metadata"] = extra
        by_name[title] = part
    return list(by_name.values())


def _first(lists: Any) -> list[Any]:
    """The outer list has one entry per query text, which is always one (§4)."""
    outer = cast("list[Any]", lists) if isinstance(lists, list) else []
    inner = outer[0] if outer else None
    return cast("list[Any]", inner) if isinstance(inner, list) else []
