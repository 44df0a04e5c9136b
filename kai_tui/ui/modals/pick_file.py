"""Choosing files by their path: completed with Tab, named with their size before anything is done with them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from kai_tui.backends.base import Refused
from kai_tui.services import local_files
from kai_tui.services.local_files import FoundFile, shown_size
from kai_tui.ui.modals.base import Ask
from kai_tui.ui.widgets.filter_input import FilterInput

PAUSE = 0.15
"""Seconds of quiet before the disk is asked what a path means."""
MOST_NAMES = 40
"""Names of a completion that are shown."""
MOST_FILES = 20
"""Files that are listed one by one."""


@dataclass(frozen=True, slots=True)
class Picked:
    """What was chosen: files, or one address."""

    files: tuple[FoundFile, ...] = ()
    address: str = ""


class PickFile(Ask[Picked]):
    """Result: what was chosen; None when nothing was."""

    AUTO_FOCUS: ClassVar[str | None] = "#path"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pagedown", "scroll_found(1)", show=False),
        Binding("pageup", "scroll_found(-1)", show=False),
    ]
    DEFAULT_CSS = """
    PickFile .dialog { width: 96; }
    PickFile #path { margin-top: 1; border: none; height: 1; padding: 0 1; background: $panel; }
    PickFile #path:focus { border: none; background: $boost; }
    PickFile #pick-found { height: auto; min-height: 3; max-height: 10; margin: 1 0; scrollbar-size-vertical: 1; }
    PickFile #pick-words { height: auto; }
    """

    def __init__(
        self,
        heading: str,
        about: str,
        *,
        verb: str,
        refusal: Callable[[FoundFile], str],
        warning: Callable[[FoundFile], str] = lambda file: "",
        addresses: Callable[[str], str] | None = None,
        several: bool = True,
    ) -> None:
        """`heading`, `about` and `verb` ("Enter adds") are words of ours.

        `refusal` and `warning` say what is wrong with a file, known before it is read. `addresses`: addresses
        are taken, too; it says why one is not, empty when it is.
        """
        super().__init__(name="pick-file")
        self._heading, self._about, self._verb = heading, about, verb
        self._refusal, self._warning = refusal, warning
        self._addresses, self._several = addresses, several
        self._shown_for = ""
        """The text that what stands below it is about."""
        self._typed_before = ""
        self._files: tuple[FoundFile, ...] = ()
        self._troubles: Sequence[str] = ()
        self.input = FilterInput(placeholder="path of a file", id="path")
        self.input.edited = self._typed
        self.input.command = self._command

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content(self._heading)
            yield Static(Content(self._about), id="pick-about", classes="quiet", markup=False)
            yield self.input
            with VerticalScroll(id="pick-found", can_focus=False):
                yield Static(id="pick-words", markup=False)
            yield Static(f"Tab completes · Enter {self._verb} · Esc leaves", classes="quiet", markup=False)

    def on_mount(self) -> None:
        if self._addresses is not None:
            self.input.placeholder = "path of a file, or an address that begins with https://"

    # Typing

    def _command(self, key: str) -> bool:
        if key == "tab":
            self.run_worker(partial(self._complete, self.input.value), group="disk", exclusive=True)
        elif key == "enter":
            self._enter()
        else:
            return False
        return True

    def _typed(self, text: str) -> None:
        if text == self._typed_before:
            return  # a key that changed nothing
        self._typed_before = text
        if text != self._shown_for:
            self._files, self._troubles = (), ()
            self._say(Content(""))
        self.run_worker(partial(self._look_soon, text), group="disk", exclusive=True)

    async def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()

    async def _look_soon(self, text: str) -> None:
        await asyncio.sleep(PAUSE)
        await self._look(text)

    async def _look(self, text: str) -> None:
        if text != self.input.value:
            return
        if self._is_address(text):
            trouble = self._addresses(text.strip()) if self._addresses is not None else ""
            self._take(text, (), [trouble] if trouble else [])
            return
        found = await asyncio.to_thread(local_files.look, text)
        if text != self.input.value or not self.standing:
            return
        files: list[FoundFile] = []
        troubles: list[str] = []
        for each in found:
            if isinstance(each, Refused):
                troubles.append(each.sentence)
            elif each.path not in [file.path for file in files]:
                why = self._refusal(each)
                if why:
                    troubles.append(why)
                else:
                    files.append(each)
        if not self._several and len(files) > 1:
            files, troubles = [], ["One file at a time, please."]
        self._take(text, tuple(files), troubles)

    def _is_address(self, text: str) -> bool:
        return self._addresses is not None and local_files.is_web_address(text)

    def _take(self, text: str, files: tuple[FoundFile, ...], troubles: Sequence[str]) -> None:
        self._shown_for, self._files, self._troubles = text, files, troubles
        self._say(self._words(text))

    async def _complete(self, text: str) -> None:
        if self._is_address(text):
            return
        completion = await asyncio.to_thread(local_files.complete, text)
        if text != self.input.value or not self.standing:
            return
        if completion.text != text:
            self.input.value = self._typed_before = completion.text
            self.input.cursor_position = len(completion.text)
        if completion.names:
            self._shown_for, self._files, self._troubles = "", (), ()
            self._say(_names(completion.names))
        else:
            await self._look(completion.text)

    # Choosing

    def _enter(self) -> None:
        text = self.input.value
        if not text.strip():
            return
        if text != self._shown_for:
            # Not before name and size were on screen.
            self.run_worker(partial(self._look, text), group="disk", exclusive=True)
        elif self._is_address(text) and not self._troubles:
            self.finish(Picked(address=text.strip()))
        elif self._files and not self._troubles:
            self.finish(Picked(self._files))

    def action_scroll_found(self, direction: int) -> None:
        """Scroll a long list of files."""
        found = self.query_one("#pick-found", VerticalScroll)
        found.scroll_relative(y=direction * max(1, found.size.height - 1), animate=False)

    # Words

    def _say(self, words: Content) -> None:
        if self.standing:
            self.query_one("#pick-words", Static).update(words)

    def _words(self, text: str) -> Content:
        from kai_tui.conversation.safe_text import safe_exact, safe_prose

        lines: list[Content] = []
        for file in self._files[:MOST_FILES]:
            name = safe_exact(file.name, one_line=True)
            lines.append(
                Content.assemble((name.text, "bold"), (f" · {shown_size(file.size)}", "$text-muted"))
            )
            lines += [Content.styled(f"! {flag}", "$text-warning") for flag in name.flags]
            warning = self._warning(file)
            if warning:
                lines.append(Content.styled(f"! {safe_prose(warning)}", "$text-warning"))
        if len(self._files) > MOST_FILES:
            lines.append(Content.styled(f"and {len(self._files) - MOST_FILES} more", "$text-muted"))
        if len(self._files) > 1:
            size = shown_size(sum(file.size for file in self._files))
            lines.append(Content.styled(f"{len(self._files)} files, {size} in all", "$text-muted"))
        lines += [Content.styled(f"✗ {safe_prose(trouble)}", "$text-error") for trouble in self._troubles]
        if self._is_address(text) and not self._troubles:
            lines.append(Content.styled(safe_exact(text.strip(), one_line=True).text, "bold"))
        if lines and not self._troubles:
            lines.append(Content.styled(f"Enter {self._verb}", "$text-accent"))
        elif self._files and self._troubles:
            lines.append(Content.styled("Take out what cannot be sent; then Enter.", "$text-muted"))
        return Content("\n").join(lines)


def _names(names: Sequence[str]) -> Content:
    from kai_tui.conversation.safe_text import safe_exact

    shown = [safe_exact(name, one_line=True).text for name in names[:MOST_NAMES]]
    more = f"   … {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return Content.styled("   ".join(shown) + more, "$text-muted")
