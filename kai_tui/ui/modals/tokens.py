"""Tokens of one chat, as its server counted them."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from kai_tui.conversation.safe_text import safe_line
from kai_tui.conversation.usage import Tokens
from kai_tui.ui.modals.base import Ask

_NONE = "The server has not said how many tokens this chat used."
_SOURCE = (
    "As the server reported it with its answers. What was used in another program is missing where the "
    "server does not store it."
)


class TokensDialog(Ask[None]):
    """Says it; Esc or Enter closes."""

    AUTO_FOCUS: ClassVar[str | None] = "#tokens-body"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,q", "leave", "Close", show=False)]
    DEFAULT_CSS = """
    TokensDialog .dialog { width: 60; scrollbar-size-vertical: 1; }
    TokensDialog #title { text-style: bold; margin: 1 0; height: auto; max-height: 3; }
    TokensDialog #counts { height: auto; }
    TokensDialog #source { color: $text-muted; margin: 1 0; height: auto; }
    """

    def __init__(self, title: str, tokens: Tokens) -> None:
        """`title` is raw."""
        super().__init__(name="tokens")
        self._title = title
        self._tokens = tokens

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="tokens-body", classes="dialog") as box:
            box.border_title = Content("Tokens of this chat")
            box.border_subtitle = Content("Esc closes")
            yield Static(Content(safe_line(self._title, 300)), id="title", markup=False)
            yield Static(token_table(self._tokens), id="counts", markup=False)
            yield Static(_SOURCE if self._tokens.total else "", id="source", markup=False)


def token_table(tokens: Tokens) -> Content:
    """A line per count, figures under each other; those that are always told stand first."""
    if tokens == Tokens():
        return Content(_NONE)
    rows = [("In: questions, data, instructions", tokens.input), ("Out: answers and calls", tokens.output)]
    rows += [
        (label, count)
        for label, count in (
            ("Read from the cache", tokens.cache_read),
            ("Written to the cache", tokens.cache_write),
            ("Reasoning", tokens.reasoning),
        )
        if count
    ]
    label_width = max(len(label) for label, _ in rows)
    width = max(len(f"{count:,}") for count in (*(count for _, count in rows), tokens.total))
    lines = [f"{label:<{label_width}}   {count:>{width},}" for label, count in rows]
    total = f"{'Total':<{label_width}}   {tokens.total:>{width},}"
    return Content.assemble("\n".join(lines), "\n", (total, "bold"))
