"""The walls, one by one: the line filter, the driver's wall, the file that outlives its terminal."""

from __future__ import annotations

import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import ControlType, Segment
from rich.style import Style
from textual.color import Color

from kai_tui.ui.terminal.output import LastingFile, SafeFilter, walled
from tests.hostile_payloads import leaks
from tests.some import examples

BLACK = Color(0, 0, 0)
ANY = st.text(st.characters(codec=None, exclude_categories=()))


def drawn(text: str, style: Style | None = None) -> Segment:
    (segment,) = SafeFilter().apply([Segment(text, style)], BLACK)
    return segment


def test_ordinary_lines_are_not_copied() -> None:
    line = [
        Segment("plain "),
        Segment("žluť 売上 👨‍👩‍👧 می‌خواهم 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"),
    ]
    assert SafeFilter().apply(line, BLACK) is line


def test_controls_bidi_and_tags_are_taken_out() -> None:
    assert drawn("a\x1b[2Jb\x07\x9b\u202ec\u2066\ufeffd\ud800e").text.split() == ["a[2Jbcde"]
    assert drawn("a" + "".join(chr(0xE0000 + ord(each)) for each in "rm -rf")).text == "a"


def test_links_are_taken_out() -> None:
    style = drawn("x", Style(link="https://evil.example/\x1b\\", bold=True)).style
    assert style is not None
    assert style.link is None
    assert style.bold


def test_control_segments_of_textual_stay() -> None:
    line = [Segment("\x1b[1;1H", None, [(ControlType.HOME,)]), Segment("\x1bx")]
    assert SafeFilter().apply(line, BLACK)[0] is line[0]


@examples(300)
@given(ANY)
def test_a_filtered_line_is_as_wide_as_before(text: str) -> None:
    clean = drawn(text).text
    assert cell_len(clean) == cell_len(text)
    assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in clean)


@pytest.mark.parametrize(
    "data",
    [
        "\x1b[3;4H\x1b[1;38;2;1;2;3mtext ž 売\x1b[0m\n\x1b[2K\x1b[?25l",
        "\x1b[?1049h\x1b[?1000h\x1b[?1003h\x1b[?1015h\x1b[?1006h\x1b[?25l\x1b[?1004h\x1b[>25u",
        "\x1b[?2026$p\x1b[?2048$p\x1b[?2004h\x1b[?7l\x1b[?2026h\x1b[?2026l",
        "\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l",
        "\x1b]22;pointer\x07",
        "\x07",
        "",
    ],
)
def test_what_textual_writes_passes_the_wall(data: str) -> None:
    assert walled(data) is data


@pytest.mark.parametrize(
    ("data", "rest"),
    [
        ("a\x1b]0;title\x07b", "a]0;titleb"),
        ("a\x1b]52;c;aGVsbG8=\x07b", "a]52;c;aGVsbG8=b"),
        ("\x1b]52;c;aGVsbG8=\x07", "]52;c;aGVsbG8="),
        ("\x1b]8;;https://evil.example\x1b\\x", "]8;;https://evil.example\\x"),
        ("\x1bc\x1b(0\x1b#8\x1bP+q\x1b\\", "c(0#8P+q\\"),
        ("\x1b[?9h\x1b[21t\x1b[?2004;1l", "[?9h[21t[?2004;1l"),
        ("a\x9b2J\x00\x08\rb\ud800", "a2Jb"),
    ],
)
def test_foreign_controls_do_not_pass_the_wall(data: str, rest: str) -> None:
    assert walled(data) == rest


@examples(300)
@given(
    st.lists(
        st.sampled_from(["\x1b", "[", "]", "2J", "52;c;", "\x07", "\x9b", "m", "\x1b[1m", "x", "\r", "é"])
    ).map("".join)
)
def test_nothing_foreign_passes_whatever_it_is_mixed_with(data: str) -> None:
    if data != "\x07":
        assert not leaks(walled("x" + data).encode("utf-8", "surrogatepass"))


class GoneFile(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(5, "gone")


def test_a_lost_terminal_is_told_once_and_then_forgotten() -> None:
    told: list[int] = []
    file = LastingFile(GoneFile(), lambda: told.append(1))
    for _ in range(3):
        assert file.write("x") == 1
        file.flush()
    assert told == [1]
    assert not file.isatty()


def test_text_the_terminal_can_not_encode_is_replaced() -> None:
    raw = io.BytesIO()
    file = LastingFile(io.TextIOWrapper(raw, encoding="ascii"), lambda: None)
    file.write("až\ud800b")
    file.flush()
    assert raw.getvalue() == b"a??b"
