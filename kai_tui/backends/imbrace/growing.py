"""Text that grows by pieces and is shown whole now and then, at a cost that stays linear."""

from __future__ import annotations

from typing import Final

_SHARE: Final = 64
"""A text is worth showing again when it grew by one part in this many."""


class Growing:
    """A text in pieces, up to a limit in characters."""

    __slots__ = ("_limit", "_pieces", "_shown", "full", "size")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: list[str] = []
        self._shown = 0
        self.size = 0
        self.full = False
        """Whether something was left out."""

    def append(self, piece: str) -> None:
        """Add a piece; what is beyond the limit is left out."""
        room = self._limit - self.size
        if len(piece) > room:
            piece, self.full = piece[:room], True
        if piece:
            self._pieces.append(piece)
            self.size += len(piece)

    def replace(self, text: str) -> None:
        """Begin anew with this text."""
        self._pieces.clear()
        self.size = self._shown = 0
        self.full = False
        self.append(text)

    @property
    def worth_showing(self) -> bool:
        """Whether enough came since `text` was last taken. Small texts are always worth it."""
        return self.size - self._shown > self._shown // _SHARE

    def text(self) -> str:
        """All of it."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        self._shown = self.size
        return self._pieces[0] if self._pieces else ""
