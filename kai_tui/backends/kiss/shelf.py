"""Documents of a KISS AI Stack: stored, never listed or deleted by the server (kiss-ai-stack.md §5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from kai_tui.backends.base import Refused, Unsupported
from kai_tui.backends.documents import MEGABYTE, Document, DocumentTerms, OnlyFiles
from kai_tui.backends.kiss.access import KissAccess
from kai_tui.backends.kiss.documents import LARGE, store
from kai_tui.backends.kiss.wire import Scope
from kai_tui.backends.multipart import LocalFile, OnProgress

LARGEST: Final = 100 * MEGABYTE
"""Bytes; ours, because a file is held in memory three times: as it is, as base64, and in the body."""
_WARNING: Final = "The server holds all of it in memory and may refuse it or fall over."


class Shelf(OnlyFiles):
    """What was stored in this run. The server tells nobody what it has."""

    def __init__(self, access: KissAccess, host: Callable[[], str]) -> None:
        self._access = access
        self._host = host
        self._stored: list[tuple[str, Document]] = []
        """With the client that stored it: another one cannot see it."""

    def terms(self, chat_id: str | None = None) -> DocumentTerms:
        temporary = self._access.scope == "temporary"
        return DocumentTerms(
            "this temporary client" if temporary else "this client",
            listed=False,
            delete=False,
            largest=LARGEST,
            uneasy=LARGE,
            warning=_WARNING,
            lasts=_lasts(self._access.scope),
        )

    async def list(self, chat_id: str | None = None) -> Sequence[Document]:
        return [document for client, document in self._stored if client == self._client]

    async def store(
        self, file: LocalFile, *, chat_id: str | None = None, on_progress: OnProgress | None = None
    ) -> Document:
        """One request; progress is told once, at its end. `failed` when the server stored nothing of it."""
        if not file.content:
            raise Refused(f"{file.name} is empty.", code="file-size")
        if len(file.content) > LARGEST:
            raise Refused(f"{file.name} is too large: more than {LARGEST // MEGABYTE} MB.", code="file-size")
        (outcome,) = await store(self._access, [file], {}, host=self._host(), on_progress=on_progress)
        size = len(file.content)
        if not outcome.stored:
            return Document("", file.name, state="failed", size=size, note=outcome.why_not)
        pieces = sum(len(ids) for ids in outcome.chunks.values())
        tools = ", ".join(outcome.chunks)
        document = Document(
            str(len(self._stored) + 1),
            file.name,
            state="ready",
            size=size,
            note=f"{pieces} {'piece' if pieces == 1 else 'pieces'} for {tools}",
        )
        self._stored.append((self._client, document))
        return document

    async def delete(self, document: Document) -> None:
        raise Unsupported("A KISS AI Stack deletes no single documents.")

    @property
    def _client(self) -> str:
        return self._access.client_id


def _lasts(scope: Scope) -> str:
    return (
        "The server deletes them when you leave."
        if scope == "temporary"
        else "The server keeps them, and tells nobody what it has: only what was stored in this run is shown."
    )
