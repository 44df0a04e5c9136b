"""Where something is saved, in which format; written by the dialog itself, so that what goes wrong is said in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from kai_tui.conversation.safe_text import safe_line, safe_prose
from kai_tui.services.saved_files import (
    AlreadyThere,
    plain_name,
    save,
    shown_path,
    suggested_path,
    typed_path,
)
from kai_tui.storage.errors import StorageError
from kai_tui.ui.modals.base import Ask
from kai_tui.ui.widgets.filter_input import FilterInput


@dataclass(frozen=True, slots=True)
class SaveFormat:
    """One way to write the thing."""

    name: str
    """Also the word on screen: "csv"."""
    ending: str
    """".csv"."""
    about: str
    """One sentence of what it is good for."""
    parts: Callable[[], Iterable[str]]
    """The text in pieces; called in a thread."""
    careful: Callable[[], Iterable[str]] | None = None
    """The same without what the caution is about; None where that makes no difference."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A file that was written."""

    path: Path
    format: SaveFormat
    size: int
    """Bytes."""

    @property
    def sentence(self) -> str:
        """What to tell the user."""
        return str(safe_line(f"Saved to {shown_path(self.path)} ({_size(self.size)})."))


class SaveAs(Ask[Saved]):
    """Result: the file that was written; None when none was.

    A file that is there is replaced only after Ctrl+O, which is offered when the name is taken.
    """

    AUTO_FOCUS: ClassVar[str | None] = "#save-path"
    DEFAULT_CSS = """
    SaveAs .dialog { width: 96; }
    SaveAs #save-path { border: none; height: 1; padding: 0 1; background: $panel; margin: 1 0; }
    SaveAs #save-path:focus { border: none; background: $boost; }
    SaveAs #save-formats { height: auto; margin-top: 1; }
    SaveAs #save-caution { display: none; height: auto; color: $text-warning; margin-bottom: 1; }
    SaveAs #save-caution.-shown { display: block; }
    SaveAs #save-problem { display: none; }
    SaveAs #save-problem.-shown { display: block; margin-bottom: 1; }
    """

    def __init__(
        self,
        name: str,
        formats: Sequence[SaveFormat],
        *,
        heading: str = "Save as",
        caution: Callable[[], str] | None = None,
    ) -> None:
        """`name`: raw, what the file is suggested to be called. `caution`: looked up in a thread, "" for nothing to say;
        Ctrl+P then writes what is `careful`. `heading` and the caution are words of ours."""
        super().__init__(name="save-as")
        self._stem = plain_name(name)
        self._formats = list(formats)
        self._format = self._formats[0]
        self._heading = heading
        self._look = caution
        self._caution = ""
        self._careful = False
        self._taken: tuple[str, Path] | None = None
        """What was typed when a file was said to be there, and that file: Ctrl+O may replace it."""
        self._said_about = ""
        """What was typed when something was last said about it."""
        self._writing = False
        self._saved: Saved | None = None
        """The file that was written while a question lay over the dialog, which closes when that is gone."""
        self.input = FilterInput(id="save-path")
        self.input.command = self._command
        self.input.edited = self._edited

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content(self._heading)
            yield Static(id="save-formats", markup=False)
            yield self.input
            yield Static(id="save-caution", markup=False)
            yield Static(id="save-problem", classes="problem", markup=False)
            yield Static(id="save-keys", classes="quiet", markup=False)

    def on_mount(self) -> None:
        self.input.value = shown_path(suggested_path(self._stem, self._format.ending))
        self.input.cursor_position = len(self.input.value)
        self._draw()
        if self._look is not None:
            self.run_worker(self._find_caution(self._look), exit_on_error=False)

    async def _find_caution(self, look: Callable[[], str]) -> None:
        self._caution = await asyncio.to_thread(look)
        if self.standing:
            self._draw()

    def _draw(self) -> None:
        several = len(self._formats) > 1
        words = [
            (f" {each.name} ", "$block-cursor-foreground on $block-cursor-background")
            if each is self._format
            else (f" {each.name} ", "$text-muted")
            for each in self._formats
        ]
        about = Content.assemble(*words, "\n", self._format.about) if several else Content(self._format.about)
        self.query_one("#save-formats", Static).update(about)
        caution = self._caution if self._format.careful is not None else ""
        if caution and self._careful:
            caution += " They are written with ' before them: Ctrl+P writes them as they are."
        elif caution:
            caution += " They are written as they are: Ctrl+P puts ' before them."
        shown = self.query_one("#save-caution", Static)
        shown.update(Content(caution))
        shown.set_class(bool(caution), "-shown")
        keys = ["Tab another format"] if several else []
        keys += ["Enter saves"] if self._taken is None else ["Ctrl+O replaces the file"]
        self.query_one("#save-keys", Static).update(Content(" · ".join([*keys, "Esc back"])))

    def _command(self, key: str) -> bool:
        if key in ("tab", "shift+tab"):
            self._next_format(1 if key == "tab" else -1)
        elif key == "enter":
            self._write(replace=False)
        elif key == "ctrl+o":
            if self._taken is not None:
                self._write(replace=True)
        elif key == "ctrl+p":
            self._careful = not self._careful
            self._draw()
        else:
            return False
        return True

    def _edited(self, value: str) -> None:
        """Another path: what was said is not about it."""
        if value != self._said_about:
            self._taken = None
            self._say("")

    async def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()

    def _next_format(self, step: int) -> None:
        before = self._format.ending
        self._format = self._formats[(self._formats.index(self._format) + step) % len(self._formats)]
        if self.input.value.endswith(before) and before != self._format.ending:
            self.input.value = self.input.value.removesuffix(before) + self._format.ending
            self.input.cursor_position = len(self.input.value)
            self._taken = None
            self._say("")
        self._draw()

    def _write(self, *, replace: bool) -> None:
        if self._writing or self._saved is not None or self.done:
            return
        self._writing = True
        self.run_worker(self._work(self.input.value, replace=replace), exit_on_error=False)

    async def _work(self, typed: str, *, replace: bool) -> None:
        how = self._format
        parts = how.careful if self._careful and self._caution and how.careful is not None else how.parts
        allowed = self._taken[1] if self._taken is not None else None

        def work() -> Saved:
            path = typed_path(typed)
            # The yes was about one file.
            return Saved(path, how, save(path, parts(), replace=replace and path == allowed))

        try:
            saved = await asyncio.to_thread(work)
        except AlreadyThere as error:
            self._taken = (typed, error.path)
            taken = error.taken
            self._say(
                f"There is a file already ({_size(taken.size)}, {taken.changed:%Y-%m-%d %H:%M}). "
                "Nothing was written: change the name, or replace it with Ctrl+O."
            )
        except StorageError as error:
            self._say(error.sentence)
        else:
            self._saved = saved
            self.finish(saved)
        finally:
            self._writing = False

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self._saved is not None:
            self.finish(self._saved)

    def _say(self, words: str) -> None:
        if self.standing:
            self._said_about = self.input.value
            problem = self.query_one("#save-problem", Static)
            problem.update(Content(str(safe_prose(words))))
            problem.set_class(bool(words), "-shown")
            self._draw()


def _size(octets: int) -> str:
    if octets < 1_000:
        return f"{octets} bytes"
    return f"{octets / 1_000:,.0f} KB" if octets < 1_000_000 else f"{octets / 1_000_000:,.1f} MB"
