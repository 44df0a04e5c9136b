"""The name that has to be typed before something grave takes effect on the main branch."""

from __future__ import annotations

from textual import events
from textual.content import Content

LONGEST = 500


class TypedName:
    """A line that only grows and shrinks at its end: no cursor to lose, nothing to paste into."""

    def __init__(self, wanted: str) -> None:
        self.wanted = wanted
        self.text = ""

    @property
    def matches(self) -> bool:
        """Whether the name stands there, letter by letter."""
        return self.text == self.wanted

    def hear(self, event: events.Key) -> bool:
        """Take a key that writes or deletes; False for all others."""
        if event.key == "backspace":
            self.text = self.text[:-1]
        elif event.is_printable and event.character is not None and len(self.text) < LONGEST:
            self.text += event.character
        else:
            return False
        return True

    def shown(self, *, hears: bool) -> Content:
        """The line as it stands. `hears`: whether keys go into it now."""
        from kai_tui.conversation.safe_text import safe_exact

        wanted = safe_exact(self.wanted, one_line=True).text
        typed = safe_exact(self.text, one_line=True).text
        right = self.wanted.startswith(self.text)
        colour = "$text-success" if self.matches else "$text" if right else "$text-error"
        return Content.assemble(
            ("Type  ", "$text-muted"),
            (wanted, "bold"),
            ("  to be able to approve:  ", "$text-muted"),
            (typed, f"bold {colour}"),
            ("✓" if self.matches else "▏" if hears else "", colour),
        )
