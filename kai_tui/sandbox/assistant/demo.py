"""`/demo`: hard cases on demand, for those who try out, test or build a client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from kai_tui.sandbox.assistant import hostile
from kai_tui.sandbox.assistant.reporting import refused
from kai_tui.sandbox.assistant.script import Call, Result, Script, Step
from kai_tui.sandbox.assistant.talk import Talk
from kai_tui.sandbox.assistant.writing import cell, next_actions, result_table, table
from kai_tui.sandbox.modes import COMMANDS

LONG_CHARACTERS: Final = 120_000


def _list(_talk: Talk) -> Script:
    rows = [(f"`/demo {name}`", about) for name, (about, _) in DEMOS.items()]
    rows += [(f"`{command}`", about) for command, about in COMMANDS]
    yield Step(
        f"Hard cases on demand:\n\n{table(('Command', 'What happens'), rows)}"
        + next_actions("/demo writes", "/demo fail", "/demo hostile")
    )


def _outcome(result: Result) -> str:
    what = f"`{result.call.tool}`"
    return f"- {what}: done." if result.status == "done" else f"- {what}: {refused(result)}"


def _writes(_talk: Talk) -> Script:
    results = yield Step(
        thought="Two changes at once: both have to be decided.",
        text="I will make a bucket and describe another one. Decide each for itself.",
        calls=(
            Call("create_bucket", {"name": "demo-bucket", "stage": "out"}),
            Call(
                "update_descriptions",
                {
                    "updates": [
                        {"item_id": "in.c-support", "description": "Tickets.\nDescribed by /demo writes."},
                        {"item_id": "in.c-support.tickets", "description": "One row per ticket."},
                    ]
                },
            ),
        ),
    )
    yield Step("What became of them:\n\n" + "\n".join(_outcome(result) for result in results))


def _mixed(_talk: Talk) -> Script:
    results = yield Step(
        text="Two reads and a write in one step: the reads run at once, the write waits for you.",
        calls=(
            Call("get_buckets"),
            Call("run_job", {"component_id": "keboola.wr-google-sheets", "configuration_id": "4301"}),
            Call("get_jobs", {"limit": 5}),
        ),
    )
    yield Step("What became of them:\n\n" + "\n".join(_outcome(result) for result in results))


def _chain(_talk: Talk) -> Script:
    (first,) = yield Step(
        text="First a configuration, and when it is there, its job: two decisions, one after the other.",
        calls=(
            Call(
                "create_config",
                {
                    "name": "Demo extract",
                    "description": "Made by /demo chain.",
                    "component_id": "keboola.ex-db-mysql",
                    "parameters": {"db": {"host": "db.example", "#password": "not-a-secret"}},
                },
            ),
        ),
    )
    if first.status != "done":
        yield Step(f"{refused(first)} So there is nothing to run.")
        return
    (second,) = yield Step(
        text="It is there; now run it.",
        calls=(
            Call(
                "run_job",
                {
                    "component_id": first.output["component_id"],
                    "configuration_id": first.output["configuration_id"],
                },
            ),
        ),
    )
    yield Step("\n".join(_outcome(result) for result in (first, second)))


_QUESTIONS = (
    {
        "id": "period",
        "question": "Which period do you mean?",
        "options": ["last month", "this year", "all of it"],
    },
    {"id": "name", "question": "What shall the report be called?"},
)


def _ask(_talk: Talk) -> Script:
    (result,) = yield Step(
        text="Before I go on I have two questions for you.",
        calls=(Call("ask_user", {"questions": [dict(each) for each in _QUESTIONS]}),),
    )
    if result.status != "done":
        yield Step(f"I got no answer. {refused(result)}")
        return
    answers = result.output["answers"]
    said = "\n".join(f"- {name}: {cell(str(value))}" for name, value in answers.items())
    yield Step(f"You answered:\n\n{said}\n\nThis is a demonstration: no report is made of it.")


def _fail(_talk: Talk) -> Script:
    (result,) = yield Step(
        text="I read a table that does not exist.",
        calls=(
            Call(
                "query_data", {"sql_query": "SELECT * FROM dealz", "query_name": "A table that is not there"}
            ),
        ),
    )
    yield Step(f"As expected, the tool failed: {result.error}")


def _invalid(_talk: Talk) -> Script:
    (result,) = yield Step(
        text="I call a tool with an input it cannot take.", calls=(Call("query_data", {"sql_query": 42}),)
    )
    yield Step(f"The tool refused its input. {result.error}")


def _error(_talk: Talk) -> Script:
    yield Step(
        text="This answer breaks off in the mid",
        error="overloaded_error: Overloaded (this is the sandbox: /demo error)",
    )


def _long(_talk: Talk) -> Script:
    lines: list[str] = ["# A very long answer\n"]
    size = number = 0
    while size < LONG_CHARACTERS:
        number += 1
        section = (
            f"## Chapter {number}\n\nThis is chapter {number} of a report nobody asked for, with *some* **emphasis**, "
            f"a bit of `code` and a list:\n\n- region {number % 4 + 1} of 4\n- {number * 37 % 101} orders\n- nothing else\n\n"
            f"{table(('Month', 'Orders'), [(f'2026-{month:02d}', number * month % 97) for month in range(1, 5)])}\n\n"
            f"```sql\nSELECT region, count(*) FROM orders WHERE order_id % {number} = 0 GROUP BY 1;\n```\n"
        )
        lines.append(section)
        size += len(section)
    yield Step("\n".join(lines), speed=40)


def _slow(_talk: Talk) -> Script:
    (result,) = yield Step(
        thought="I think for a while, word by word, as if every one of them were hard to find.",
        text="Slowly, very slowly, I look at the buckets.",
        calls=(Call("get_buckets"),),
        speed=0.12,
        wait=3,
    )
    count = len(result.output["buckets"]) if result.status == "done" else "some"
    yield Step(f"There are {count} of them. That took its time, did it not?", speed=0.12, wait=5)


def _hostile(_talk: Talk) -> Script:
    (result,) = yield Step(
        text=hostile.TEXT, calls=(Call("update_descriptions", {"updates": hostile.UPDATES}),)
    )
    end = (
        "You approved it, so that text is in the project now." if result.status == "done" else refused(result)
    )
    yield Step(f"{end} {hostile.END}")


def _wide(_talk: Talk) -> Script:
    (result,) = yield Step(
        text="A query with many columns.",
        calls=(
            Call(
                "query_data",
                {
                    "sql_query": "SELECT o.*, c.*, i.line, i.quantity, i.unit_price, p.name AS product, p.category\n"
                    "FROM orders AS o\nJOIN customers AS c ON c.customer_id = o.customer_id\n"
                    "JOIN order_items AS i ON i.order_id = o.order_id\n"
                    "JOIN products AS p ON p.product_id = i.product_id\nORDER BY o.order_id DESC\nLIMIT 12",
                    "query_name": "Everything about orders",
                },
            ),
        ),
    )
    yield Step(result_table(result.output) if result.status == "done" else refused(result))


def _rows(_talk: Talk) -> Script:
    (result,) = yield Step(
        text="As many rows as a query may bring.",
        calls=(
            Call(
                "query_data",
                {
                    "sql_query": "SELECT a.order_id, b.product_id, b.price FROM orders AS a, products AS b",
                    "query_name": "A lot",
                },
            ),
        ),
    )
    message = result.output.get("message", "") if result.status == "done" else refused(result)
    yield Step(f"{message}\n\n{result_table(result.output, 5) if result.status == 'done' else ''}".strip())


_BIG = """SELECT o.order_id, o.customer_id, o.ordered_on, o.region, o.channel, nullif(o.status, 'cancelled') AS status,
  o.amount, p.name AS product, p.category, p.price, round(o.amount - p.price, 2) AS difference,
  json_object('order', o.order_id, 'product', p.product_id, 'gift', json('null')) AS details
FROM orders AS o, products AS p
ORDER BY (o.order_id * 7919) % 421, p.name DESC
LIMIT 5000"""


def _table(_talk: Talk) -> Script:
    (result,) = yield Step(
        text="A long and wide table.",
        calls=(Call("query_data", {"sql_query": _BIG, "query_name": "Orders and products"}),),
    )
    if result.status != "done":
        yield Step(refused(result))
        return
    yield Step(
        f"These are its first rows; the call above has all. Read on with `Ctrl+O`, and `t` opens the table under the cursor.\n\n"
        f"{result_table(result.output, 5)}"
    )


_CODE = '''Python:

```python
def regions(orders: list[dict]) -> dict[str, float]:
    """Sum per region."""
    totals: dict[str, float] = {}
    for order in orders:
        totals[order["region"]] = totals.get(order["region"], 0.0) + order["amount"]
    return totals
```

SQL with a line that is far too long:

```sql
SELECT region, count(*) AS orders, round(sum(amount), 2) AS amount, min(ordered_on) AS first_order, max(ordered_on) AS last_order, count(DISTINCT customer_id) AS customers FROM "in.c-shop"."orders" WHERE status <> 'cancelled' GROUP BY region;
```

JSON:

```json
{"phases": [{"id": 1, "name": "Extract", "dependsOn": []}], "enabled": true, "ratio": 0.75}
```

A diff:

```diff
- status = 'delivered'
+ status <> 'cancelled'
```

And a fence inside a fence:

````markdown
```sql
SELECT 1
```
````'''


def _code(_talk: Talk) -> Script:
    yield Step(_CODE)


def _reasoning(_talk: Talk) -> Script:
    thoughts = "\n\n".join(
        f"{number}. {text}"
        for number, text in enumerate(
            (
                "The user wants to see me think, so I think.",
                "First: what is asked? Nothing in particular. Then anything may be right.",
                "Orders have a region, and regions have a manager. Could that matter? Perhaps not.",
                "I could look at the tables. I will not: this is a demonstration.",
                "Enough. I say that I have thought.",
            ),
            start=1,
        )
    )
    yield Step(
        thought=thoughts, text="I have thought about it, at some length. Nothing followed from it.", speed=0.6
    )


def _many(_talk: Talk) -> Script:
    results = yield Step(
        text="Eight reads at once.",
        calls=(
            Call("get_project_info"),
            Call("get_buckets"),
            Call("get_tables"),
            Call("get_configs"),
            Call("get_flows"),
            Call("get_jobs", {"limit": 20}),
            Call("docs_query", {"query": "flow"}),
            Call("search", {"patterns": ["crm"]}),
        ),
    )
    yield Step("\n".join(_outcome(result) for result in results))


def _unicode(_talk: Talk) -> Script:
    yield Step(
        "Scripts and signs: Žluťoučký kůň · Привет · 你好，世界 · こんにちは · 안녕하세요 · नमस्ते · مرحبا · שלום\n\n"
        "Emoji: 🏔️ 👩🏽‍🚀 👨‍👩‍👧‍👦 🇨🇿 ✊🏿 · combining: e\u0301 n\u0303 · wide: ＡＢＣ · ligature: ﬁ\n\n"
        + table(
            ("Where", "Gear", "Price"),
            [
                ("北京", "帐篷 ⛺", "289.00"),
                ("Reykjavík", "svefnpoki 🛏", "219.00"),
                ("القاهرة", "حقيبة", "119.00"),
            ],
        )
    )


def _sources(_talk: Talk) -> Script:
    yield Step(
        "An answer with sources and a file.",
        parts=(
            {
                "type": "source-url",
                "sourceId": "s1",
                "url": "https://help.keboola.com/storage/",
                "title": "Storage",
            },
            {
                "type": "source-url",
                "sourceId": "s2",
                "url": "https://help.keboola.com/flows/",
                "title": "Flows",
            },
            {
                "type": "source-document",
                "sourceId": "s3",
                "mediaType": "application/pdf",
                "title": "Handbook",
                "filename": "handbook.pdf",
            },
            {
                "type": "file",
                "mediaType": "text/csv",
                "url": "data:text/csv;base64,cmVnaW9uLG9yZGVycwpXZXN0LDE0Mwo=",
            },
        ),
    )


Maker = Callable[[Talk], Script]

DEMOS: Final[dict[str, tuple[str, Maker]]] = {
    "writes": ("two changes at once, to decide one by one", _writes),
    "mixed": ("two reads and a write in one step", _mixed),
    "chain": ("a change, and after it another one", _chain),
    "ask": ("a tool that asks you questions", _ask),
    "fail": ("a tool that fails", _fail),
    "invalid": ("a tool call with an invalid input", _invalid),
    "error": ("an error in the middle of the answer", _error),
    "long": ("a very long answer (more than 100 KB)", _long),
    "slow": ("a slow answer, with thinking and waiting", _slow),
    "hostile": ("text and a tool call that try to trick you or your terminal", _hostile),
    "wide": ("a table with many columns", _wide),
    "table": ("a long and wide table: 5,000 rows of 12 columns", _table),
    "rows": ("a result with very many rows", _rows),
    "code": ("code in several languages", _code),
    "reasoning": ("a long thought before a short answer", _reasoning),
    "many": ("eight reads at once", _many),
    "unicode": ("scripts, emoji and wide characters", _unicode),
    "sources": ("sources and a file", _sources),
}

_ALSO = {"two": "writes", "write": "writes", "failing": "fail", "big": "table", "think": "reasoning"}


def demo(talk: Talk, name: str) -> Script:
    """`/demo NAME`; without a known name the list."""
    word = name.strip().lower().split(" ")[0]
    found = DEMOS.get(_ALSO.get(word, word))
    return found[1](talk) if found is not None else _list(talk)
