"""Signing in again over an open chat: only the token is asked for, nothing around it changes.

The token stays in the masked field and in the services (reliability.md C6).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, Static
from textual.worker import Worker

from kai_tui.backends.base import BackendError
from kai_tui.backends.secret import Secret
from kai_tui.services.account import Account
from kai_tui.services.account_service import AccountService, SignInStep
from kai_tui.ui.modals.base import Ask
from kai_tui.ui.modals.sign_in import Keep, step_lines

if TYPE_CHECKING:
    from kai_tui.services.signing_in import AnotherProject

_ENVIRONMENT = (
    "This account takes its token from the environment. The one you give here is used until you quit."
)
_STAYS = "Your chat, what you typed and waiting questions stay as they are."


@dataclass(frozen=True, slots=True)
class Renewed:
    """The account goes on with another token."""

    account: Account
    token: Secret


@dataclass(frozen=True, slots=True)
class OpenInstead:
    """The token is good, but of another project: open that one as an account of its own."""

    token: Secret


Outcome: TypeAlias = Renewed | OpenInstead


class RenewDialog(Ask[Outcome]):
    """Result: what to go on with, or None when the user left; the old token is not touched then."""

    DEFAULT_CSS = """
    RenewDialog .dialog { width: 76; }
    RenewDialog #what { height: auto; margin-top: 1; }
    RenewDialog .label { margin-top: 1; color: $text-muted; }
    RenewDialog Input { border: none; height: 1; padding: 0 1; background: $panel; }
    RenewDialog Input:focus { border: none; background: $boost; }
    RenewDialog #progress, RenewDialog #problem { height: auto; margin-top: 1; display: none; }
    RenewDialog #progress.-shown, RenewDialog #problem.-shown { display: block; }
    RenewDialog .answers { height: 1; margin: 1 0; display: none; }
    RenewDialog.-asks-token #token-answers { display: block; }
    RenewDialog.-asks-keep #keep-answers { display: block; }
    RenewDialog.-asks-other #other-answers { display: block; }
    """
    AUTO_FOCUS: ClassVar[str | None] = None

    def __init__(self, accounts: AccountService, account: Account, why: str) -> None:
        """`why`: the sentence of the refusal; foreign text in it is raw."""
        super().__init__(name="renew")
        self._accounts = accounts
        self._account = account
        self._why = why
        self._work: Worker[None] | None = None
        self._steps: list[SignInStep] = []
        self._token = Secret("")

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content("Sign in again")
            box.border_subtitle = Content("Enter go · Esc not now")
            yield Static(self._what(), id="what", markup=False)
            yield Static("Storage API token", classes="label", markup=False)
            yield Input(password=True, placeholder="paste it; it is not shown", id="token")
            yield Static(id="progress", markup=False)
            yield Static(id="problem", classes="problem", markup=False)
            with Horizontal(id="token-answers", classes="answers"):
                yield Button("Go on", id="go", variant="primary", compact=True)
                yield Button("Not now", id="cancel", compact=True)
            with Horizontal(id="keep-answers", classes="answers"):
                yield Button("Only this session", id="keep-memory", variant="primary", compact=True)
                yield Button("Private file (0600)", id="keep-file", compact=True)
                yield Button("Back", id="back-from-keep", compact=True)
            with Horizontal(id="other-answers", classes="answers"):
                yield Button("Another token", id="back-from-other", variant="primary", compact=True)
                yield Button("Open that project", id="open-other", compact=True)
                yield Button("Not now", id="cancel-other", compact=True)

    def _what(self) -> Content:
        from kai_tui.conversation.safe_text import safe_exact, safe_prose

        account = self._account
        branch = f" · {account.branch}" if account.branch_id is not None else ""
        parts: list[str | tuple[str, str] | Content] = [
            (safe_exact(account.label + branch, one_line=True).text, "bold"),
            "\n",
            (safe_exact(account.storage_url, one_line=True).text, "$text-muted"),
            "\n\n",
            safe_prose(self._why),
        ]
        if account.token_from == "environment":  # noqa: S105 - a place, not a secret
            parts += ["\n", _ENVIRONMENT]
        return Content.assemble(*parts, "\n", (_STAYS, "$text-muted"))

    def on_mount(self) -> None:
        self._ask("token")

    def _ask(self, what: str, focus: str = "token") -> None:
        for each in ("token", "keep", "other"):
            self.set_class(each == what, f"-asks-{each}")
        self.query_one(f"#{focus}").focus()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self._go(self._usual_keep())

    def on_button_pressed(self, message: Button.Pressed) -> None:
        message.stop()
        pressed = message.button.id
        if pressed == "go":
            self._go(self._usual_keep())
        elif pressed == "keep-memory":
            self._go("memory")
        elif pressed == "keep-file":
            self._go("file")
        elif pressed in ("back-from-keep", "back-from-other"):
            self._say("")
            self._ask("token")
        elif pressed == "open-other":
            self._leave_with(OpenInstead(self._token))
        else:
            self.action_leave()

    def _usual_keep(self) -> Keep:
        """Where the token before it was kept."""
        kept = self._account.token_from
        return kept if kept in ("file", "memory") else "keyring"

    def _go(self, keep: Keep) -> None:
        if self._work is not None and not self._work.is_finished:
            return
        token = self.query_one("#token", Input).value.strip()
        if not token:
            self._say("Paste a Storage API token of this project.")
            self._ask("token")
            return
        if any(each.isspace() for each in token):
            # Also a question that was typed on while this dialog opened: it is sent nowhere.
            self._say("A token has no spaces in it. Nothing was sent.")
            self._ask("token")
            return
        self._say("")
        self._steps = []
        self._token = Secret(token)
        self._work = self.run_worker(self._renew(token, keep), exclusive=True, exit_on_error=False)

    async def _renew(self, token: str, keep: Keep) -> None:
        from kai_tui.services.signing_in import AnotherProject
        from kai_tui.storage.credentials import CredentialsUnavailable

        try:
            account, secret = await self._accounts.renew(self._account, token, keep=keep, on_step=self._step)
        except AnotherProject as found:
            self._offer_other(found)
        except BackendError as error:
            self._say(error.sentence)
            self._ask("token")
        except CredentialsUnavailable as error:
            self._say(
                f"{error.sentence}\nThe token is good. It can be used until you quit, or be kept in a file that "
                "only you can read. Programs that run as you can read that file too."
            )
            self._ask("keep", "keep-memory")
        else:
            self._leave_with(Renewed(account, secret))

    def _offer_other(self, found: AnotherProject) -> None:
        from kai_tui.conversation.safe_text import safe_line

        theirs = safe_line(found.project_name or found.project_id or "another project", 60)
        ours = safe_line(self._account.label, 60)
        whose = "another user of this project" if theirs == ours else f"“{theirs}”"
        self._steps = []
        self._show_steps()
        self._say(
            f"This token is good, but it is of {whose}, not of this account. Nothing was changed: "
            f"chats of “{ours}” are not shown to it."
        )
        self._ask("other", "back-from-other")

    def _step(self, step: SignInStep) -> None:
        self._steps = [each for each in self._steps if each.name != step.name] + [step]
        self._show_steps()

    def _show_steps(self) -> None:
        self._write("progress", step_lines(self._steps))

    def _say(self, sentence: str) -> None:
        from kai_tui.conversation.safe_text import safe_prose

        self._write("problem", Content(safe_prose(sentence)))

    def _write(self, where: str, text: Content) -> None:
        if not self.standing:
            return
        shown = self.query_one(f"#{where}", Static)
        shown.update(text)
        shown.set_class(bool(text), "-shown")

    def _leave_with(self, outcome: Outcome) -> None:
        self.query_one("#token", Input).value = ""
        self.finish(outcome)

    def action_leave(self) -> None:
        if self._work is not None and not self._work.is_finished:
            self._work.cancel()
            self._say("Stopped. Nothing was changed.")
            return
        self.query_one("#token", Input).value = ""
        super().action_leave()
