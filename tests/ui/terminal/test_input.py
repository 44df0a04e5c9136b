"""What terminals send beside keys: dropped, never typed, never fatal (textual-notes §9)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual.message import Message

from kai_tui.ui.terminal.input import HOLD_ANSWER, HOLD_PASTE, InputDecoder, SafeParser, TerminalGone
from tests.pty_harness import posix_only
from tests.some import examples
from tests.ui.terminal.conftest import Start


class Clock:
    """Time the test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("kai_tui.ui.terminal.input.monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def said(messages: list[Message]) -> list[str]:
    """Events as short words: keys by name, pastes in quotes."""
    words: list[str] = []
    for message in messages:
        if isinstance(message, events.Key):
            words.append(message.key)
        elif isinstance(message, events.Paste):
            words.append(repr(message.text))
        else:
            words.append(type(message).__name__)
    return words


def read(*pieces: str, clock: Clock | None = None, wait: float = 0.2) -> list[str]:
    parser = SafeParser()
    found: list[Message] = []
    for piece in pieces:
        found += parser.feed(piece)
    if clock is not None:
        clock.now += wait
    found += parser.tick()
    return said(found)


@pytest.mark.parametrize(
    ("sent", "keys"),
    [
        ("hé", ["h", "é"]),
        ("\r\t\x7f", ["enter", "tab", "backspace"]),
        ("\x1b[A\x1bOA\x1b[1;5C\x1b[Z\x1b[3~", ["up", "up", "ctrl+right", "shift+tab", "delete"]),
        ("\x1bOP\x1b[[A\x1b[15~", ["f1", "f1", "f5"]),
        ("\x1bx\x1b\r", ["alt+x", "enter"]),
        ("\x1b[97u\x1b[97;;97u\x1b[97;5u", ["a", "a", "ctrl+a"]),
        ("\x1b[32;;32u", ["space"]),
        ("\x1b[13;2u", ["shift+enter"]),
        ("\x1b[27;2;13~", ["shift+\r"]),
        ("\x1b[57399;;48u", ["0"]),
        ("\x1b[0;;26085:26412u", ["日", "本"]),
        ("\x1b\x1b[A", ["escape", "up"]),
        ("\x1b[I\x1b[O", ["AppFocus", "AppBlur"]),
        ("\x1b[<0;3;4M\x1b[<0;3;4m\x1b[<35;5;5M", ["MouseDown", "MouseUp", "MouseMove"]),
        ("\x1b[?2026;2$y", ["TerminalSupportsSynchronizedOutput"]),
        ("\x1b[48;24;80;480;800t", ["Resize"]),
    ],
)
def test_what_textual_knows_comes_through(sent: str, keys: list[str]) -> None:
    assert read(sent) == keys
    assert read(*sent) == keys


@pytest.mark.parametrize(
    "junk",
    [
        "\x1b[97;1:3u",
        "\x1b[65;2:3A",
        "\x1b]11;rgb:0000/0000/0000\x1b\\",
        "\x1b]11;rgb:0000/0000/0000\x07",
        "\x1b]52;c;cm0gLXJmIC8K\x07",
        "\x1b]lrm -rf /\r\x1b\\",
        "\x1b[?62;22c",
        "\x1b[>1;10;0c",
        "\x1b[0n",
        "\x1b[8;24;80t",
        "\x1bP1$r0m\x1b\\",
        "\x1bP>|xterm(380)\x1b\\",
        "\x1bP1+r544e=787465726d\x1b\\",
        "\x1b_Gi=1;OK\x1b\\",
        "\x1b[<NaN;NaN;NaNM",
        "\x1b[<0;1.5;2M",
        "\x1b[<99999999999999999999;1;1M",
        "\x1b[M !!",
        "\x1b[48;0;0;0;0t",
        "\x1b[9999999u",
        "\x1b[55296u",
        "\x1b[999999999999999999999u",
        "\x1b[12;34;56;78;90z",
        "\x1b[?1;2;3S",
        "\x1b[201~",
    ],
)
def test_answers_and_junk_are_no_keys(junk: str) -> None:
    assert read(junk + "x") == ["x"]
    assert read(*junk, "x") == ["x"]
    for cut in range(1, len(junk)):
        assert read(junk[:cut], junk[cut:] + "x") == ["x"], cut


def test_press_and_repeat_reports_are_keys() -> None:
    assert read("\x1b[97;1:1u\x1b[97;5:2u\x1b[97:65;2:1;65u") == ["a", "ctrl+a", "A"]


def test_texts_of_keys_that_are_no_text_are_left_out() -> None:
    parser = SafeParser()
    for key in parser.feed("\x1b[97;1;27u\x1b[97;1;155u\x1b[98;1;8238u"):
        assert isinstance(key, events.Key)
        assert key.character is None or key.character.isprintable()


def test_a_lone_escape_and_alt_keys_wait_only_a_moment(clock: Clock) -> None:
    assert read("\x1b", clock=clock) == ["escape"]
    assert read("\x1b", clock=clock, wait=0.01) == []
    assert read("\x1b\x1b", clock=clock) == ["escape", "escape"]
    assert len(read("\x1b]", clock=clock)) == 1
    assert len(read("\x1b[", clock=clock)) == 1
    assert read("\x1b[3", clock=clock) == []


def test_an_answer_that_never_ends_is_dropped(clock: Clock) -> None:
    parser = SafeParser()
    assert list(parser.feed("\x1b]52;c;" + "A" * 50_000)) == []
    assert list(parser.feed("B" * 50_000)) == []
    clock.now += HOLD_ANSWER + 0.1
    assert list(parser.tick()) == []
    assert said(list(parser.feed("hi"))) == ["h", "i"]


def test_an_answer_cut_by_a_key_gives_the_key() -> None:
    assert read("\x1b]52;c;AAAA\x1b[A") == ["up"]


@pytest.mark.parametrize(
    ("sent", "pasted"),
    [
        ("a\r\nb\rc\nd\te", "a\nb\nc\nd\te"),
        ("\x1b[31mred\x1b[0m\r", "[31mred[0m\n"),
        ("x\x1b\ry\x00\x07\x9b\x7fz", "x\ny" + "z"),
        ("ls\x1b[201~\r\x1b[Brm -rf /\r", "ls\n[Brm -rf /\n"),
        ("日本 😀", "日本 😀"),
        ("", ""),
    ],
)
def test_a_paste_is_a_paste_whatever_is_in_it(sent: str, pasted: str) -> None:
    assert read(f"\x1b[200~{sent}\x1b[201~x") == ([repr(pasted)] if pasted else []) + ["x"]


def test_a_paste_in_pieces() -> None:
    whole = "\x1b[200~line one\x1b[31m\rline two\x1b[201~x"
    for cut in range(1, len(whole)):
        assert read(whole[:cut], whole[cut:]) == ["'line one[31m\\nline two'", "x"]
    assert read(*whole) == ["'line one[31m\\nline two'", "x"]


def test_two_pastes_stay_two() -> None:
    assert read("\x1b[200~a\x1b[201~\x1b[200~b\x1b[201~c") == ["'a'", "'b'", "c"]


def test_a_paste_without_end_does_not_swallow_the_keyboard(clock: Clock) -> None:
    parser = SafeParser()
    assert list(parser.feed("\x1b[200~abc\rdef")) == []
    clock.now += HOLD_PASTE + 0.1
    assert said(list(parser.tick())) == [repr("abc\ndef")]
    assert list(parser.feed("g\r")) == []  # may still be pasted: no Enter
    clock.now += HOLD_PASTE + 0.1
    assert said(list(parser.tick())) == [repr("g\n")]
    assert said(list(parser.feed("\x11x"))) == ["ctrl+q", "x"]


def test_bytes_that_are_no_utf8() -> None:
    decoder = InputDecoder()
    assert decoder.decode(b"\xff\xc3") == "\ufffd"
    assert decoder.decode(b"\xa9") == "é"
    with pytest.raises(TerminalGone):
        decoder.decode(b"")


def test_keys_are_never_logged(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(str(tmp_path))
    assert said(list(SafeParser(debug=True).feed("a"))) == ["a"]
    from pathlib import Path

    assert list(Path(str(tmp_path)).iterdir()) == []


PIECES = st.sampled_from(
    r"\x1b [ ] O P _ < ? 200~ 201~ \x1b[200~ \x1b[201~ 1 ; : 3 99999999999999999999 u ~ M m t R $y \x07 \x9c \\ \r"
    r" \x00 é \ud800 \U0010ffff 48; NaN".encode("latin-1")
    .decode("unicode_escape", "surrogatepass")
    .split(" ")
)


@examples(500)
@given(st.lists(st.lists(PIECES, min_size=1, max_size=8).map("".join), max_size=8))
def test_no_input_kills_the_parser(pieces: list[str]) -> None:
    parser = SafeParser()
    for piece in pieces:
        list(parser.feed(piece))
        list(parser.tick())
    parser._held_since = parser._held_since - 100
    list(parser.tick())
    parser._held_since = parser._held_since - 100
    list(parser.feed("\x1b[201~\x1b[201~"))
    list(parser.tick())
    assert "z" in said(list(parser.feed("\x03z")))


@posix_only
def test_a_real_terminal_that_sends_anything(start: Start) -> None:
    terminal = start()
    terminal.write(b"\xff\xfe one \x1b[97;1:3u\x1b[<NaN;NaN;NaNM\x1b]11;rgb:0/0/0\x1b\\\x1b[?62;c")
    terminal.write(b"\x1b[9999999999u\x1b[200~two\x1b[13u\x1b[201~ three\xe2\x82")
    terminal.wait_for("two[13u three")
    assert "rgb" not in terminal.text()
    terminal.write("\x11")
    assert terminal.wait_exit() == 0
