"""One line below the conversation: what is looked for, how often it is there, and the keys for it."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from kai_tui.ui.widgets.filter_input import FilterInput

_STEPS = {"enter": 1, "down": 1, "shift+enter": -1, "up": -1, "alt+enter": -1}
_HINTS = (
    (96, "Enter next · ↑ before · Esc stay · Ctrl+F back"),
    (64, "Enter next · ↑ before · Esc"),
    (0, "↑ ↓ Esc"),
)
"""From which width on what is said of the keys."""
_READING_HINTS = (
    (64, "n next · N before · / other words · Esc"),
    (0, "n N Esc"),
)
"""The same while the conversation has the keys."""


class FindBar(Horizontal):
    """Where one writes what to find. Keys that type nothing are told as messages."""

    DEFAULT_CSS = """
    FindBar { height: 1; background: $panel; padding: 0 1; display: none; }
    FindBar.-shown { display: block; }
    FindBar .find-label { width: auto; color: $text-accent; text-style: bold; }
    FindBar FilterInput, FindBar FilterInput:focus {
        width: 1fr; min-width: 8; height: 1; border: none; padding: 0 1; background: $panel;
    }
    FindBar .find-count { width: auto; color: $text; padding: 0 2 0 1; }
    FindBar .find-count.-none { color: $text-warning; }
    FindBar .find-hint { width: auto; color: $text-muted; }
    """

    class Wanted(Message):
        """Something else is to be looked for."""

        def __init__(self, query: str) -> None:
            super().__init__()
            self.query = query

    class Step(Message):
        """To the next place (1) or the one before (-1)."""

        def __init__(self, direction: int) -> None:
            super().__init__()
            self.direction = direction

    class Left(Message):
        """Done; `read`: to the conversation, with its cursor at the place."""

        def __init__(self, *, read: bool) -> None:
            super().__init__()
            self.read = read

    def __init__(self) -> None:
        super().__init__(id="find-bar")
        self._input = FilterInput(id="find-input")
        self._input.command = self._heard
        self._input.edited = self._edited
        self._count = Static(classes="find-count", markup=False)
        self._hint = Static(classes="find-hint", markup=False)
        self._query = ""

    def compose(self) -> ComposeResult:
        yield Static("Find", classes="find-label", markup=False)
        yield self._input
        yield self._count
        yield self._hint

    @property
    def query_text(self) -> str:
        """What is looked for."""
        return self._input.value

    def open(self, query: str | None = None) -> None:
        """Show it and write here; what was looked for last stands there, to be typed over."""
        self.add_class("-shown")
        if query is not None:
            self._input.value = query
        self._input.select_all()
        # At once: what is typed next, in one go with the key that opened it, is meant for it.
        self.screen.set_focus(self._input)
        self._query = self._input.value
        self.post_message(self.Wanted(self._query))

    def close(self) -> None:
        """Away with it."""
        self.remove_class("-shown")

    @property
    def is_open(self) -> bool:
        """Whether it is shown."""
        return self.has_class("-shown")

    @property
    def is_written_in(self) -> bool:
        """Whether keys go here."""
        return self._input.has_focus

    def show(self) -> None:
        """Show what is looked for; keys stay where they are."""
        self.add_class("-shown")
        self._name_keys()

    def on_resize(self) -> None:
        self._name_keys()

    def on_descendant_focus(self) -> None:
        self._name_keys()

    def on_descendant_blur(self) -> None:
        self._name_keys()

    def _name_keys(self) -> None:
        hints = _HINTS if self.is_written_in else _READING_HINTS
        self._hint.update(Content(next(words for width, words in hints if self.size.width >= width)))

    def show_count(self, number: int, total: int, *, complete: bool, in_sight: bool = True) -> None:
        """`number` 0: it is not known which one is shown. See `Transcript.Found`."""
        more = "" if complete else "+"
        if not self._input.value.strip():
            words = ""
        elif not total:
            words = "not found" if complete else "looking…"
        elif number:
            words = f"{number:,} of {total:,}{more}{'' if in_sight else ' (cut off here)'}"
        else:
            words = f"{total:,}{more} found"
        self._count.update(Content(words))
        self._count.set_class(words == "not found", "-none")

    def _heard(self, key: str) -> bool:
        if key in _STEPS:
            self.post_message(self.Step(_STEPS[key]))
        elif key in ("escape", "tab"):
            self.post_message(self.Left(read=key == "tab"))
        else:
            return False
        return True

    def _edited(self, value: str) -> None:
        if value != self._query:
            self._query = value
            self.post_message(self.Wanted(value))
