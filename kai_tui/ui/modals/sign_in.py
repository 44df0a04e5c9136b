"""Adding a Keboola project: its address, a token, and what happens on the way.

The token stays in the masked field and in the services: it is never shown, logged or put on a
command line (reliability.md C6). Nothing typed is lost when something fails.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, OptionList, Static
from textual.worker import Worker

from kai_tui.backends.base import BackendError
from kai_tui.backends.secret import Secret
from kai_tui.services.account import Account, ServiceFlavour
from kai_tui.services.account_service import AccountService, SignInStep
from kai_tui.services.address_pins import AddressChanged
from kai_tui.ui.modals.base import Ask
from kai_tui.ui.modals.picker import Picker
from kai_tui.ui.widgets.branch_choice import BranchChoice, ChosenBranch

if TYPE_CHECKING:
    from kai_tui.services.signing_in import FoundKai

Keep: TypeAlias = Literal["keyring", "file", "memory"]

EXAMPLE = "https://connection.keboola.com"
_FIRST_KEYS = "Tab next field · Enter go · Esc leave"
_BRANCH_KEYS = "↑ ↓ branch · Tab workspace · Enter go on · Esc back"
_SERVICES: tuple[ServiceFlavour | None, ...] = (None, "agent", "assistant")
_STEPS: dict[str, tuple[str, str]] = {
    "verify": ("checking the token", "the token is good"),
    "discover": ("looking for Kai on this stack", "found Kai"),
    "ping": ("asking Kai whether it is there", "Kai answers"),
    "branches": ("asking for the project's branches", "branches"),
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


def step_lines(steps: Sequence[SignInStep]) -> Content:
    """What was done and what is being done, a line each."""
    from kai_tui.conversation.safe_text import safe_line

    lines: list[Content] = []
    for step in steps:
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
    return Content("\n").join(lines)


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
    SignInDialog #fields { height: auto; }
    SignInDialog.-asks-branch #fields, SignInDialog.-asks-keep #fields { display: none; }
    """

    def __init__(
        self, accounts: AccountService, *, address: str = "", why: str = "", token: Secret | None = None
    ) -> None:
        """`why`: one sentence of ours, when signing in again was needed. With a `token` it begins at once."""
        super().__init__(name="sign-in")
        self._accounts = accounts
        self._address = address
        self._given = token
        self._why = why
        self._signing: Worker[None] | None = None
        self._steps: list[SignInStep] = []
        self._found: FoundKai | None = None
        """What the first step found, with the token it found it with; the branch is asked for next."""
        self._token: Secret | None = None
        self._branch = ChosenBranch()
        self._moved_to = ""
        """Another address of the service than before: the button says yes to it, nothing else does."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content("Sign in to Kai")
            box.border_subtitle = Content(_FIRST_KEYS)
            with Vertical(id="fields"):
                yield Static("Address of your stack", classes="label", markup=False)
                yield AddressInput(self._address, placeholder=EXAMPLE, id="address")
                yield Static("Storage API token", classes="label", markup=False)
                yield Input(password=True, placeholder="paste it; it is not shown", id="token")
                yield Static("Service", classes="label", markup=False)
                yield Picker(("find it", "agent", "assistant"), id="service")
            yield Static(id="progress", markup=False)
            yield BranchChoice()
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
        if self._given is not None:
            self.query_one("#token", Input).value = self._given.reveal()
            self._given = None
            self._go()

    # Going

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self._go()

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        message.stop()
        self._go()

    def on_button_pressed(self, message: Button.Pressed) -> None:
        message.stop()
        pressed = message.button.id
        if pressed == "go":
            self._go(self._moved_to)
        elif pressed == "keep-memory":
            self._keep("memory")
        elif pressed == "keep-file":
            self._keep("file")
        elif pressed == "keep-cancel":
            self._start_over("")
        else:
            self.action_leave()

    def _go(self, accepted: str = "") -> None:
        """Enter: look for the project, or go on with the branch that is chosen."""
        if self._busy or self.has_class("-asks-keep"):
            return
        if self._found is not None:
            self._take_branch()
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
        self._expect_no_move()
        self._steps = []
        service = _SERVICES[self.query_one(Picker).index]
        self._signing = self.run_worker(
            self._find(address, token, service, accepted), exclusive=True, exit_on_error=False
        )

    @property
    def _busy(self) -> bool:
        return self._signing is not None and not self._signing.is_finished

    async def _find(self, address: str, token: str, service: ServiceFlavour | None, accepted: str) -> None:
        try:
            found = await self._accounts.find_project(
                address, token, service=service, accepted=accepted, on_step=self._step
            )
        except AddressChanged as error:
            self._ask_about(error)
            return
        except BackendError as error:
            self._say(error.sentence)
            self._show_steps()
            return
        self._found, self._token, self._branch = found, Secret(token), ChosenBranch()
        if found.branches is not None and not found.branches:
            await self._finish("keyring")  # there is only main: nothing to ask
            return
        self.add_class("-asks-branch")
        self.query_one(".dialog").border_subtitle = Content(_BRANCH_KEYS)
        self.query_one("#go", Button).label = Content("Go on")
        self.query_one(BranchChoice).ask(found.branches)

    def _take_branch(self) -> None:
        try:
            self._branch = self.query_one(BranchChoice).chosen()
        except ValueError as error:
            self._say(str(error))
            return
        self._say("")
        self._keep("keyring")

    def _keep(self, keep: Keep) -> None:
        if not self._busy:
            self._signing = self.run_worker(self._finish(keep), exclusive=True, exit_on_error=False)

    async def _finish(self, keep: Keep) -> None:
        """Keep what was found. The token was checked; what may fail is keeping it."""
        from kai_tui.storage.credentials import CredentialsUnavailable

        found, token, branch = self._found, self._token, self._branch
        if found is None or token is None:
            return
        try:
            account = await self._accounts.keep_account(
                found,
                token.reveal(),
                branch_id=branch.id,
                branch_name=branch.name,
                workspace_id=branch.workspace_id,
                keep=keep,
                on_step=self._step,
            )
        except CredentialsUnavailable as error:
            self._ask_where(error.sentence)
        else:
            self.query_one("#token", Input).value = ""
            self.finish(account)

    def _step(self, step: SignInStep) -> None:
        self._steps = [each for each in self._steps if each.name != step.name] + [step]
        self._show_steps()

    def _show_steps(self) -> None:
        self._write("progress", step_lines(self._steps))

    def _write(self, where: str, text: Content) -> None:
        if not self.standing:
            return
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
        self.remove_class("-asks-branch")
        self.query_one(BranchChoice).put_away()
        self.add_class("-asks-keep")
        self.query_one(".dialog").border_subtitle = Content("Tab next · Enter choose · Esc leave")
        self.query_one("#keep-memory").focus()

    def _ask_about(self, change: AddressChanged) -> None:
        """The stack names another address than before. Leaving has the focus."""
        self._moved_to = change.address
        self._say(f"{change.sentence}\nUse the new address only if you know of the move.")
        self._show_steps()
        self.query_one("#go", Button).label = Content("Use the new address")
        self.query_one("#cancel").focus()

    def _expect_no_move(self) -> None:
        if self._moved_to:
            self._moved_to = ""
            self.query_one("#go", Button).label = Content("Sign in")

    def _start_over(self, sentence: str) -> None:
        """The fields again, with what was typed in them."""
        self._expect_no_move()
        self._found = self._token = None
        self.remove_class("-asks-keep", "-asks-branch")
        self.query_one(BranchChoice).put_away()
        self.query_one(".dialog").border_subtitle = Content(_FIRST_KEYS)
        self.query_one("#go", Button).label = Content("Sign in")
        self._steps = []
        self._show_steps()
        self._say(sentence)
        self.query_one("#token").focus()

    def action_leave(self) -> None:
        if self._busy:
            assert self._signing is not None
            self._signing.cancel()
            self._start_over("Stopped. Nothing was kept.")
            return
        if self.has_class("-asks-branch"):
            self._start_over("")
            return
        self._found = self._token = None
        self.query_one("#token", Input).value = ""
        super().action_leave()
