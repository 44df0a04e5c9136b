"""Editing keys that act at once, in the order they were typed.

Textual lets a letter act in the text widget, but sends a bound key (Backspace, Enter, an arrow)
through every parent up to the app before it acts. Letters typed behind it overtake it: `abc⌫d` in one
write becomes "abc" instead of "abd". A text widget is immune when it looks up its own bindings
itself and runs them while it handles the key.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping

from textual.actions import SkipAction, parse
from textual.binding import Binding, BindingType
from textual.events import Key
from textual.widget import Widget


def editing_actions(bindings: Iterable[BindingType]) -> Mapping[str, str]:
    """Which action each key of a widget's `BINDINGS` runs."""
    return {
        key.strip(): binding.action
        for binding in bindings
        if isinstance(binding, Binding)
        for key in binding.key.split(",")
    }


async def act(widget: Widget, action: str) -> bool:
    """Run one of a widget's own actions now; False when the action leaves the key to others."""
    _, name, parameters = parse(action)
    try:
        done = getattr(widget, f"action_{name}")(*parameters)
        if inspect.isawaitable(done):
            await done
    except SkipAction:
        return False
    return True


def typed_text(event: Key) -> str | None:
    """The text a key stands for, None when it is a command."""
    if event.key in ("space", "shift+space"):
        # VS Code reports the space bar as CSI u without its text.
        return " "
    if event.key.startswith("alt+"):
        # Textual gives alt+b the character "b"; it is a chord all the same.
        return None
    return event.character if event.is_printable else None
