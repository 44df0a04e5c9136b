"""A text to be read in the viewer: scrolls, folds at the width, nothing cut."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from kai_tui.ui.modals.base import Ask
from kai_tui.ui.modals.reading_view import Paragraph, ReadingView


class Reading(Ask[int]):
    """A box with a text that scrolls. Result: the row the viewer's cursor is to go to, None: as it was."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll(-1)", show=False),
        Binding("down,j", "scroll(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown,space", "page(1)", show=False),
        Binding("home", "edge(-1)", show=False),
        Binding("end", "edge(1)", show=False),
        Binding("q,enter", "leave", show=False),
        Binding("c,ctrl+c", "copy", show=False),
    ]
    DEFAULT_CSS = """
    Reading .dialog { width: 110; height: 92%; padding: 0; }
    Reading ReadingView { height: 1fr; background: $surface; }
    Reading .table-reading-keys { height: auto; padding: 0 1; color: $text-muted; background: $panel; }
    """

    def __init__(self, *, name: str, keys: str) -> None:
        """`keys`: said below the text."""
        super().__init__(name=name)
        self._keys = keys
        self.view = ReadingView((), on_end=lambda: None)

    @abstractmethod
    def paragraphs(self) -> Sequence[Paragraph]:
        """What is read."""

    @abstractmethod
    def titles(self) -> tuple[str, str]:
        """Safe words above and below."""

    @abstractmethod
    def action_copy(self) -> None:
        """Copy what is read."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield self.view
            yield Static(Content(self._keys), classes="table-reading-keys", markup=False)

    def on_mount(self) -> None:
        self.show()

    def on_resize(self) -> None:
        self.call_after_refresh(self._fold)

    def show(self) -> None:
        """Show it anew, from the beginning."""
        box = self.query_one(".dialog")
        title, below = self.titles()
        box.border_title, box.border_subtitle = Content(title), Content(below)
        self.view.show(self.paragraphs())
        self.view.scroll_to(y=0, animate=False)
        self.view.refresh()
        self._fold()

    def _fold(self) -> None:
        width = self.view.scrollable_content_region.width
        if width > 0:
            self.view.fold_to(width)

    def action_scroll(self, lines: int) -> None:
        """Some lines up or down."""
        self.view.scroll_relative(y=lines, animate=False)

    def action_page(self, direction: int) -> None:
        """A window up or down."""
        self.view.scroll_relative(y=direction * max(1, self.view.size.height - 1), animate=False)

    def action_edge(self, side: int) -> None:
        """To the beginning or the end."""
        self.view.scroll_to(y=0 if side < 0 else self.view.max_scroll_y, animate=False)
