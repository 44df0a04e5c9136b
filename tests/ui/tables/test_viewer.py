"""The table viewer by keys and mouse."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from kai_tui.conversation.tables.data_table import DataTable
from kai_tui.conversation.tables.opening import Opening, opening_of_result
from kai_tui.conversation.tables.reading import table_of_result
from kai_tui.ui.modals.save_as import SaveAs
from kai_tui.ui.tables.cell_view import CellView
from kai_tui.ui.tables.cells import one_line
from kai_tui.ui.tables.copy_menu import CopyMenu
from kai_tui.ui.tables.keys import ALL_KEYS, KEYS
from kai_tui.ui.tables.keys_help import KeysHelp, help_text
from kai_tui.ui.tables.record_view import RecordView
from tests.conversation.test_tables_slices import result_of
from tests.ui.fakes import until
from tests.ui.tables.stand import HOSTILE, Stand, hostile, keys, orders, text_of, wide

SMALL = DataTable(
    ("city", "people", "area"),
    [
        ("Brno", "400000", "230.2"),
        ("Aš", "", "55.9"),
        ("Praha", "1300000", "496.1"),
        ("Zlín", "74000", "102.8"),
    ],
    "Cities",
)


async def ready(app: Stand, pilot: Pilot[None]) -> None:
    """The viewer is there and knows what its columns hold."""
    await until(pilot, lambda: app.screen is app.viewer and app.viewer._judged.is_set())


def first_column(app: Stand) -> list[str]:
    shown = app.viewer.grid.shown
    return [shown.cell(at, 0) for at in range(shown.count)]


# -- looking -------------------------------------------------------------------------------------


async def test_numbers_stand_right_and_nothing_is_told_from_text() -> None:
    app = Stand(SMALL)
    async with app.run_test(size=(60, 12)) as pilot:
        await ready(app, pilot)
        lines = text_of(app).split("\n")
        assert lines[0].strip() == "Cities · 4 rows · 3 columns"
        assert lines[1].split() == ["city", "people", "area"]
        assert lines[2].split() == ["text", "int", "dec"] if len(lines[2].split()) == 3 else True
        aš = next(line for line in lines if " Aš " in line)
        praha = next(line for line in lines if " Praha " in line)
        assert "∅" in aš
        assert aš.index("∅") == praha.index("1300000") + 6
        assert "␣" not in "\n".join(lines)


async def test_the_line_below_shows_the_whole_cell_and_what_its_column_is() -> None:
    app = Stand(orders())
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await pilot.press("right", "right", "right", "right")
        assert "amount · decimals" in app.viewer.cell_line.text
        await pilot.press("down", "down")
        assert app.viewer.grid.shown.cell(2, 4) in app.viewer.cell_line.text


@pytest.mark.some(1)
@pytest.mark.parametrize("size", [(30, 8), (80, 24), (200, 60)])
async def test_the_cursor_stays_in_sight_wherever_it_goes(size: tuple[int, int]) -> None:
    app = Stand(wide())
    async with app.run_test(size=size) as pilot:
        await ready(app, pilot)
        grid = app.viewer.grid
        for key in (
            "end",
            "left",
            "ctrl+left",
            "ctrl+end",
            "home",
            "ctrl+right",
            "right",
            "ctrl+home",
            "pagedown",
        ):
            await pilot.press(key)
            start, end = grid.layout_.starts[grid.column : grid.column + 2]
            assert round(grid.scroll_x) <= start, key
            assert end <= round(grid.scroll_x) + grid.room, key
            assert grid._top <= grid.row < grid._top + grid.page, key
        value = grid.shown.cell(grid.row, grid.column)
        assert f"▌{value:>{grid.layout_.widths[grid.column]}}▐" in text_of(app)


@pytest.mark.some(2)
@pytest.mark.parametrize("size", [(30, 8), (80, 24), (140, 45)])
async def test_hostile_cells_are_drawn_harmless_and_in_their_columns(size: tuple[int, int]) -> None:
    app = Stand(hostile())
    async with app.run_test(size=size) as pilot:
        await ready(app, pilot)
        for _ in range(3):
            text = text_of(app)
            assert not any(sign in text for sign in "\x1b\x07\u202e\t")
            for strip in app.screen._compositor.render_strips():
                assert strip.cell_length == size[0]
            await pilot.press("right")
        await pilot.press("home", *["down"] * 7)
        assert "x" * 10 in app.viewer.cell_line.text
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, CellView) and "x" * 20 in text_of(app))
        await pilot.press("end", "escape")
        assert HOSTILE[7] not in text_of(app)


@pytest.mark.some(2)
@pytest.mark.parametrize(
    "table",
    [
        DataTable((), []),
        DataTable(("a",), []),
        DataTable((), [(), ()]),
        DataTable(("",), [("",)]),
        table_of_result({"csv_data": "a,b\n1\n1,2,3\n"}) or DataTable((), []),
    ],
    ids=["nothing", "no rows", "no columns", "one empty cell", "ragged"],
)
async def test_odd_tables_take_every_key(table: DataTable) -> None:
    app = Stand(table)
    async with app.run_test(size=(60, 14)) as pilot:
        await until(pilot, lambda: app.screen is app.viewer)
        for each in ALL_KEYS:
            if each.action in ("leave", "close", "ask", "save"):
                continue
            await pilot.press(each.keys[0])
            while app.screen is not app.viewer:
                await pilot.press("escape")
                await pilot.pause(0)
            if app.viewer.filter_input.has_focus:
                await pilot.press("x", "escape")
        assert app.screen is app.viewer


def test_emoji_are_drawn_in_parts_whose_width_every_terminal_knows() -> None:
    assert one_line("👨‍👩‍👧‍👦 and 👩🏽‍🚀 ❤️", 80) == "👨👩👧👦 and 👩🚀 ❤"
    # Between letters of a script that joins, the joiner is spelling.
    assert one_line("क्‍ष", 80) == "क्‍ष"


# -- marking -------------------------------------------------------------------------------------


async def test_marked_numbers_are_summed_exactly() -> None:
    app = Stand(DataTable(("a", "b"), [("0.1", "x"), ("0.2", ""), ("", "y")]))
    async with app.run_test(size=(100, 14)) as pilot:
        await ready(app, pilot)
        await pilot.press("shift+down", "shift+down")
        assert "3 × 1 cells · 2 filled · sum 0.3 · avg 0.15 · min 0.1 · max 0.2" in app.viewer.cell_line.text
        await pilot.press("shift+right")
        assert "4 filled · 2 numbers · sum 0.3" in app.viewer.cell_line.text
        await pilot.press("escape")
        assert app.viewer.grid.area is None
        assert app.screen is app.viewer


async def test_rows_columns_and_all_are_marked_by_key() -> None:
    app = Stand(SMALL)
    async with app.run_test(size=(100, 14)) as pilot:
        await ready(app, pilot)
        await pilot.press("x", "shift+down")
        assert "2 rows" in app.viewer.cell_line.text
        await pilot.press("down", "right", "X")
        assert "people · 3 filled · sum 1,774,000" in app.viewer.cell_line.text
        await pilot.press("A")
        assert "all 12 cells" in app.viewer.cell_line.text
        await pilot.press("c")
        await until(pilot, lambda: app.copied)
        assert app.copied[-1][0].startswith("city\tpeople\tarea\nBrno\t400000\t230.2\nAš\t\t55.9\n")


async def test_marking_without_shift() -> None:
    app = Stand(SMALL)
    async with app.run_test(size=(100, 14)) as pilot:
        await ready(app, pilot)
        await pilot.press("v", "down", "right")
        assert "2 × 2 cells" in app.viewer.cell_line.text
        await pilot.press("escape", "down")
        assert app.viewer.grid.area is None


# -- order and filter ----------------------------------------------------------------------------


async def test_the_third_press_brings_the_order_back() -> None:
    app = Stand(SMALL)
    async with app.run_test(size=(80, 14)) as pilot:
        await ready(app, pilot)
        before = first_column(app)
        await pilot.press("right", "s")
        assert first_column(app) == ["Zlín", "Brno", "Praha", "Aš"]
        assert "▲people" in text_of(app)
        await pilot.press("s")
        assert first_column(app) == ["Praha", "Brno", "Zlín", "Aš"]
        await pilot.press("s")
        assert first_column(app) == before


async def test_keys_behind_a_sort_act_on_what_was_sorted() -> None:
    app = Stand(SMALL)
    async with app.run_test(size=(80, 14)) as pilot:
        await ready(app, pilot)
        await pilot.press("s", "s", "down", "c")
        assert app.copied == [("Praha", "the cell")]


async def test_filter_and_sort_work_together_and_leave_step_by_step() -> None:
    app = Stand(orders())
    async with app.run_test(size=(100, 24)) as pilot:
        await ready(app, pilot)
        await pilot.press("slash", *keys("west amount > 500"))
        viewer = app.viewer
        shown = viewer.grid.shown
        assert 0 < shown.count < 60
        assert all(
            shown.cell(at, 2) == "West" and float(shown.cell(at, 4)) > 500 for at in range(shown.count)
        )
        assert f"{shown.count} of 60 rows" in viewer.head.text
        await pilot.press("enter", *["right"] * 4, "s")
        amounts = [float(viewer.grid.shown.cell(at, 4)) for at in range(viewer.grid.shown.count)]
        assert amounts == sorted(amounts)
        await pilot.press("shift+down", "escape")
        assert viewer.grid.area is None
        assert viewer.grid.shown.count == shown.count
        await pilot.press("escape")
        assert viewer.grid.shown.count == 60
        assert app.screen is viewer
        await pilot.press("escape")
        await until(pilot, lambda: app.asked == [None])


async def test_the_filter_of_one_column() -> None:
    app = Stand(SMALL)
    async with app.run_test(size=(80, 14)) as pilot:
        await ready(app, pilot)
        await pilot.press("right", "slash", "tab", *keys("> 100000"))
        assert first_column(app) == ["Brno", "Praha"]
        assert "/ in people" in text_of(app)


async def test_a_filter_nothing_has_says_how_to_go_back() -> None:
    app = Stand(SMALL)
    async with app.run_test(size=(80, 14)) as pilot:
        await ready(app, pilot)
        await pilot.press("slash", *keys("nowhere"))
        assert "\n No row has that. Esc shows all again." in text_of(app)
        await pilot.press("enter", "down", "c", "enter", "r", "y", "s", "escape")
        assert app.viewer.grid.shown.count == 4


async def test_a_comparison_that_makes_no_sense_says_why() -> None:
    app = Stand(SMALL)
    async with app.run_test(size=(100, 14)) as pilot:
        await ready(app, pilot)
        await pilot.press("slash", *keys("people > many"))
        assert "compare it with a number" in app.viewer.head.text
        assert app.viewer.grid.shown.count == 4


async def test_ninety_thousand_rows_are_sorted_and_filtered_while_keys_act() -> None:
    rows = [(str((number * 7_919) % 90_000), f"name {number % 1000}") for number in range(90_000)]
    app = Stand(DataTable(("number", "name"), rows))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.screen is app.viewer)
        app.viewer.action_sort()
        app.viewer.action_go(1, 0)
        assert app.viewer.grid.row == 1
        await until(pilot, lambda: app.viewer.grid.sorted_by == (0, False))
        assert first_column(app)[:3] == ["0", "1", "2"]
        # Who moved while it was sorted stays with his row.
        assert app.viewer.grid.shown.cell(app.viewer.grid.row, 0) == rows[1][0]
        await pilot.press("slash", *keys('"name 77"'))
        await until(pilot, lambda: app.viewer.grid.shown.count < 90_000 and not app.viewer.working)
        found = {
            row[1] for row in (app.viewer.grid.shown.row(at) for at in range(app.viewer.grid.shown.count))
        }
        assert found == {"name 77", *(f"name 77{digit}" for digit in range(10))}


# -- whole cells and records ---------------------------------------------------------------------


async def test_a_cell_of_json_is_laid_out_and_copied_as_it_is_shown() -> None:
    app = Stand(orders())
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await pilot.press("end", "enter")
        await until(pilot, lambda: isinstance(app.screen, CellView) and '"items": [' in text_of(app))
        await pilot.press("c", "m", "c", "escape")
        laid_out, raw = app.copied[0][0], app.copied[1][0]
        assert json.loads(laid_out) == json.loads(raw)
        assert "\n" in laid_out
        assert raw == app.viewer.grid.shown.cell(0, 7)


async def test_a_record_steps_through_the_rows_and_the_cursor_follows() -> None:
    app = Stand(orders())
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, RecordView) and "Row 1" in text_of(app))
        await pilot.press("right", "right", "left", "right")
        await until(pilot, lambda: "Row 3" in text_of(app))
        await pilot.press("c", "escape")
        await until(pilot, lambda: app.screen is app.viewer)
        assert app.viewer.grid.row == 2
        assert app.copied[0][0].startswith("order_id\t1003\nordered_on\t2026-04-04\n")


# -- copying -------------------------------------------------------------------------------------


@pytest.mark.some(2)
@pytest.mark.parametrize(
    ("pressed", "expected"),
    [
        (("enter",), "Brno"),
        (("down", "enter"), "Brno\t400000\t230.2\n"),
        (("down", "n", "c"), "city,people,area\nBrno,400000,230.2\n"),
        (("down", "down", "t"), "Brno\nAš\nPraha\nZlín\n"),
        (("up", "m"), "| city | people | area |"),
        (("down", "j"), '[\n{"city": "Brno", "people": 400000, "area": 230.2}\n]\n'),
    ],
)
async def test_the_copy_menu(pressed: tuple[str, ...], expected: str) -> None:
    app = Stand(SMALL)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, CopyMenu))
        await pilot.press(*pressed)
        await until(pilot, lambda: app.copied)
        assert app.copied[0][0].startswith(expected)


async def test_what_is_marked_is_the_first_choice_of_the_menu() -> None:
    app = Stand(SMALL)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await pilot.press("right", "shift+right", "shift+down", "y")
        await until(pilot, lambda: isinstance(app.screen, CopyMenu) and "2 rows × 2 columns" in text_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.copied)
        assert app.copied[0][0] == "400000\t230.2\n\t55.9\n"


async def test_asking_hands_over_what_is_marked_and_closes() -> None:
    app = Stand(SMALL)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await pilot.press("s", "shift+down", "a")
        await until(pilot, lambda: app.asked)
        marked = app.asked[0]
        assert marked is not None
        assert (marked.table.columns, list(marked.table.rows)) == (("city",), [("Aš",), ("Brno",)])


# -- mouse ---------------------------------------------------------------------------------------


async def test_the_mouse_chooses_marks_and_sorts() -> None:
    app = Stand(SMALL)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        grid = app.viewer.grid
        x, y = grid.region.offset
        second = x + grid.numbers_width + grid.layout_.starts[1] + 2
        top = y + grid.header_rows
        await pilot.click(offset=(second, top + 2))
        assert (grid.row, grid.column) == (2, 1)
        await pilot.mouse_down(offset=(x + grid.numbers_width + 2, top))
        await pilot.hover(offset=(second, top + 1))
        await pilot.mouse_up(offset=(second, top + 1))
        assert "2 × 2 cells" in app.viewer.cell_line.text
        await pilot.click(offset=(second, y))
        assert grid.sorted_by == (1, False)
        await pilot.click(offset=(x + 1, top + 1))
        assert "1 row ·" in app.viewer.cell_line.text
        await pilot.click(offset=(second, top), times=2)
        await until(pilot, lambda: isinstance(app.screen, CellView))


async def test_a_column_is_made_wider_by_key_and_by_its_edge() -> None:
    app = Stand(orders())
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        grid = app.viewer.grid
        before = grid.layout_.widths[0]
        await pilot.press("plus")
        assert grid.layout_.widths[0] == before + 4
        x, y = grid.region.offset
        edge = x + grid.numbers_width + grid.layout_.starts[1] - 1
        await pilot.mouse_down(offset=(edge, y))
        await pilot.hover(offset=(edge + 3, y))
        await pilot.mouse_up(offset=(edge + 3, y))
        assert grid.layout_.widths[0] == before + 7
        assert grid.sorted_by is None


# -- long results --------------------------------------------------------------------------------


async def test_a_long_result_is_there_at_once_and_grows() -> None:
    lines = [["id", "text"], *([str(number), "x" * 40] for number in range(30_000))]
    opening = opening_of_result(result_of(lines))
    assert opening is not None
    app = Stand(opening)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(
            pilot,
            lambda: (
                (app.screen is app.viewer and "1,000 rows" in text_of(app)) or app.viewer.grid.shown.count
            ),
        )
        await pilot.press("pagedown")
        await ready(app, pilot)
        assert app.viewer.grid.row > 0
        await pilot.press("ctrl+end")
        await until(pilot, lambda: "29999" in text_of(app))
        assert "30,000 rows" in app.viewer.head.text


async def test_closing_while_it_is_still_being_read_ends_the_reading() -> None:
    lines = [["id", "text"], *([str(number), "x" * 40] for number in range(60_000))]
    opening = opening_of_result(result_of(lines))
    assert opening is not None
    app = Stand(opening)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.screen is app.viewer)
        await pilot.press("q")
        await until(pilot, lambda: app.asked == [None])
        read = len(opening.table.rows)
        await asyncio.sleep(0.05)
        assert len(opening.table.rows) == read < 60_000


async def test_a_table_that_is_still_being_read_is_saved_whole() -> None:
    rows = [("1", "a")]
    table = DataTable(("id", "text"), rows, "Long")
    more: list[tuple[str, str]] = []

    def rest() -> Iterator[DataTable | None]:
        while not more:
            yield None
        rows.extend(more)
        yield table

    app = Stand(Opening(table, rest()))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.screen is app.viewer and app.viewer.working == "reading")
        await pilot.press("e")
        assert app.screen is app.viewer, "a part of the table is not offered as the table"
        more.extend([("2", "b"), ("3", "c")])
        await until(pilot, lambda: isinstance(app.screen, SaveAs) and "Save 3 rows" in text_of(app))


# -- keys ----------------------------------------------------------------------------------------


def test_every_key_has_one_meaning_and_every_group_is_in_the_help() -> None:
    names = [name for key in ALL_KEYS for name in key.keys]
    assert len(names) == len(set(names))
    text = help_text(80).plain
    assert all(name in text for name, _ in KEYS)
    assert all(key.help.split()[0] in text for key in ALL_KEYS if key.help)


async def test_the_footer_and_the_help_say_the_same_keys() -> None:
    app = Stand(SMALL)
    async with app.run_test(size=(140, 30)) as pilot:
        await ready(app, pilot)
        footer = app.viewer.footer_line.text
        assert all(word in footer for word in ("Enter cell", "s sort", "/ filter", "? keys", "Esc back"))
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, KeysHelp) and "Keys of the table" in text_of(app))


@pytest.mark.parametrize("width", [50, 80])
async def test_the_help_is_wrapped_once(width: int) -> None:
    """Wrapped again where the scroll bar takes a cell, its words would stand under the keys."""
    app = Stand(SMALL)
    async with app.run_test(size=(width, 15)) as pilot:
        await ready(app, pilot)
        await pilot.press("question_mark")
        await until(pilot, lambda: "The whole cell" in text_of(app))
        text = app.screen.query_one("#table-help-text", Static)
        await until(pilot, lambda: text.content_size.height > 20)
        written = help_text(text.content_size.width)
        assert text.content_size.height == len(written.plain.split("\n"))
