"""The main screen: the list of chats, the conversation, the prompt."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.widgets import TextArea

from kai_tui.backends.errors import BackendError, NotFound
from kai_tui.services.notice import Notice
from kai_tui.ui.actions import Scope, bindings
from kai_tui.ui.app_of import app_of
from kai_tui.ui.approval_desk import ApprovalDesk
from kai_tui.ui.bridge import Bridge, SessionNews
from kai_tui.ui.collector import after_loading
from kai_tui.ui.screens.chat_about import ChatAbout
from kai_tui.ui.screens.chat_after import ChatAfter
from kai_tui.ui.screens.chat_agents import ChatAgents
from kai_tui.ui.screens.chat_allowed import ChatAllowed
from kai_tui.ui.screens.chat_blocks import ChatBlocks
from kai_tui.ui.screens.chat_branches import ChatBranches
from kai_tui.ui.screens.chat_choices import ChatChoices
from kai_tui.ui.screens.chat_deleting_all import ChatDeletingAll
from kai_tui.ui.screens.chat_documents import ChatDocuments
from kai_tui.ui.screens.chat_drafts import DraftKeeper
from kai_tui.ui.screens.chat_editor import ChatEditor
from kai_tui.ui.screens.chat_elsewhere import ChatElsewhere
from kai_tui.ui.screens.chat_enclosures import ChatEnclosures
from kai_tui.ui.screens.chat_export import ChatExport
from kai_tui.ui.screens.chat_finding import ChatFinding
from kai_tui.ui.screens.chat_glimpse import ChatGlimpse
from kai_tui.ui.screens.chat_layout import TALL, WIDE, ChatLayout
from kai_tui.ui.screens.chat_ledger import ChatLedger
from kai_tui.ui.screens.chat_rewrites import ChatRewrites
from kai_tui.ui.screens.chat_tables import ChatTables
from kai_tui.ui.screens.chat_votes import ChatVotes
from kai_tui.ui.widgets.chat_list import ChatList
from kai_tui.ui.widgets.composer import Composer
from kai_tui.ui.widgets.type_ahead import TypeAhead

if TYPE_CHECKING:
    from kai_tui.services.chat_session import ChatSession
    from kai_tui.services.preferences import Preferences
    from kai_tui.services.workspace import Workspace
    from kai_tui.ui.app import KaiApp

_SETTLED = 1.0
"""Seconds after opening a chat when memory is tidied up; right then it would hold up the first keys."""
QUIT_SECONDS = 2.0
"""Ctrl+C twice within this time quits, when nothing runs and nothing is selected."""


class ChatScreen(
    ChatAfter,
    ChatLedger,
    ChatDeletingAll,
    ChatTables,
    ChatVotes,
    ChatRewrites,
    ChatChoices,
    ChatAbout,
    ChatAgents,
    ChatDocuments,
    ChatEnclosures,
    ChatElsewhere,
    ChatAllowed,
    ChatExport,
    ChatFinding,
    ChatEditor,
    ChatBlocks,
    ChatGlimpse,
    ChatBranches,
    ChatLayout,
):
    """Shows one chat of an account; chats change without changing the screen."""

    AUTO_FOCUS: ClassVar[str | None] = "#composer"
    BINDINGS: ClassVar[list[BindingType]] = bindings("chat")
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012 - Textual wants a list
    VERTICAL_BREAKPOINTS = [(0, "-short"), (TALL, "-tall")]  # noqa: RUF012
    scopes: ClassVar[tuple[Scope, ...]] = ("chat",)

    def __init__(
        self, workspace: Workspace, preferences: Preferences, desk: ApprovalDesk, type_ahead: TypeAhead
    ) -> None:
        super().__init__(workspace, preferences, desk)
        self._type_ahead = type_ahead
        self._held: list[str] = []
        """Texts submitted while a chat opens."""
        self._bridge: Bridge | None = None
        self._drafts = DraftKeeper(self, workspace, self._unsent)
        self._interrupted = float("-inf")
        self._connection_state = workspace.connection.state
        self._left = False

    # Life

    def on_mount(self) -> None:
        self._bridge = Bridge(self, self.workspace)
        self._composer.claims = self.claims_paste
        self._refresh_words()
        self._type_ahead.attach(self._composer)
        self.set_focus(self._composer)
        self.call_after_refresh(self._start)

    def _start(self) -> None:
        """The first frame is out: now do what takes time."""
        # Not sooner: a digit typed before it could not mean anything on it.
        self._composer.offers = self.choice_at
        self.run_worker(self._connect(), exit_on_error=False)

    async def _connect(self) -> None:
        await self.kai.warm_up()
        if self._left:
            return
        self._mount_unseen()
        self._begin()
        self.completion()
        self.workspace.connect()
        self.kai.follow_waiting(self.workspace)
        self._composer.set_history(await self.workspace.prompts())
        waiting = await self.workspace.waiting_chats()
        await self._take_up_draft()
        await self._take_up_waiting(waiting)
        # The status line has no room for a sentence in a narrow window.
        if self.workspace.storage_notice is not None and not self._left:
            self._tell(Notice(self.workspace.storage_notice, "warning"))

    def _begin(self) -> None:
        """Make the new chat the program starts with, unless there is one: its code is not loaded at first."""
        if self._session is None and self._opening is None:
            self._show(self.workspace.chats.new_chat())

    def leave(self) -> None:
        """The account is left or the program ends: stop hearing, keep the draft."""
        if self._left:
            return
        self._left = True
        self._keep_watch(None)
        if self._bridge is not None:
            self._bridge.close()
        self._seen_by(self._session)

    async def on_unmount(self) -> None:
        self.leave()

    async def keep_draft(self) -> None:
        """Save what stands in the prompt; before the services close."""
        await self._drafts.flush()

    @property
    def kai(self) -> KaiApp:
        """The app, by its own type."""
        from kai_tui.ui.app import KaiApp

        app = app_of(self)
        assert isinstance(app, KaiApp)
        return app

    def _waiting_elsewhere(self) -> int:
        return self.kai.waiting_elsewhere

    def _somebody_here(self) -> bool:
        return self.kai.attendance.here

    # Chats

    @property
    def session(self) -> ChatSession | None:
        """The chat on screen; None while one is being opened."""
        return self._session

    def _show(self, session: ChatSession) -> None:
        if self._bridge is None:
            return
        before = self._session
        if before is not None:
            self._drafts.remember(before.chat_id, self._typed())
        self._session = session
        self._opening = None
        self._problem = None
        self._bridge.follow(session, self._transcript.apply, self._transcript.part_changed)
        self._show_conversation(session)
        self._sidebar.open_id = session.chat_id
        self.look()
        self._refresh_words()

    def _set_prompt(self, chat_id: str, text: str | None) -> None:
        """Put the draft of a chat into the prompt."""
        self._load_prompt(text if text is not None else self._drafts.known(chat_id) or "")

    async def _open(self, chat_id: str) -> None:
        """Open a chat from the list; the prompt shows its draft at once."""
        before = self._session
        shown = before is not None and before.chat_id == chat_id and self._opening is None
        if (shown and not self.workspace.chats.is_behind(chat_id)) or self._bridge is None:
            return
        again = self._opening == chat_id
        draft = self._typed() if again else self._drafts.known(chat_id)
        if draft is None:
            draft = await self.workspace.draft(chat_id)
        # From here to the new prompt nothing waits: a letter typed meanwhile would be lost.
        before = self._session
        saved = self._drafts.leave()
        if before is not None and self._opening is None:
            self._drafts.remember(before.chat_id, self._typed())
            if before.chat_id == chat_id:
                draft = self._typed()
        elif not again:
            self._leave_opening()
        self._session, self._opening, self._problem = None, chat_id, None
        self._sidebar.open_id = chat_id
        self._set_prompt(chat_id, draft)
        self._show_glimpse(chat_id)
        self._refresh_words()
        await saved
        try:
            session = await self.workspace.chats.open_chat(chat_id)
        except BackendError as error:
            if self._opening == chat_id:
                self._problem = error.sentence
                self._end_glimpse(None)
                if isinstance(error, NotFound):
                    self.workspace.attention.seen(chat_id)  # there is nothing left to see
                self._give_back_held()
                self._refresh_words()
            return
        if self._opening != chat_id or self._left:
            return
        self._show(session)
        self.set_timer(_SETTLED, after_loading)
        held, self._held = self._held, []
        for text in held:
            session.send(text)

    def _leave_opening(self) -> None:
        """What was sent into a chat that still opens stays with that chat when it is left."""
        if self._opening is not None:
            self._drafts.remember(self._opening, self._unsent()[1])
        self._held.clear()

    def _give_back_held(self) -> None:
        held, self._held = self._held, []
        if held:
            self._load_prompt("\n\n".join([*held, self._typed()]).rstrip())

    async def _take_up_draft(self) -> None:
        """What was being typed when the program ended, in the chat where it was typed."""
        begun = self._session
        # What is typed right now into the new chat may be on disk already.
        last = await self.workspace.last_draft(begun.chat_id if begun is not None else "")
        session = self._session
        if last is None or session is None or session.messages or self._left:
            return
        chat_id, text = last
        typed = self._typed()
        self._load_prompt("\n".join(each for each in (text, typed) if each))
        try:
            found = await self.workspace.chats.open_chat(chat_id)
        except BackendError:
            fork = await self.workspace.chats.unsent_fork(chat_id)
            if fork is not None and self._session is session and not session.messages:
                self._show(fork)
                self.workspace.chats.forget(session.chat_id)
                return
            # A chat that was never sent: its draft goes on in the new one, with what was chosen for it.
            await self.workspace.chats.begin_instead(session, chat_id)
            await self._drafts.flush()
            await self._drafts.forget(chat_id)
            return
        if self._session is session and not session.messages and self._opening is None:
            self._show(found)
            self.workspace.chats.forget(session.chat_id)
            # Otherwise it would come back after the next start, although it went on in the other chat.
            await self._drafts.forget(session.chat_id)

    def action_new_chat(self) -> None:
        """A fresh chat; the draft of this one stays with it. At once: letters may stand behind the key."""
        self._start_in(self.workspace.chats.new_chat())

    def _start_in(self, session: ChatSession) -> None:
        self.run_worker(self._drafts.leave(), exit_on_error=False)
        self._leave_opening()
        self._show(session)
        self._load_prompt("")
        self._hide_overlay()
        self.set_focus(self._composer)

    def on_chat_list_opened(self, message: ChatList.Opened) -> None:
        self._go_to(message.chat_id)

    def on_chat_list_near_end(self) -> None:
        self.run_worker(self.workspace.history.load_more(), group="more", exit_on_error=False)

    async def _forget_draft(self, chat_id: str) -> None:
        await self._drafts.forget(chat_id)

    def _give_up_held(self) -> None:
        self._held.clear()

    # Writing

    def on_composer_submitted(self, message: Composer.Submitted) -> None:
        message.stop()
        self._submit(message.text)

    def _submit(self, text: str) -> None:
        self._begin()
        session = self._session
        if session is None:
            self._held.append(text)
            if self._problem is not None:
                self._give_back_held()
            return
        if session.gone and not self.lent:
            session = self._leave_gone()
        self.run_worker(
            self.workspace.remember_prompt(text, session.chat_id),
            group="prompts",
            exit_on_error=False,
        )
        self._transcript.jump_to_end()
        self._sent_at = monotonic()
        if not self._sent_on_loan(text):
            self._send(session, text)

    def on_text_area_changed(self, message: TextArea.Changed) -> None:
        super().on_text_area_changed(message)
        self._drafts.changed()

    def _unsent(self) -> tuple[str, str]:
        """The open chat and everything in it that was typed but not sent."""
        if self._typed():
            self._begin()
        session = self._session
        chat_id = session.chat_id if session is not None else self._opening or ""
        held = self._held if session is None else []
        return chat_id, "\n\n".join([*held, self._typed()]).rstrip()

    def action_stop_reply(self) -> None:
        """Back to writing; there: stop the reply."""
        if self.focused is not self._composer:
            if self.leaves_finding():
                return
            self._hide_overlay()
            self.set_focus(self._composer)
        elif self.lent:
            self._end_loan()
        elif self._session is not None and self._session.turn.busy:
            self._session.stop()

    def action_copy_or_stop(self) -> None:
        """Copy the selection, else stop the reply, else (twice) quit."""
        if self.get_selected_text():
            self.action_copy_text()
        elif self._session is not None and self._session.turn.busy:
            self._session.stop()
        elif monotonic() - self._interrupted < QUIT_SECONDS:
            self.kai.leave_program()
        else:
            self._interrupted = monotonic()
            self._tell(Notice("Press Ctrl+C again to quit. Your draft is kept."))

    # The list of chats

    def action_refresh_chats(self) -> None:
        """Ask the server again."""
        if not self._is_there("refresh_chats"):
            return
        self.run_worker(self.workspace.history.refresh(), group="refresh", exit_on_error=False)

    def action_reconnect(self) -> None:
        """Try to reach the server again."""
        self.workspace.connect()

    # News from the services

    def on_session_news(self, message: SessionNews) -> None:
        from kai_tui.services.changes import (
            MessageAdded,
            MessagesReset,
            QueueChanged,
            TermsChanged,
            TitleChanged,
            TurnChanged,
            TurnEnded,
        )

        if message.session is not self._session:
            return
        match message.change:
            case Notice() as notice:
                self._tell(notice)
            case TitleChanged() | TurnChanged() | TurnEnded() | QueueChanged():
                self._refresh_words()
            case MessageAdded() | MessagesReset() | TermsChanged():
                self._end_preview()
                self._refresh_words()
            case _:
                pass

    def on_history_news(self) -> None:
        history = self.workspace.history
        self._sidebar.show(history.rows, loading=history.loading, offline=history.offline)
        chat_id = self._session.chat_id if self._session is not None else self._opening
        self._sidebar.open_id = chat_id

    def on_connection_news(self) -> None:
        state = self.workspace.connection.state
        if state != self._connection_state:
            self._connection_state = state
            self._desk.disarm()
        self._refresh_words()
