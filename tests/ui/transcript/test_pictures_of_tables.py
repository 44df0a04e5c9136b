"""Tables in the transcript as they look, in both themes and two sizes. `make snapshots` renews the pictures."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from kai_tui.conversation.messages import Message
from kai_tui.ui.themes import DARK, LIGHT
from tests.snapshots import assert_same_picture
from tests.ui.fakes import until
from tests.ui.transcript.chat_source import ChatSource, TranscriptApp, answer, text, tool

TABLES = """Cells that are sentences:

| Region | Orders | Amount | Share | Remark |
|---|---|---|---|---|
| West | 1204 | $41,200.50 | 41.2 % | Best month so far, mostly because of the campaign that ran in October |
| East | 87 | $3,100.00 | 3.1 % | |
| 東京 | 5 | — | 0.2 % | One **large** customer left; two more are said to think about it |

Many columns:

"""


def wide() -> str:
    """Twelve columns of every kind."""
    names = (
        "customer_id",
        "first_name",
        "last_name",
        "email",
        "country",
        "city",
        "created_at",
        "active",
        "orders",
        "amount",
        "segment",
        "note",
    )
    lines = ["| " + " | ".join(names) + " |", "|---" * len(names) + "|"]
    for n in range(4):
        cells = [
            f"C{n:04}", "Ada", "Lovelace", f"ada.lovelace.{n}@example.com", "CZ", "Brno", f"2026-01-0{n + 1}T10:00:00Z",
            "true", str(n * 7), f"{n * 1234.5:,.2f}", "gold", "A remark that is rather long for a cell",
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def result() -> dict[str, Any]:
    """A query's answer of 5,000 rows."""
    shuffled = random.Random(6)
    rows = [
        f"{1000 + n},2026-11-{n % 28 + 1:02},{shuffled.choice(['West', 'East'])},{shuffled.randrange(99_999) / 100:.2f}"
        for n in range(5_000)
    ]
    return {"query_name": "Orders", "csv_data": "order_id,day,region,amount\n" + "\n".join(rows) + "\n"}


HOSTILE = """| Name | Amount |
|---|---|
| evil\x1b[31m red | =HYPERLINK("x") |
| admin\u202etxt.exe | 1 |
| [bold]x[/bold] [@click=app.quit]y[/] | 👩🏽‍🚀 e\u0301 |
"""

CASES: dict[str, Sequence[Message]] = {
    "sentences": [answer(text(TABLES + wide()))],
    "hostile": [answer(text(HOSTILE))],
    "result": [
        answer(tool(input={"query_name": "Orders", "sql_query": "SELECT * FROM orders"}, output=result()))
    ],
}


@pytest.mark.some(6)
@pytest.mark.parametrize("theme", [DARK, LIGHT])
@pytest.mark.parametrize("size", [(80, 24), (140, 45)])
@pytest.mark.parametrize("name", CASES)
async def test_pictures(name: str, size: tuple[int, int], theme: str) -> None:
    app = TranscriptApp(ChatSource(*CASES[name]))
    async with app.run_test(size=size) as pilot:
        app.theme = theme
        transcript = app.transcript
        if name == "result":
            transcript._cursor = transcript._last_stop()  # pyright: ignore[reportPrivateUsage]
            transcript.action_toggle_item()
        else:
            transcript.scroll_to(y=0, animate=False)
        await until(pilot, lambda: any(line.strip() for line in app.lines()))
        await pilot.pause(0.1)
        assert_same_picture(app, f"tables-{name}-{theme.removeprefix('kai-')}-{size[0]}x{size[1]}")
