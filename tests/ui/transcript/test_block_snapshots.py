"""How every kind of block looks, in both themes and at two sizes. `make snapshots` renews the pictures."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot

from kai_tui.backends.imbrace.live_parts import LiveDocument, LiveSubAgent
from kai_tui.conversation.events import Finish
from kai_tui.conversation.fold import FoldState, fold
from kai_tui.conversation.messages import Message
from kai_tui.services.turn import Turn
from kai_tui.ui.transcript.pieces import Kind
from tests.snapshots import assert_same_picture
from tests.ui.test_snapshots import PICTURES, name_of
from tests.ui.transcript.chat_source import ChatSource, TranscriptApp, answer, text, tool

pytestmark = PICTURES

PROSE = """# Orders
How they came, in **three** ways; see [the docs](https://docs.example/a) and https://b.example/c.

## Lists
- one, with `code`
  - nested, *stressed*
    - deeper
- ~~two~~

1. First
2. Second
   a line of its own

- [x] done
- [ ] to do

> Said by somebody else,
> over two lines.

---
![a chart](https://x.example/p.png)
"""
CODE = """Labelled:

```python
def regions(orders: list[dict]) -> dict[str, float]:
    return {order["region"]: order["amount"] for order in orders}  # a comment that is wider than a window
```

Not labelled:

```
+--------+
| a box  |
+--------+
```
"""
SQL = "select region, count(*) as n from orders where status <> 'cancelled' group by region order by n desc"
TABLES = """| region | orders | amount |
| --- | --: | --: |
| West | 143 | 33,225.00 |
| 東京 | 9 | 1.50 |

| order_id | customer_id | ordered_on | region | channel | status | customer | product | coupon | comment |
|---|---|---|---|---|---|---|---|---|---|
| 1420 | C086 | 2026-11-20 | North | store | delivered | Lucia Romero | Desk lamp | AUTUMN | left at the door |
| 1419 | C013 | 2026-11-20 | West | web | delivered | Ann Lee | Chair | | |
"""
CHOICES = "```next_actions\n- Show the East\n- Save it as a table\n```"


async def looked_at(
    source: ChatSource, size: tuple[int, int], theme: str, what: str, *keys: str, on: Kind | None = None
) -> None:
    """Read from the top, the cursor on the first stop of a kind, some keys pressed: compare."""
    app = TranscriptApp(source)
    async with app.run_test(size=size) as pilot:
        app.theme = theme
        app.transcript.focus()
        await pilot.pause(0)
        app.transcript.action_scroll_home()
        await _walk_to(app, pilot, on)
        await pilot.press(*keys)
        await pilot.pause(0.1)
        assert_same_picture(app, name_of(f"block-{what}", size, theme))


async def _walk_to(app: TranscriptApp, pilot: Pilot[None], kind: Kind | None) -> None:
    for _ in range(40):
        stop = app.transcript.stop
        if kind is None or (stop is not None and stop.kind == kind):
            return
        await pilot.press("down")
    raise AssertionError(kind)


async def test_snapshot_prose(size: tuple[int, int], theme: str) -> None:
    await looked_at(ChatSource(answer(text(PROSE))), size, theme, "prose", on="list")


async def test_snapshot_code_under_the_cursor(size: tuple[int, int], theme: str) -> None:
    source = ChatSource(Message.user("u1", "A question\nover two lines"), answer(text(CODE)))
    await looked_at(source, size, theme, "code", on="code")


async def test_snapshot_sql_laid_out(size: tuple[int, int], theme: str) -> None:
    source = ChatSource(answer(text(f"The query:\n\n```sql\n{SQL}\n```\n\nIt counts.")))
    await looked_at(source, size, theme, "sql", "p", on="code")


async def test_snapshot_tables(size: tuple[int, int], theme: str) -> None:
    await looked_at(ChatSource(answer(text(TABLES))), size, theme, "tables", on="table")


async def test_snapshot_a_marked_link(size: tuple[int, int], theme: str) -> None:
    await looked_at(ChatSource(answer(text(PROSE))), size, theme, "link", "tab", "tab")


async def test_snapshot_jump_labels(size: tuple[int, int], theme: str) -> None:
    await looked_at(ChatSource(answer(text(PROSE))), size, theme, "jump", "apostrophe")


async def test_snapshot_markdown_as_written(size: tuple[int, int], theme: str) -> None:
    await looked_at(ChatSource(answer(text(PROSE))), size, theme, "raw", "m")


async def test_snapshot_a_selection_of_blocks(size: tuple[int, int], theme: str) -> None:
    await looked_at(
        ChatSource(answer(text(PROSE))), size, theme, "selected", "shift+down", "shift+down", on="list"
    )


def called(number: int, state: str, **fields: Any) -> dict[str, Any]:
    return {
        **tool(state=state, input={"query_name": f"Question {number}"}, **fields),
        "toolCallId": f"c{number}",
    }


def live_part(live: LiveDocument | LiveSubAgent) -> dict[str, Any]:
    """A part as the reducer leaves it."""
    message = Message("x", "assistant")
    fold(message, live.event(), FoldState())
    return message.parts[0].to_wire()


def all_cards() -> ChatSource:
    """A turn that was cut off, and one that runs: every state a call can be in."""
    rows = [{"id": "1", "name": "West"}, {"id": "2", "name": "East"}]
    broken = answer(
        {"type": "reasoning", "text": "Sales per region, then.", "state": "done"},
        called(1, "output-available", output=rows),
        called(2, "output-error", errorText="No such table"),
        called(3, "output-denied"),
        called(4, "input-available"),
        id="a1",
    )
    broken.finish = Finish("lost", detail="The connection broke.")
    document = LiveDocument("d-1")
    document.title, document.kind, document.state = "Plan of the week", "text", "done"
    document.content.append("# Plan\n\nFirst we look.")
    agent = LiveSubAgent("s-1")
    agent.name = "Researcher"
    agent.call("1", "query_data")
    runs = answer(
        live_part(document),
        live_part(agent),
        {"type": "source-url", "sourceId": "s", "url": "https://help.example/storage/", "title": "Storage"},
        {
            "type": "file",
            "url": "data:text/csv;base64,YSxi",
            "mediaType": "text/csv",
            "filename": "orders.csv",
        },
        {"type": "data-odd", "data": {"a": 1}},
        {"type": "reasoning", "text": "What is still missing", "state": "streaming"},
        called(5, "input-streaming"),
        called(6, "input-available"),
        called(7, "approval-requested", approval={"id": "ap"}),
        id="a2",
    )
    source = ChatSource(Message.user("u1", "Go"), broken, Message.user("u2", "Again"), runs)
    source.turn = Turn("streaming", started=99.0, last_event=100.0)
    source.times = {("a1", 0): 3.0, ("a1", 1): 0.8}
    return source


async def test_snapshot_cards_of_every_state(size: tuple[int, int], theme: str) -> None:
    await looked_at(all_cards(), size, theme, "cards", on="card")


async def test_snapshot_an_opened_card(size: tuple[int, int], theme: str) -> None:
    rows = [
        {"region": region, "amount": str(amount)} for region, amount in (("West", 33225), ("East", 25274.5))
    ]
    call = tool(input={"sql_query": SQL, "query_name": "Sales"}, output=rows)
    source = ChatSource(answer(call, text(f"West leads.\n\n{CHOICES}")))
    await looked_at(source, size, theme, "open-card", "enter", on="card")
