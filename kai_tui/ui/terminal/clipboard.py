"""Putting text on the clipboard the surest way there is, and saying truthfully which one it was.

On this computer: its own program, read back. In tmux: its buffer, read back, and through it the terminal's
clipboard. Else the terminal itself (OSC 52), which nobody can check. What is too long for all of them, or
what none of them takes, goes into a private file.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from kai_tui.ui.terminal import tmux_clipboard, tool_runs
from kai_tui.ui.terminal.clipboard_tools import ClipboardTool, tools_for
from kai_tui.ui.terminal.osc52 import ClipboardWrite, limit_for, wraps_for

Way: TypeAlias = Literal["tool", "tmux", "terminal", "file", "nowhere"]

TOOL_SECONDS: Final = 4.0
"""How long a program may take for the text, and again to give it back."""

Send: TypeAlias = Callable[[ClipboardWrite], bool]
"""Sends to the terminal; False when there is none."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of a copy."""

    way: Way
    checked: bool
    sentence: str
    """For the user; ours, with at most a file's path in it."""

    @property
    def done(self) -> bool:
        """Whether it is on a clipboard, as far as anybody can know."""
        return self.way not in ("file", "nowhere")


class Clipboard:
    """Copies one text after the other; of several that wait only the newest counts."""

    def __init__(
        self,
        send: Send,
        folder: Callable[[], Path],
        environ: Mapping[str, str] = os.environ,
        *,
        seconds: float = TOOL_SECONDS,
        tools: Callable[[Mapping[str, str]], Sequence[ClipboardTool]] = tools_for,
    ) -> None:
        """`folder`: where the file of the last resort goes."""
        self._send = send
        self._folder = folder
        self._environ = environ
        self._seconds = seconds
        self._tools = tools
        self._turn = asyncio.Lock()
        self._newest = 0

    async def copy(self, text: str, what: str = "the text") -> Copied | None:
        """Copy `text`, which must be safe; None when a newer copy overtook it.

        `what` names it in the sentence: "the message".
        """
        self._newest = mine = self._newest + 1
        async with self._turn:
            if mine != self._newest:
                return None
            return await self._copy(text, what)

    async def _copy(self, text: str, what: str) -> Copied:
        data = text.encode("utf-8", "replace")
        in_tmux = bool(self._environ.get("TMUX"))
        environ = await tmux_clipboard.around(self._environ) if in_tmux else self._environ
        for tool in self._tools(environ):
            checked = await self._with_tool(tool, text, environ)
            if checked:
                return Copied("tool", checked=True, sentence=f"Copied {what} (checked).")
            if checked is None:
                sentence = f"Copied {what} with {tool.name}; that could not be checked."
                return Copied("tool", checked=False, sentence=sentence)
        found = await self._through_tmux(data, text, what) if in_tmux else None
        return found or self._through_terminal(data, text, what) or await self._into_file(data, what)

    async def _with_tool(self, tool: ClipboardTool, text: str, environ: Mapping[str, str]) -> bool | None:
        """Whether the program has the text now; None: it took it, and cannot be asked."""
        environ = {**environ, **tool.environ}
        if not await tool_runs.feed(
            tool.write, text.encode(tool.encoding, "replace"), environ=environ, seconds=self._seconds
        ):
            return False
        if not tool.read:
            return None
        data = text.encode("utf-8", "replace")
        found = await tool_runs.read(
            tool.read, environ=environ, seconds=self._seconds, most=len(data) + text.count("\n") + 2
        )
        if found is None:
            return None
        if tool.line_ends:
            found = found.replace(b"\r\n", b"\n")
        # Some add a line end at the end; a wrong text is no copy.
        return found in (data, data + b"\n")

    async def _through_tmux(self, data: bytes, text: str, what: str) -> Copied | None:
        environ = self._environ
        facts = await tmux_clipboard.facts(environ)
        if facts is None:
            return None
        limit = limit_for(environ)
        fits = len(data) <= limit
        loaded = await tmux_clipboard.load(data, environ, on=facts.clipboard and fits)
        if loaded is None:
            return None
        sent = loaded.sent
        if fits and facts.passes and (facts.nested or not sent):
            wraps = ("tmux", "tmux") if facts.nested else ("tmux",)
            sent = self._send(ClipboardWrite(text, wraps)) or sent
        checked = " (checked)" if loaded.checked else ""
        if sent:
            rest = "and sent to the terminal's clipboard, which cannot be checked."
        elif not fits:
            rest = f"only: it is too long for the terminal's clipboard ({_size(data)} of at most {_bytes(limit)})."
        else:
            rest = "only: tmux gives the terminal around it nothing for its clipboard."
        return Copied("tmux", loaded.checked, f"Copied {what} into tmux's buffer{checked} {rest}")

    def _through_terminal(self, data: bytes, text: str, what: str) -> Copied | None:
        if len(data) > limit_for(self._environ):
            return None
        sent = [self._send(ClipboardWrite(text, wraps)) for wraps in wraps_for(self._environ)]
        if not any(sent):
            return None
        sentence = f"Sent {what} to the terminal's clipboard. Whether it took it cannot be checked."
        return Copied("terminal", checked=False, sentence=sentence)

    async def _into_file(self, data: bytes, what: str) -> Copied:
        from kai_tui.storage.errors import reason
        from kai_tui.storage.paths import COPIED
        from kai_tui.storage.private import write_private

        limit = limit_for(self._environ)
        why = (
            f"too long for the terminal's clipboard ({_size(data)} of at most {_bytes(limit)})"
            if 0 < limit < len(data)
            else "no clipboard was found"
        )
        try:
            path = self._folder() / COPIED
            await asyncio.to_thread(write_private, path, data)
        except OSError as error:
            sentence = f"Not copied: {why}, and the file for it could not be written ({reason(error)})."
            return Copied("nowhere", checked=False, sentence=sentence)
        sentence = f"Not copied: {why}. {what[:1].upper()}{what[1:]} is in this file, which only you can read: {path}"
        return Copied("file", checked=True, sentence=sentence)


def _size(data: bytes) -> str:
    return _bytes(len(data))


def _bytes(count: int) -> str:
    return f"{count:,} bytes"
