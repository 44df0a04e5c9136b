"""A one-line input whose keys keep their order (see `ordered_keys`)."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.widgets import Input

from kai_tui.ui.widgets.ordered_keys import act, editing_actions, typed_text

_ACTIONS = editing_actions(Input.BINDINGS)


class FilterInput(Input):
    """An `Input` that handles its editing keys itself, and may hand keys to the list it filters."""

    def __init__(
        self,
        *,
        placeholder: str = "",
        id: str | None = None,
    ) -> None:
        super().__init__(placeholder=placeholder, id=id)
        self.cursor_blink = False
        self.command: Callable[[str], bool] | None = None
        """Is offered the name of each key that types nothing (↑, ↓, Enter of a list); True means done."""
        self.edited: Callable[[str], None] | None = None
        """Hears the new value before the next key acts; `Input.Changed` comes later."""

    def take(self, event: events.Key) -> None:
        """Handle a key as if it had come with the focus here."""
        # A copy: the sender stops its own event, and this one may have to bubble from here.
        self._forward_event(event.copy())

    async def _on_key(self, event: events.Key) -> None:
        text = typed_text(event)
        if text is not None:
            self.replace(text, *self.selection)
        elif self.command is not None and self.command(event.key):
            pass
        elif event.key not in _ACTIONS or not await act(self, _ACTIONS[event.key]):
            event.prevent_default()
            return
        event.stop()
        event.prevent_default()
        if self.edited is not None:
            self.edited(self.value)

    def _on_paste(self, event: events.Paste) -> None:
        super()._on_paste(event)
        event.prevent_default()
        if self.edited is not None:
            self.edited(self.value)
