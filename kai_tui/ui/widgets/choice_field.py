"""One of many, in a list; a long one is filtered by typing. Choices may be the server's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from kai_tui.ui.widgets.filter_input import FilterInput

if TYPE_CHECKING:
    from kai_tui.backends.system import Choice

LONG = 8
"""From one more on, the list can be filtered."""
MOST_SHOWN = 300
"""Rows; of more, the first ones, until they are filtered."""
_MOVES = {"up": "cursor_up", "down": "cursor_down", "pageup": "page_up", "pagedown": "page_down"}


GoOn = Callable[[], Awaitable[None]]


class _Filter(FilterInput):
    def __init__(self, go_on: GoOn) -> None:
        super().__init__(placeholder="type to filter")
        self._go_on = go_on

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            event.stop()
            event.prevent_default()
            await self._go_on()
        else:
            await super()._on_key(event)


class _List(OptionList):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "take", show=False)]

    def __init__(self, go_on: GoOn) -> None:
        super().__init__(markup=False)
        self._go_on = go_on

    async def action_take(self) -> None:
        await self._go_on()


class ChoiceField(Vertical):
    """`go_on` is awaited at Enter or a click: the marked choice is the answer."""

    DEFAULT_CSS = """
    ChoiceField { height: auto; }
    ChoiceField FilterInput { border: none; height: 1; padding: 0 1; background: $panel; }
    ChoiceField FilterInput:focus { border: none; background: $boost; }
    ChoiceField OptionList {
        height: auto; border: none; padding: 0; background: $surface;
    }
    ChoiceField OptionList:focus { border: none; }
    ChoiceField .count { color: $text-muted; height: 1; }
    """

    def __init__(self, go_on: GoOn, *, id: str) -> None:
        super().__init__(id=id)
        self._go_on = go_on
        self._choices: Sequence[Choice] = ()
        self._matching: Sequence[Choice] = ()
        self._filter = _Filter(go_on)
        self._filter.command = self._command
        self._filter.edited = self._filtered
        self._list = _List(go_on)
        self._count = Static(classes="count", markup=False)

    def compose(self) -> ComposeResult:
        yield self._filter
        yield self._list
        yield self._count

    def ask(self, choices: Sequence[Choice], chosen: str) -> None:
        """Offer these, with one of them marked."""
        self._choices = tuple(choices)
        self._filter.display = self._count.display = len(self._choices) > LONG
        self._filter.value = ""
        self._show(self._choices, chosen)

    def clear(self) -> None:
        """Offer nothing."""
        self.ask((), "")

    @property
    def value(self) -> str | None:
        """The marked choice; None when none matches."""
        at = self._list.highlighted
        return self._matching[at].value if at is not None and at < len(self._matching) else None

    @property
    def hearing(self) -> Widget:
        """What takes the focus."""
        return self._filter if self._filter.display else self._list

    def _filtered(self, text: str) -> None:
        wanted = text.casefold().split()
        matching = [each for each in self._choices if _matches(each, wanted)]
        if list(matching) != list(self._matching):
            self._show(matching, self.value or "")

    def _show(self, matching: Sequence[Choice], chosen: str) -> None:
        self._matching = tuple(matching[:MOST_SHOWN])
        self._list.set_options([_option(each) for each in self._matching])
        values = [each.value for each in self._matching]
        if values:
            self._list.highlighted = values.index(chosen) if chosen in values else 0
            self._list.scroll_to_highlight()
        hidden = len(matching) - len(self._matching)
        self._count.update(
            f"{len(matching)} of {len(self._choices)}"
            + (f", the first {MOST_SHOWN} are shown: type on" if hidden else "")
            if matching
            else "Nothing has this in its name. Esc or Backspace, then try another word."
        )

    def _command(self, key: str) -> bool:
        if key in _MOVES:
            getattr(self._list, f"action_{_MOVES[key]}")()
            return True
        return False

    async def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        message.stop()
        await self._go_on()


def _matches(choice: Choice, wanted: Sequence[str]) -> bool:
    text = f"{choice.label} {choice.note} {choice.value}".casefold()
    return all(word in text for word in wanted)


def _option(choice: Choice) -> Option:
    from kai_tui.conversation.safe_text import safe_line

    label = safe_line(choice.label, 100) or safe_line(choice.value, 100)
    parts: list[str | tuple[str, str] | Content] = [(label, "bold")]
    if choice.note:
        parts.append((f"  {safe_line(choice.note, 300)}", "$text-muted not bold"))
    return Option(Content.assemble(*parts))
