"""Files on their way to a server: the body of a form, piece by piece, with progress."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
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
    """One `multipart/form-data` body with files under one field. Can be sent once."""

    def __init__(
        self,
        files: LocalFile | Sequence[LocalFile],
        fields: Mapping[str, str] | None = None,
        *,
        field: str = "file",
        on_progress: OnProgress | None = None,
    ) -> None:
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        fields_text = "".join(
            f'--{boundary}\r\ncontent-disposition: form-data; name="{_quoted(name)}"\r\n\r\n{whole(value)}\r\n'
            for name, value in (fields or {}).items()
        )
        self._parts: list[bytes | memoryview] = [fields_text.encode()] if fields_text else []
        for file in [files] if isinstance(files, LocalFile) else files:
            media_type = file.media_type if _MEDIA_TYPE.fullmatch(file.media_type) else _PLAIN_TYPE
            head = (
                f'--{boundary}\r\ncontent-disposition: form-data; name="{_quoted(field)}"; '
                f'filename="{_quoted(file.name)}"\r\ncontent-type: {media_type}\r\n\r\n'
            )
            self._parts += [head.encode(), memoryview(file.content), b"\r\n"]
        self._parts.append(f"--{boundary}--\r\n".encode())
        self._on_progress = on_progress

    def __len__(self) -> int:
        """Bytes of the whole body."""
        return sum(len(part) for part in self._parts)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        sent = 0
        for piece in self._pieces():
            yield piece
            # The one before is on its way only when the next one is asked for.
            sent += len(piece)
            if self._on_progress is not None:
                self._on_progress(sent, len(self))

    def _pieces(self) -> Iterator[bytes]:
        for part in self._parts:
            for at in range(0, len(part), _PIECE):
                yield bytes(part[at : at + _PIECE])


def _quoted(name: str) -> str:
    """A name inside quotes as browsers write it: it cannot end the quotes or the line."""
    return whole(name).replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A").replace("\0", "")
