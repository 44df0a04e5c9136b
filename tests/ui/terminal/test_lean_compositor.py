"""The lean compositor draws what Textual's own would, and asks widgets for less."""

from __future__ import annotations

import random
from typing import ClassVar

import pytest
from rich.segment import Segment
from textual._compositor import Compositor
from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical
from textual.geometry import Region
from textual.screen import Screen
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Static, TextArea

from kai_tui.ui.terminal.compositor import LeanCompositor, PaintsLittle

SIZE = (60, 20)


class Lines(ScrollView):
    """Numbered lines that say how often they were drawn."""

    asked: ClassVar[list[int]] = []
    round = 0

    def render_line(self, y: int) -> Strip:
        Lines.asked.append(y)
        return Strip([Segment(f"{self.round}:{y}")]).adjust_cell_length(self.size.width)


class Desk(PaintsLittle, Screen[None]):
    CSS = """
    #side { width: 12; border-right: solid red; }
    #over { layer: over; dock: right; width: 9; height: 3; background: green; offset: -3 4; }
    Desk { layers: base over; }
    TextArea { height: 4; }
    """

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static("side\n" * 9, id="side")
            with Vertical():
                yield Lines()
                yield TextArea("write here")
        yield Static("over", id="over")


class DeskApp(App[None]):
    def on_mount(self) -> None:
        self.push_screen(Desk())


def _all(regions: list[Region], compositor: LeanCompositor) -> dict[tuple[int, int], list[object]]:
    """What a partial update writes, by row and column."""
    compositor._dirty_regions.update(regions)
    update = compositor.render_partial_update()
    assert update is not None
    found: dict[tuple[int, int], list[object]] = {}
    for y, left, right in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=True):
            if x < right and end > left:
                assert strip is not None, "a hole in what is drawn"
                found[y, x] = list(strip)
    return found


@pytest.mark.some(7)
@pytest.mark.parametrize("seed", range(20))
async def test_changed_lines_are_those_of_a_whole_drawing(seed: int) -> None:
    app = DeskApp()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(0)
        compositor = app.screen._compositor
        assert isinstance(compositor, LeanCompositor)
        whole = Compositor._render_chops(compositor, compositor.size.region, lambda y: True)
        random_ = random.Random(seed)
        regions = []
        for _ in range(random_.randint(1, 4)):
            x, y = random_.randrange(SIZE[0] - 1), random_.randrange(SIZE[1] - 1)
            regions.append(Region(x, y, random_.randint(1, SIZE[0] - x), random_.randint(1, SIZE[1] - y)))
        for (y, x), segments in _all(regions, compositor).items():
            assert segments == list(whole[y][x]), (y, x)


async def test_a_whole_drawing_is_that_of_textual_without_what_lies_behind() -> None:
    app = DeskApp()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(0)
        compositor = app.screen._compositor
        region = compositor.size.region
        whole = Compositor._render_chops(compositor, region, lambda y: True)
        box = app.screen.query_one(Vertical)
        asked: list[Region] = []
        before = box.render_lines
        box.render_lines = lambda crop: asked.append(crop) or before(crop)  # type: ignore[method-assign,func-returns-value]
        lean = compositor._render_chops(region, lambda y: True)
        assert [{x: list(strip) for x, strip in line.items()} for line in lean] == [
            {x: list(strip) for x, strip in line.items()} for line in whole
        ]
        assert not asked, "its lines are covered by its children"


async def test_only_the_changed_line_is_drawn() -> None:
    app = DeskApp()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(0)
        lines = app.screen.query_one(Lines)
        area = app.screen.query_one(TextArea)
        Lines.asked.clear()
        lines.round = 1
        lines.refresh(Region(0, 2, lines.size.width, 1))
        area.insert("x")
        await pilot.pause(0)
        assert Lines.asked == [2]
        shown = ["".join(part.text for part in strip) for strip in app.screen._compositor.render_strips()]
        assert any("1:2" not in line and "0:1" in line for line in shown)
        assert any("xwrite here" in line for line in shown)
