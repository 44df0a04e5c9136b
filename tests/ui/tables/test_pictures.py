"""The table viewer as it looks, in both themes and two sizes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot

from kai_tui.conversation.tables.data_table import DataTable
from kai_tui.ui.tables.chart_view import ChartView
from kai_tui.ui.tables.record_view import RecordView
from kai_tui.ui.themes import DARK, LIGHT
from tests.snapshots import assert_same_picture
from tests.ui.fakes import until
from tests.ui.tables.stand import Stand, hostile, keys, orders, text_of

Steps = Callable[[Stand, Pilot[None]], Awaitable[None]]


async def marked(app: Stand, pilot: Pilot[None]) -> None:
    """Sorted by amount, a block of cells marked."""
    await pilot.press(*["right"] * 4, "s", "s", "down", "shift+down", "shift+down", "shift+left")
    assert "3 × 2 cells" in text_of(app)


async def filtered(app: Stand, pilot: Pilot[None]) -> None:
    """A filter while it is typed."""
    await pilot.press("slash", *keys("west amount > 900"))
    assert "of 60 rows" in text_of(app)


async def nothing(app: Stand, pilot: Pilot[None]) -> None:
    """As it opens."""


async def record(app: Stand, pilot: Pilot[None]) -> None:
    """A row as a record."""
    await pilot.press("down", "r")
    await until(pilot, lambda: isinstance(app.screen, RecordView) and "Row 2" in text_of(app))


async def chart(app: Stand, pilot: Pilot[None]) -> None:
    """Amounts by region."""
    await pilot.press(*["right"] * 4, "g")
    await until(pilot, lambda: isinstance(app.screen, ChartView) and "amount" in text_of(app))
    await pilot.press("right", "right", "right")
    await until(pilot, lambda: "by region" in text_of(app))


CASES: list[tuple[str, Callable[[], DataTable], Steps]] = [
    ("table-marked", orders, marked),
    ("table-filtered", orders, filtered),
    ("table-hostile", hostile, nothing),
    ("table-record", orders, record),
    ("table-chart", orders, chart),
]


@pytest.mark.some(6)
@pytest.mark.parametrize("theme", [DARK, LIGHT])
@pytest.mark.parametrize("size", [(80, 24), (140, 45)])
@pytest.mark.parametrize(("name", "table", "steps"), CASES, ids=[name for name, _, _ in CASES])
async def test_pictures(
    name: str, table: Callable[[], DataTable], steps: Steps, size: tuple[int, int], theme: str
) -> None:
    app = Stand(table(), theme)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.screen is app.viewer and app.viewer._judged.is_set())
        await steps(app, pilot)
        await pilot.pause()
        assert_same_picture(app, f"{name}-{'light' if theme == LIGHT else 'dark'}-{size[0]}x{size[1]}")
