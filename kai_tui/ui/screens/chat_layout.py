"""The parts of the chat screen and what they say; knows which chat is shown, not how it got there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.widgets import Static

from kai_tui.services.naming import assistant_name, short_name
from kai_tui.services.notice import Notice
from kai_tui.services.session_tools import NEW_CHAT_TITLE
from kai_tui.ui.app_of import app_of
from kai_tui.ui.approval_desk import ApprovalDesk
from kai_tui.ui.needs import is_there, known_caps, without
from kai_tui.ui.screens.base import KaiScreen
from kai_tui.ui.screens.chat_queue_words import ROWS, ROWS_WHEN_SHORT, queue_lines
from kai_tui.ui.screens.chat_terms_words import about_line, show_header
from kai_tui.ui.screens.chat_words import banner_line, openers, status_facts, welcome
from kai_tui.ui.widgets.chat_header import ChatHeader
from kai_tui.ui.widgets.composer import Composer
from kai_tui.ui.widgets.new_lines_pill import NewLinesPill
from kai_tui.ui.widgets.reading_note import ReadingNote
from kai_tui.ui.widgets.sidebar import Sidebar
from kai_tui.ui.widgets.status_bar import StatusBar

if TYPE_CHECKING:
    from kai_tui.backends.base import Capabilities
    from kai_tui.services.chat_session import ChatSession
    from kai_tui.services.preferences import Preferences
    from kai_tui.services.workspace import Workspace
    from kai_tui.ui.transcript.view import Transcript

WIDE = 100
"""Columns from which the list of chats stands beside the conversation."""
TALL = 20
"""Rows from which there is room for empty ones."""
TALL_ENOUGH_FOR_A_LIST = 30
"""Rows from which three waiting messages are shown."""


class ChatLayout(KaiScreen):
    """Header, list of chats, conversation, prompt, status line."""

    def __init__(self, workspace: Workspace, preferences: Preferences, desk: ApprovalDesk) -> None:
        super().__init__()
        self.workspace = workspace
        self._preferences = preferences
        self._desk = desk
        self.assistant = assistant_name(workspace.account)
        """What it is called in sentences."""
        self._sidebar = Sidebar(loading=True)
        self._header = ChatHeader()
        self._made_transcript: Transcript | None = None
        self._pill = NewLinesPill()
        self._reading = Container(id="reading", classes="-noted")
        self._note = ReadingNote(id="reading-note")
        self._banner = Static(id="banner", markup=False)
        self._queued = Static(id="queued", markup=False)
        self._purpose = Static(id="purpose", markup=False)
        self._about = Static(id="about", markup=False)
        self._enclosed = Static(id="enclosed", markup=False)
        self._composer = Composer(id="composer")
        self._status = StatusBar(clock=workspace.clock)
        self._read_keys: tuple[tuple[str, str], ...] = ()
        """The keys for what is read now."""
        self._session: ChatSession | None = None
        """The chat on screen; None while one opens, when it could not be opened, and at the start."""
        self._opening: str | None = None
        """The chat that opens, or that could not be opened (`_problem`)."""
        self._problem: str | None = None
        """Why the chat could not be opened. Raw."""
        self._glimpsed: str | None = None
        """The chat whose copy is seen while it opens; see `ChatGlimpse`."""
        self._says_copy = False
        """Whether it takes long enough to be said that this is the copy."""

    def compose(self) -> ComposeResult:
        self._fit_window()
        with Container(id="chat-body"):
            yield self._sidebar
            with Container(id="conversation"):
                yield self._header
                with self._reading:
                    yield self._note
                yield self._composer
        yield self._status

    @property
    def _transcript(self) -> Transcript:
        """Made when there is a chat to show: nothing of it is loaded before the first frame."""
        if self._made_transcript is None:
            from kai_tui.ui.transcript.view import Transcript

            self._made_transcript = Transcript(
                id="transcript",
                assistant_name=short_name(self.workspace.account),
                clock=self.workspace.clock,
            )
            self._reading.mount(self._made_transcript, before=self._note)
        return self._made_transcript

    @property
    def _reads(self) -> bool:
        """Whether the focus is in the conversation."""
        return self._made_transcript is not None and self._made_transcript.has_focus

    def _mount_unseen(self) -> None:
        """The parts that show themselves when they have something to say: after the first frame."""
        self._reading.mount(Container(self._pill, id="pill-row"))
        lines = (self._banner, self._queued, self._purpose, self._about, self._enclosed)
        self.query_one("#conversation").mount(*lines, before=self._composer)

    def _fit_window(self) -> None:
        """Set what the first resize would set, before styles are computed: once instead of three times."""
        self.update_classes(self._fitting(chats=True), update=False)

    def _fitting(self, *, chats: bool) -> dict[str, bool]:
        """The classes that tell the window's size: those of Textual's breakpoints too, so that styles are
        computed once. `chats`: also whether their list fits."""
        size = app_of(self).size
        wide, tall = size.width >= WIDE, size.height >= TALL
        found = {"-wide": wide, "-narrow": not wide, "-tall": tall, "-short": not tall}
        return {**found, "-no-chats": not (wide and self._preferences.sidebar)} if chats else found

    # What is there

    @property
    def caps(self) -> Capabilities:
        """What can be done in the chat on screen."""
        here = self._session.chat_id if self._session is not None else self._opening
        return known_caps(self.workspace.account, self.workspace.caps_of(here))

    def denies(self, action: str) -> bool:
        return super().denies(action) or not is_there(action, self.caps)

    def _is_there(self, action: str) -> bool:
        """Whether the system has what an action needs; says so when not."""
        if is_there(action, self.caps):
            return True
        if self.workspace.caps is None:
            self._tell(Notice("Not connected yet. Try again when the server answers.", "warning"))
        else:
            self._tell(Notice(without(action, self.assistant)))
        return False

    # Words

    def _refresh_words(self) -> None:
        """Bring header, status line, banner, queue and the note of an empty chat up to date."""
        if not self._composer.is_attached:
            return
        session = self._session
        self._status.update_status(
            status_facts(
                self.workspace,
                session,
                self._desk.waiting + self.workspace.unread_questions,
                others=self._others_in_words(),
                elsewhere=self._waiting_elsewhere(),
                mouse=self._preferences.mouse,
                reading=self._read_keys,
                copy=self._says_copy,
            )
        )
        title = session.title if session is not None else self._title_of(self._opening)
        show_header(self._header, title, self.workspace, session)
        pending = self.workspace.approvals.pending
        held = bool(pending) and not self._desk.showing
        self._banner.set_class(held, "-shown")
        if held:
            here = session.chat_id if session is not None else self._opening
            self._banner.update(banner_line(pending, here, typing=self._desk.waits_for_typing))
        queue = session.queue if session is not None else []
        self._queued.set_class(bool(queue), "-shown")
        if queue and session is not None:
            rows = ROWS if self.size.height >= TALL_ENOUGH_FOR_A_LIST else ROWS_WHEN_SHORT
            self._queued.update(
                queue_lines(
                    queue,
                    max(20, self._queued.content_size.width or self._composer.size.width - 4),
                    rows,
                    lambda message_id: len(session.goes_with(message_id)),
                )
            )
        self._show_loan()
        path = session.context_path if session is not None else None
        self._about.set_class(path is not None, "-shown")
        if path is not None:
            self._about.update(about_line(path, max(20, self._composer.size.width - 4)))
        self._show_enclosed()
        self._refresh_note()

    def _show_enclosed(self) -> None:
        """Say what goes with the next message; see `ChatEnclosures`."""

    def says_what_is_missing(self) -> bool:
        """Whether words are missing for what is attached; see `ChatEnclosures`."""
        return False

    def _go_to(self, chat_id: str) -> None:
        """Open a chat; see `ChatElsewhere`."""

    def look(self) -> None:
        """The user may see the end of the chat on screen now; see `ChatElsewhere`."""

    def _refresh_keys(self) -> None:
        """Another thing is read: other keys stand in the status line."""
        keys = self.reading_keys()
        if keys != self._read_keys:
            self._read_keys = keys
            self._refresh_words()

    def reading_keys(self) -> tuple[tuple[str, str], ...]:
        """The keys for what is read; see `ChatBlocks`."""
        return ()

    def _waiting_elsewhere(self) -> int:
        """How many questions wait in other accounts; see `ChatElsewhere`."""
        return 0

    def _others_in_words(self) -> str:
        """What other chats want, where the list does not show it; see `ChatElsewhere`."""
        return ""

    def _end_glimpse(self, session: ChatSession | None) -> bool:
        """A chat is open, or cannot be opened; whether its copy is seen: see `ChatGlimpse`."""
        return False

    def _show_loan(self) -> None:
        """Say for what the prompt is lent; see `ChatLoan`."""

    @property
    def _noted(self) -> bool:
        """Whether a note stands in the place of the conversation: there is nothing to read yet."""
        session = self._session
        if session is None:
            return self._glimpsed is None or self._problem is not None
        return not (session.messages or session.quote)

    def _refresh_note(self) -> None:
        from kai_tui.conversation.safe_text import safe_prose

        self._reading.set_class(self._noted, "-noted")
        if not self._noted:
            return
        if self._problem is not None:
            self._note.show(
                Content.assemble(
                    ("This chat could not be opened\n", "bold $text-error"),
                    safe_prose(self._problem),
                    ("\n\nWhat you type is kept.", "$text-muted"),
                )
            )
        elif self._session is None and self._opening is not None:
            self._note.show(Content.styled("Opening…", "$text-muted"))
        else:
            self._note.show(welcome(self.workspace, self._session), openers(self.workspace))

    def _title_of(self, opening: str | None) -> str:
        if opening is None:
            return NEW_CHAT_TITLE
        return next((row.title for row in self.workspace.history.rows if row.id == opening), "")

    def _tell(self, notice: Notice) -> None:
        from kai_tui.conversation.safe_text import safe_prose

        severity = notice.severity if notice.severity in ("warning", "error") else "information"
        sentence = safe_prose(notice.sentence)
        self.notify(
            sentence,
            severity=severity,
            timeout=8 if severity == "information" else 14,
            markup=False,
        )

    # The list of chats

    def action_toggle_chats(self) -> None:
        """Show the list and go there; from there: hide it."""
        hidden = self.has_class("-no-chats")
        inside = self.focused is not None and self._sidebar in self.focused.ancestors
        if hidden or not inside:
            self.remove_class("-no-chats")
            self._sidebar.focus_list()
        else:
            self.add_class("-no-chats")
            self.set_focus(self._composer)
        self._refresh_words()
        if self.size.width >= WIDE:
            self._preferences.set("sidebar", not self.has_class("-no-chats"))

    def _hide_overlay(self) -> None:
        if self.size.width < WIDE:
            self.add_class("-no-chats")

    def on_resize(self) -> None:
        inside = self.focused is not None and self._sidebar in self.focused.ancestors
        self.update_classes(self._fitting(chats=not inside), animate=False)
        self._refresh_words()
