"""t_pty_output: no control code of foreign text reaches the terminal, from any widget (P11)."""

from __future__ import annotations

import base64
import re
import unicodedata

import pytest

from tests.hostile_cases import hostile_cases
from tests.hostile_payloads import hostile_texts, leaks
from tests.pty_harness import Terminal, posix_only
from tests.ui.terminal.conftest import Start

pytestmark = posix_only


def test_the_check_itself_finds_payloads() -> None:
    for name, text in hostile_texts():
        if any(unicodedata.category(character) == "Cc" and character not in "\t\n\r" for character in text):
            assert leaks(text.encode("utf-8", "surrogatepass")), name
    assert not leaks(b"\x1b[1;2H\x1b[38;2;1;2;3mtext\x1b[0m\x1b[?25l \xe2\x94\x80 \xc3\xa9")


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.slow)])
def test_raw_hostile_text_in_every_widget_writes_no_control_codes(start: Start, every: int) -> None:
    terminal = start(f"walls/{every}", size=(80, 60), ready="")
    assert terminal.wait_exit(60) == 0, terminal.text()
    assert "all shown" in terminal.text()
    shown = {int(number) for number in re.findall(rb"<([0-9]+)>", terminal.raw)}
    assert shown >= set(range(len(hostile_texts(odd=True, longest=400)[::every])))
    assert leaks(terminal.raw) == []


def written(terminal: Terminal) -> bytes:
    """Everything the program wrote, up to its end: a sequence may not be whole before."""
    terminal.write("\x11")
    assert terminal.wait_exit() == 0
    return terminal.raw


def joined(terminal: Terminal) -> str:
    """The screen without line breaks: wrapping undone."""
    return terminal.text().replace("\n", "")


def test_what_must_be_seen_is_on_the_screen(start: Start) -> None:
    terminal = start("doors", size=(100, 40))
    wanted = {case.name: case for case in hostile_cases("prose", "error", "title")}
    for number, (name, text) in enumerate(hostile_texts(odd=True, longest=400)):
        terminal.write("\x1b[19~")
        terminal.wait_for(f"{number} {name[:40]}")
        case = wanted.get(name)
        if case is not None and len(text) < 400 and case.kind != "false-positive":
            wanted_words = [words.replace("\n", "") for words in case.strings("must_show")]
            terminal.wait_for(lambda now, all_of=wanted_words: all(words in joined(now) for words in all_of))
    assert leaks(written(terminal)) == []


def test_the_clipboard_gets_safe_text_only(start: Start) -> None:
    terminal = start()
    terminal.write("\x1b[20~")
    terminal.wait_raw(b"\x1b]52;c;")
    raw = written(terminal)
    copied = base64.b64decode(raw.partition(b"\x1b]52;c;")[2].partition(b"\x07")[0])
    assert copied == "ls␛[201~\nrm -rf /".encode()
    assert leaks(raw, clipboard=True) == []
