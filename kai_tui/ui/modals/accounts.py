"""All accounts: open, add, change, try, name, mark and remove them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, TypeAlias

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from kai_tui.backends.base import BackendError
from kai_tui.services.account import Account
from kai_tui.ui.app_of import app_of
from kai_tui.ui.colour_marks import mark, marked
from kai_tui.ui.modals.account_marks import ColourDialog, NameDialog
from kai_tui.ui.modals.base import Ask
from kai_tui.ui.widgets.one_line import clip

if TYPE_CHECKING:
    from kai_tui.services.account_service import AccountService

NAME_COLUMN = 26
SYSTEM_COLUMN = 16
_CREDENTIALS = {
    "keyring": "in the keyring of this computer",
    "file": "in a private file (0600)",
    "memory": "kept for this session only",
    "environment": "taken from the environment",
    "": "none",
}
_KEYS = "Enter open · a add · e change · t try\nn name · c colour · o remove · Esc close"
_SANDBOX = "The sandbox is always here, as it is."
_ENVIRONMENT = "This account comes from the environment: change it there."

Then: TypeAlias = Callable[[], None]


class Doors(Protocol):
    """What leads out of the list; the app."""

    def add_account(self, then: Callable[[Account], None]) -> None:
        """Ask for a new account."""
        ...

    def edit_account(self, account: Account, then: Then) -> None:
        """Ask again for what an account is made of."""
        ...

    def remove_account(self, account: Account, then: Then) -> None:
        """Ask whether to remove an account, and do it."""
        ...

    def account_marked(self, account: Account) -> None:
        """An account has another name or colour."""
        ...


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of trying an account."""

    state: Literal["running", "good", "bad"]
    words: str = ""
    """Raw."""


class AccountsDialog(Ask[Account]):
    """Result: the account to open, or None when the user left."""

    AUTO_FOCUS: ClassVar[str | None] = "#account-list"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "Add", show=False),
        Binding("e", "edit", "Change", show=False),
        Binding("t", "try", "Try", show=False),
        Binding("n", "rename", "Name", show=False),
        Binding("c", "colour", "Colour", show=False),
        Binding("o,delete", "remove", "Remove", show=False),
    ]
    DEFAULT_CSS = """
    AccountsDialog .dialog { width: 96; }
    AccountsDialog #account-list {
        height: auto; max-height: 11; border: none; background: $surface; padding: 0; margin: 1 0;
    }
    AccountsDialog #about-account { height: 4; margin-bottom: 1; }
    AccountsDialog.-tall #account-list { max-height: 26; }
    """

    def __init__(
        self,
        service: AccountService,
        doors: Doors,
        accounts: Sequence[Account],
        current: Account | None,
        titles: Mapping[str, str],
    ) -> None:
        """`accounts` in the order to show, the sandbox among them. `titles` of the systems, by kind."""
        super().__init__(name="accounts")
        self._service = service
        self._doors = doors
        self._accounts = list(accounts)
        self._current = current
        self._titles = titles
        self._tried: dict[str, Tried] = {}

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content("Accounts")
            yield OptionList(*self._options(), id="account-list", markup=False)
            yield Static(id="about-account", markup=False)
            yield Static(_KEYS, classes="quiet", markup=False)

    def on_mount(self) -> None:
        self._tell()

    def on_resize(self) -> None:
        self.set_class(self.size.height >= 40, "-tall")
        if self.is_mounted:
            self._redraw()

    # The list

    @property
    def _room(self) -> int:
        return max(30, min(96, int(self.size.width * 0.94)) - 6) if self.is_mounted else 68

    def _options(self) -> list[Option]:
        marks = 2 if any(mark(each.colour) for each in self._accounts) else 0
        rows = [self._row(each, marks) for each in self._accounts]
        return [*rows, Option(Content.styled(" " * (2 + marks) + "Add an account…", "$text-muted"))]

    def _row(self, account: Account, marks: int) -> Option:
        from rich.cells import cell_len

        from kai_tui.conversation.safe_text import safe_line

        def column(text: str, width: int) -> str:
            shown = clip(text, width - 2)
            return shown + " " * (width - cell_len(shown))

        here = self._current is not None and account.id == self._current.id
        name = column(safe_line(account.label, 100), NAME_COLUMN)
        system = column(self._title_of(account), SYSTEM_COLUMN)
        where = safe_line(_where(account), 200)
        parts: list[tuple[str, str] | Content] = [
            ("● " if here else "  ", "$text-accent"),
            marked(account.colour, room=marks),
            (name, "bold"),
            (system + clip(where, max(8, self._room - NAME_COLUMN - SYSTEM_COLUMN - 6)), "$text-muted"),
        ]
        if account.branch_id is not None:
            parts.append(
                (
                    f"\n{' ' * (NAME_COLUMN + 2 + marks)}branch {safe_line(account.branch, 60)}",
                    "$text-warning",
                )
            )
        tried = self._tried.get(account.id)
        if tried is not None:
            sign, style = {
                "running": ("…", "$text-warning"),
                "good": ("✓", "$text-success"),
                "bad": ("✕", "$text-error"),
            }[tried.state]
            parts.append((f" {sign}", style))
        return Option(Content.assemble(*parts))

    def _title_of(self, account: Account) -> str:
        return "built in" if account.kind == "sandbox" else self._titles.get(account.kind, account.kind)

    @property
    def _marked(self) -> Account | None:
        at = self.query_one(OptionList).highlighted
        return self._accounts[at] if at is not None and at < len(self._accounts) else None

    def _redraw(self) -> None:
        options = self.query_one(OptionList)
        at = options.highlighted
        options.set_options(self._options())
        options.highlighted = min(at or 0, len(self._accounts))
        self._tell()

    def _tell(self) -> None:
        from kai_tui.conversation.safe_text import safe_exact, safe_prose

        account = self._marked
        shown = Content("")
        if account is None:
            shown = Content.styled("Keboola Kai, or another assistant.", "$text-muted")
        elif account.kind == "sandbox":
            shown = Content.styled(
                "A made-up company on this computer. No account, no network.", "$text-muted"
            )
        else:
            lines = [
                Content.styled(safe_exact(account.label, one_line=True).text, "bold"),
                Content.styled(safe_exact(_where(account), one_line=True).text, "$text-muted"),
                Content.styled(f"Credential: {_CREDENTIALS[account.token_from]}", "$text-muted"),
            ]
            tried = self._tried.get(account.id)
            if tried is not None:
                words = safe_prose(tried.words)
                style = {"running": "$text-warning", "good": "$text-success", "bad": "$text-error"}[
                    tried.state
                ]
                lines.append(Content.styled(words, style))
            shown = Content("\n").join(lines)
        self.query_one("#about-account", Static).update(shown)

    def on_option_list_option_highlighted(self, message: OptionList.OptionHighlighted) -> None:
        message.stop()
        self._tell()

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        message.stop()
        account = self._marked
        if account is None:
            self.action_add()
        else:
            self.finish(account)

    # What can be done

    def action_add(self) -> None:
        """A new account; it is opened."""
        self._doors.add_account(self.finish)

    def action_edit(self) -> None:
        """Ask again for all that the marked account is made of."""
        account = self._may_change()
        if account is not None:
            self._tried.pop(account.id, None)
            self._doors.edit_account(account, self._read_again)

    def action_try(self) -> None:
        """Connect as the marked account, beside whatever is open."""
        account = self._marked
        if account is None:
            return
        if account.kind == "sandbox":
            self.notify(_SANDBOX, markup=False)
            return
        if account.id not in self._tried or self._tried[account.id].state != "running":
            self._tried[account.id] = Tried("running", "Checking…")
            self._redraw()
            self.run_worker(self._try(account), exit_on_error=False)

    async def _try(self, account: Account) -> None:
        try:
            info = await self._service.test(account)
        except BackendError as error:
            self._tried[account.id] = Tried("bad", error.sentence)
        except Exception:
            self._tried[account.id] = Tried("bad", "kai-tui made a mistake while it tried this account.")
            raise
        else:
            name = " ".join(filter(None, [info.name or info.service, info.version]))
            self._tried[account.id] = Tried(
                "good", f"{info.host} answers: {name}" if name else f"{info.host} answers."
            )
        finally:
            if self.is_attached and not self.done:
                self._redraw()

    def action_rename(self) -> None:
        """Another name for the marked account."""
        account = self._may_change()
        if account is not None:
            app_of(self).push_screen(
                NameDialog(account), lambda name: self._mark(account, name=name) if name else None
            )

    def action_colour(self) -> None:
        """Another colour for the marked account."""
        account = self._may_change()
        if account is not None:
            app_of(self).push_screen(
                ColourDialog(account),
                lambda colour: self._mark(account, colour=colour) if colour is not None else None,
            )

    def action_remove(self) -> None:
        """Remove the marked account; the app asks first."""
        account = self._may_change()
        if account is not None:
            self._doors.remove_account(account, self._read_again)

    def _may_change(self) -> Account | None:
        account = self._marked
        if account is None:
            return None
        why = ""
        if account.kind == "sandbox":
            why = _SANDBOX
        elif account.token_from == "environment":  # noqa: S105 - a place, not a secret
            why = _ENVIRONMENT
        if why:
            self.notify(why, markup=False)
            return None
        return account

    def _mark(self, account: Account, *, name: str = "", colour: str | None = None) -> None:
        async def work() -> None:
            from kai_tui.conversation.safe_text import safe_prose
            from kai_tui.storage.errors import StorageError

            try:
                changed = account
                if name:
                    changed = await self._service.rename(changed, name)
                if colour is not None:
                    changed = await self._service.set_colour(changed, colour)
            except StorageError as error:
                self.notify(safe_prose(error.sentence), severity="error", timeout=14, markup=False)
                return
            self._accounts = [changed if each.id == changed.id else each for each in self._accounts]
            self._redraw()
            self._doors.account_marked(changed)

        self.run_worker(work(), exit_on_error=False)

    def _read_again(self) -> None:
        """The list may be another one now."""

        async def work() -> None:
            known = await self._service.accounts()
            listed = {each.id for each in known}
            before = [each for each in self._accounts if each.token_from == "environment"]  # noqa: S105
            self._accounts = [
                *(each for each in before if each.id not in listed),
                *known,
                self._service.sandbox(),
            ]
            if self.is_attached and not self.done:
                self._redraw()

        self.run_worker(work(), exit_on_error=False)


def _where(account: Account) -> str:
    if account.kind == "sandbox":
        return "this computer"
    where = (account.storage_url or account.base_url).removeprefix("https://")
    if account.token_from == "environment":  # noqa: S105 - a place, not a secret
        where += " · from the environment"
    return where
