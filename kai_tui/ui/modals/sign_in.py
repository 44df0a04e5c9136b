"""Adding a Keboola project: its address, a token, and what happens on the way.

The token stays in the masked field and in the services: it is never shown, logged or put on a
command line (reliability.md C6). Nothing typed is lost when something fails.
"""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, Static
from textual.worker import Worker

from kai_tui.backends.base import BackendError
from kai_tui.services.account import Account, ServiceFlavour
from kai_tui.services.account_service import AccountService, SignInStep
from kai_tui.ui.modals.base import Ask
from kai_tui.ui.modals.picker import Picker

Keep: TypeAlias = Literal["keyring", "file", "memory"]

EXAMPLE = "https://connection.keboola.com"
_SERVICES: tuple[ServiceFlavour | None, ...] = (None, "agent", "assistant")
_STEPS: dict[str, tuple[str, str]] = {
    "verify": ("checking the token", "the token is good"),
    "discover": ("looking for Kai on this stack", "found Kai"),
    "ping": ("asking Kai whether it is there", "Kai answers"),
    "keep": ("keeping the token", "the token is kept"),
}


class AddressInput(Input):
    """Enter goes on to the token at once: what comes right behind it must not land here, where it can be read."""

    async def action_submit(self) -> None:
        token = self.screen.query_one("#token", Input)
        if token.value:
            await super().action_submit()
        else:
            self.screen.set_focus(token)


class SignInDialog(Ask[Account]):
    """Result: the new account, or None when the user left."""

    AUTO_FOCUS: ClassVar[str | None] = None
    DEFAULT_CSS = """
    SignInDialog .dialog { width: 76; }
    SignInDialog .label { margin-top: 1; color: $text-muted; }
    SignInDialog Input { border: none; height: 1; padding: 0 1; background: $panel; }
    SignInDialog Input:focus { border: none; background: $boost; }
    SignInDialog #progress, SignInDialog #problem { height: auto; margin-top: 1; display: none; }
    SignInDialog #progress.-shown, SignInDialog #problem.-shown { display: block; }
    SignInDialog #answers, SignInDialog #keep-answers { height: 1; margin: 1 0; }
    SignInDialog #keep-answers { display: none; }
    SignInDialog.-asks-keep #keep-answers { display: block; }
    SignInDialog.-asks-keep #answers { display: none; }
    """

    def __init__(self, accounts: AccountService, *, address: str = "", why: str = "") -> None:
        """`why`: one sentence of ours, when signing in again was needed."""
        super().__init__(name="sign-in")
        self._accounts = accounts
        self._address = address
        self._why = why
        self._signing: Worker[None] | None = None
        self._steps: list[SignInStep] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content("Sign in to Kai")
            box.border_subtitle = Content("Tab next field · Enter go · Esc leave")
            yield Static("Address of your stack", classes="label", markup=False)
            yield AddressInput(self._address, placeholder=EXAMPLE, id="address")
            yield Static("Storage API token", classes="label", markup=False)
            yield Input(password=True, placeholder="paste it; it is not shown", id="token")
            yield Static("Service", classes="label", markup=False)
            yield Picker(("find it", "agent", "assistant"), id="service")
            yield Static(id="progress", markup=False)
            yield Static(id="problem", classes="problem", markup=False)
            with Horizontal(id="answers"):
                yield Button("Sign in", id="go", variant="primary", compact=True)
                yield Button("Cancel", id="cancel", compact=True)
            with Horizontal(id="keep-answers"):
                yield Button("Only this session", id="keep-memory", variant="primary", compact=True)
                yield Button("Private file (0600)", id="keep-file", compact=True)
                yield Button("Cancel", id="keep-cancel", compact=True)

    def on_mount(self) -> None:
        self._say(self._why)
        self.query_one("#token" if self._address else "#address").focus()

    # Going

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self._go("keyring")

    def on_button_pressed(self, message: Button.Pressed) -> None:
        message.stop()
        pressed = message.button.id
        if pressed == "go":
            self._go("keyring")
        elif pressed == "keep-memory":
            self._go("memory")
        elif pressed == "keep-file":
            self._go("file")
        elif pressed == "keep-cancel":
            self.remove_class("-asks-keep")
            self.query_one("#token").focus()
        else:
            self.action_leave()

    def _go(self, keep: Keep) -> None:
        if self._signing is not None and not self._signing.is_finished:
            return
        address = self.query_one("#address", Input).value.strip()
        token = self.query_one("#token", Input).value.strip()
        missing = (
            ("address", f"Type the address of your stack, for example {EXAMPLE}.")
            if not address
            else ("token", "Paste a Storage API token of your project.")
            if not token
            else None
        )
        if missing is not None:
            self._say(missing[1])
            self.query_one(f"#{missing[0]}").focus()
            return
        if "://" not in address:
            address = f"https://{address}"
        self._say("")
        self.remove_class("-asks-keep")
        self._steps = []
        service = _SERVICES[self.query_one(Picker).index]
        self._signing = self.run_worker(
            self._sign_in(address, token, service, keep), exclusive=True, exit_on_error=False
        )

    async def _sign_in(self, address: str, token: str, service: ServiceFlavour | None, keep: Keep) -> None:
        from kai_tui.storage.credentials import CredentialsUnavailable

        try:
            account = await self._accounts.sign_in(
                address, token, service=service, keep=keep, on_step=self._step
            )
        except BackendError as error:
            self._say(error.sentence)
            self._show_steps()
        except CredentialsUnavailable as error:
            self._ask_where(error.sentence)
        else:
            self.query_one("#token", Input).value = ""
            self.finish(account)

    def _step(self, step: SignInStep) -> None:
        self._steps = [each for each in self._steps if each.name != step.name] + [step]
        self._show_steps()

    def _show_steps(self) -> None:
        from kai_tui.conversation.safe_text import safe_line

        lines: list[Content] = []
        for step in self._steps:
            doing, did = _STEPS[step.name]
            done = step.state == "done"
            detail = f"  {safe_line(step.detail, 60)}" if step.detail else ""
            lines.append(
                Content.assemble(
                    ("✓ " if done else "… ", "$text-success" if done else "$text-warning"),
                    did if done else doing,
                    (detail, "$text-muted"),
                )
            )
        self._write("progress", Content("\n").join(lines))

    def _write(self, where: str, text: Content) -> None:
        shown = self.query_one(f"#{where}", Static)
        shown.update(text)
        shown.set_class(bool(text), "-shown")

    def _say(self, sentence: str) -> None:
        from kai_tui.conversation.safe_text import safe_prose

        self._write("problem", Content(safe_prose(sentence)))

    def _ask_where(self, sentence: str) -> None:
        """The token is good, but the keyring is not: nothing is written before the user says so."""
        self._say(
            f"{sentence}\nThe token is good. It can be used until you quit, or be kept in a file that only "
            "you can read. Programs that run as you can read that file too."
        )
        self.add_class("-asks-keep")
        self.query_one("#keep-memory").focus()

    def action_leave(self) -> None:
        if self._signing is not None and not self._signing.is_finished:
            self._signing.cancel()
            self._say("Stopped. Nothing was kept.")
            return
        self.query_one("#token", Input).value = ""
        super().action_leave()
