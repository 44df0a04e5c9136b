"""What the assistant looks things up in: read, stored, deleted. Uploads go on when the dialog is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Input, Static

from kai_tui.backends.base import BackendError
from kai_tui.services.local_files import shown_size
from kai_tui.ui.app_of import app_of
from kai_tui.ui.modals.base import Ask
from kai_tui.ui.widgets.document_list import DocumentList, Line, row_line, upload_line

if TYPE_CHECKING:
    from kai_tui.backends.documents import Document
    from kai_tui.services.documents import DocumentDesk, Row, Upload
    from kai_tui.ui.modals.pick_file import Picked

DRAW_SECONDS = 0.1
"""News come with every piece of an upload; they are drawn this often at most."""


class DocumentsDialog(Ask[None]):
    """The documents of the agent of one chat."""

    AUTO_FOCUS: ClassVar[str | None] = "#documents-list"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add_files", "Add files", show=False),
        Binding("w", "add_website", "Add a website", show=False),
        Binding("d,delete", "delete", "Delete", show=False),
        Binding("u", "restore", "Bring back", show=False),
        Binding("s", "stop", "Stop an upload", show=False),
        Binding("c", "crawl", "Read a website anew", show=False),
        Binding("r", "refresh_list", "Read the list again", show=False),
        Binding("space", "read_on", "Read on", show=False),
    ]
    DEFAULT_CSS = """
    DocumentsDialog .dialog { width: 110; height: 94%; max-height: 44; }
    DocumentsDialog #documents-lasts { height: auto; margin-top: 1; }
    DocumentsDialog #documents-list { margin-top: 1; }
    DocumentsDialog #documents-about {
        height: auto; max-height: 6; border-top: solid $panel; scrollbar-size-vertical: 1;
    }
    DocumentsDialog #documents-words { height: auto; }
    DocumentsDialog #documents-problem { display: none; }
    DocumentsDialog #documents-problem.-shown { display: block; }
    """

    def __init__(self, desk: DocumentDesk, chat_id: str | None) -> None:
        super().__init__(name="documents")
        self._desk = desk
        self._chat_id = chat_id
        self.list = DocumentList(id="documents-list")
        self._leave = lambda: None
        self._drawing: Timer | None = None
        self._asking = False
        """Whether a question of this dialog is open: a second press opens no second one."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content("Documents")
            yield Static(id="documents-lasts", classes="quiet", markup=False)
            yield self.list
            with VerticalScroll(id="documents-about", can_focus=False):
                yield Static(id="documents-words", markup=False)
            yield Static(id="documents-problem", classes="problem", markup=False)
            yield Static(id="documents-keys", classes="quiet", markup=False)

    def on_mount(self) -> None:
        self._leave = self._desk.observe(self._changed)
        self.run_worker(self._desk.show(self._chat_id), group="documents", exit_on_error=False)
        self._draw()

    def on_unmount(self) -> None:
        self._leave()
        self._desk.put_away()

    # What is shown

    def _changed(self, _: Upload | None) -> None:
        if self._drawing is None and self.standing:
            self._drawing = self.set_timer(DRAW_SECONDS, self._draw)

    def _draw(self) -> None:
        from kai_tui.conversation.safe_text import safe_line, safe_prose

        self._drawing = None
        if not self.standing:
            return
        desk, terms = self._desk, self._desk.terms
        if terms is not None:
            self.query_one(".dialog").border_title = Content(f"Documents of {safe_line(terms.whose, 60)}")
            lasts = self.query_one("#documents-lasts", Static)
            lasts.display = bool(terms.lasts)
            lasts.update(Content(terms.lasts))
        else:
            self.query_one("#documents-lasts").display = False
        self.list.empty_text = (
            "" if desk.problem else "Reading the list…" if desk.loading else self._nothing()
        )
        rows = [row_line(each) for each in desk.rows]
        self.list.show([*(upload_line(each) for each in desk.uploads), *rows])
        problem = self.query_one("#documents-problem", Static)
        problem.set_class(bool(desk.problem), "-shown")
        if desk.problem:
            old = " The list may be old." if rows else ""
            problem.update(Content(f"{safe_prose(desk.problem)}{old} Press r to try again."))
        self.query_one(".dialog").border_subtitle = Content(self._summary())
        self.query_one("#documents-keys", Static).update(Content(self._keys()))

    def _nothing(self) -> str:
        terms = self._desk.terms
        if terms is not None and not terms.listed:
            return "Nothing was stored in this run. a adds files."
        return "There are no documents yet. a adds files."

    def _summary(self) -> str:
        desk = self._desk
        there = [row.document for row in desk.rows if row.doing != "deleted"]
        if not there:
            return ""
        sizes = [each.size for each in there if each.size is not None]
        count = f"{len(there):,} document" if len(there) == 1 else f"{len(there):,} documents"
        listed = desk.terms is None or desk.terms.listed
        parts = [count if listed else f"{count} of this run"]
        if sizes:
            parts.append(shown_size(sum(sizes)))
        if desk.loading:
            parts.append("reading…")
        return " · ".join(parts)

    def _keys(self) -> str:
        terms = self._desk.terms
        if terms is None:
            return "r read again · Esc close"
        first = ["a add files"]
        if terms.websites:
            first += ["w add website", "Enter its pages", "c read it anew"]
        second: list[str] = []
        if terms.delete:
            second.append("d delete")
        if terms.restore:
            second.append("u bring back")
        second += ["s stop an upload", "r read again", "Esc close"]
        return f"{' · '.join(first)}\n{' · '.join(second)}" if terms.websites else " · ".join(first + second)

    def on_document_list_moved(self, message: DocumentList.Moved) -> None:
        message.stop()
        self._draw_words(message.line)

    def _draw_words(self, line: Line | None) -> None:
        """The whole name, and what is known of the one under the cursor."""
        words = self.query_one("#documents-words", Static)
        if line is None:
            words.update(Content(""))
            return
        from kai_tui.conversation.safe_text import safe_exact, safe_line, safe_prose

        name = safe_exact(line.name, one_line=True)
        lines: list[Content | tuple[str, str]] = [(f"{name.text}\n", "bold")]
        lines += [(f"! {flag}\n", "$text-warning") for flag in name.flags]
        if line.upload is not None and line.upload.note:
            bad = line.upload.state in ("failed", "stopped")
            lines.append((f"{safe_prose(line.upload.note)}\n", "$text-error" if bad else ""))
        if line.upload is not None and line.upload.path:
            lines.append((safe_exact(line.upload.path, one_line=True).text, "$text-muted"))
        if line.row is not None:
            if line.row.trouble:
                lines.append((f"{safe_prose(line.row.trouble)}\n", "$text-error"))
            document = line.row.document
            if document.note:
                lines.append(
                    (f"{safe_prose(document.note)}\n", "$text-error" if document.state == "failed" else "")
                )
            if document.created_at:
                lines.append((f"since {safe_line(document.created_at, 40)}", "$text-muted"))
        words.update(Content.assemble(*lines))
        self.query_one("#documents-about", VerticalScroll).scroll_home(animate=False)

    def action_read_on(self) -> None:
        """Scroll a long note; from its end back to its beginning."""
        about = self.query_one("#documents-about", VerticalScroll)
        if about.scroll_offset.y >= about.max_scroll_y:
            about.scroll_home(animate=False)
        else:
            about.scroll_relative(y=max(1, about.size.height - 1), animate=False)

    # What the user does

    def action_refresh_list(self) -> None:
        """Ask the server for the list anew."""
        self.run_worker(self._desk.load, group="documents", exclusive=True, exit_on_error=False)

    def action_add_files(self) -> None:
        """Choose files by their path."""
        from kai_tui.ui.modals.pick_file import PickFile

        terms = self._desk.terms
        if terms is None or self._asking:
            return
        limits: list[str] = []
        if terms.kinds:
            limits.append(f"It takes {', '.join(terms.kinds)}.")
        if terms.largest is not None:
            limits.append(f"At most {shown_size(terms.largest)} each.")
        about = " ".join(["Type a path, or drop files on the window.", *limits])

        def picked(found: Picked | None) -> None:
            self._asking = False
            if found is not None:
                for sentence in self._desk.add(found.files):
                    self._say(sentence)

        self._asking = True
        dialog = PickFile(
            "Add files", about, verb="stores it", refusal=self._desk.refusal, warning=self._desk.warning
        )
        app_of(self).push_screen(dialog, picked)

    def action_add_website(self) -> None:
        """Ask for the address of a website."""
        terms = self._desk.terms
        if terms is None or not terms.websites or self._asking:
            return

        def typed(address: str | None) -> None:
            self._asking = False
            why = self._desk.add_website(address) if address else ""
            if why:
                self._say(why)

        self._asking = True
        app_of(self).push_screen(AskWebsite(), typed)

    def action_delete(self) -> None:
        """Delete the one under the cursor, after asking; an upload that is over is put away."""
        from kai_tui.conversation.safe_text import safe_exact
        from kai_tui.ui.modals.confirm import Confirm

        row, terms = self._row(), self._desk.terms
        if row is None or terms is None or row.doing or self._asking:
            return
        if not terms.delete:
            self._say("This server deletes no single documents.")
            return
        document = row.document
        back = (
            "It can be brought back until you leave the program."
            if terms.restore and document.kind == "file"
            else "This cannot be undone."
        )
        name = safe_exact(document.name, one_line=True)
        lines = [Content.styled(name.text, "bold")]
        lines += [Content.styled(f"! {flag}", "$text-warning") for flag in name.flags]
        if document.size is not None:
            lines.append(Content.styled(shown_size(document.size), "$text-muted"))
        whose = safe_exact(terms.whose, one_line=True).text
        lines += [Content(""), Content(f"{whose[:1].upper()}{whose[1:]} cannot look it up any more. {back}")]

        def answered(yes: bool | None) -> None:
            self._asking = False
            if yes:
                self.run_worker(self._desk.delete(document), group="deeds", exit_on_error=False)

        self._asking = True
        what = "website" if document.kind == "website" else "document"
        app_of(self).push_screen(
            Confirm(f"Delete this {what}?", Content("\n").join(lines), yes="Delete", name="confirm-document"),
            answered,
        )

    def action_restore(self) -> None:
        """Bring the deleted one under the cursor back."""
        row = self._row()
        if row is not None and row.doing == "deleted":
            self.run_worker(self._desk.restore(row.document), group="deeds", exit_on_error=False)

    def action_stop(self) -> None:
        """Stop the upload under the cursor, else the one that is being sent."""
        line = self.list.line
        running = [each for each in self._desk.uploads if not each.over]
        chosen = line.upload if line is not None and line.upload is not None else next(iter(running), None)
        if chosen is None or chosen.over:
            self._say("Nothing is being sent.")
        else:
            self._desk.stop(chosen.number)

    def action_crawl(self) -> None:
        """Let the server read the website under the cursor anew."""
        row = self._row()
        if row is None or row.document.kind != "website":
            return

        async def work(website: Document) -> None:
            why = await self._desk.crawl(website)
            self._say(why or "The server reads the website anew.")

        self.run_worker(work(row.document), group="crawl", exit_on_error=False)

    def on_document_list_chosen(self, message: DocumentList.Chosen) -> None:
        message.stop()
        row = message.line.row
        if row is not None and row.document.kind == "website" and not self._asking:
            self._asking = True
            app_of(self).push_screen(WebsitePages(self._desk, row.document), self._answered)

    def _answered(self, _: None) -> None:
        self._asking = False

    def _row(self) -> Row | None:
        line = self.list.line
        return line.row if line is not None else None

    def _say(self, sentence: str) -> None:
        from kai_tui.conversation.safe_text import safe_prose

        self.notify(safe_prose(sentence), markup=False)


class AskWebsite(Ask[str]):
    """Result: the address of a website."""

    AUTO_FOCUS: ClassVar[str | None] = "#website"

    def __init__(self) -> None:
        super().__init__(name="add-website")

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content("Add a website")
            yield Static(
                "The server reads the pages of this website; the agent looks things up in them.",
                classes="quiet",
                markup=False,
            )
            yield Input(placeholder="https://docs.example.com", id="website", max_length=2000)
            yield Static("", id="website-problem", classes="problem", markup=False)
            yield Static("Enter adds it · Esc leaves", classes="quiet", markup=False)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        from kai_tui.services.local_files import is_web_address

        message.stop()
        address = message.value.strip()
        if is_web_address(address):
            self.finish(address)
        elif address:
            self.query_one("#website-problem", Static).update(
                Content("The address of a website begins with https://.")
            )


class WebsitePages(Ask[None]):
    """What was read of a website."""

    AUTO_FOCUS: ClassVar[str | None] = "#pages-list"
    DEFAULT_CSS = """
    WebsitePages .dialog { width: 104; height: 80%; max-height: 36; }
    WebsitePages #pages-list { margin: 1 0; }
    WebsitePages #pages-words { height: auto; max-height: 4; border-top: solid $panel; }
    """

    def __init__(self, desk: DocumentDesk, website: Document) -> None:
        super().__init__(name="website-pages")
        self._desk = desk
        self._website = website
        self.list = DocumentList(id="pages-list")
        self.list.empty_text = "Reading the list…"

    def compose(self) -> ComposeResult:
        from kai_tui.conversation.safe_text import safe_line

        with Vertical(classes="dialog") as box:
            box.border_title = Content(f"Pages of {safe_line(self._website.name, 60)}")
            yield self.list
            yield Static(id="pages-words", markup=False)
            yield Static("Esc goes back", classes="quiet", markup=False)

    def on_mount(self) -> None:
        self.run_worker(self._read(), exit_on_error=False)

    async def _read(self) -> None:
        from kai_tui.conversation.safe_text import safe_prose
        from kai_tui.services.documents import Row

        try:
            pages = await self._desk.pages(self._website)
        except BackendError as error:
            self.list.empty_text = ""
            self.list.show(())
            self.query_one("#pages-words", Static).update(
                Content.styled(safe_prose(error.sentence), "$text-error")
            )
            return
        self.list.empty_text = "No page was read so far."
        self.list.show([row_line(Row(page)) for page in pages])

    def on_document_list_moved(self, message: DocumentList.Moved) -> None:
        from kai_tui.conversation.safe_text import safe_exact, safe_prose

        message.stop()
        if message.line is None or message.line.row is None:
            return
        title = safe_prose(message.line.row.document.note)
        name = safe_exact(message.line.name, one_line=True).text
        self.query_one("#pages-words", Static).update(
            Content.assemble((name, "bold"), "\n", (title, "$text-muted"))
        )

    def on_document_list_chosen(self, message: DocumentList.Chosen) -> None:
        message.stop()
