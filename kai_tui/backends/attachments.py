"""Files that go with a message: by their address, or as a file of the user that is given to the server first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kai_tui.backends.base import Attachment
    from kai_tui.backends.multipart import LocalFile


@dataclass(frozen=True, slots=True)
class AttachmentTerms:
    """What can go with a message; told before anything is sent."""

    what: str
    """In words: "images, PDF and CSV files"."""
    media_types: tuple[str, ...]
    """How the media types of such files begin."""
    largest: int
    """Bytes of one file."""


class Attachments(Protocol):
    """How a server takes files with a message (`caps.attachments`)."""

    @property
    def terms(self) -> AttachmentTerms: ...

    async def take(self, file: LocalFile) -> Attachment:
        """Make a file ready to go with a message: where it has to be stored first, that is done here.

        Raises BackendError; no message was sent then.
        """
        ...

    def at(self, address: str) -> Attachment:
        """What is at an address on the web. Raises Refused for addresses that cannot go along."""
        ...
