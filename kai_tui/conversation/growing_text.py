"""Text that arrives in small pieces: appending costs the piece, not the text."""

from __future__ import annotations

import re
from functools import cache


def mend_surrogates(text: str) -> str:
    """Join surrogate pairs that came as two escapes; lone halves stay as they are (kai.md §5)."""
    if text.isascii() or _surrogate().search(text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


@cache
def _surrogate() -> re.Pattern[str]:
    return re.compile("[\ud800-\udfff]")


class GrowingText:
    """A text that only grows. Half a surrogate pair at its end waits for its other half."""

    __slots__ = ("_held", "_length", "_pieces")

    def __init__(self, text: str = "") -> None:
        self._pieces: list[str] = []
        self._length = 0
        self._held = ""
        self.append(text)

    def append(self, delta: str) -> None:
        """Add a piece. The hot path: once per token."""
        if self._held or not delta.isascii():
            delta = self._mended(delta)
        if delta:
            self._pieces.append(delta)
            self._length += len(delta)

    @property
    def text(self) -> str:
        """The whole text so far, without a waiting half of a surrogate pair."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    @property
    def raw(self) -> str:
        """The whole text as it came, a waiting half included: for the wire."""
        return self.text + self._held

    @property
    def waiting(self) -> str:
        """Half of a surrogate pair at the end, if one came."""
        return self._held

    def __len__(self) -> int:
        """Length of `text` in characters; cheap."""
        return self._length

    def since(self, start: int) -> str:
        """`text[start:]`, cheap when little was added since: how the screen reads deltas."""
        missing = self._length - start
        if missing <= 0:
            return ""
        taken: list[str] = []
        for piece in reversed(self._pieces):
            taken.append(piece)
            missing -= len(piece)
            if missing <= 0:
                break
        joined = "".join(reversed(taken))
        return joined[-missing:] if missing < 0 else joined

    def _mended(self, delta: str) -> str:
        delta, self._held = mend_surrogates(self._held + delta), ""
        if delta and "\ud800" <= delta[-1] <= "\udbff":
            delta, self._held = delta[:-1], delta[-1]
        return delta
