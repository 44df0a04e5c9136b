"""Looking around: buckets, tables, the project, the handbook."""

from __future__ import annotations

from typing import Any

from kai_tui.sandbox.assistant.reporting import unread
from kai_tui.sandbox.assistant.script import Call, JsonObject, Script, Step
from kai_tui.sandbox.assistant.talk import Talk
from kai_tui.sandbox.assistant.writing import (
    cell,
    counted,
    csv_rows,
    next_actions,
    number,
    result_table,
    table,
)

PREVIEW_ROWS = 10


def buckets(_talk: Talk) -> Script:
    """What buckets do I have?"""
    (result,) = yield Step(thought="The user wants to see the buckets.", calls=(Call("get_buckets"),))
    if result.status != "done":
        yield Step(unread(result))
        return
    found = result.output["buckets"]
    rows = [(f"`{each['id']}`", each["tables_count"], each.get("description", "–")) for each in found]
    stages = [each["stage"] for each in found]
    yield Step(
        f"Your project has **{counted(len(found), 'bucket')}**: {stages.count('in')} with loaded data, "
        f"{stages.count('out')} with results.\n\n{table(('Bucket', 'Tables', 'Description'), rows)}"
        + next_actions("What tables do I have?", "Update the description of the first bucket")
    )


def tables(_talk: Talk, bucket: str = "") -> Script:
    """What tables do I have? With `bucket`: in that one."""
    results = yield Step(
        thought="The user asks for tables. I look at the buckets and at all tables at the same time.",
        calls=(Call("get_buckets"), Call("get_tables")),
    )
    for result in results:
        if result.status != "done":
            yield Step(unread(result))
            return
    every = results[1].output["tables"]
    known = [each["id"] for each in results[0].output["buckets"]]
    wanted = next((each for each in known if bucket and _same_bucket(bucket, each)), None)
    if bucket and wanted is None:
        names = ", ".join(f"`{each}`" for each in known)
        yield Step(f"There is no bucket called {cell(bucket)}. There are: {names}.")
        return
    found = [each for each in every if wanted in (None, each["bucket_id"])]
    if not found:
        yield Step(f"The bucket `{wanted}` has no tables yet.")
        return
    rows = [(f"`{each['id']}`", number(each["rows_count"]), each.get("description", "–")) for each in found]
    where = f"The bucket `{wanted}` has" if wanted else "You have"
    in_buckets = "" if wanted else f" in {counted(len({each['bucket_id'] for each in found}), 'bucket')}"
    yield Step(
        f"{where} **{counted(len(found), 'table')}**{in_buckets}:\n\n{table(('Table', 'Rows', 'Description'), rows)}"
        + next_actions(f"Show me the {found[0]['name']} table", "Which region sold most?")
    )


def _same_bucket(said: str, bucket_id: str) -> bool:
    said = said.lower()
    return said in (
        bucket_id.lower(),
        bucket_id.split(".c-", 1)[-1].lower(),
        bucket_id.split(".", 1)[-1].lower(),
    )


def more_about_tables(_talk: Talk) -> Script:
    """The columns of every table."""
    (result,) = yield Step(thought="More about the tables: their columns.", calls=(Call("get_tables"),))
    if result.status != "done":
        yield Step(unread(result))
        return
    sections = [
        f"**`{each['id']}`** ({number(each['rows_count'])} rows"
        + (f", key {', '.join(each['primary_key'])}" if each["primary_key"] else "")
        + ")\n"
        + "\n".join(f"- {_column(column)}" for column in each["columns"])
        for each in result.output["tables"]
    ]
    yield Step(
        "Here is what is in each of them.\n\n"
        + "\n\n".join(sections)
        + next_actions("Show me the orders table", "Write SQL for orders by region")
    )


def _column(column: JsonObject) -> str:
    text = f"`{column['name']}` {column['database_native_type']}"
    return f"{text}: {column['description']}" if column.get("description") else text


def find_table(name: str) -> Step:
    """The step that looks for a table by its name."""
    last = name.strip("\"`' ").rsplit(".", 1)[-1]
    return Step(
        thought=f"I look for a table called {last}.",
        calls=(Call("search", {"patterns": [last], "item_types": ["table"]}),),
    )


def best_table(output: Any, name: str) -> str | None:
    """The id of the table that was meant, from the output of `search`."""
    name = name.strip("\"`' ").replace('"."', ".").lower()
    ids = [hit["table_id"] for hit in output["hits"] if hit["item_type"] == "table"]
    bare = [table_id.lower().rsplit(".", 1)[-1] for table_id in ids]
    for said in (name, name.rsplit(".", 1)[-1], f"{name.rsplit('.', 1)[-1]}s"):
        for table_id, short in zip(ids, bare, strict=True):
            if said in (table_id.lower(), short):
                return table_id
    return ids[0] if ids and (output["hits"][0].get("near") or len(ids) == 1) else None


def show_table(_talk: Talk, name: str) -> Script:
    """Show me the orders table."""
    (found,) = yield find_table(name)
    table_id = best_table(found.output, name) if found.status == "done" else None
    if table_id is None:
        yield Step(
            f"I found no table called {cell(name)} in this project."
            if found.status == "done"
            else unread(found),
            calls=(),
        )
        return
    results = yield Step(
        thought=f"It is {table_id}. I read its columns and its newest rows.",
        calls=(
            Call("get_tables", {"table_ids": [table_id]}),
            Call(
                "query_data",
                {
                    "sql_query": f"SELECT *\nFROM {qualified(table_id)}\nORDER BY 1 DESC\nLIMIT {PREVIEW_ROWS}",
                    "query_name": f"Last rows of {table_id.rsplit('.', 1)[-1]}",
                },
            ),
        ),
    )
    for result in results:
        if result.status != "done":
            yield Step(unread(result))
            return
    about = results[0].output["tables"][0]
    description = f" {about['description']}" if about.get("description") else " It has no description yet."
    _, rows = csv_rows(results[1].output)
    short = about["name"]
    yield Step(
        f"**`{table_id}`** has **{number(about['rows_count'])} rows** and "
        f"{counted(len(about['columns']), 'column')}.{description}\n\n"
        f"The last {len(rows)} rows:\n\n{result_table(results[1].output)}"
        + next_actions(
            f"How many {short} are there?",
            f"Tell me more about the {short} table",
            "Which region sold most?" if short == "orders" else "Show me the orders table",
        )
    )


def qualified(table_id: str) -> str:
    """A table's name as SQL wants it."""
    bucket, name = table_id.rsplit(".", 1)
    return f'"{bucket}"."{name}"'


def describe_table(_talk: Talk, name: str) -> Script:
    """Tell me more about the orders table: its columns."""
    (found,) = yield find_table(name)
    table_id = best_table(found.output, name) if found.status == "done" else None
    if table_id is None:
        yield Step(
            f"I found no table called {cell(name)} in this project."
            if found.status == "done"
            else unread(found)
        )
        return
    (result,) = yield Step(calls=(Call("get_tables", {"table_ids": [table_id]}),))
    if result.status != "done":
        yield Step(unread(result))
        return
    about = result.output["tables"][0]
    rows = [
        (f"`{each['name']}`", each["database_native_type"], each.get("description", ""))
        for each in about["columns"]
    ]
    yield Step(
        f"**`{table_id}`**: {about.get('description') or 'no description yet.'}\n\n"
        f"- {number(about['rows_count'])} rows, about {number(about['data_size_bytes'])} bytes\n"
        f"- key: {', '.join(about['primary_key']) or 'none'}\n"
        f"- last import: {about['last_import'][:16].replace('T', ' ')} UTC\n\n"
        f"{table(('Column', 'Type', 'Description'), rows)}"
        + next_actions(
            f"Show me the {about['name']} table", f"Set the description of the {about['name']} table to …"
        )
    )


def project(_talk: Talk) -> Script:
    """What project is this?"""
    (result,) = yield Step(calls=(Call("get_project_info"),))
    if result.status != "done":
        yield Step(unread(result))
        return
    info = result.output
    yield Step(
        f"**{info['project_name']}** (project {info['project_id']}, branch {info['branch_name']})\n\n"
        f"{info['project_description']}\n\n"
        f"- You are {info['user_role']} here.\n- SQL dialect: {info['sql_dialect']}"
        + next_actions("What tables do I have?", "List flows", "Which jobs failed?")
    )


def handbook(_talk: Talk, question: str) -> Script:
    """How do I …? What is a bucket?"""
    (result,) = yield Step(
        thought="A question about how things work: the handbook may know.",
        calls=(Call("docs_query", {"query": question}),),
    )
    if result.status != "done":
        yield Step(unread(result))
        return
    urls = result.output["source_urls"]
    if not urls:
        yield Step(
            "The sandbox's small handbook says nothing about that, and I am a rule-based stand-in: I cannot "
            "work it out. I know about buckets, tables, components, transformations, flows, jobs, tokens and branches."
            + next_actions("What is a bucket?", "What is a flow?", "What can you help me with?")
        )
        return
    yield Step(
        result.output["text"] + next_actions("What tables do I have?", "List flows"),
        parts=tuple(
            {"type": "source-url", "sourceId": f"s{n}", "url": url, "title": "Keboola help"}
            for n, url in enumerate(urls, start=1)
        ),
    )
