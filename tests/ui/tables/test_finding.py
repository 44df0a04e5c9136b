"""The table under the reading cursor, wherever in an answer it is."""

from __future__ import annotations

import pytest

from kai_tui.ui.tables.finding import table_at
from kai_tui.ui.transcript import stops
from tests.ui.transcript.chat_source import ChatSource, answer, document_of, open_all, text, tool

ROWS = [("West", "5"), ("East", "7")]
TABLE = "| region | amount |\n|---|---|\n| West | 5 |\n| East | 7 |\n"


@pytest.mark.parametrize(
    "part",
    [
        text(TABLE),
        text("- a list with\n" + "".join(f"  {line}\n" for line in TABLE.splitlines())),
        text("".join(f"> {line}\n" for line in TABLE.splitlines())),
        tool(input={}, output={"csv_data": "region,amount\nWest,5\nEast,7\n"}),
        tool("list", input={}, output="sales[2]{region,amount}:\n  West,5\n  East,7\n"),
        tool("list", input={}, output=[{"region": "West", "amount": 5}, {"region": "East", "amount": 7}]),
    ],
    ids=["answer", "list", "quote", "csv", "toon", "objects"],
)  # fmt: skip
def test_every_table_that_is_drawn_can_be_opened(part: dict[str, object]) -> None:
    document = document_of(ChatSource(answer(part)))
    open_all(document)
    unit = next(unit for unit in document.blocks[0].units if unit.shows is not None)
    stop = stops.last_of(unit)
    assert stop is not None
    opening = table_at(stop)
    assert opening is not None
    assert opening.table.columns == ("region", "amount")
    assert list(opening.table.rows) == ROWS
