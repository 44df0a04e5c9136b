"""Which tools Kai has and what they may do; every change is kept at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from kai_tui.backends.base import BackendError
from kai_tui.ui.app_of import app_of
from kai_tui.ui.modals.base import Ask
from kai_tui.ui.widgets.filter_input import FilterInput
from kai_tui.ui.widgets.tool_list import ToolList, kind_words, permission_words

if TYPE_CHECKING:
    from kai_tui.services.tool_permissions import ToolPermissions, ToolRow

_KEYS = "a always runs · s always asks · b block · / search\nR reset all · r read again · Space reads on · Esc close"
_LOADING = "Reading the tools…"
_NOTHING = "No tool is called that."
_NONE = "The server lists no tools."


class ToolsDialog(Ask[None]):
    """Changes permissions of the user; they hold for all chats and for Kai's web interface."""

    AUTO_FOCUS: ClassVar[str | None] = "#tools-list"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("R,ctrl+r", "reset_all", "Reset all", show=False),
        Binding("r", "read", "Read again", show=False),
        Binding("space", "read_on", "Read on", show=False),
    ]
    DEFAULT_CSS = """
    ToolsDialog .dialog { width: 96; height: 94%; max-height: 44; }
    ToolsDialog #tools-filter {
        border: none; height: 1; padding: 0 1; background: $panel; margin: 1 0 0 0;
    }
    ToolsDialog #tools-filter:focus { border: none; background: $boost; }
    ToolsDialog #tools-about { height: auto; max-height: 5; border-top: solid $panel; scrollbar-size-vertical: 1; }
    ToolsDialog #tools-words { height: auto; }
    ToolsDialog #tools-problem { display: none; }
    ToolsDialog #tools-problem.-shown { display: block; }
    """

    def __init__(self, permissions: ToolPermissions) -> None:
        super().__init__(name="tools")
        self._permissions = permissions
        self.filter_input = FilterInput(placeholder="/ search", id="tools-filter")
        self.tools = ToolList(self.filter_input, id="tools-list")
        self.filter_input.command = self._filter_command
        self.filter_input.edited = self._filter
        self._leave = lambda: None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content("Tools and permissions")
            yield from self.tool_parts()

    def tool_parts(self) -> ComposeResult:
        """The list, its search, what is known of the tool under the cursor, and the keys."""
        yield self.filter_input
        yield self.tools
        with VerticalScroll(id="tools-about", can_focus=False):
            yield Static(id="tools-words", markup=False)
        yield Static(id="tools-problem", classes="problem", markup=False)
        yield Static(_KEYS, classes="quiet", markup=False)

    @property
    def lists_tools(self) -> bool:
        """Whether there is a list of the server's tools at all."""
        return True

    def on_mount(self) -> None:
        if not self.lists_tools:
            return
        self._leave = self._permissions.observe(self._changed)
        self.action_read()
        self._draw()

    def on_unmount(self) -> None:
        self._leave()

    def _changed(self, _: None) -> None:
        self.call_later(self._draw)

    # What is shown

    def _draw(self) -> None:
        if not self.standing:
            return
        from kai_tui.conversation.safe_text import safe_prose

        permissions = self._permissions
        self.tools.empty_text = (
            (_LOADING if permissions.loading else "" if permissions.problem else _NONE)
            if not permissions.rows
            else _NOTHING
        )
        self.tools.show(permissions.rows)
        problem = self.query_one("#tools-problem", Static)
        problem.set_class(bool(permissions.problem), "-shown")
        if permissions.problem:
            problem.update(
                Content(f"{safe_prose(permissions.problem)} The list may be old. Press r to read it again.")
            )
        self.query_one(".dialog").border_subtitle = Content(_summary(permissions.rows))

    def on_tool_list_moved(self, message: ToolList.Moved) -> None:
        message.stop()
        self._draw_words(message.row)

    def _draw_words(self, row: ToolRow | None) -> None:
        """The whole name and description of the tool under the cursor, and why a change failed."""
        if not self.standing:
            return
        words = self.query_one("#tools-words", Static)
        if row is None:
            words.update(Content(""))
            return
        from kai_tui.conversation.safe_text import safe_exact, safe_line, safe_prose

        name = safe_exact(row.info.name, one_line=True)
        lines: list[Content | tuple[str, str]] = []
        if row.trouble:
            lines.append((f"Not saved. {safe_prose(row.trouble)}\n", "$text-error"))
        lines += [
            (name.text, "bold"),
            (f" · {kind_words(row)} · {safe_line(permission_words(row), 60)}\n", "$text-muted"),
            *((f"! {warning}\n", "$text-warning") for warning in name.flags),
            (safe_prose(row.info.description) or "The server does not describe it.", ""),
        ]
        words.update(Content.assemble(*lines))
        self.query_one("#tools-about", VerticalScroll).scroll_home(animate=False)

    def action_read_on(self) -> None:
        """Scroll a long description; from its end back to its beginning."""
        if not self.lists_tools:
            return
        about = self.query_one("#tools-about", VerticalScroll)
        if about.scroll_offset.y >= about.max_scroll_y:
            about.scroll_home(animate=False)
        else:
            about.scroll_relative(y=max(1, about.size.height - 1), animate=False)

    # Search

    def _filter(self, needle: str) -> None:
        self.tools.filter(needle)

    def _filter_command(self, key: str) -> bool:
        if key == "escape":
            if self.filter_input.value:
                self.filter_input.value = ""
                self._filter("")
            self.tools.focus()
        elif key == "enter":
            self.tools.focus()
        else:
            return key not in ("home", "end") and self.tools.move(key)
        return True

    @on(Input.Changed, "#tools-filter")
    def _filter_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._filter(event.value)

    def on_descendant_focus(self) -> None:
        self.tools.set_class(self.filter_input.has_focus, "-driven")

    def on_descendant_blur(self) -> None:
        self.tools.remove_class("-driven")

    # What the user does

    def action_read(self) -> None:
        """Ask the server for the list anew."""
        if not self.lists_tools:
            return
        self.run_worker(self._permissions.load(), group="tools", exclusive=True, exit_on_error=False)

    def on_tool_list_wanted(self, message: ToolList.Wanted) -> None:
        message.stop()
        row, permission = message.row, message.permission
        if permission != "always_allow" or row.info.read_only or row.permission == "always_allow":
            self._permissions.set(row.info.name, permission)
            return
        from kai_tui.conversation.safe_text import safe_exact
        from kai_tui.ui.modals.confirm import Confirm

        name = safe_exact(row.info.name, one_line=True).text
        body = Content.assemble(
            (name, "bold"),
            " may change your project. From now on Kai runs it without asking you: in every chat, "
            "here and in Kai's web interface, until you take that back.",
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self._permissions.set(row.info.name, "always_allow")

        app_of(self).push_screen(
            Confirm(
                "Let it run without asking?",
                body,
                yes="Always run it",
                no="Keep asking",
                name="confirm-allow",
            ),
            answered,
        )

    def action_reset_all(self) -> None:
        """Every tool back to the server's default, after asking."""
        if not self.lists_tools:
            return
        from kai_tui.ui.modals.confirm import Confirm

        count = sum(row.permission is not None for row in self._permissions.rows)
        if not count:
            self.notify("No tool has a permission of your own: there is nothing to reset.", markup=False)
            return
        settings = "1 setting of yours is" if count == 1 else f"{count} settings of yours are"
        body = Content(
            "Every tool goes back to the server's default: what only reads runs, everything else asks you first. "
            f"{settings} forgotten, for Kai's web interface too."
        )
        app_of(self).push_screen(
            Confirm("Reset all permissions?", body, yes="Reset all", name="confirm-reset"),
            lambda yes: self._reset() if yes else None,
        )

    def _reset(self) -> None:
        async def work() -> None:
            from kai_tui.conversation.safe_text import safe_prose

            try:
                await self._permissions.reset_all()
            except BackendError as error:
                sentence = safe_prose(f"The permissions were not reset. {error.sentence}")
                self.notify(sentence, severity="error", timeout=14, markup=False)
            else:
                self.notify("All tools are at the server's default again.", markup=False)

        self.run_worker(work(), group="reset", exit_on_error=False)


def _summary(rows: tuple[ToolRow, ...]) -> str:
    if not rows:
        return ""
    counts = (
        (len(rows), "tool" if len(rows) == 1 else "tools"),
        (sum(not row.info.read_only for row in rows), "write"),
        (sum(row.permission == "always_allow" and not row.info.read_only for row in rows), "without asking"),
        (sum(row.permission == "blocked" for row in rows), "blocked"),
    )
    return " · ".join(f"{count} {word}" for count, word in counts if count)
