"""What is copied, and as what: a small menu that names both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from kai_tui.conversation.tables.formats import Format
from kai_tui.ui.modals.base import Ask
from kai_tui.ui.tables.area import Area

FORMATS: tuple[tuple[str, Format, str], ...] = (
    ("t", "tsv", "TSV"), ("c", "csv", "CSV"), ("j", "json", "JSON"), ("m", "markdown", "markdown"),
)  # fmt: skip
"""Key, format and its name."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One part that can be copied. `words` are safe."""

    words: str
    area: Area
    named: bool = False
    """Whether the columns' names go with it, unless the user says otherwise."""


@dataclass(frozen=True, slots=True)
class CopyChoice:
    """What the user chose."""

    offer: Offer
    how: Format
    names: bool


class CopyMenu(Ask[CopyChoice]):
    """Result: what to copy, None: nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "step(-1)", show=False),
        Binding("down", "step(1)", show=False),
        Binding("left", "format(-1)", show=False),
        Binding("right,tab", "format(1)", show=False),
        Binding("n,space", "names", show=False),
        Binding("enter,y", "take", show=False),
        Binding("q", "leave", show=False),
        *(Binding(key, f"take_as('{how}')", show=False) for key, how, _ in FORMATS),
    ]
    DEFAULT_CSS = """
    CopyMenu .dialog { width: 62; max-width: 100%; padding: 0 1; overflow-y: auto; scrollbar-size-vertical: 1; }
    CopyMenu Static { height: auto; }
    """

    def __init__(self, offers: Sequence[Offer], chosen: int) -> None:
        super().__init__(name="table-copy")
        self._offers = tuple(offers)
        self._at = chosen
        self._format = 0
        self._names: bool | None = None
        """As the user wants it; None: as is usual for what is copied."""
        self._what = Static(id="copy-what", markup=False)
        self._how = Static(id="copy-how", markup=False)

    @property
    def _always_named(self) -> bool:
        return FORMATS[self._format][1] in ("json", "markdown")

    @property
    def _named(self) -> bool:
        if self._always_named:
            return True
        return self._offers[self._at].named if self._names is None else self._names

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content("Copy")
            box.border_subtitle = Content("Enter copies · Esc back")
            yield self._what
            yield self._how

    def on_mount(self) -> None:
        self._draw()

    def _draw(self) -> None:
        cursor = "$block-cursor-foreground on $block-cursor-background"
        rows = [
            Content.styled(
                f"{'▸' if at == self._at else ' '} {offer.words}", cursor if at == self._at else ""
            )
            for at, offer in enumerate(self._offers)
        ]
        self._what.update(Content("\n").join(rows))
        formats: list[tuple[str, str]] = [("as ", "$text-muted")]
        for at, (key, _, name) in enumerate(FORMATS):
            formats.append((f" {key} {name} ", cursor if at == self._format else "$text"))
        names = "[x]" if self._named else "[ ]"
        words = "with the columns' names" if not self._always_named else "always with the columns' names"
        self._how.update(
            Content.assemble(
                *formats, "\n", (f"n {names} {words}", "$text-muted" if self._always_named else "$text")
            )
        )

    def action_step(self, by: int) -> None:
        """The next part."""
        self._at = (self._at + by) % len(self._offers)
        self._draw()

    def action_format(self, by: int) -> None:
        """The next format."""
        self._format = (self._format + by) % len(FORMATS)
        self._draw()

    def action_names(self) -> None:
        """With the columns' names or without."""
        self._names = not self._named
        self._draw()

    def action_take(self) -> None:
        """Copy."""
        self.finish(CopyChoice(self._offers[self._at], FORMATS[self._format][1], self._named))

    def action_take_as(self, how: Format) -> None:
        """Copy in this format, at once."""
        self._format = next(at for at, each in enumerate(FORMATS) if each[1] == how)
        self.action_take()

    def on_click(self, event: events.Click) -> None:
        """A part or a format by the mouse."""
        if event.widget is self._what and 0 <= event.y < len(self._offers):
            self._at = event.y
            self._draw()
        elif event.widget is self._how and event.y == 0:
            start = 3
            for at, (key, _, name) in enumerate(FORMATS):
                end = start + len(key) + len(name) + 3
                if start <= event.x < end:
                    self._format = at
                    self._draw()
                start = end
        elif event.widget is self._how and event.y == 1:
            self.action_names()
