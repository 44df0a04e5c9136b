"""Breaking lines: nothing lost, nothing too wide, no character torn."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from kai_tui.ui.terminal.narrow import is_narrow
from kai_tui.ui.transcript.wrap import break_cells, break_words, cells, cut

PIECES = st.sampled_from(
    [
        "a",
        "word",
        " ",
        "  ",
        "你好",
        "世",
        "🚀",
        "👩‍💻",
        "é",
        "naïve",
        "❤️",
        "🇨🇿",
        "x" * 30,
        "Привет",
        "…",
        "한글",
    ]
)
TEXTS = st.lists(PIECES, max_size=40).map("".join)


@given(TEXTS, st.integers(2, 40))
@settings(deadline=None)
def test_words_fit_and_only_spaces_are_left_out(text: str, width: int) -> None:
    position = 0
    for start, end in break_words(text, width):
        assert start >= position
        assert text[position:start].strip(" ") == ""
        assert cells(text[start:end]) <= width
        position = end
    assert text[position:].strip(" ") == ""


@given(TEXTS, st.integers(2, 40))
@settings(deadline=None)
def test_cells_fit_and_nothing_is_left_out(text: str, width: int) -> None:
    lines = break_cells(text, width)
    assert "".join(text[start:end] for start, end in lines) == text
    assert all(cells(text[start:end]) <= width for start, end in lines)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("one two three", 7, ["one two", "three"]),
        ("one  two", 4, ["one", "two"]),
        ("    indented text", 12, ["    indented", "text"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("    abcdefghij", 6, ["    ab", "cdefgh", "ij"]),
        ("你好世界", 5, ["你好", "世界"]),
        ("看 README 文件", 8, ["看", "README", "文件"]),
        ("", 5, [""]),
    ],
)
def test_breaks(text: str, width: int, lines: list[str]) -> None:
    assert [text[start:end] for start, end in break_words(text, width)] == lines


def test_narrow_characters_are_one_cell_each() -> None:
    for point in range(0x20, 0x3000):
        character = chr(point)
        if is_narrow(character):
            assert cell_len(character) == 1, hex(point)
            assert cell_len("a" + character) == 2, hex(point)


@given(TEXTS, st.integers(0, 30))
def test_a_cut_fits(text: str, width: int) -> None:
    assert cells(cut(text, width)) <= max(width, 0) or not text


def test_a_cut_says_so() -> None:
    assert cut("abcdef", 4) == "abc…"
    assert cut("abcd", 4) == "abcd"
    assert cut("你好世界", 5) == "你好…"
