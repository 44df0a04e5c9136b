"""Files and websites an assistant can look things up in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias

from kai_tui.backends.base import Unsupported

if TYPE_CHECKING:
    from kai_tui.backends.multipart import LocalFile, OnProgress

DocumentState: TypeAlias = Literal["ready", "working", "failed", ""]
"""Whether the assistant can use it; empty when the server does not tell."""
DocumentKind: TypeAlias = Literal["file", "website", "page"]

MEGABYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Document:
    """One thing an assistant looks things up in. Texts are the server's: raw."""

    id: str
    name: str
    kind: DocumentKind = "file"
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
    """For whom they are, in words: "the agent “Helper”", "this client". Raw."""
    holder: str = ""
    """The id of whom they are for, where that can change while a file waits to be sent."""
    listed: bool = True
    """False: the server tells nobody what it has; only what was stored in this run is known."""
    delete: bool = True
    restore: bool = False
    """Whether what was deleted can be brought back."""
    websites: bool = False
    largest: int | None = None
    """Bytes of one file."""
    kinds: tuple[str, ...] = ()
    """File name endings the server takes, small letters, with the dot; empty: any."""
    uneasy: int | None = None
    """Bytes from which a file is worth a warning before it is sent."""
    warning: str = ""
    """The warning: one sentence that follows a file's name and size."""
    lasts: str = ""
    """One sentence on how long the server keeps them, where that is not until they are deleted."""


class Documents(Protocol):
    """A server's documents. All methods raise only BackendErrors; what `terms` denies raises Unsupported."""

    def terms(self, chat_id: str | None = None) -> DocumentTerms:
        """What holds for the agent of this chat, or of a new one. May say more after `list`."""
        ...

    async def list(self, chat_id: str | None = None) -> Sequence[Document]:
        """What there is for the agent of this chat, or of a new one."""
        ...

    async def store(
        self, file: LocalFile, *, chat_id: str | None = None, on_progress: OnProgress | None = None
    ) -> Document:
        """Store one file; returns when the server took it. What it returns is what really became of it
        (`state`, `note`): one that is `failed` was not stored, one that is `working` is still being read.
        """
        ...

    async def settled(self, document: Document, *, chat_id: str | None = None) -> Document:
        """Wait until the server has read one that is `working`; as it is then. One that stays as it is
        for minutes comes back as it is.
        """
        ...

    async def add_website(self, address: str, *, chat_id: str | None = None) -> Document: ...
    async def pages(self, website: Document) -> Sequence[Document]:
        """What was read of a website."""
        ...

    async def crawl(self, website: Document) -> None:
        """Read a website anew; returns when the server took the order."""
        ...

    async def delete(self, document: Document) -> None: ...
    async def restore(self, document: Document) -> None: ...


class OnlyFiles:
    """No websites, what is deleted is gone, and what was taken has been read. A base of adapters."""

    async def settled(self, document: Document, *, chat_id: str | None = None) -> Document:
        return document

    async def add_website(self, address: str, *, chat_id: str | None = None) -> Document:
        raise Unsupported("Websites cannot be added here.")

    async def pages(self, website: Document) -> Sequence[Document]:
        raise Unsupported("There are no websites here.")

    async def crawl(self, website: Document) -> None:
        raise Unsupported("There are no websites here.")

    async def restore(self, document: Document) -> None:
        raise Unsupported("A deleted document cannot be brought back here.")
