"""Files on their way to a server: the body of a form, piece by piece, with progress."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from kai_tui.backends.tolerant import whole

OnProgress: TypeAlias = Callable[[int, int], None]
"""Told (bytes handed to the network, bytes in all) as an upload goes on. Called in the event loop."""

_PIECE: Final = 64 * 1024
_MEDIA_TYPE: Final = re.compile(r"[\w.+\-]+/[\w.+\-]+", re.ASCII)
_PLAIN_TYPE: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of the user, read."""

    name: str
    content: bytes
    media_type: str = _PLAIN_TYPE

    def __repr__(self) -> str:
        return f"LocalFile({self.name!r}, {len(self.content)} bytes, {self.media_type!r})"


class Form:
    """One `multipart/form-data` body with one file. Can be sent once."""

    def __init__(
        self,
        file: LocalFile,
        fields: Mapping[str, str] | None = None,
        *,
        field: str = "file",
        on_progress: OnProgress | None = None,
    ) -> None:
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        media_type = file.media_type if _MEDIA_TYPE.fullmatch(file.media_type) else _PLAIN_TYPE
        lines = [
            f'--{boundary}\r\ncontent-disposition: form-data; name="{_quoted(name)}"\r\n\r\n{whole(value)}\r\n'
            for name, value in (fields or {}).items()
        ]
        lines.append(
            f'--{boundary}\r\ncontent-disposition: form-data; name="{_quoted(field)}"; '
            f'filename="{_quoted(file.name)}"\r\ncontent-type: {media_type}\r\n\r\n'
        )
        self._head = "".join(lines).encode()
        self._content = memoryview(file.content)
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self._on_progress = on_progress

    def __len__(self) -> int:
        """Bytes of the whole body."""
        return len(self._head) + len(self._content) + len(self._tail)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        sent = 0
        for piece in self._pieces():
            yield piece
            # The one before is on its way only when the next one is asked for.
            sent += len(piece)
            if self._on_progress is not None:
                self._on_progress(sent, len(self))

    def _pieces(self) -> Iterator[bytes]:
        yield self._head
        for at in range(0, len(self._content), _PIECE):
            yield bytes(self._content[at : at + _PIECE])
        yield self._tail


def _quoted(name: str) -> str:
    """A name inside quotes as browsers write it: it cannot end the quotes or the line."""
    return whole(name).replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A").replace("\0", "")
