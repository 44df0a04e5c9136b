"""Changing to another project or the sandbox; signing in and out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from kai_tui.services.account import Account
from kai_tui.ui.modals.base import Ask

NAME_COLUMN = 28


@dataclass(frozen=True, slots=True)
class AccountChoice:
    """What to do, and with which account (none when signing in)."""

    what: Literal["open", "sign-in", "sign-out"]
    account: Account | None = None


class AccountsDialog(Ask[AccountChoice]):
    """Result: the choice, or None when the user left."""

    AUTO_FOCUS: ClassVar[str | None] = "#account-list"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("delete,o", "sign_out", "Sign out", show=False),
    ]
    DEFAULT_CSS = """
    AccountsDialog #account-list {
        height: auto; max-height: 14; border: none; background: $surface; padding: 0; margin: 1 0;
    }
    """

    def __init__(self, accounts: Sequence[Account], current: Account | None) -> None:
        """`accounts` in the order to show, the sandbox among them."""
        super().__init__(name="accounts")
        self._accounts = tuple(accounts)
        self._current = current

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content("Accounts")
            yield OptionList(*self._options(), id="account-list", markup=False)
            yield Static(
                "Enter open · o sign out (removes the token) · Esc close", classes="quiet", markup=False
            )

    def _options(self) -> list[Option]:
        from kai_tui.conversation.safe_text import safe_line

        options: list[Option] = []
        for number, account in enumerate(self._accounts):
            here = self._current is not None and account.id == self._current.id
            where = "this computer" if account.kind == "sandbox" else account.storage_url or account.base_url
            if account.token_from == "environment":  # noqa: S105 - a place, not a secret
                where += " · token from the environment"
            name = safe_line(account.label, NAME_COLUMN - 4)
            gap = " " * max(2, NAME_COLUMN - 2 - len(name))
            shown = Content.assemble(
                ("● " if here else "  ", "$text-accent"),
                (name, "bold"),
                (gap + safe_line(where.removeprefix("https://"), 60), "$text-muted"),
            )
            if account.branch_id is not None:
                branch = f"\n{' ' * NAME_COLUMN}branch {safe_line(account.branch, 60)}"
                shown = Content.assemble(shown, (branch, "$text-warning"))
            options.append(Option(shown, id=str(number)))
        options.append(Option(Content("  Sign in to a project…"), id="sign-in"))
        return options

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        message.stop()
        chosen = message.option.id or ""
        if chosen == "sign-in":
            self.finish(AccountChoice("sign-in"))
        else:
            self.finish(AccountChoice("open", self._accounts[int(chosen)]))

    def action_sign_out(self) -> None:
        """Sign out of the account under the cursor; the app asks first."""
        marked = self.query_one(OptionList).highlighted
        if marked is not None and marked < len(self._accounts) and self._accounts[marked].kind != "sandbox":
            self.finish(AccountChoice("sign-out", self._accounts[marked]))
