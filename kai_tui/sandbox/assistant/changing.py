"""Changing things: buckets, configurations, transformations, jobs. Every change is a call the user decides on.

What is said afterwards follows from what became of the call, never from what was planned.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from kai_tui.sandbox.assistant.asking import last_sql
from kai_tui.sandbox.assistant.reporting import refused, told, unread
from kai_tui.sandbox.assistant.script import Call, JsonObject, Result, Script, Step
from kai_tui.sandbox.assistant.talk import Talk
from kai_tui.sandbox.assistant.words import words
from kai_tui.sandbox.assistant.working import best_configs, both_lists, which_one
from kai_tui.sandbox.assistant.writing import cell, counted, next_actions, sentence, sql

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
        name, {"name": new, "change_description": f"Renamed to {new}"}, f"it is called **{cell(new)}** now"
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
            f"Show the {changes.get('name', config['name'])} configuration",
            f"Run the {changes.get('name', config['name'])} job",
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
