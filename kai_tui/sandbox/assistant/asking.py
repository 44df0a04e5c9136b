"""Asking the data: sales questions, counting, any SELECT, and writing SQL for somebody."""

from __future__ import annotations

import re
from typing import Any

from kai_tui.sandbox.assistant.looking import best_table, find_table, qualified
from kai_tui.sandbox.assistant.questions import DIMENSIONS, Question, question_in
from kai_tui.sandbox.assistant.reporting import unread
from kai_tui.sandbox.assistant.script import Call, Result, Script, Step
from kai_tui.sandbox.assistant.talk import Talk, text_of
from kai_tui.sandbox.assistant.writing import (
    cell,
    counted,
    csv_rows,
    euro,
    next_actions,
    number,
    result_table,
    sql,
)

_NOUNS = {"amount": "sales", "orders": "orders", "average": "average orders", "quantity": "pieces"}
NOT_COUNTED = "Cancelled orders are not counted."


def ask(_talk: Talk, question: Question) -> Script:
    """Which region sold most?"""
    (result,) = yield Step(
        thought=f"This is about {question.name.lower()}. One query over {', '.join(question.tables)} answers it.",
        calls=(_query(question),),
    )
    if result.status != "done":
        yield Step(unread(result))
        return
    yield Step(f"{_answer(question, result.output)}\n\n{_follow(question)}")


def _query(question: Question) -> Call:
    return Call("query_data", {"sql_query": question.sql(), "query_name": question.name})


def _answer(question: Question, output: Any) -> str:
    columns, rows = csv_rows(output)
    period = f" {question.period}" if question.period else ""
    if not rows or all(not value for value in rows[0][-1:]):
        return f"There were no orders{period}."
    at = columns.index(question.value_column)
    if question.dimension is None:
        values = dict(zip(columns, rows[0], strict=True))
        where = f" in {question.region}" if question.region else ""
        if question.measure == "average":
            return f"An average order{where}{period} is worth **{number(values['average_order'])} euro** ({number(values['orders'])} orders)."
        if question.measure == "orders":
            orders = counted(int(values["orders"]), "order")
            return f"**{orders}**{where}{period}, worth {euro(values['amount'])}. {NOT_COUNTED}"
        return f"**{euro(values['amount'])}** in {counted(int(values['orders']), 'order')}{where}{period}. {NOT_COUNTED}"
    if question.order == "natural":
        first = f"{question.name}:"
    else:
        verb = "was ordered" if question.measure == "orders" and question.dimension.needs_items else "sold"
        if question.dimension.needs_customers:
            verb = "bought"
        elif question.measure == "orders" and not question.dimension.needs_items:
            verb = "ordered"
        first = f"**{cell(rows[0][0])}** {verb} {question.order}{period}: {_value(question, rows[0][at])}"
        if len(rows) > 1:
            word = "ahead of" if question.order == "most" else "next is"
            first += f", {word} {cell(rows[1][0])} ({_value(question, rows[1][at])})"
        first += "."
    return f"{first}\n\n{result_table(output)}\n\n{NOT_COUNTED if question.dimension.name != 'status' else ''}".rstrip()


def _value(question: Question, value: str) -> str:
    if question.measure in ("amount", "average"):
        return euro(value)
    return counted(int(float(value)), "order" if question.measure == "orders" else "piece")


def _follow(question: Question) -> str:
    by = question.dimension.name if question.dimension is not None else ""
    return next_actions(
        "Tell me more about that",
        f"Write SQL for {_NOUNS[question.measure]} by {by or 'region'}",
        "Sales by month" if by != "month" else "Which region sold most?",
    ).lstrip()


def ask_more(_talk: Talk, question: Question) -> Script:
    """Tell me more: the same by month, and by channel or product."""
    first = Question("amount", DIMENSIONS["month"], "natural", None, "", question.region)
    by = "channel" if question.dimension is None or question.dimension.name != "channel" else "category"
    second = Question(question.measure, DIMENSIONS[by], "most", None, question.period, question.region)
    results = yield Step(
        thought=f"More about {question.name.lower()}: how it went over the months, and by {by}.",
        calls=(_query(first), _query(second)),
    )
    for result in results:
        if result.status != "done":
            yield Step(unread(result))
            return
    _, months = csv_rows(results[0].output)
    best = max(months, key=lambda row: float(row[-1] or 0), default=None)
    about = f" The best month was **{best[0]}** with {euro(best[-1])}." if best is not None else ""
    yield Step(
        f"More about *{question.name.lower()}*.{about}\n\n{result_table(results[0].output)}\n\n"
        f"And {second.name.lower()}:\n\n{result_table(results[1].output)}\n\n{NOT_COUNTED}"
        + next_actions(
            "Top 5 products", "Which region sold most last month?", "Write SQL for orders by region"
        )
    )


def stock(_talk: Talk) -> Script:
    """Which products are out of stock?"""
    statement = (
        'SELECT name, category, in_stock\nFROM "in.c-shop"."products"\nORDER BY in_stock, name\nLIMIT 10'
    )
    (result,) = yield Step(
        calls=(Call("query_data", {"sql_query": statement, "query_name": "What is low in stock"}),)
    )
    if result.status != "done":
        yield Step(unread(result))
        return
    _, rows = csv_rows(result.output)
    gone = [row[0] for row in rows if row[-1] == "0"]
    first = f"Out of stock: **{', '.join(gone)}**." if gone else "Nothing is out of stock."
    yield Step(
        f"{first} The ten with the fewest pieces:\n\n{result_table(result.output)}"
        + next_actions("Top 5 products", "Show me the products table")
    )


_TEXT_FILTERS = {
    "orders": {
        "delivered": "status",
        "shipped": "status",
        "cancelled": "status",
        "returned": "status",
        "web": "channel",
        "store": "channel",
        "partner": "channel",
    },
    "customers": {"retail": "segment", "club": "segment", "wholesale": "segment"},
    "tickets": {
        "open": "status",
        "waiting": "status",
        "solved": "status",
        "high": "priority",
        "low": "priority",
        "normal": "priority",
    },
    "deals": {"won": "stage", "lost": "stage", "open": "stage"},
}
"""Words before a table's name that filter it."""


def count(_talk: Talk, what: str) -> Script:
    """How many orders do I have?"""
    *before, name = what.split()
    (found,) = yield find_table(name)
    table_id = best_table(found.output, name) if found.status == "done" else None
    if table_id is None:
        yield Step(
            f"I found no table called {cell(name)} to count." if found.status == "done" else unread(found)
        )
        return
    filters = _TEXT_FILTERS.get(table_id.rsplit(".", 1)[-1], {})
    adjective = before[-1].lower() if before else ""
    column = filters.get(adjective)
    where = f"\nWHERE lower({column}) = '{adjective}'" if column is not None else ""
    (result,) = yield Step(
        calls=(
            Call(
                "query_data",
                {
                    "sql_query": f"SELECT count(*) AS n\nFROM {qualified(table_id)}{where}",
                    "query_name": f"Number of {what}",
                },
            ),
        )
    )
    if result.status != "done":
        yield Step(unread(result))
        return
    _, rows = csv_rows(result.output)
    shown = f"{adjective} {name}" if column is not None else name
    aside = (
        f" I do not know what “{cell(adjective)}” means there, so I counted all."
        if adjective and column is None
        else ""
    )
    yield Step(
        f"There are **{number(rows[0][0])} {shown}** (rows of `{table_id}`).{aside}"
        + next_actions(f"Show me the {table_id.rsplit('.', 1)[-1]} table", "Which region sold most?")
    )


_FENCED = re.compile(r"^\s*```(?:sql)?\s*\n(.*?)\n?\s*```\s*$", re.DOTALL | re.IGNORECASE)
_RUN = re.compile(
    r"^\s*(?:please\s+)?(?:run|execute|query|try)(?:\s+(?:this|the|my))?(?:\s+(?:sql|query|statement))?\s*:?\s+(?=select\b|with\b)",
    re.IGNORECASE,
)
_READS = re.compile(
    r"^\s*(?:--[^\n]*\n\s*)*(?:select\b|with\b[\s\S]*\bselect\b|values\s*\(|explain\s)", re.IGNORECASE
)
_WRITES = re.compile(
    r"^\s*(?:insert\s+into|update\s+\S+\s+set|delete\s+from|drop\s+(?:table|view|schema)|alter\s+table|truncate\s|"
    r"create\s+(?:or\s+replace\s+)?(?:table|view)\b|merge\s+into)",
    re.IGNORECASE,
)


def statement_in(text: str) -> str | None:
    """The SELECT in a message, if it is one."""
    fenced = _FENCED.match(text)
    inner = fenced[1] if fenced is not None else _RUN.sub("", text, count=1)
    # “With which tools …?” is a sentence: WITH counts only when SELECT follows somewhere.
    return inner.strip() if _READS.match(inner) else None


def is_writing_sql(text: str) -> bool:
    """Whether a message is SQL that would change something."""
    fenced = _FENCED.match(text)
    return _WRITES.match(fenced[1] if fenced is not None else text) is not None


def run(_talk: Talk, statement: str) -> Script:
    """SELECT …"""
    (result,) = yield Step(calls=(Call("query_data", {"sql_query": statement, "query_name": "Your query"}),))
    if result.status == "done":
        yield Step(_rows(result) + next_actions("Save that as a transformation", "What tables do I have?"))
    elif result.status == "denied":
        yield Step(unread(result))
    else:
        yield Step(
            f"The query did not run. {result.error}\n\nI speak SQLite's dialect. Tables are written "
            '`"in.c-shop"."orders"` or just `orders`.'
            + next_actions("What tables do I have?", "Show me the orders table")
        )


def _rows(result: Result) -> str:
    _, rows = csv_rows(result.output)
    note = f" {result.output['message']}" if "message" in result.output else ""
    return f"{counted(len(rows), 'row')}.{note}\n\n{result_table(result.output)}"


def no_writing_sql(_talk: Talk) -> Script:
    """DELETE FROM …"""
    yield Step(
        "I run only SQL that reads (`SELECT` or `WITH`). Nothing was changed. To make a table, save a query as a "
        "transformation and run it; descriptions, buckets and configurations I change with tools, after asking you."
        + next_actions("Write SQL for orders by region", "What can you help me with?")
    )


def write_sql(_talk: Talk, wish: str) -> Script:
    """Write SQL for orders by region."""
    question = question_in(wish) or question_in(f"total {wish}")
    if question is None:
        yield from _simple_sql(wish)
        return
    (looked,) = yield Step(
        thought=f"{question.name}: I check the columns of {', '.join(question.tables)} first.",
        calls=(Call("get_tables", {"table_ids": question.tables}),),
    )
    if looked.status != "done":
        yield Step(unread(looked))
        return
    (result,) = yield Step(thought="I run it once, to be sure that it works.", calls=(_query(question),))
    tried = (
        f"I ran it, and it brings {counted(len(csv_rows(result.output)[1]), 'row')}:\n\n{result_table(result.output, 8)}"
        if result.status == "done"
        else unread(result)
    )
    yield Step(
        f"This is {question.name[0].lower()}{question.name[1:]}, in SQLite's dialect:\n\n{sql(question.sql())}\n\n{tried}"
        + next_actions("Save that as a transformation", "Tell me more about that")
    )


def _simple_sql(wish: str) -> Script:
    name = wish.split()[-1] if wish.split() else "orders"
    (found,) = yield find_table(name)
    table_id = best_table(found.output, name) if found.status == "done" else None
    if table_id is None:
        yield Step(
            "I can write SQL about sales (by region, month, channel, product, category, customer or segment) or read one "
            "table. I am a rule-based stand-in: more than that I do not understand. What should the query bring?"
            + next_actions(
                "Write SQL for orders by region",
                "Write SQL for the top 5 products",
                "Write SQL for sales by month",
            )
        )
        return
    statement = f"SELECT *\nFROM {qualified(table_id)}\nLIMIT 100"
    yield Step(
        f"This reads `{table_id}`:\n\n{sql(statement)}"
        + next_actions(statement.replace("\n", " "), f"Show me the {name} table")
    )


_FENCE = re.compile(r"```sql\n(.*?)\n```", re.DOTALL)


def last_sql(talk: Talk) -> str | None:
    """The last SQL in the chat: written by the assistant, or run for the user."""
    for message in reversed(talk.before):
        text = text_of(message)
        if message.get("role") == "assistant":
            blocks = _FENCE.findall(text)
            if blocks:
                return blocks[-1].strip()
        else:
            statement = statement_in(text)
            if statement is not None:
                return statement
            question = question_in(text)
            if question is not None:
                return question.sql()
    return None
