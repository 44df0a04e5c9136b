"""The line over the conversation: which chat, with whom, where."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from textual.strip import Strip
from textual.widget import Widget

from kai_tui.conversation.safe_text import safe_line
from kai_tui.ui.colour_marks import line_styles, marked_line
from kai_tui.ui.widgets.one_line import Fact, clip, fit, segments

_DIVIDER = " · "
TITLE_ROOM = 40
"""Cells a title keeps, whatever else there is to say."""
_STYLES = ("title", "place", "branch", "look", "open")


class ChatHeader(Widget):
    """Chat title · terms · assistant · project · branch. Terms, title and a branch beside main go last."""

    DEFAULT_CSS = """
    ChatHeader {
        height: 1;
        padding: 0 1;
        background: $surface;
        & .chat-header--title { color: $foreground; text-style: bold; }
        & .chat-header--place { color: $text-muted; }
        & .chat-header--branch { color: $text-warning; }
        & .chat-header--look { color: $text-success; }
        & .chat-header--open { color: $text-warning; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"chat-header--{name}" for name in _STYLES}

    def __init__(self, *, id: str | None = "chat-header") -> None:
        super().__init__(id=id)
        self._facts: list[Fact] = []

    def show(
        self,
        title: str,
        *,
        read_only: bool = False,
        switched: bool = False,
        public: bool = False,
        assistant: str = "",
        project: str = "",
        branch: str = "",
        colour: str = "",
    ) -> None:
        """All text is raw; empty ones are left out. `colour` is the account's mark."""
        on_main = branch in ("", "main")
        self._facts = [
            Fact(safe_line(title.strip(), 300) or "New chat", "title", 100, least=4),
            Fact("read-only" if read_only else "", "look", 120),
            Fact("read-only switch on" if switched else "", "open", 118, short="switch on"),
            Fact("public" if public else "", "open", 115),
            Fact(safe_line(assistant, 100), "place", 20),
            Fact(*marked_line(colour, safe_line(project, 100)), 30, least=8),
            Fact(
                safe_line(branch, 100),
                "place" if on_main else "branch",
                10 if on_main else 110,
                least=8,
            ),
        ]
        self.refresh()

    def _with_room(self, width: int) -> list[Fact]:
        """The facts, a long title cut first: a name the server chose must not push out where one is."""
        if not self._facts:
            return []
        title, *others = (fact for fact in self._facts if fact.text)
        room = width - sum(cell_len(fact.text) + len(_DIVIDER) for fact in others)
        return [title._replace(text=clip(title.text, max(room, width // 2, TITLE_ROOM))), *others]

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y or width <= 0:
            return Strip.blank(max(0, width), self.rich_style)
        styles = {name: self.get_component_rich_style(f"chat-header--{name}") for name in _STYLES}
        styles |= line_styles(self, styles["place"])
        facts = fit(self._with_room(width), width, len(_DIVIDER))
        row = segments(facts, styles, _DIVIDER, styles["place"])
        return Strip(row).adjust_cell_length(width, self.rich_style)
