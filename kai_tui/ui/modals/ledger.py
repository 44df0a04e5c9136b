"""What was decided, over all accounts: browsed, searched, checked, given to others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from kai_tui.services.ledger_book import Book, read_books, set_aside
from kai_tui.storage.errors import StorageError
from kai_tui.ui.app_of import app_of
from kai_tui.ui.modals.base import Ask
from kai_tui.ui.modals.ledger_words import check_words, record_words
from kai_tui.ui.widgets.filter_input import FilterInput
from kai_tui.ui.widgets.ledger_list import LedgerList

if TYPE_CHECKING:
    from kai_tui.services.account import Account
    from kai_tui.storage.paths import Paths

_KEYS = "/ search · a this account or all · e export · v verify · r read again\nSpace reads on · o opens the job · Esc close"
_KEYS_DAMAGED = "x sets the damaged ledger aside and begins a new one\n"
_READING = "Reading the ledger…"
_NONE = "Nothing was decided yet. Every answer to a question of the assistant will stand here."
_NOTHING = "No decision has these words."


class LedgerDialog(Ask[None]):
    """Shows what stands in the ledgers; changes nothing but a damaged file's name."""

    AUTO_FOCUS: ClassVar[str | None] = "#ledger-list"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "all_accounts", "All accounts", show=False),
        Binding("e", "export", "Export", show=False),
        Binding("v", "verify", "Verify", show=False),
        Binding("r", "read", "Read again", show=False),
        Binding("o", "open_job", "Open the job", show=False),
        Binding("x", "set_aside", "Set aside", show=False),
        Binding("space", "read_on", "Read on", show=False),
    ]
    DEFAULT_CSS = """
    LedgerDialog .dialog { width: 124; height: 96%; max-height: 56; }
    LedgerDialog #ledger-filter { border: none; height: 1; padding: 0 1; background: $panel; margin: 1 0 0 0; }
    LedgerDialog #ledger-filter:focus { border: none; background: $boost; }
    LedgerDialog #ledger-about { height: 40%; border-top: solid $panel; scrollbar-size-vertical: 1; }
    LedgerDialog #ledger-words { height: auto; }
    LedgerDialog #ledger-problem { display: none; }
    LedgerDialog #ledger-problem.-shown { display: block; }
    """

    def __init__(self, paths: Paths, account: Account, open_link: Callable[[str], None]) -> None:
        """`account`: the open one, whose decisions come first. `open_link` asks before it opens one."""
        super().__init__(name="ledger")
        self._paths = paths
        self._account = account
        self._open_link = open_link
        self._books: Sequence[Book] | None = None
        """None until they were read."""
        self._everywhere = True
        self.filter_input = FilterInput(placeholder="/ search", id="ledger-filter")
        self.rows = LedgerList(self.filter_input, id="ledger-list")
        self.filter_input.command = self._filter_command
        self.filter_input.edited = self.rows.filter

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content("Ledger of decisions")
            yield self.filter_input
            yield self.rows
            with VerticalScroll(id="ledger-about", can_focus=False):
                yield Static(id="ledger-words", markup=False)
            yield Static(id="ledger-problem", classes="problem", markup=False)
            yield Static(_KEYS, id="ledger-keys", classes="quiet", markup=False)

    def on_mount(self) -> None:
        self._draw()
        self.action_read()

    # Reading

    def action_read(self) -> None:
        """Read and check all ledgers anew."""
        self.run_worker(self._read(), group="ledger", exclusive=True, exit_on_error=False)

    async def _read(self) -> None:
        self._books = await asyncio.to_thread(
            read_books, self._paths, first=self._account.id, names={self._account.id: self._account.label}
        )
        self._draw()

    @property
    def _mine(self) -> Sequence[Book]:
        """The ledgers that are shown."""
        books = self._books or ()
        return (
            books
            if self._everywhere
            else [each for each in books if each.account_id in (self._account.id, "")]
        )

    @property
    def _damaged(self) -> Book | None:
        return next((each for each in self._books or () if each.damaged), None)

    def _draw(self) -> None:
        if not self.standing:
            return
        from kai_tui.conversation.safe_text import safe_line

        self.rows.empty_text = (
            _READING
            if self._books is None
            else _NOTHING
            if any(each.records for each in self._mine)
            else _NONE
            if all(each.sound for each in self._mine)
            else ""  # what is wrong is said below
        )
        self.rows.show(self._mine)
        problem = self.query_one("#ledger-problem", Static)
        unsound = [each for each in self._books or () if not each.sound]
        problem.set_class(bool(unsound), "-shown")
        if unsound:
            lines = [f"! {safe_line(f'{each.label}: {each.worst}')} v shows all." for each in unsound]
            problem.update(Content("\n".join(lines)))
        self.query_one("#ledger-keys", Static).update(
            Content((_KEYS_DAMAGED if self._damaged is not None else "") + _KEYS)
        )
        self._draw_summary()

    def _draw_summary(self) -> None:
        where = "all accounts" if self._everywhere else "this account"
        count = "1 decision" if self.rows.count == 1 else f"{self.rows.count:,} decisions"
        sound = ""
        if self._books:
            sound = " · verified" if all(each.sound for each in self._mine) else " · NOT as it was written"
        self.query_one(".dialog").border_subtitle = Content(f"{count} · {where}{sound}")

    def on_ledger_list_moved(self, message: LedgerList.Moved) -> None:
        message.stop()
        if not self.standing:
            return
        self._draw_summary()
        record = message.record
        self.query_one("#ledger-words", Static).update(
            record_words(record) if record is not None else Content("")
        )
        self.query_one("#ledger-about", VerticalScroll).scroll_home(animate=False)

    def action_read_on(self) -> None:
        """Scroll what stands below; from its end back to its beginning."""
        about = self.query_one("#ledger-about", VerticalScroll)
        if about.scroll_offset.y >= about.max_scroll_y:
            about.scroll_home(animate=False)
        else:
            about.scroll_relative(y=max(1, about.size.height - 1), animate=False)

    # Search

    def _filter_command(self, key: str) -> bool:
        if key == "escape":
            if self.filter_input.value:
                self.filter_input.value = ""
                self.rows.filter("")
            self.rows.focus()
        elif key == "enter":
            self.rows.focus()
        else:
            return key not in ("home", "end") and self.rows.move(key)
        return True

    @on(Input.Changed, "#ledger-filter")
    def _filter_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.rows.filter(event.value)

    def on_descendant_focus(self) -> None:
        self.rows.set_class(self.filter_input.has_focus, "-driven")

    def on_descendant_blur(self) -> None:
        self.rows.remove_class("-driven")

    # What the user does

    def action_all_accounts(self) -> None:
        """This account's decisions only, or those of all."""
        self._everywhere = not self._everywhere
        self._draw()

    def action_verify(self) -> None:
        """Read all ledgers anew and say all that was found."""
        self.run_worker(self._verify(), group="ledger", exclusive=True, exit_on_error=False)

    async def _verify(self) -> None:
        from kai_tui.ui.modals.ledger_check import LedgerCheck

        await self._read()
        if self.is_current:
            app_of(self).push_screen(LedgerCheck(check_words(self._books or ())))

    def action_export(self) -> None:
        """Write what is shown to a file."""
        from kai_tui.ui.modals.ledger_export import LedgerExport

        if not self.rows.count:
            self.notify("There is nothing to export: no decision is shown.", markup=False)
            return
        app_of(self).push_screen(LedgerExport(self.rows.chosen, self.rows.needle), self._exported)

    def _exported(self, said: str | None) -> None:
        if said is not None:
            self.notify(said, timeout=14, markup=False)

    def action_open_job(self) -> None:
        """Open the page of the job that the decision under the cursor started, after asking."""
        record = self.rows.record
        if record is not None and record.job:
            self._open_link(record.job)
        else:
            self.notify("This decision started no job that is known here.", markup=False)

    def action_set_aside(self) -> None:
        """Put a ledger that cannot be read aside, after asking."""
        from kai_tui.conversation.safe_text import safe_prose
        from kai_tui.ui.modals.confirm import Confirm

        book = self._damaged
        if book is None:
            self.notify("No ledger is damaged: there is nothing to set aside.", markup=False)
            return
        body = Content(
            f"{safe_prose(book.problem)}\n\n{safe_prose(str(book.path))}\n\nThe file is kept under another name, and what stands in it is not shown "
            "here any more. The next decision begins a new ledger, which says so for good."
        )
        app_of(self).push_screen(
            Confirm("Set the damaged ledger aside?", body, yes="Set aside", name="confirm-set-aside"),
            lambda yes: self._set_aside(book) if yes else None,
        )

    def _set_aside(self, book: Book) -> None:
        async def work() -> None:
            from kai_tui.conversation.safe_text import safe_prose

            try:
                aside = await asyncio.to_thread(set_aside, book.path)
            except StorageError as error:
                self.notify(safe_prose(error.sentence), severity="error", timeout=14, markup=False)
            else:
                self.notify(safe_prose(f"The damaged ledger is kept as {aside}."), timeout=14, markup=False)
            await self._read()

        self.run_worker(work(), group="ledger", exclusive=True, exit_on_error=False)
