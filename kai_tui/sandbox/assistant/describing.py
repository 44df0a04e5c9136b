"""Descriptions of buckets, tables, columns and the project: set, or proposed when no text is given."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kai_tui.sandbox.assistant.looking import best_table, find_table
from kai_tui.sandbox.assistant.reporting import refused, told, unread
from kai_tui.sandbox.assistant.script import Call, JsonObject, Script, Step
from kai_tui.sandbox.assistant.talk import Talk
from kai_tui.sandbox.assistant.writing import cell, next_actions, quote

_ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": -1}


def describe(talk: Talk, target: str, text: str) -> Script:
    """Set the description of the customers table to …; without a text one is proposed."""
    target = target.strip("\"'` ")
    if re.fullmatch(r"(?:this |my |the )?project", target, re.IGNORECASE):
        yield from _describe_project(text)
        return
    ordinal = re.fullmatch(r"(first|second|third|fourth|last) (bucket|table)", target, re.IGNORECASE)
    if ordinal is not None:
        yield from _describe_nth(ordinal[1].lower(), ordinal[2].lower(), text)
        return
    bucket = re.fullmatch(
        r"(?:(?:bucket )?((?:in|out)\.c-[\w-]+)(?: bucket)?|bucket ([\w.-]+)|([\w.-]+) bucket)",
        target,
        re.IGNORECASE,
    )
    if bucket is not None:
        yield from _describe_bucket(bucket[1] or bucket[2] or bucket[3], text)
        return
    column = re.fullmatch(
        r"(?:column )?([\w#]+)(?: column)? (?:of|in)(?: the)?(?: table)? ([\w.\-\"]+)(?: table)?",
        target,
        re.IGNORECASE,
    )
    name = column[2] if column is not None else re.sub(r"^table | table$", "", target, flags=re.IGNORECASE)
    yield from _describe_table(name, text, column[1] if column is not None else None)


def _describe_project(text: str) -> Script:
    (looked,) = yield Step(calls=(Call("get_project_info"),))
    if looked.status != "done":
        yield Step(unread(looked))
        return
    if not text:
        yield Step(
            f"The project's description is:\n\n{quote(looked.output['project_description'])}\n\n"
            "Tell me the new one: “Set the description of the project to …”."
        )
        return
    (result,) = yield Step(calls=(Call("update_project_description", {"description": text}),))
    new = result.call.input.get("description", text)
    yield Step(told(result, f"Done. The project's description is now:\n\n{quote(str(new))}"))


def _describe_nth(which: str, kind: str, text: str) -> Script:
    lists = yield Step(
        thought=f"To know which {kind} is the {which} one, I list them.",
        calls=(Call("get_buckets"), Call("get_tables")),
    )
    for looked in lists:
        if looked.status != "done":
            yield Step(unread(looked))
            return
    items = lists[0].output["buckets"] if kind == "bucket" else lists[1].output["tables"]
    at = _ORDINALS[which]
    if at >= len(items) or not items:
        yield Step(f"There is no {which} {kind}: there are only {len(items)}.")
        return
    item = items[at]
    if kind == "bucket":
        tables = [each for each in lists[1].output["tables"] if each["bucket_id"] == item["id"]]
        proposed = _bucket_text(item, tables)
    else:
        proposed = _table_text(item)
    yield from _update(item["id"], item.get("description", ""), text or proposed, proposed=not text)


def _describe_bucket(name: str, text: str) -> Script:
    lists = yield Step(
        thought=f"I look for the bucket {name}.", calls=(Call("get_buckets"), Call("get_tables"))
    )
    for looked in lists:
        if looked.status != "done":
            yield Step(unread(looked))
            return
    short = name.lower().rsplit("c-", 1)[-1]
    item = next(
        (each for each in lists[0].output["buckets"] if each["id"].lower().rsplit("c-", 1)[-1] == short), None
    )
    if item is None:
        yield Step(f"There is no bucket called {cell(name)}." + next_actions("What buckets do I have?"))
        return
    tables = [each for each in lists[1].output["tables"] if each["bucket_id"] == item["id"]]
    yield from _update(
        item["id"], item.get("description", ""), text or _bucket_text(item, tables), proposed=not text
    )


def _describe_table(name: str, text: str, column: str | None) -> Script:
    (found,) = yield find_table(name)
    table_id = best_table(found.output, name) if found.status == "done" else None
    if table_id is None:
        yield Step(
            (
                f"I found no bucket, table or column called {cell(name)}."
                if found.status == "done"
                else unread(found)
            )
            + next_actions("What tables do I have?")
        )
        return
    (looked,) = yield Step(calls=(Call("get_tables", {"table_ids": [table_id]}),))
    if looked.status != "done":
        yield Step(unread(looked))
        return
    table = looked.output["tables"][0]
    if column is None:
        yield from _update(
            table_id, table.get("description", ""), text or _table_text(table), proposed=not text
        )
        return
    known = next((each for each in table["columns"] if each["name"].lower() == column.lower()), None)
    if known is None or not text:
        names = ", ".join(f"`{each['name']}`" for each in table["columns"])
        yield Step(
            f"The table `{table_id}` has no column {cell(column)}; it has {names}."
            if known is None
            else f"What shall the description of `{table_id}.{known['name']}` be? Say “Set … to …”."
        )
        return
    yield from _update(f"{table_id}.{known['name']}", known.get("description", ""), text, proposed=False)


def _update(item_id: str, old: str, new: str, *, proposed: bool) -> Script:
    first = (
        f"`{item_id}` is described as “{cell(old)}” so far."
        if old
        else f"`{item_id}` has no description so far."
    )
    idea = " You gave no text, so I propose one." if proposed else ""
    (result,) = yield Step(
        thought=f"I set the description of {item_id}; the user has to agree.",
        text=f"{first}{idea}",
        calls=(Call("update_descriptions", {"updates": [{"item_id": item_id, "description": new}]}),),
    )
    if result.status != "done":
        yield Step(refused(result) + next_actions(f"Set the description of {item_id} to …"))
        return
    good = [each["item_id"] for each in result.output["results"] if each["success"]]
    bad = [each for each in result.output["results"] if not each["success"]]
    texts = {each.get("item_id"): each.get("description") for each in result.call.input.get("updates", [])}
    lines = [f"Done. The description of `{item}` is now:\n\n{quote(str(texts.get(item)))}" for item in good]
    lines += [f"`{cell(each['item_id'])}`: {each['error']}" for each in bad]
    if result.edited:
        lines.append("(You changed the call before it ran.)")
    yield Step("\n\n".join(lines) + next_actions("What tables do I have?", "What buckets do I have?"))


def _bucket_text(bucket: JsonObject, tables: Sequence[JsonObject]) -> str:
    stage = "Loaded data" if bucket["stage"] == "in" else "Results"
    if not tables:
        return f"{stage}; no tables yet."
    names = [f"{each['name']} ({each['rows_count']:,} rows)" for each in tables]
    listed = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return f"{stage} of {bucket['display_name'].upper() if len(bucket['display_name']) < 4 else bucket['display_name']}: {listed}."


def _table_text(table: JsonObject) -> str:
    columns = ", ".join(each["name"] for each in table["columns"][:6])
    key = f" Key: {', '.join(table['primary_key'])}." if table["primary_key"] else ""
    return (
        f"{table['name'].replace('_', ' ').capitalize()}: {table['rows_count']:,} rows with {columns}.{key}"
    )
