"""What is written makes the terminal show exactly the new lines, and is little."""

from __future__ import annotations

import re

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from kai_tui.ui.terminal.frames import Front
from kai_tui.ui.terminal.output import walled

WIDTH, HEIGHT = 30, 4
STYLES = [
    None,
    Style(),
    Style.parse("#102030 on #000000"),
    Style.parse("#ffffff on #000000"),
    Style.parse("bold #ffffff on #000000"),
    Style.parse("italic underline red"),
    Style.parse("reverse #ffffff on #223344"),
    Style.parse("bright_blue on color(17)"),
]


class Terminal:
    """A terminal that shows what is written to it."""

    def __init__(self) -> None:
        # Wider than the lines: the emulator scrolls for a combining mark behind the last column.
        self.screen = pyte.Screen(WIDTH + 2, HEIGHT)
        self._stream = pyte.Stream(self.screen)

    def write(self, data: str) -> None:
        self._stream.feed(data)

    def cells(self) -> list[list[object]]:
        rows = self.screen.buffer
        return [[rows[y][x] for x in range(WIDTH)] for y in range(HEIGHT)]


def strip(*parts: tuple[str, Style | None], width: int = WIDTH) -> Strip:
    return Strip([Segment(text, style) for text, style in parts]).adjust_cell_length(width, STYLES[2])


def drawn(lines: list[Strip]) -> list[list[object]]:
    """The cells of a terminal on which these lines are drawn as Textual draws them."""
    terminal = Terminal()
    for y, line in enumerate(lines):
        terminal.write(f"\x1b[{y + 1};1H")
        for text, style, _ in line:
            terminal.write(Strip.render_style(style, text, ColorSystem.TRUECOLOR) if style else text)
    return terminal.cells()


texts = st.lists(
    st.sampled_from(["a", "b", " ", "  ", "─", "\u00e9", "数", "🚀", "e\u0301"]), max_size=9
).map("".join)
strips = st.lists(st.tuples(texts, st.sampled_from(STYLES)), max_size=5).map(lambda parts: strip(*parts))
screens = st.lists(strips, min_size=HEIGHT, max_size=HEIGHT)
unmarked = strips.filter(lambda line: "\u0301" not in line.text)
"""Textual cuts a mark off its letter, and an emulator puts it on whatever stands there."""
cut_screens = st.lists(unmarked, min_size=HEIGHT, max_size=HEIGHT)


@given(st.lists(screens, min_size=2, max_size=4))
def test_a_terminal_shows_the_new_lines_whatever_it_showed(frames: list[list[Strip]]) -> None:
    front, terminal = Front(), Terminal()
    first, *later = frames
    terminal.write(front.whole([(y, 0, [line]) for y, line in enumerate(first)], ColorSystem.TRUECOLOR))
    assert terminal.cells() == drawn(first)
    for lines in later:
        written = front.changes([(y, 0, line) for y, line in enumerate(lines)], ColorSystem.TRUECOLOR)
        assert walled(written) == written
        terminal.write(written)
        assert terminal.cells() == drawn(lines)


@given(cut_screens, cut_screens, st.integers(1, WIDTH - 1), st.integers(1, WIDTH - 1))
def test_lines_cut_at_other_columns_are_drawn_whole(
    first: list[Strip], second: list[Strip], one: int, other: int
) -> None:
    front, terminal = Front(), Terminal()
    for lines, cut in ((first, one), (second, other), (first, one)):
        chops = [
            (y, x, part)
            for y, line in enumerate(lines)
            for x, part in zip((0, cut), line.divide([cut, WIDTH]), strict=True)
        ]
        terminal.write(front.changes(chops, ColorSystem.TRUECOLOR))
        expected = Terminal()
        for y, x, part in chops:
            expected.write(f"\x1b[{y + 1};{x + 1}H")
            for text, style, _ in part:
                expected.write(Strip.render_style(style, text, ColorSystem.TRUECOLOR) if style else text)
        assert terminal.cells() == expected.cells()


def changes(before: Strip, after: Strip) -> str:
    front = Front()
    front.changes([(0, 0, before)], ColorSystem.TRUECOLOR)
    return front.changes([(0, 0, after)], ColorSystem.TRUECOLOR)


PLAIN = STYLES[2]


def test_only_the_words_that_differ_are_written() -> None:
    written = changes(strip(("one two three", PLAIN)), strip(("one twenty three", PLAIN)))
    assert re.sub(r"\x1b\[[0-9;]*[mH]", "", written).strip() == "twenty three"
    assert written.startswith("\x1b[1;5H")


def test_a_word_that_grows_is_written_whole() -> None:
    # Whoever reads the bytes (a script, a slow terminal's user) never meets half of it.
    assert "ENDMARK" in changes(strip(("go ENDM", PLAIN)), strip(("go ENDMARK", PLAIN)))


def test_a_line_that_is_drawn_anew_is_written_though_it_is_the_same() -> None:
    # A letter typed over the same letter, both between two frames: whoever waits for it must see it come.
    assert "same" in changes(strip(("same", PLAIN)), strip(("sa", PLAIN), ("me", PLAIN)))


def test_a_line_nobody_drew_anew_is_not_written_nor_is_the_rest_of_a_scrollbar() -> None:
    line = strip(("same", PLAIN))
    assert changes(line, line) == ""
    assert changes(strip(("|", PLAIN), width=1), strip(("|", PLAIN), width=1)) == ""


def test_colours_are_written_only_where_they_change() -> None:
    line = strip(("one ", STYLES[2]), ("two ", STYLES[3]), ("three", STYLES[4]))
    written = Front().changes([(0, 0, line)], ColorSystem.TRUECOLOR)
    assert written.count("48;2;0;0;0") == 2, "the ground once, and again when bold ends before the padding"
    assert written.endswith("\x1b[0m")


def test_a_terminal_somebody_else_wrote_to_is_drawn_anew() -> None:
    front = Front()
    line = strip(("same", PLAIN))
    front.changes([(0, 0, line)], ColorSystem.TRUECOLOR)
    front.forget()
    assert "same" in front.changes([(0, 0, line)], ColorSystem.TRUECOLOR)


def test_what_lies_beside_a_dialog_is_known_when_it_closed() -> None:
    front, wide, bar = Front(), strip(("one two three", PLAIN), width=20), strip(("bar", PLAIN), width=10)
    covered = wide.divide([5, 12, 20])
    front.changes([(0, 0, wide), (0, 20, bar)], ColorSystem.TRUECOLOR)
    front.changes([(0, 0, covered[0]), (0, 5, strip(("over", PLAIN), width=7))], ColorSystem.TRUECOLOR)
    front.changes([(0, 0, wide), (0, 20, bar)], ColorSystem.TRUECOLOR)
    written = front.changes(
        [(0, 0, strip(("one too three", PLAIN), width=20)), (0, 20, bar)], ColorSystem.TRUECOLOR
    )
    assert re.sub(r"\x1b\[[0-9;]*[mH]", "", written).strip() == "too"


FAMILY = "\U0001f469\u200d\U0001f469\u200d\U0001f467"
"""Two cells for us, six for the emulator, as for every terminal that does not join it."""


@pytest.mark.parametrize("whole", [True, False])
def test_what_a_terminal_draws_wider_than_thought_moves_nothing_beside_it(whole: bool) -> None:
    front, terminal = Front(), Terminal()
    line = strip((f"a {FAMILY} b \u0628\u0646 c", PLAIN), width=20)
    beside = strip(("right", PLAIN), width=10)
    terminal.write(
        front.whole([(0, 0, [line, beside])], ColorSystem.TRUECOLOR)
        if whole
        else front.changes([(0, 0, line), (0, 20, beside)], ColorSystem.TRUECOLOR)
    )
    cells = terminal.screen.buffer[0]
    assert [cells[x].data for x in (0, 5, 10, 20, 24)] == ["a", "b", "c", "r", "t"]


def test_what_reaches_over_an_edge_hides_nothing_behind_it() -> None:
    front, terminal = Front(), Terminal()
    bar = strip(("▐ ", PLAIN), width=2)
    terminal.write(front.changes([(0, 0, strip(("a", PLAIN), width=8)), (0, 8, bar)], ColorSystem.TRUECOLOR))
    terminal.write(front.changes([(0, 0, strip((f"abcde {FAMILY}", PLAIN), width=8))], ColorSystem.TRUECOLOR))
    assert terminal.screen.buffer[0][8].data == "▐"
