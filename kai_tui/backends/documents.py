"""Files and websites an assistant can look things up in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from kai_tui.backends.multipart import LocalFile, OnProgress

DocumentState: TypeAlias = Literal["ready", "working", "failed", ""]
"""Whether the assistant can use it; empty when the server does not tell."""


@dataclass(frozen=True, slots=True)
class Document:
    """One thing an assistant looks things up in. Texts are the server's: raw."""

    id: str
    name: str
    kind: Literal["file", "website", "page"] = "file"
    state: DocumentState = ""
    size: int | None = None
    """Bytes."""
    note: str = ""
    """What the server says of it: why it failed, how many pages."""
    created_at: str = ""
    """ISO 8601, as the server wrote it."""


@dataclass(frozen=True, slots=True)
class DocumentTerms:
    """What can be done with documents; the screen offers nothing else."""

    whose: str
    """For whom they are, in words: "the agent “Helper”", "this client"."""
    listed: bool = True
    """False: the server tells nobody what it has; only what was stored in this run is known."""
    delete: bool = True
    restore: bool = False
    websites: bool = False
    largest: int | None = None
    """Bytes of one file."""
    kinds: tuple[str, ...] = ()
    """File name endings the server takes, with the dot; empty: any."""


class Documents(Protocol):
    """A server's documents. All methods raise only BackendErrors."""

    def terms(self, chat_id: str | None = None) -> DocumentTerms: ...

    async def list(self, chat_id: str | None = None) -> Sequence[Document]:
        """What there is for the agent of this chat, or of a new one."""
        ...

    async def store(
        self, file: LocalFile, *, chat_id: str | None = None, on_progress: OnProgress | None = None
    ) -> Document:
        """Store one file. What it returns is what really became of it (`state`, `note`)."""
        ...

    async def add_website(self, address: str, *, chat_id: str | None = None) -> Document: ...
    async def delete(self, document: Document) -> None: ...
    async def restore(self, document: Document) -> None: ...
