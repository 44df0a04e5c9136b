"""The field of a question or of a dialog under it: it has the focus, for the cursor, and decides nothing."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from textual import events

from kai_tui.ui.widgets.draft import plain
from kai_tui.ui.widgets.steps_back import StepsBack

LONGEST_PASTE = 100_000
"""Characters taken of one paste."""


@runtime_checkable
class HearsField(Protocol):
    """A dialog with such a field in it."""

    def hear(self, event: events.Key | events.Paste) -> None:
        """A key or a paste that came to the field; its `take` is called where it is meant for the text."""


class QuestionField(StepsBack):
    """Several lines of plain text. What keys do is decided by the dialog."""

    DEFAULT_CSS = """
    QuestionField {
        height: 4;
        border: round $border-blurred;
        background: $surface;
        padding: 0 1;
        scrollbar-size-vertical: 1;
        &:focus { border: round $border; }
        & .text-area--placeholder { color: $text-muted; }
    }
    """

    def __init__(
        self, text: str = "", *, id: str, placeholder: str = "", longest_paste: int = LONGEST_PASTE
    ) -> None:
        super().__init__(
            text,
            id=id,
            placeholder=placeholder,
            highlight_cursor_line=False,
            soft_wrap=True,
            tab_behavior="focus",
        )
        self.cursor_blink = False
        self._longest_paste = longest_paste

    def _forward_event(self, event: events.Event) -> None:
        dialog: Any = self.screen
        if isinstance(event, events.Key | events.Paste) and isinstance(dialog, HearsField):
            dialog.hear(event)
        else:
            super()._forward_event(event)

    def take(self, event: events.Event) -> None:
        """This key or paste is meant for the text."""
        super()._forward_event(event)

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        if not self.read_only:
            self._replace_via_keyboard(plain(event.text)[: self._longest_paste], *self.selection)
