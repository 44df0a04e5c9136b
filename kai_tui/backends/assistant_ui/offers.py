"""What Assistant UI takes beyond `Backend`: images."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Final

from kai_tui.backends.base import Outgoing, Refused

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


@dataclass(frozen=True, slots=True)
class Image:
    """An image for a message: http(s) address or data URL."""

    url: str
    name: str = ""

    def __repr__(self) -> str:
        return f"Image({self.url[:60]!r}, {self.name!r})"


@dataclass(frozen=True, slots=True)
class IllustratedMessage(Outgoing):
    """A user's message with images (§4)."""

    images: tuple[Image, ...] = ()


def image_at(address: str) -> Image:
    """An image on the web, or one that is a data URL already. Raises Refused for anything else."""
    address = address.strip()
    if len(address) > 2 * MAX_IMAGE:
        raise Refused(_TOO_LARGE, code="too-large")
    if _DATA_IMAGE.fullmatch(address) is None and _WEB_IMAGE.fullmatch(address) is None:
        raise Refused(
            "An image is given by an address that begins with https://, or as a data: URL of an image.",
            code="image",
        )
    return Image(address)


def image_of(content: bytes, name: str = "") -> Image:
    """An image file's content as a data URL. Raises Refused for what is no PNG, JPEG, GIF or WebP, and beyond 10 MB."""
    if len(content) > MAX_IMAGE:
        raise Refused(_TOO_LARGE, code="too-large")
    kind = next((kind for start, kind in _KINDS if start.match(content)), None)
    if kind is None:
        raise Refused("Only PNG, JPEG, GIF and WebP images can be sent.", code="image")
    return Image(f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}", name)


_TOO_LARGE: Final = "This image is too large: at most 10 MB can be sent."
