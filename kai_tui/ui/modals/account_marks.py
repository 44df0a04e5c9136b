"""Name and colour of an account, and its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from kai_tui.services.account import ACCOUNT_COLOURS, Account
from kai_tui.ui.colour_marks import marked
from kai_tui.ui.modals.base import Ask

LONGEST_NAME = 80


class NameDialog(Ask[str]):
    """Result: the new name, or None when the user left."""

    AUTO_FOCUS: ClassVar[str | None] = "#account-name"
    DEFAULT_CSS = """
    NameDialog Input { border: none; height: 1; padding: 0 1; margin: 1 0; background: $panel; }
    NameDialog Input:focus { border: none; background: $boost; }
    """

    def __init__(self, account: Account) -> None:
        super().__init__(name="account-name")
        self._account = account

    def compose(self) -> ComposeResult:
        from kai_tui.conversation.safe_text import safe_line

        with Vertical(classes="dialog") as box:
            box.border_title = Content("Name of this account")
            yield Input(
                str(safe_line(self._account.label, LONGEST_NAME)), id="account-name", max_length=LONGEST_NAME
            )
            yield Static("Enter keeps it · Esc leaves it as it was", classes="quiet", markup=False)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        if message.value.strip():
            self.finish(message.value.strip())


class ColourDialog(Ask[str]):
    """Result: a name of `ACCOUNT_COLOURS`, empty for none; None when the user left."""

    AUTO_FOCUS: ClassVar[str | None] = "#colours"
    DEFAULT_CSS = """
    ColourDialog .dialog { width: 44; }
    ColourDialog #colours { height: auto; border: none; background: $surface; padding: 0; margin: 1 0; }
    """

    def __init__(self, account: Account) -> None:
        super().__init__(name="account-colour")
        self._account = account

    def compose(self) -> ComposeResult:
        from kai_tui.conversation.safe_text import safe_line

        with Vertical(classes="dialog") as box:
            box.border_title = Content(f"Colour of {safe_line(self._account.label, 28)}")
            options = [
                Option(Content.assemble(marked(each, room=2), each), id=each) for each in ACCOUNT_COLOURS
            ]
            yield OptionList(*options, Option(Content("  none"), id="none"), id="colours", markup=False)
            yield Static("Enter keeps it · Esc leaves it as it was", classes="quiet", markup=False)

    def on_mount(self) -> None:
        has = self._account.colour
        at = ACCOUNT_COLOURS.index(has) if has in ACCOUNT_COLOURS else len(ACCOUNT_COLOURS)
        self.query_one(OptionList).highlighted = at

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        message.stop()
        chosen = message.option.id or ""
        self.finish("" if chosen == "none" else chosen)


@dataclass(frozen=True, slots=True)
class Removal:
    """Remove the account; with `files` also what is kept of it on this computer."""

    files: bool


class RemoveDialog(Ask[Removal]):
    """Result: what to remove, or None. Chats kept here go only after a choice of their own."""

    AUTO_FOCUS: ClassVar[str | None] = "#no"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
    ]
    DEFAULT_CSS = """
    RemoveDialog .dialog { width: 76; border: round $text-warning; }
    RemoveDialog #body { margin: 1 0; height: auto; max-height: 14; }
    RemoveDialog #answers, RemoveDialog #sure-answers { height: 1; margin-bottom: 1; }
    RemoveDialog #sure-answers { display: none; }
    RemoveDialog.-sure #answers { display: none; }
    RemoveDialog.-sure #sure-answers { display: block; }
    """

    def __init__(self, account: Account, system: str, *, only_here: bool) -> None:
        """`system`: its title. `only_here`: its chats are on this computer and nowhere else."""
        super().__init__(name="remove-account")
        self._account = account
        self._system = system
        self._only_here = only_here

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content("Remove this account?")
            yield Static(self._body(), id="body", markup=False)
            with Horizontal(id="answers"):
                yield Button("Cancel", id="no", compact=True)
                yield Button("Remove", id="remove", variant="error", compact=True)
                yield Button("Remove with what is kept here…", id="ask-files", variant="error", compact=True)
            with Horizontal(id="sure-answers"):
                yield Button("Cancel", id="sure-no", compact=True)
                yield Button("Delete it all", id="remove-files", variant="error", compact=True)

    def _who(self) -> Content:
        from kai_tui.conversation.safe_text import safe_exact

        account = self._account
        branch = (
            f"\nbranch {safe_exact(account.branch, one_line=True).text}"
            if account.branch_id is not None
            else ""
        )
        where = safe_exact(account.storage_url or account.base_url, one_line=True).text
        return Content.assemble(
            (safe_exact(account.label, one_line=True).text, "bold"),
            (f"\n{self._system} · {where}{branch}", "$text-muted"),
        )

    def _body(self) -> Content:
        chats = (
            "Chats, drafts and decisions stay on this computer, for when you add it again."
            if self._only_here
            else "Chats stay on the server; drafts and decisions stay on this computer."
        )
        return Content.assemble(
            self._who(),
            "\n\nIts credential is removed from this computer, and it goes from the list. ",
            chats,
        )

    def _second(self) -> Content:
        what = (
            "All its chats are only on this computer: they are gone then, with drafts, decisions and their ledger."
            if self._only_here
            else "Drafts, waiting messages, decisions, their ledger and the copies of its chats on this computer are gone then. "
            "The chats on the server stay."
        )
        return Content.assemble(self._who(), f"\n\n{what} ", ("This cannot be undone.", "bold $text-warning"))

    def on_button_pressed(self, message: Button.Pressed) -> None:
        message.stop()
        pressed = message.button.id
        if pressed == "ask-files":
            self.add_class("-sure")
            self.query_one("#body", Static).update(self._second())
            self.query_one("#sure-no").focus()
        elif pressed == "remove":
            self.finish(Removal(files=False))
        elif pressed == "remove-files":
            self.finish(Removal(files=True))
        else:
            self.finish(None)
