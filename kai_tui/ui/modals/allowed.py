"""What runs without a question: allowed here for a while, and by the user's settings on the server, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from kai_tui.services.account import MAIN
from kai_tui.services.grant_words import about_words
from kai_tui.ui.modals.tools import ToolsDialog
from kai_tui.ui.widgets.grant_list import GrantList, left_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from kai_tui.services.grants import Grant, Grants, GrantsEnded
    from kai_tui.services.tool_permissions import ToolPermissions

_KEYS = "Del takes one back · Alt+Z all of them · Tab next list · Esc close"


class AllowedDialog(ToolsDialog):
    """Grants can be taken back; permissions on the server can be changed as in `ToolsDialog`."""

    AUTO_FOCUS: ClassVar[str | None] = "#grants-list"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("alt+g", "leave", "Close", show=False),
        Binding("tab,shift+tab", "other_list", "The other list", show=False),
    ]
    DEFAULT_CSS = """
    AllowedDialog .heading { height: 1; margin-top: 1; text-style: bold; }
    AllowedDialog #grants-words { height: auto; max-height: 3; color: $text-muted; }
    AllowedDialog #tools-filter { margin: 0; }
    AllowedDialog.-low .heading { margin-top: 0; }
    AllowedDialog.-low #tools-about { max-height: 3; }
    AllowedDialog.-low .dialog { height: 100%; }
    AllowedDialog.-lowest #tools-about { display: none; }
    AllowedDialog.-lowest #grants-words { max-height: 2; }
    AllowedDialog.-only .dialog { height: auto; }
    """

    def __init__(
        self,
        grants: Grants,
        permissions: ToolPermissions,
        *,
        clock: Callable[[], float],
        lists: bool,
        assistant: str,
    ) -> None:
        """`lists`: whether the server keeps permissions. `assistant`: its name."""
        super().__init__(permissions)
        self._grants = grants
        self._clock = clock
        self._lists = lists
        self._assistant = assistant
        self.grants = GrantList(clock, id="grants-list")
        self._stop_hearing = lambda: None
        self.set_class(not lists, "-only")

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content("What is allowed")
            yield Static("For a while, in this run of the program", classes="heading", markup=False)
            yield self.grants
            yield Static(id="grants-words", markup=False)
            yield Static(_KEYS, classes="quiet", markup=False)
            yield Static("By your settings on the server, for good", classes="heading", markup=False)
            if self._lists:
                yield from self.tool_parts()
            else:
                yield Static(f"{self._assistant} keeps none.", classes="quiet", markup=False)

    def on_mount(self) -> None:
        self._stop_hearing = self._grants.observe(self._grants_changed)
        self.set_interval(1.0, self._tick)
        if self._lists and not self._grants.active:
            self.tools.focus()
        self._show_grants()

    def on_unmount(self) -> None:
        self._stop_hearing()

    def on_resize(self) -> None:
        self.set_class(self.size.height < 30, "-low")
        self.set_class(self.size.height < 24, "-lowest")

    @property
    def lists_tools(self) -> bool:
        return self._lists

    def action_other_list(self) -> None:
        """From one list to the other."""
        if self._lists:
            (self.tools if self.grants.has_focus else self.grants).focus()

    # Grants

    def _grants_changed(self, _: GrantsEnded | None) -> None:
        self.call_later(self._show_grants)

    def _show_grants(self) -> None:
        if self.is_attached:
            self.grants.show(self._grants.active)

    def _tick(self) -> None:
        if self.grants.count:
            self.grants.refresh()
            self._say(self.grants.grant)

    def on_grant_list_moved(self, message: GrantList.Moved) -> None:
        message.stop()
        self._say(message.grant)

    def _say(self, grant: Grant | None) -> None:
        words = self.query_one("#grants-words", Static)
        words.display = grant is not None
        words.update(Content(grant_words(grant, self._clock()) if grant is not None else ""))

    def on_grant_list_taken_back(self, message: GrantList.TakenBack) -> None:
        message.stop()
        self._grants.revoke(message.grant.number)


def grant_words(grant: Grant, now: float) -> str:
    """All about one grant, in a sentence."""
    from kai_tui.conversation.safe_text import safe_exact, safe_line

    terms = grant.terms
    tool = safe_exact(terms.tool, one_line=True).text
    about = safe_exact(about_words(terms.of), one_line=True).text
    where = "in every chat of this account"
    if terms.chat_id is not None:
        where = f"in the chat “{safe_line(grant.chat_title, 60)}”"
    named = "MAIN" if grant.branch == MAIN else safe_exact(grant.branch, one_line=True).text
    branch = f" on branch {named}" if grant.branch else ""
    used = "not used yet" if not grant.used else f"used for {grant.used} call{'' if grant.used == 1 else 's'}"
    left = left_words(grant, now)
    if grant.until is not None or grant.left is not None:
        left += " left"
    return f"{tool} {about}, {where}{branch}: {left}, {used}."
