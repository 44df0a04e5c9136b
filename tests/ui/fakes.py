"""What the screens' tests run on: real services over a backend that does what the test says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic

from textual.pilot import Pilot

from kai_tui.backends.base import BackendError, Chat, ChatSummary, ServerInfo
from kai_tui.backends.kai.branches import Branch
from kai_tui.backends.secret import Secret
from kai_tui.backends.system import NewAccount
from kai_tui.services.account_secrets import Keep
from kai_tui.services.account_service import Account, AccountService, SignInStep
from kai_tui.services.approval_service import Approval
from kai_tui.services.disk_keeper import DiskKeeper
from kai_tui.services.signing_in import FoundKai
from kai_tui.services.workspace import Workspace
from kai_tui.storage.paths import account_files
from kai_tui.ui.app import KaiApp
from kai_tui.ui.launch import LaunchOptions
from kai_tui.ui.modals.approval import ApprovalDialog
from kai_tui.ui.modals.guarded import Guarded
from kai_tui.ui.transcript.view import Transcript
from tests.services.scripted_backend import ScriptedBackend

TOKEN = "1234-567890-canaryCanaryCanaryCanaryCanary1234"


class Clock:
    """Monotonic seconds that pass only when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class FakeAccounts(AccountService):
    """Opens every account on a scripted backend; signs in as the test says."""

    def __init__(self, home: Path, backend: ScriptedBackend) -> None:
        super().__init__({"KAI_TUI_HOME": str(home)})
        self.backend = backend
        self.listed: list[Account] = []
        self.opened: list[Account] = []
        self.sign_ins: list[tuple[str, str, str | None]] = []
        self.accepted: list[str] = []
        self.sign_in_errors: list[Exception] = []
        self.branches: Sequence[Branch] | None = ()
        self.keeps: list[tuple[str, str]] = []
        self.keep_errors: list[Exception] = []
        self.made_so = True
        """Whether accounts are as they were made."""
        self.signed_out: list[Account] = []
        self.renewals: list[tuple[str, str, str]] = []
        self.renew_errors: list[Exception] = []
        self.added: list[tuple[str, NewAccount, str]] = []
        self.edited: list[tuple[Account, NewAccount, str | None]] = []
        self.known_as: Account | None = None
        """The account that an interview's settings would make, when it is here already."""
        self.tests: list[str] = []
        self.test_errors: list[Exception] = []
        self.test_gate: asyncio.Event | None = None
        self.removed: list[tuple[Account, bool]] = []
        self.went_on: list[Account] = []
        self.turn_clock: Callable[[], float] = monotonic

    def last(self) -> Account | None:
        return None

    async def accounts(self) -> Sequence[Account]:
        return self.listed

    def open(self, account: Account) -> Workspace:
        self.opened.append(account)

        async def provide() -> ScriptedBackend:
            return self.backend

        keeper = DiskKeeper(account_files(self.paths, account.id))
        return Workspace(account, provide, keeper, clock=self.turn_clock)

    async def renew(
        self,
        account: Account,
        token: str,
        *,
        keep: str = "keyring",
        on_step: Callable[[SignInStep], None] | None = None,
    ) -> tuple[Account, Secret]:
        self.renewals.append((account.id, token, keep))
        if on_step is not None:
            on_step(SignInStep("verify", "running"))
        await asyncio.sleep(0)
        if self.renew_errors:
            raise self.renew_errors.pop(0)
        return account, Secret(token)

    async def find_project(
        self,
        storage_url: str,
        token: str,
        *,
        service: str | None = None,
        accepted: str = "",
        on_step: Callable[[SignInStep], None] | None = None,
    ) -> FoundKai:
        self.sign_ins.append((storage_url, token, service))
        self.accepted.append(accepted)
        if on_step is not None:
            on_step(SignInStep("verify", "running"))
        await asyncio.sleep(0)
        if self.sign_in_errors:
            raise self.sign_in_errors.pop(0)
        if on_step is not None:
            on_step(SignInStep("verify", "done", "My project"))
        return FoundKai("https://kai.test", storage_url, "agent", "1", "My project", branches=self.branches)

    async def keep_account(
        self,
        found: FoundKai,
        token: str,
        *,
        branch_id: int | None = None,
        branch_name: str = "",
        workspace_id: str = "",
        keep: str = "keyring",
        on_step: Callable[[SignInStep], None] | None = None,
    ) -> Account:
        self.keeps.append((token, keep))
        if self.keep_errors:
            raise self.keep_errors.pop(0)
        return Account(
            "new",
            "kai",
            found.project_name,
            found.base_url,
            found.storage_url,
            token_from="keyring",
            branch_id=branch_id,
            branch_name=branch_name,
            workspace_id=workspace_id,
        )

    async def known(self, kind: str, new: NewAccount) -> Account | None:
        return self.known_as

    async def add(self, kind: str, new: NewAccount, *, keep: Keep = "keyring") -> Account:
        self.added.append((kind, new, keep))
        await asyncio.sleep(0)
        if self.keep_errors:
            raise self.keep_errors.pop(0)
        account = Account("added", kind, new.label, new.address, settings=new.settings, token_from=keep)
        self.listed.append(account)
        return account

    async def edit(self, account: Account, new: NewAccount, *, keep: Keep | None = None) -> Account:
        self.edited.append((account, new, keep))
        if self.keep_errors:
            raise self.keep_errors.pop(0)
        return self._instead(account._replace(settings=new.settings))

    async def interview_defaults(self, account: Account) -> tuple[Mapping[str, str], Secret | None]:
        return account.settings, None

    async def as_made(self, account: Account) -> bool:
        return self.made_so

    async def rename(self, account: Account, label: str) -> Account:
        return self._instead(account._replace(label=label)) if label else account

    async def set_colour(self, account: Account, colour: str) -> Account:
        return self._instead(account._replace(colour=colour))

    def _instead(self, account: Account) -> Account:
        self.listed = [account if each.id == account.id else each for each in self.listed]
        return account

    async def test(self, account: Account) -> ServerInfo:
        self.tests.append(account.id)
        if self.test_gate is not None:
            await self.test_gate.wait()
        if self.test_errors:
            raise self.test_errors.pop(0)
        return ServerInfo("fake.test", "fake", "Fake server", "1.2")

    async def remove(self, account: Account, *, files: bool) -> None:
        self.removed.append((account, files))
        self.listed = [each for each in self.listed if each.id != account.id]

    def go_on(self, workspace: Workspace, account: Account) -> None:
        self.went_on.append(account)

        async def provide() -> ScriptedBackend:
            return self.backend

        workspace.reopen(account, provide)

    async def sign_out(self, account: Account) -> None:
        self.signed_out.append(account)
        self.listed = [each for each in self.listed if each.id != account.id]


def kai_account(number: int = 1) -> Account:
    return Account(
        f"project-{number}",
        "kai",
        f"Project {number}",
        "https://kai.test",
        "https://connection.test",
        token_from="keyring",
    )


def app_for(
    home: Path,
    backend: ScriptedBackend | None = None,
    *,
    sandbox: bool = True,
    clock: Clock | None = None,
    known: Sequence[Account] = (),
) -> KaiApp:
    """The app over a scripted backend; with `clock`, events happen at the clock's time."""
    accounts = FakeAccounts(home, backend or ScriptedBackend())
    accounts.listed = list(known)
    options = LaunchOptions(sandbox=sandbox)
    if clock is None:
        return KaiApp(accounts, options)
    return KaiApp(accounts, options, clock=clock, stamp=lambda event: clock())


def accounts_of(app: KaiApp) -> FakeAccounts:
    assert isinstance(app.accounts, FakeAccounts)
    return app.accounts


def stored(*titles: str) -> dict[str, Chat]:
    """Chats on the server, the first the newest."""
    chats: dict[str, Chat] = {}
    for number, title in enumerate(titles):
        when = f"2026-11-{20 - number:02}T10:00:00Z"
        summary = ChatSummary(f"chat-{number}", title, when, when)
        chats[summary.id] = Chat(summary, [])
    return chats


def approval(**changes: object) -> Approval:
    """A question; fields can be changed."""
    fields: dict[str, object] = {
        "chat_id": "chat",
        "chat_title": "Orders",
        "message_id": "message",
        "tool_call_id": "call-1",
        "approval_id": "approval-1",
        "tool_name": "create_bucket",
        "title": "Create a bucket",
        "input": {"name": "reports", "stage": "out"},
        "has_input": True,
        "risk": "creates",
        "account": "My project",
        "host": "connection.test",
        "branch": "main",
        "digest": "digest",
        "asked": 0.0,
    }
    return Approval(**(fields | changes))  # type: ignore[arg-type]


async def until(pilot: Pilot[object], condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait for a condition while the app runs, and for the conversation to be drawn; fails when it does not come.

    A session may be finished a moment before its last words are drawn (the transcript draws in its own time).
    Looked at ever less often, up to 40 ms apart: most conditions read the whole screen.
    """
    wait = 0.005
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(wait)
            wait = min(wait * 1.5, 0.04)
        await pilot.pause(0)
        while any(each._noted for each in pilot.app.screen.query(Transcript)):
            await asyncio.sleep(0.005)
    await pilot.pause(0)


async def pass_time(
    pilot: Pilot[object], dialog: ApprovalDialog | Guarded[object], clock: Clock, seconds: float
) -> None:
    """Let invented time pass, with the dialog's pulse."""
    for _ in range(round(seconds / 0.1)):
        clock.now += 0.1
        dialog.beat()
    await pilot.pause(0)


async def arm(pilot: Pilot[object], dialog: ApprovalDialog | Guarded[object], clock: Clock) -> None:
    """Quiet until the dialog is armed, and a little longer."""
    async with asyncio.timeout(8):
        while not dialog.guard.armed:
            clock.now += 0.1
            dialog.beat()
            await asyncio.sleep(0.005)
    await pass_time(pilot, dialog, clock, 0.1)


__all__ = ["BackendError"]
