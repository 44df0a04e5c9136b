"""The composition root: takes the accounts, shows a screen, and holds what all screens share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.binding import BindingType
from textual.command import CommandPalette
from textual.screen import Screen

from kai_tui.services.account import Account
from kai_tui.services.wake import SleepWatch
from kai_tui.ui.account_ways import LeadsToAccounts
from kai_tui.ui.actions import Action, bindings
from kai_tui.ui.approval_desk import ApprovalDesk
from kai_tui.ui.collector import start_collector
from kai_tui.ui.failed_workers import HearsWorkers
from kai_tui.ui.inbox_ways import LeadsToQuestions
from kai_tui.ui.launch import LaunchOptions
from kai_tui.ui.leaving import AsksBeforeLeaving
from kai_tui.ui.libraries import load_libraries
from kai_tui.ui.notifier import Notifier
from kai_tui.ui.renewal import RenewsTokens
from kai_tui.ui.screens.chat import ChatScreen
from kai_tui.ui.switches_mouse import SwitchesMouse
from kai_tui.ui.taking_back import TakesBack
from kai_tui.ui.terminal.attendance import Attendance
from kai_tui.ui.terminal.key_order import KeyOrder, KeyPassed
from kai_tui.ui.terminal.safe_app import SafeApp
from kai_tui.ui.themes import THEMES, other, theme_named
from kai_tui.ui.waking import NoticesSleep
from kai_tui.ui.widgets.composer import Composer
from kai_tui.ui.widgets.type_ahead import TypeAhead

if TYPE_CHECKING:
    from kai_tui.backends.secret import Secret
    from kai_tui.services.account_service import AccountService
    from kai_tui.services.preferences import Preferences
    from kai_tui.services.workspace import Workspace
    from kai_tui.ui.screens.start import StartScreen

CLOSE_SECONDS = 3.0
"""How long leaving waits for services to save and hang up."""
OTHER_THEME_SECONDS = 0.7
"""After the first chat can be begun: the sheets of the other theme are read when nothing else is to be done."""
FIRST_KEYS_SECONDS = 0.1
"""How long after the first frame nothing is loaded yet."""


class KaiApp(
    HearsWorkers,
    AsksBeforeLeaving,
    LeadsToAccounts,
    LeadsToQuestions,
    RenewsTokens,
    NoticesSleep,
    TakesBack,
    SwitchesMouse,
    SafeApp[object],
):
    """The terminal chat."""

    TITLE = "kai-tui"
    BINDINGS: ClassVar[list[BindingType]] = bindings("app")

    # Here and not on the screens: read once, before the first paint.
    CSS_PATH = ["app.tcss", "screens/chat.tcss"]  # noqa: RUF012 - Textual wants a list

    _themed = False
    """Whether the user's theme is known."""

    def __init__(
        self,
        accounts: AccountService,
        options: LaunchOptions | None = None,
        preferences: Preferences | None = None,
        *,
        clock: Callable[[], float] = monotonic,
        stamp: Callable[[events.Event], float] | None = None,
        sleep_watch: SleepWatch | None = None,
    ) -> None:
        """`clock`, `stamp` (the moment of an event) and `sleep_watch` are injected by tests."""
        super().__init__()
        self.accounts = accounts
        self.options = options or LaunchOptions()
        self.preferences = preferences or accounts.preferences()
        self.workspace: Workspace | None = None
        self.desk = ApprovalDesk(self, clock=clock, stamp=stamp)
        self.attendance = Attendance(clock)
        self.notifier = Notifier(
            self,
            self.preferences,
            self.attendance,
            self.announce,
            on_screen=self._chat_on_screen,
            clock=clock,
        )
        self._clock = clock
        self.type_ahead = TypeAhead()
        self.key_order = KeyOrder(self, self.on_event, self._acts_at_once)
        self._chat: ChatScreen | None = None
        self._account_closings: set[asyncio.Task[None]] = set()
        self.sleep_watch = sleep_watch or SleepWatch()
        self._styled = False
        """Whether a screen was drawn with the style sheets."""
        for theme in THEMES:
            self.register_theme(theme)
        self._themed = True
        self.theme = theme_named(self.preferences.theme)

    def crash_folder(self) -> Path:
        """Where crash reports go."""
        return self.accounts.paths.state

    def live_secrets(self) -> Iterable[str]:
        """Tokens in use, for clearing them out of reports."""
        secrets = cast("Callable[[], Iterable[str]] | None", getattr(self.accounts, "live_secrets", None))
        return secrets() if secrets is not None else ()

    # Screens

    def on_mount(self) -> None:
        self._styled = True
        self.watch_clocks()
        for problem in self.preferences.problems:
            self.notify(problem, severity="warning", timeout=15, markup=False)

    def get_default_screen(self) -> Screen[None]:
        """The screen the program starts with, at the bottom of the stack: an empty one below it would
        be styled, laid out and drawn before the first frame too."""
        screen = self._first_screen()
        # `switch_screen` takes this entry away, but Textual 8.2 gives it to pushed screens only.
        screen._push_result_callback(screen, None)  # pyright: ignore[reportPrivateUsage]
        return screen

    def get_css_variables(self) -> dict[str, str]:
        """The theme's colours. Textual's constructor asks for those of its own theme, which is never shown."""
        return super().get_css_variables() if self._themed else {}

    def refresh_css(self, animate: bool = True) -> None:
        """Read the style sheets again; not before they were read once (the first theme is set early).

        Reading and applying take 25 ms each: keys that were pressed come between them.
        """
        self.stylesheet.set_variables(self.get_css_variables())
        if not self._styled:
            return
        from kai_tui.ui.theme_sheets import ThemeSheets

        self.stylesheet.__class__ = ThemeSheets
        self.stylesheet.reparse()
        self.call_later(super().refresh_css, animate)

    def _first_screen(self) -> Screen[None]:
        """What was asked for, else the last account, else the start screen."""
        options = self.options
        if options.account is not None:
            return self._chat_screen(options.account)
        if options.sandbox:
            return self._chat_screen(self.accounts.sandbox())
        if options.from_environment:
            return self._chat_screen(
                self.accounts.from_environment(
                    options.base_url, options.storage_url or "", options.service, branch_id=options.branch_id
                )
            )
        last = self.accounts.last()
        return self._chat_screen(last) if last is not None else self._start_screen()

    def _chat_screen(self, account: Account) -> ChatScreen:
        self.workspace = workspace = self.accounts.open(account)
        self.desk.watch(workspace.approvals, lambda approval: workspace.present_values.look(approval))
        self.notifier.watch(workspace.attention)
        self.renewals_begin()
        self._chat = ChatScreen(workspace, self.preferences, self.desk, self.type_ahead)
        return self._chat

    def _start_screen(self) -> StartScreen:
        from kai_tui.ui.screens.start import StartScreen

        self.type_ahead.give_up()
        return StartScreen(self.accounts)

    def open_account(self, account: Account) -> None:
        """Leave this account, after asking when that breaks something off, and open another one."""
        self.before_leaving("Change the account?", "Change", lambda: self._open_account(account))

    def _open_account(self, account: Account) -> None:
        self._leave_workspace()
        self.type_ahead = TypeAhead()
        self._replace(self._chat_screen(account))

    def _replace(self, screen: Screen[None]) -> None:
        """Show another full screen; in a worker, because a screen cannot wait for its own end."""
        self.run_worker(self._change_to(screen), group="screen", exit_on_error=True)

    async def _change_to(self, screen: Screen[None]) -> None:
        while len(self.screen_stack) > 1:
            await self.pop_screen()
        await self.switch_screen(screen)  # pyright: ignore[reportUnknownMemberType] - its open result

    def _leave_workspace(self) -> None:
        self.desk.watch(None)
        self.notifier.watch(None)
        workspace, self.workspace = self.workspace, None
        chat, self._chat = self._chat, None
        if workspace is None:
            return
        task = asyncio.create_task(_close(workspace, chat), name="close account")
        self._account_closings.add(task)
        task.add_done_callback(self._account_closings.discard)

    async def close_services(self) -> None:
        """Save and hang up; called once, when the app ends."""
        await self.close_account()

    async def on_unmount(self) -> None:
        await self.close_services()

    # Keys before any widget hears them

    async def on_event(self, event: events.Event) -> None:
        fresh = not event.is_forwarded and not self.key_order.again(event)
        if fresh and self.attendance.saw(event) and self._chat is not None:
            self._chat.call_later(self._chat.look)
        typed = isinstance(event, events.Key | events.Paste) and not event.is_forwarded
        if typed:
            self.desk.strayed()
            if self.key_order.hold(event):
                return
            if self.type_ahead.take(event, self):
                self.desk.typed()
                return
            if not self.desk.in_front:
                if isinstance(event, events.Key) and self.desk.swallows(event.key):
                    return
                self.desk.typed()
        await super().on_event(event)
        if typed:
            self.key_order.follow(event)

    async def on_key_passed(self, message: KeyPassed) -> None:
        await self.key_order.passed(message)

    def _acts_at_once(self, event: events.Key | events.Paste) -> bool:
        """The prompt acts on what it takes in its own handler."""
        return isinstance(self.focused, Composer) and Composer.wants(event)

    # After the first frame

    async def warm_up(self) -> None:
        """Load what the first answer needs, beside the event loop; then let the collector run again."""
        # Imports hold the interpreter: keys typed while the program started are shown first.
        await asyncio.sleep(FIRST_KEYS_SECONDS)
        await asyncio.to_thread(load_libraries)
        start_collector()
        self.set_timer(OTHER_THEME_SECONDS, self._read_other_theme)

    def _read_other_theme(self) -> None:
        from kai_tui.ui.theme_sheets import read_ahead

        read_ahead(self)

    # Actions

    def action_open_palette(self) -> None:
        """Find a command by its name."""
        from kai_tui.ui.palette import ActionProvider

        if not CommandPalette.is_open(self):
            self.push_screen(
                CommandPalette(providers=[ActionProvider], placeholder="What do you want to do?")
            )

    def action_show_help(self) -> None:
        """All keys."""
        from kai_tui.ui.modals.help import HelpDialog

        if isinstance(self.screen, HelpDialog):
            return
        chat = self._chat
        if chat is None:
            self.push_screen(HelpDialog())
            return
        from kai_tui.services.naming import lacks_of

        self.push_screen(HelpDialog(chat.denies, name=chat.assistant, lacks=lacks_of(chat.workspace.account)))

    def action_toggle_theme(self) -> None:
        """Light or dark; remembered."""
        self.theme = other(self.theme)
        self.run_worker(self._keep_theme, group="theme", thread=True, exit_on_error=False)

    def _keep_theme(self) -> None:
        """In a thread: the file is written safely, which takes its time. The theme may change meanwhile."""
        kept = ""
        while kept != self.theme:
            kept = self.theme
            self.preferences.set("theme", kept)

    def action_toggle_notifications(self) -> None:
        """Whether the desktop is told; remembered."""
        on = self.notifier.toggle()
        self.notify(
            "Notifications are on: for replies and questions that come while you look elsewhere."
            if on
            else "Notifications are off.",
            markup=False,
        )

    def label_of(self, item: Action) -> str:
        """How the palette calls an action now."""
        if item.name == "toggle_notifications":
            return f"Notifications: {self.notifier.words}"
        if item.name == "toggle_mouse":
            return self.mouse_words
        return item.label

    def _chat_on_screen(self) -> str | None:
        session = self._chat.session if self._chat is not None else None
        return session.chat_id if session is not None else None

    def mouse_changed(self) -> None:
        if self._chat is not None:
            self._chat.mouse_changed()

    def waiting_changed(self) -> None:
        if self._chat is not None:
            self._chat.questions_changed()

    def action_sign_in(self) -> None:
        """Add a project."""
        self._sign_in()

    async def action_switch_account(self) -> None:
        """The list of accounts."""
        await self.show_accounts()

    def action_add_account(self) -> None:
        """Which assistant, then all it needs."""
        self.add_account()

    def account_marked(self, account: Account) -> None:
        """An account has another name or colour: the open one is drawn with it."""
        workspace = self.workspace
        if workspace is not None and workspace.account.id == account.id:
            workspace.account = workspace.account._replace(
                label=account.label, named=account.named, colour=account.colour
            )
            if self._chat is not None:
                self._chat.account_changed()

    def on_approval_desk_changed(self) -> None:
        if self._chat is not None:
            self._chat.questions_changed()

    def on_start_screen_chosen(self, message: StartScreen.Chosen) -> None:
        if message.account is not None:
            self.open_account(message.account)
        elif message.sign_in:
            self._sign_in()
        elif message.another:
            self.add_account()
        else:
            self.exit()

    def _sign_in(
        self,
        why: str = "",
        token: Secret | None = None,
        *,
        account: Account | None = None,
        then: Callable[[Account], None] | None = None,
    ) -> None:
        self.run_worker(
            self._open_sign_in(why, token, account, then or self.open_account), exit_on_error=False
        )

    async def _open_sign_in(
        self, why: str, token: Secret | None, again: Account | None, then: Callable[[Account], None]
    ) -> None:
        from kai_tui.ui.modals.sign_in import SignInDialog

        current = again or (self.workspace.account if self.workspace is not None else None)
        address = current.storage_url if current is not None else ""
        if not address:
            known = await self.accounts.accounts()
            address = next((each.storage_url for each in known if each.storage_url), "")
        dialog = SignInDialog(self.accounts, address=address, why=why, token=token)
        self.push_screen(dialog, lambda account: then(account) if account else None)

    def renewal_put_away(self) -> None:
        """The user wants no new token now."""
        if self._chat is not None:
            self._chat.sign_in_put_away()

    async def close_account(self) -> None:
        """Save and close what is open; its screen stays until `account_left`."""
        self._leave_workspace()
        await self.left_accounts_closed()

    async def left_accounts_closed(self) -> None:
        """Accounts that were left have saved all there was to save, or had their time for it."""
        if self._account_closings:
            await asyncio.wait(self._account_closings, timeout=CLOSE_SECONDS)

    def account_left(self) -> None:
        """The start screen again."""
        self._replace(self._start_screen())


async def _close(workspace: Workspace, chat: ChatScreen | None) -> None:
    try:
        if chat is not None:
            chat.leave()
            await chat.keep_draft()
    finally:
        await workspace.aclose()


def run_app(accounts: AccountService, options: LaunchOptions, preferences: Preferences | None = None) -> int:
    """Run until the user leaves; the exit code."""
    app = KaiApp(accounts, options, preferences)
    return app.run_and_exit_code()
