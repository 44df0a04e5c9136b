"""Keys keep their order, whatever comes in one read: against a model, and in a real terminal."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.ui.widgets.composer import Composer
from tests.some import examples
from tests.ui.widgets.widget_apps import running

_WORD = re.compile(r"(?<=\W)(?=\w)|(?<=\w)(?=\W)")


@dataclass
class Model:
    """What the composer must do, in the simplest words."""

    text: str = ""
    at: int = 0
    sent: list[str] = field(default_factory=list)

    def press(self, sign: str) -> None:
        start = self.text.rfind("\n", 0, self.at) + 1
        end = self.text.find("\n", self.at)
        end = len(self.text) if end < 0 else end
        match sign:
            case "⏎":
                if self.text[self.at - 1 : self.at] == "\\":
                    self._put("\n", self.at - 1)
                elif self.text.strip():
                    self.sent.append(self.text)
                    self.text, self.at = "", 0
            case "↵":
                self._put("\n", self.at)
            case "⌫":
                self._put("", max(0, self.at - 1))
            case "⌦":
                self.text = self.text[: self.at] + self.text[self.at + 1 :]
            case "←":
                self.at = max(0, self.at - 1)
            case "→":
                self.at = min(len(self.text), self.at + 1)
            case "⇱":
                self.at = start
            case "⇲":
                self.at = end
            case "␕":
                self._put("", start if self.at > start else max(0, start - 1))
            case "␗":
                before = self.text[start : self.at].rstrip()
                words = list(_WORD.finditer(before))
                self._put(
                    "", max(0, start - 1) if self.at == start else start + (words[-1].start() if words else 0)
                )
            case _:
                self._put(sign, self.at)

    def _put(self, new: str, start: int) -> None:
        self.text = self.text[:start] + new + self.text[self.at :]
        self.at = start + len(new)


SIGNS = st.sampled_from("abcdé日 \\") | st.sampled_from("⏎⌫←→") | st.sampled_from("↵⇱⇲⌦␕␗")
READS = st.lists(st.text(SIGNS, min_size=1, max_size=40), min_size=10, max_size=30)


@examples(20)
@given(READS)
async def test_any_interleaving_ends_as_if_every_key_had_acted_at_once(reads: list[str]) -> None:
    composer = Composer()
    async with running(composer, size=(200, 40)) as (app, _):
        for read in reads:
            model = Model()
            app.heard.clear()
            composer.load("")
            await app.press(read)
            for sign in read:
                model.press(sign)
            assert [message.text for message in app.said(Composer.Submitted)] == model.sent
            assert composer.text == model.text
            row, column = composer.cursor_location
            assert sum(len(line) + 1 for line in model.text.split("\n")[:row]) + column == model.at


APP = """
import json, os, sys
from pathlib import Path
from textual.app import App
from kai_tui.ui.widgets.composer import Composer
from kai_tui.ui.widgets.type_ahead import TypeAhead

class Prompt(App):
    sent = []
    def __init__(self, state, late):
        super().__init__()
        self.state, self.late, self.type_ahead = Path(state), late, TypeAhead()
    def compose(self):
        if not self.late:
            yield Composer()
    def on_mount(self):
        self.set_timer(0.3, self.mount_composer) if self.late else self.ready()
    async def mount_composer(self):
        await self.mount(Composer())
        self.ready()
    def ready(self):
        composer = self.query_one(Composer)
        self.type_ahead.attach(composer)
        composer.focus()
        self.write()
    async def on_event(self, event):
        if not self.type_ahead.take(event, self):
            await super().on_event(event)
    def on_composer_submitted(self, event):
        self.sent.append(event.text)
        self.write()
    def on_text_area_changed(self, event):
        self.write()
    def write(self):
        draft = self.state.with_suffix(".new")
        draft.write_text(json.dumps([self.sent, self.query_one(Composer).text]))
        os.replace(draft, self.state)

Prompt(sys.argv[1], sys.argv[2] == "late").run()
"""


class Terminal:
    """A real pseudo-terminal with that app in it."""

    def __init__(self, folder: Path, *, late: bool = False) -> None:
        import os
        import subprocess
        import threading

        pty = pytest.importorskip("pty", reason="needs pseudo-terminals")
        self.state = folder / "state.json"
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-c", APP, str(self.state), "late" if late else "soon"],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            close_fds=True,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color", "TEXTUAL_ANIMATIONS": "none"},
        )
        os.close(slave)
        self._output = bytearray()
        threading.Thread(target=self._drain, daemon=True).start()

    def _drain(self) -> None:
        import os

        while True:
            try:
                data = os.read(self._master, 65536)
            except OSError:
                return
            if not data:
                return
            self._output += data

    def write(self, data: bytes) -> None:
        import os

        assert os.write(self._master, data) == len(data)

    def wait_for(self, expected: list[object] | None = None, *, timeout: float = 10) -> None:
        import time

        deadline = time.monotonic() + timeout
        state: object = None
        while time.monotonic() < deadline:
            if self.state.exists():
                state = json.loads(self.state.read_text())
                if expected is None or state == expected:
                    return
            time.sleep(0.01)
        pytest.fail(f"expected {expected}, is {state}; output ends {bytes(self._output[-2000:])!r}")

    def close(self) -> None:
        import os

        self._process.kill()
        self._process.wait()
        os.close(self._master)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal(tmp_path)
    try:
        opened.wait_for()
        yield opened
    finally:
        opened.close()


def test_what_comes_in_one_write_in_a_real_terminal(terminal: Terminal) -> None:
    terminal.write(b"abc\rdef")
    terminal.wait_for([["abc"], "def"])
    terminal.write(b"\x15abc\x7fd\r")
    terminal.wait_for([["abc", "abd"], ""])
    terminal.write(b"abcd\x7f\x7fefgh")
    terminal.wait_for([["abc", "abd"], "abefgh"])
    terminal.write(b"\x15one two\x17x\x1b[D\x1b[Dy\x1b[Hz\x1b[F\nend\\\r!\r")
    terminal.wait_for([["abc", "abd", "zoney x\nend\n!"], ""])
    # A paste, with text typed before and after it in the same read; it sends nothing.
    terminal.write(b"a\x1b[200~one\rtwo\n\x1b[201~b\x7fc")
    terminal.wait_for([["abc", "abd", "zoney x\nend\n!"], "aone\ntwo\nc"])


def test_keys_typed_before_the_prompt_is_there(tmp_path: Path) -> None:
    late = Terminal(tmp_path, late=True)
    try:
        late.write(b"typed early ")  # the terminal's own buffer keeps it
        import time

        deadline = time.monotonic() + 10
        while b"\x1b[?1049h" not in late._output and time.monotonic() < deadline:
            time.sleep(0.005)
        late.write(b"and \x7f\x7fd laterx\x7f\rdraft")
        late.wait_for([["typed early and later"], "draft"])
    finally:
        late.close()
