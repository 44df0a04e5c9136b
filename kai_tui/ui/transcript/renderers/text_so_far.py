"""A text that comes whole each time, read like one that grows."""

from __future__ import annotations


class TextSoFar:
    """What `ProseItems` reads (`Grows`), from a text that is replaced by a longer one."""

    def __init__(self) -> None:
        self._text = ""
        self.done = False

    def __len__(self) -> int:
        return len(self._text)

    def since(self, start: int) -> str:
        """What was added after the first `start` characters."""
        return self._text[start:]

    def take(self, text: str, *, done: bool) -> bool:
        """Another state of the text. False when it is not the one before with more at its end."""
        grew = text.startswith(self._text)
        self._text, self.done = text, done
        return grew
