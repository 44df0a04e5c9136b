"""A small app that shows the table viewer, and tables to look at."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from textual.app import App

import kai_tui.ui
from kai_tui.conversation.tables.data_table import DataTable
from kai_tui.conversation.tables.opening import Opening
from kai_tui.ui.tables.marked import Marked
from kai_tui.ui.tables.viewer import TableViewer
from kai_tui.ui.terminal.safe_app import SafeApp
from kai_tui.ui.themes import DARK, THEMES

REGIONS = ("West", "East", "North", "South")
HOSTILE = (
    "evil\x1b[31m red\x1b]52;c;QUJD\x07",
    "admin\u202etxt.exe",
    "你好，世界 👩🏽‍🚀 family 👨‍👩‍👧‍👦",
    "two\nlines\tand a tab",
    " spaces at both edges  ",
    "   ",
    "e\u0301" + "\u0301" * 40,
    "x" * 1_000_000,
    "",
)


class Stand(SafeApp[None]):
    """Shows one table; what is copied and asked about is kept."""

    CSS_PATH = str(Path(kai_tui.ui.__file__).parent / "app.tcss")

    def __init__(self, table: DataTable | Opening, theme: str = DARK) -> None:
        super().__init__()
        for each in THEMES:
            self.register_theme(each)
        self.theme = theme
        self.table = table
        self.copied: list[tuple[str, str]] = []
        self.asked: list[Marked | None] = []
        self.viewer = TableViewer(table, lambda text, what: self.copied.append((text, what)))

    def on_mount(self) -> None:
        self.push_screen(self.viewer, self.asked.append)


def text_of(app: App[None]) -> str:
    """What is on the screen, lines as they stand."""
    width, height = app.size
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip)[:width].rstrip() for strip in strips[:height])


def orders(count: int = 60) -> DataTable:
    """Believable rows of every kind."""
    random_ = random.Random(11)
    rows: list[tuple[str, ...]] = []
    for number in range(1, count + 1):
        note = random_.choice(
            ("", "", "delivered late, the customer was told", "gift", "paid twice\nand given back")
        )
        rows.append(
            (
                str(1000 + number),
                f"2026-{number % 12 + 1:02}-{number % 28 + 1:02}",
                random_.choice((*REGIONS, "")),
                f"Customer {random_.randrange(40)}",
                f"{random_.randrange(200_000) / 100:.2f}" if number % 9 else "",
                note,
                random_.choice(("true", "false")),
                f'{{"items": [{number}, {number + 1}], "gift": null}}',
            )
        )
    names = ("order_id", "ordered_on", "region", "customer", "amount", "note", "paid", "details")
    return DataTable(names, rows, "Orders by region")


def hostile() -> DataTable:
    """Cells that try to break the grid."""
    names = ("name \x1b[2J", "\u202eevil", "wide 你好", "plain")
    rows = [(cell, cell, cell, str(number)) for number, cell in enumerate(HOSTILE)]
    return DataTable(names, rows, "Title \x1b]0;owned\x07")


def wide(columns: int = 500, rows: int = 30) -> DataTable:
    """Very many columns."""
    return DataTable(
        tuple(f"column {at}" for at in range(columns)),
        [tuple(str(row * at) for at in range(columns)) for row in range(rows)],
    )


def keys(text: str) -> Sequence[str]:
    """A text as the keys that type it."""
    names = {" ": "space", ">": "greater_than_sign", "=": "equals_sign", "<": "less_than_sign"}
    return [names.get(character, character) for character in text]
