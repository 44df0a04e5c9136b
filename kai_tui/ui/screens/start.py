"""The first screen: what this is, and the ways in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from kai_tui.services.account import Account
from kai_tui.ui.action_words import key_name
from kai_tui.ui.actions import Scope, bindings
from kai_tui.ui.colour_marks import mark, marked
from kai_tui.ui.screens.base import KaiScreen

if TYPE_CHECKING:
    from kai_tui.services.account_service import AccountService

WORDMARK = "█▄▀ ▄▀█ █ ▄▄ ▀█▀ █ █ █\n█ █ █▀█ █     █  █▄█ █"
WHAT = (
    "A chat for AI assistants that can change things.\n"
    "You watch the answer come in; every change asks you first."
)
OTHERS = "iMBRACE, Assistant UI, Knowrithm, KISS AI Stack"
"""The titles of `backends.systems`, here so that nothing is read before the first paint."""
NAME_COLUMN = 20


class StartScreen(KaiScreen):
    """Posts what was chosen; the app acts."""

    DEFAULT_CSS = """
    StartScreen {
        align: center middle;
    }
    #welcome {
        width: 74;
        max-width: 100%;
        height: auto;
        padding: 0 2;
    }
    #wordmark {
        color: $primary;
        margin-bottom: 1;
    }
    #what-it-is {
        margin-bottom: 1;
    }
    #ways {
        height: auto;
        max-height: 13;
        border: none;
        background: $background;
        padding: 0;
        margin-bottom: 1;
    }
    #ways:focus {
        background-tint: $background 0%;
    }
    #ways > .option-list--option {
        padding: 0 1;
    }
    #start-keys {
        color: $text-muted;
    }
    """
    AUTO_FOCUS: ClassVar[str | None] = "#ways"
    BINDINGS: ClassVar[list[BindingType]] = bindings("start")
    scopes: ClassVar[tuple[Scope, ...]] = ("start",)

    @dataclass
    class Chosen(Message):
        """`account` to open it, `sign_in` to add one of Kai, `another` to choose the assistant; none to quit."""

        account: Account | None = None
        sign_in: bool = False
        another: bool = False

    def __init__(self, accounts: AccountService) -> None:
        super().__init__()
        self._service = accounts
        self._accounts: Sequence[Account] = ()

    def compose(self) -> ComposeResult:
        with Vertical(id="welcome"):
            yield Static(WORDMARK, id="wordmark", markup=False)
            yield Static(WHAT, id="what-it-is", markup=False)
            yield OptionList(*self._options(), id="ways", markup=False)
            keys = "↑ ↓ choose · Enter open · ? help · " + key_name("ctrl+t") + " light or dark"
            yield Static(keys, id="start-keys", markup=False)

    def on_mount(self) -> None:
        self.query_one(OptionList).highlighted = 0
        self.run_worker(self._list_accounts(), exit_on_error=False)

    async def _list_accounts(self) -> None:
        """Add the known accounts, once they were read."""
        accounts = await self._service.accounts()
        if not accounts:
            return
        ways = self.query_one(OptionList)
        marked = ways.highlighted
        self._accounts = tuple(accounts)
        ways.set_options(self._options())
        ways.highlighted = marked or 0

    def _options(self) -> list[Option]:
        from kai_tui.conversation.safe_text import safe_line

        options = [
            _option("sandbox", "Try the sandbox", "a made-up company; no account, no network"),
            _option("sign-in", "Sign in to Kai", "a Keboola project: its address and a token"),
        ]
        for number, account in enumerate(self._accounts[:6]):
            host = (account.storage_url or account.base_url).removeprefix("https://").strip("/")
            if account.branch_id is not None:
                host = f"branch {account.branch} · {host}"
            name = safe_line(account.label, 40)
            options.append(_option(f"account-{number}", name, safe_line(host, 40), account.colour))
        options.append(_option("another", "Other assistants", OTHERS))
        options.append(_option("quit", "Quit", ""))
        return options

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        message.stop()
        chosen = message.option.id or ""
        if chosen == "sandbox":
            self.post_message(self.Chosen(self._service.sandbox()))
        elif chosen == "sign-in":
            self.post_message(self.Chosen(sign_in=True))
        elif chosen == "another":
            self.post_message(self.Chosen(another=True))
        elif chosen.startswith("account-"):
            self.post_message(self.Chosen(self._accounts[int(chosen.removeprefix("account-"))]))
        else:
            self.post_message(self.Chosen())


def _option(id: str, name: str, aside: str, colour: str = "") -> Option:
    from rich.cells import cell_len

    name = f" {name}" if mark(colour) else name
    gap = max(2, NAME_COLUMN - cell_len(name) - len(mark(colour)))
    return Option(
        Content.assemble(marked(colour), (name, "bold"), (" " * gap + aside, "$text-muted not bold")), id=id
    )
