"""Files with a message: stored on the data board, then named by their address (imbrace.md §11)."""

from __future__ import annotations

from typing import Final

from kai_tui.backends.attachments import AttachmentTerms
from kai_tui.backends.base import Attachment
from kai_tui.backends.imbrace.library import ATTACHABLE, MAX_ATTACHMENT, ImbraceLibrary, checked_url
from kai_tui.backends.multipart import LocalFile

_TERMS: Final = AttachmentTerms("images, PDF and CSV files", ATTACHABLE, MAX_ATTACHMENT)


class Enclosing:
    """How files go with a message to an agent."""

    def __init__(self, library: ImbraceLibrary) -> None:
        self._library = library

    @property
    def terms(self) -> AttachmentTerms:
        return _TERMS

    async def take(self, file: LocalFile) -> Attachment:
        return await self._library.attach(file)

    def at(self, address: str) -> Attachment:
        from mimetypes import guess_type

        url = checked_url(address)
        name = url.partition("?")[0].rstrip("/").rpartition("/")[2]
        return Attachment(url, name, guess_type(name)[0] or "application/octet-stream")
