"""A text area for instructions: several lines, counted, nothing in it that cannot be seen."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.message import Message

from kai_tui.ui.widgets.draft import plain
from kai_tui.ui.widgets.steps_back import StepsBack

LONGEST_PASTE = 20_000
"""Characters; a longer paste would stall every key, and the server takes far less."""


class InstructionsEditor(StepsBack):
    """Tab leaves it. A text of the server is shown with everything in it that hides."""

    DEFAULT_CSS = """
    InstructionsEditor {
        height: 1fr;
        border: round $border-blurred;
        background: $surface;
        padding: 0 1;
        scrollbar-size-vertical: 1;
        &:focus { border: round $border; }
        & .text-area--placeholder { color: $text-muted; }
    }
    """

    @dataclass
    class TooLong(Message):
        """A paste was not taken."""

        characters: int

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, highlight_cursor_line=False, soft_wrap=True, tab_behavior="focus")
        self.cursor_blink = False
        self._baseline = ""

    @property
    def changed(self) -> bool:
        """Whether it differs from what the server keeps."""
        return self.text != self._baseline

    def say(self, words: str | None) -> None:
        """Take no keys and say why instead; None: take keys."""
        self.read_only = words is not None
        self.placeholder = Content(words or "Nothing yet. Write here what Kai should always know.")

    def show(self, raw: str) -> bool:
        """Begin with a text of the server; whether something had to be written out to be seen."""
        shown, hidden = _shown(raw)
        self.load_text(shown)
        self._baseline = self.text
        return hidden

    def saved(self, sent: str, raw: str) -> bool:
        """The server keeps `raw` now, for the `sent` text. Whether that is shown: not when more was typed."""
        shown, _ = _shown(raw)
        if self.text == sent and shown != sent:
            # As an edit: undo brings the own words back.
            self.replace(shown, (0, 0), self.document.end)
        self._baseline = shown
        return self.text == shown

    def go_on_from(self, typed: str) -> bool:
        """Show what was typed earlier in place of the server's text; undo brings that back. False when it is the same."""
        if typed == self.text:
            return False
        self.replace(typed, (0, 0), self.document.end)
        return True

    def take_over(self, raw: str) -> None:
        """The server's text in place of the own one; undo brings that back."""
        shown, _ = _shown(raw)
        self.replace(shown, (0, 0), self.document.end)
        self._baseline = self.text

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        if self.read_only:
            return
        text = plain(event.text)
        if len(text) > LONGEST_PASTE:
            self.post_message(self.TooLong(len(text)))
        elif text:
            self._replace_via_keyboard(text, *self.selection)


def _shown(raw: str) -> tuple[str, bool]:
    """A text as it can be edited, and whether something in it was written out."""
    from kai_tui.conversation.safe_text import safe_code

    text = raw.replace("\r\n", "\n").replace("\r", "\n")
    shown = str(safe_code(text))
    return shown, shown != text
