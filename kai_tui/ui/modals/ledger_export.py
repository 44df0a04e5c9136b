"""Where the decisions that are shown go, and in which format."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from kai_tui.services.ledger_book import Book, Record
from kai_tui.services.ledger_export import ENDINGS, FORMATS, Format, exported, file_name, write_export
from kai_tui.storage.errors import StorageError
from kai_tui.ui.modals.base import Ask
from kai_tui.ui.widgets.filter_input import FilterInput

_ABOUT = {
    "markdown": "A change ticket: one section for each decision.",
    "csv": "A table: one line for each decision.",
    "json": "Entries as they were hashed: others can check them.",
}
_KEYS = "Tab another format · Enter writes · Esc back"


class LedgerExport(Ask[str]):
    """Result: one sentence of what was written; None when nothing was. A file that is there is never replaced."""

    AUTO_FOCUS: ClassVar[str | None] = "#export-path"
    DEFAULT_CSS = """
    LedgerExport .dialog { width: 96; }
    LedgerExport #export-path { border: none; height: 1; padding: 0 1; background: $panel; margin: 1 0; }
    LedgerExport #export-path:focus { border: none; background: $boost; }
    LedgerExport #export-formats { height: auto; margin-top: 1; }
    LedgerExport #export-problem { display: none; }
    LedgerExport #export-problem.-shown { display: block; margin-bottom: 1; }
    """

    def __init__(self, chosen: Sequence[tuple[Book, Sequence[Record]]], about: str) -> None:
        """`about`: what was searched for."""
        super().__init__(name="ledger-export")
        self._chosen = [(book, records) for book, records in chosen if records]
        self._about = about
        self._format: Format = "markdown"
        self._writing = False
        label = self._chosen[0][0].label if len(self._chosen) == 1 else "all"
        self.input = FilterInput(id="export-path")
        self.input.value = str(Path.cwd() / file_name(label, self._format))
        self.input.command = self._command

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            count = sum(len(records) for _, records in self._chosen)
            box.border_title = Content(f"Export {'1 decision' if count == 1 else f'{count:,} decisions'}")
            yield Static(id="export-formats", markup=False)
            yield self.input
            yield Static(id="export-problem", classes="problem", markup=False)
            yield Static(
                "A new file that only you can read. No secrets stand in it; what you typed as reasons does.",
                classes="quiet",
                markup=False,
            )
            yield Static(_KEYS, classes="quiet", markup=False)

    def on_mount(self) -> None:
        self._draw()

    def _draw(self) -> None:
        formats = [
            (f" {each} ", "$block-cursor-foreground on $block-cursor-background")
            if each == self._format
            else (f" {each} ", "$text-muted")
            for each in FORMATS
        ]
        words = Content.assemble(*formats, f"  {_ABOUT[self._format]}")
        self.query_one("#export-formats", Static).update(words)

    def _command(self, key: str) -> bool:
        if key in ("tab", "shift+tab"):
            self._next_format(1 if key == "tab" else -1)
        elif key == "enter":
            self._write()
        else:
            return False
        return True

    async def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()

    def _next_format(self, step: int) -> None:
        before = ENDINGS[self._format]
        self._format = FORMATS[(FORMATS.index(self._format) + step) % len(FORMATS)]
        if self.input.value.endswith(before):
            self.input.value = self.input.value.removesuffix(before) + ENDINGS[self._format]
            self.input.cursor_position = len(self.input.value)
        self._draw()

    def _write(self) -> None:
        if self._writing or self.done:
            return
        typed = self.input.value.strip()
        if not typed:
            self._say("Type the path of a new file.")
            return
        self._writing = True
        self.run_worker(self._work(typed), exit_on_error=False)

    async def _work(self, typed: str) -> None:
        from kai_tui.conversation.safe_text import safe_prose

        def work() -> Path:
            try:
                path = Path(typed).expanduser()
            except RuntimeError as error:
                raise StorageError("There is no such user's folder.") from error
            write_export(path, exported(self._chosen, self._format, about=self._about))
            return path

        try:
            path = await asyncio.to_thread(work)
        except StorageError as error:
            self._say(str(safe_prose(error.sentence)))
        else:
            count = sum(len(records) for _, records in self._chosen)
            said = "1 decision is" if count == 1 else f"{count:,} decisions are"
            self.finish(str(safe_prose(f"{said} in {path}.")))
        finally:
            self._writing = False

    def _say(self, words: str) -> None:
        if self.standing:
            problem = self.query_one("#export-problem", Static)
            problem.update(Content(words))
            problem.set_class(True, "-shown")
