"""What Assistant UI takes beyond `Backend`: images."""

from __future__ import annotations

import asyncio
import base64
import re
from typing import Final

from kai_tui.backends.attachments import AttachmentTerms
from kai_tui.backends.base import Attachment, Refused
from kai_tui.backends.multipart import LocalFile

MAX_IMAGE: Final = 10 * 1024 * 1024
"""Bytes of an image sent along as a data URL."""

_KINDS: Final = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
)
_DATA_IMAGE: Final = re.compile(
    r"data:image/[\w.+\-]+(;[\w.+\-]+=[\w.+\-]+)*;base64,[A-Za-z0-9+/=_\-]+", re.ASCII
)
_WEB_IMAGE: Final = re.compile(r"https?://[^\s/?#\\@]+([/?#]\S*)?", re.IGNORECASE)


def image_at(address: str) -> Attachment:
    """An image on the web, or one that is a data URL already. Raises Refused for anything else."""
    address = address.strip()
    if len(address) > 2 * MAX_IMAGE:
        raise Refused(_TOO_LARGE, code="too-large")
    if _DATA_IMAGE.fullmatch(address) is None and _WEB_IMAGE.fullmatch(address) is None:
        raise Refused(
            "An image is given by an address that begins with https://, or as a data: URL of an image.",
            code="image",
        )
    kind = address[5:].partition(";")[0] if address.startswith("data:") else ""
    name = "" if kind else address.partition("?")[0].rstrip("/").rpartition("/")[2]
    return Attachment(address, name, kind or "image/*")


def image_of(content: bytes, name: str = "") -> Attachment:
    """An image file's content as a data URL. Raises Refused for what is no PNG, JPEG, GIF or WebP, and beyond 10 MB."""
    if len(content) > MAX_IMAGE:
        raise Refused(_TOO_LARGE, code="too-large")
    kind = next((kind for start, kind in _KINDS if start.match(content)), None)
    if kind is None:
        raise Refused("Only PNG, JPEG, GIF and WebP images can be sent.", code="image")
    return Attachment(f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}", name, kind)


class Images:
    """How images go with a message: by their address on the web, or whole."""

    @property
    def terms(self) -> AttachmentTerms:
        return AttachmentTerms(
            "PNG, JPEG, GIF and WebP images",
            ("image/png", "image/jpeg", "image/gif", "image/webp"),
            MAX_IMAGE,
        )

    async def take(self, file: LocalFile) -> Attachment:
        """In a thread: an image may have megabytes."""
        return await asyncio.to_thread(image_of, file.content, file.name)

    def at(self, address: str) -> Attachment:
        return image_at(address)


_TOO_LARGE: Final = "This image is too large: at most 10 MB can be sent."
