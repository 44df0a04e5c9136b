"""Changing things: buckets, descriptions, configurations, jobs. Every change is a call the user decides on.

What is said afterwards follows from what became of the call, never from what was planned.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from kai_tui.sandbox.assistant.asking import last_sql
from kai_tui.sandbox.assistant.looking import best_table, find_table
from kai_tui.sandbox.assistant.reporting import refused, told, unread
from kai_tui.sandbox.assistant.script import Call, JsonObject, Result, Script, Step
from kai_tui.sandbox.assistant.talk import Talk
from kai_tui.sandbox.assistant.words import words
from kai_tui.sandbox.assistant.working import best_configs, both_lists, which_one
from kai_tui.sandbox.assistant.writing import cell, counted, next_actions, quote, sentence, sql

ASK_BUCKET_NAME = "What shall the bucket be called?"
POLLS = 6
POLL_SECONDS = 1.5


def create_buckets(_talk: Talk, names: Sequence[str], stage: str) -> Script:
    """Create a bucket called test-bucket."""
    if not names:
        yield Step(f"{ASK_BUCKET_NAME} Letters, digits, - and _ are fine.")
        return
    one = len(names) == 1
    results = yield Step(
        thought=f"A new bucket is a change, so the user has to agree. Stage: {stage}.",
        text=f"I will create the bucket `{stage}.c-{names[0]}`."
        if one
        else f"I will create {len(names)} buckets.",
        calls=tuple(Call("create_bucket", {"name": name, "stage": stage}) for name in names),
    )
    lines = [_created(result) for result in results]
    done = [result for result in results if result.status == "done"]
    yield Step(
        "\n".join(lines if one else [f"- {line}" for line in lines])
        + next_actions(
            "What buckets do I have?",
            *([f"Set the description of {done[0].output['id']} to …"] if done else []),
        )
    )


def _created(result: Result) -> str:
    if result.status != "done":
        name = cell(result.call.input.get("name", ""))
        return f"`{name}`: {refused(result)}"
    return told(result, f"Done: the bucket **`{result.output['id']}`** is there, and empty.")


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


def run_job(_talk: Talk, name: str) -> Script:
    """Run the CRM job."""
    lists = yield both_lists()
    for looked in lists:
        if looked.status != "done":
            yield Step(unread(looked))
            return
    found = best_configs([looked.output for looked in lists], name)
    if len(found) != 1:
        yield Step(which_one(found, name, "Run the {} job"))
        return
    config = found[0]
    (started,) = yield Step(
        thought=f"{config['name']} fits best. Running it may write data, so the user has to agree.",
        text=f"That is **{config['name']}** (`{config['component_id']}` / {config['configuration_id']}).",
        calls=(
            Call(
                "run_job",
                {"component_id": config["component_id"], "configuration_id": config["configuration_id"]},
            ),
        ),
    )
    if started.status != "done":
        yield Step(_not_run(started) + next_actions(f"Did the {config['name']} job run?"))
        return
    job = started.output
    for _ in range(POLLS):
        (looked,) = yield Step(
            thought=f"Job {job['id']} is {job['status']}. I look how it goes.",
            calls=(Call("get_jobs", {"job_ids": [job["id"]]}),),
            wait=POLL_SECONDS,
        )
        if looked.status != "done" or not looked.output["jobs"]:
            break
        job = looked.output["jobs"][0]
        if job["isFinished"]:
            break
    yield Step(_ran(job, config["name"]))


def _not_run(result: Result) -> str:
    if result.status == "denied":
        reason = f" (“{' '.join(result.reason.split())}”)" if result.reason else ""
        return f"You said no{reason}, so no job was started. Nothing was changed."
    return f"No job was started: {sentence(result.error)}"


def _ran(job: JsonObject, name: str) -> str:
    if not job.get("isFinished"):
        return f"Job {job['id']} was started and is still {job['status']}." + next_actions(
            f"Did the {name} job run?"
        )
    message = job["result"]["message"]
    shown = job.get("configName", name)
    text = {
        "success": f"Job {job['id']} of **{shown}** ended well",
        "warning": f"Job {job['id']} of **{shown}** ended with a warning",
    }.get(job["status"], f"Job {job['id']} of **{shown}** failed")
    text += f" after {counted(job['durationSeconds'], 'second')}.\n\n> {message}"
    if "#api_token" in message and job["status"] == "error":
        return f"{text}\n\nGive it a new token, then run it again." + next_actions(
            f"Set #api_token of the {shown} to new-token", f"Run the {shown} job"
        )
    return text + next_actions("Which jobs failed?", "Which region sold most?")


def rename_config(_talk: Talk, name: str, new: str) -> Script:
    """Rename the CRM extract to Customers."""
    yield from _update_config(
        name, {"name": new, "change_description": f"Renamed to {new}"}, f"It is called **{cell(new)}** now"
    )


def set_parameter(_talk: Talk, path: str, name: str, value: str) -> Script:
    """Set #api_token of the Support desk to abc."""
    try:
        typed: Any = json.loads(value)
    except ValueError:
        typed = value
    yield from _update_config(
        name,
        {
            "change_description": f"Set {path}",
            "parameter_updates": [{"op": "set", "path": path, "value": typed}],
        },
        f"`{cell(path)}` is set",
    )


def _update_config(name: str, changes: JsonObject, done: str) -> Script:
    lists = yield both_lists()
    for looked in lists:
        if looked.status != "done":
            yield Step(unread(looked))
            return
    found = best_configs([looked.output for looked in lists], name)
    if len(found) != 1:
        yield Step(which_one(found, name, "Show the {} configuration"))
        return
    config = found[0]
    ids = {"component_id": config["component_id"], "configuration_id": config["configuration_id"]}
    (result,) = yield Step(
        text=f"I will change **{config['name']}**.", calls=(Call("update_config", {**ids, **changes}),)
    )
    if result.status != "done":
        yield Step(refused(result))
        return
    yield Step(
        told(result, f"Done: {done} (version {result.output['version']}).")
        + next_actions(
            f"Show the {changes.get('name', config['name'])} configuration", f"Run the {config['name']} job"
        )
    )


def create_config(_talk: Talk, component: str, name: str) -> Script:
    """Create a configuration of MySQL called Second shop."""
    (found,) = yield Step(calls=(Call("find_component_id", {"query": component}),))
    if found.status != "done":
        yield Step(unread(found))
        return
    component_id = found.output[0]["component_id"]
    (result,) = yield Step(
        text=f"I take the component `{component_id}`.",
        calls=(
            Call(
                "create_config",
                {
                    "name": name,
                    "description": "Made by the sandbox's assistant.",
                    "component_id": component_id,
                    "parameters": {},
                },
            ),
        ),
    )
    if result.status != "done":
        yield Step(refused(result))
        return
    made = result.call.input.get("name", name)
    yield Step(
        told(
            result,
            f"Done: the configuration **{cell(made)}** is there, with the id {result.output['configuration_id']}. It has no parameters yet.",
        )
        + next_actions("List my configurations", f"Set db.host of {made} to db.example")
    )


def save_transformation(talk: Talk, name: str) -> Script:
    """Save that as a transformation."""
    statement = last_sql(talk)
    if statement is None:
        yield Step(
            "There is no SQL in this chat yet. Let me write some first, or send me a `SELECT`."
            + next_actions("Write SQL for orders by region")
        )
        return
    statement = statement.rstrip("; \n")
    title = name or "Saved query"
    made = "_".join(words(title)).replace("-", "_") or "result"
    script = f'CREATE TABLE "{made}" AS\n{statement};'
    (result,) = yield Step(
        thought="The last SQL in this chat becomes a transformation that writes one table.",
        text=f"I will save this as the transformation *{cell(title)}*:\n\n{sql(script)}",
        calls=(
            Call(
                "create_sql_transformation",
                {
                    "name": title,
                    "description": "Saved from a chat in the sandbox.",
                    "sql_code_blocks": [{"name": made, "script": script}],
                    "created_table_names": [made],
                },
            ),
        ),
    )
    if result.status != "done":
        yield Step(refused(result))
        return
    title = str(result.call.input.get("name", title))
    yield Step(
        told(
            result,
            f"Done: the transformation **{cell(title)}** is there (id {result.output['configuration_id']}). Run it to make its table.",
        )
        + next_actions(f"Run the {title} transformation", "List my configurations")
    )


def no_deleting(_talk: Talk) -> Script:
    """Delete the orders table."""
    yield Step(
        "I have no tool that deletes anything, so nothing was changed. I can describe, create, configure and run things."
        + next_actions("What can you help me with?")
    )
