"""Emoji, flags, marks and wide characters in the prompt: one key is one character, the cursor is where it is drawn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.ui.transcript.wrap import cells
from kai_tui.ui.widgets.clusters import clusters, column_at, wrap_offsets
from kai_tui.ui.widgets.composer import Composer
from tests.some import examples
from tests.ui.widgets.widget_apps import running

FAMILY, FLAG, ACCENT, SKIN, KEYCAP, HAN = "👩‍👩‍👧", "🇨🇿", "e\u0301", "👍🏽", "1\ufe0f\u20e3", "漢"
ALL = (FAMILY, FLAG, ACCENT, SKIN, KEYCAP, HAN)


@pytest.mark.parametrize("character", ALL)
async def test_an_arrow_and_a_backspace_take_a_whole_character(character: str) -> None:
    composer = Composer()
    async with running(composer) as (app, _):
        composer.load(f"a{character}b")
        await app.press("←")
        assert composer.cursor_location == (0, 1 + len(character))
        assert composer.cursor_screen_offset.x - composer.content_region.x == cells(f"a{character}")
        await app.press("←")
        assert composer.cursor_location == (0, 1)
        await app.press("→x⌫⌫")
        assert composer.text == "ab"
        await app.press(["ctrl+z"])
        assert composer.text == f"a{character}xb"


async def test_up_and_down_and_the_mouse_meet_the_character_under_the_cell() -> None:
    composer = Composer()
    async with running(composer) as (app, pilot):
        composer.load(f"{FAMILY}{FLAG}{HAN}x\n0123456789")
        await pilot.pause()
        for cell, column in ((0, 0), (2, 5), (4, 7), (6, 8), (7, 9)):
            composer.move_cursor((1, cell))
            await app.press("↑")
            assert composer.cursor_location == (0, column)
        await pilot.click(Composer, offset=(2 + 4, 1))
        assert composer.cursor_location == (0, 7)


async def test_rows_break_between_characters_and_each_is_drawn_as_wide_as_it_counts() -> None:
    composer = Composer()
    async with running(composer, size=(30, 20)) as (app, pilot):
        text = FAMILY * 8 + FLAG * 9 + ACCENT * 30 + HAN * 20
        composer.load(text)
        await pilot.pause()
        document = composer.wrapped_document
        sections = document.get_sections(0)
        assert "".join(sections) == text
        assert len(sections) > 2
        width = composer.wrap_width
        at = 0
        inside = {place for start, end in clusters(text) for place in range(start + 1, end)}
        for section in sections:
            assert at not in inside
            assert cells(section) <= width
            at += len(section)
        for row in range(len(sections)):
            assert composer.render_line(row).cell_length == composer.scrollable_content_region.width
        await app.press("⇱x")
        assert "".join(composer.wrapped_document.get_sections(0)) == composer.text


@examples(200)
@given(st.text(st.sampled_from([*"ab \t", *"".join(ALL)]), max_size=30), st.integers(0, 40))
def test_the_column_at_a_cell_is_the_character_drawn_there(text: str, cell: int) -> None:
    column = column_at(text, cell, 4)
    assert all(not start < column < end for start, end in clusters(text))
    assert 0 <= column <= len(text)
    if "\t" not in text and column < len(text):
        assert cells(text[:column]) <= cell


@examples(200)
@given(st.lists(st.sampled_from([*"ab ", *ALL]), max_size=60).map("".join), st.integers(2, 20))
def test_rows_are_no_wider_than_they_may_be_and_break_no_character(text: str, width: int) -> None:
    offsets = wrap_offsets(text, width, 4)
    assert offsets == sorted(set(offsets))
    assert all(not start < offset < end for start, end in clusters(text) for offset in offsets)
    for start, end in zip([0, *offsets], [*offsets, len(text)], strict=True):
        assert cells(text[start:end].rstrip()) <= width
