"""Looking at work: configurations, flows and jobs."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from kai_tui.sandbox.assistant.reporting import unread
from kai_tui.sandbox.assistant.script import Call, JsonObject, Script, Step
from kai_tui.sandbox.assistant.talk import Talk
from kai_tui.sandbox.assistant.words import words
from kai_tui.sandbox.assistant.writing import cell, counted, next_actions, table

_FILLER_WORDS = (
    "the my a an job jobs flow flows config configs configuration configurations extractor writer transformation "
    "orchestration component of for to last latest again now on in"
)
_FILLERS = frozenset(_FILLER_WORDS.split())
_MARKS = {"success": "✓", "warning": "!", "error": "✗"}


def both_lists() -> Step:
    """The step that reads all configurations and flows."""
    return Step(
        thought="I look at the configurations and the flows to find it.",
        calls=(Call("get_configs"), Call("get_flows")),
    )


def best_configs(outputs: Sequence[Any], name: str) -> list[JsonObject]:
    """The configurations and flows that may be meant by a name: the best ones, several when it is not clear."""
    every: list[JsonObject] = [*outputs[0]["configs"], *outputs[1]["flows"]]
    said = [word for word in words(name) if word not in _FILLERS]
    scored = [(_score(said, each), each) for each in every]
    best = max((score for score, _ in scored), default=0)
    return [each for score, each in scored if score == best] if best else []


def _score(said: Sequence[str], config: JsonObject) -> int:
    name = words(config["name"])
    others = set(words(f"{config['component_id']} {config.get('component_type', '')}"))
    score = 0
    for word in said:
        if word == config["configuration_id"]:
            score += 20
        elif word in name:
            score += 5
        elif any(each.startswith(word[:5]) for each in name if len(word) > 3):
            score += 3
        elif word in others or any(word in each for each in others if len(word) > 2):
            score += 2
        elif len(word) > 3 and word in config.get("description", "").lower():
            score += 1
    return score


def configs(_talk: Talk) -> Script:
    """List my configurations."""
    (result,) = yield Step(thought="The user wants the configurations.", calls=(Call("get_configs"),))
    if result.status != "done":
        yield Step(unread(result))
        return
    found = result.output["configs"]
    rows = [
        (each["name"], each["component_type"], f"`{each['component_id']}`", each["configuration_id"])
        for each in found
    ]
    yield Step(
        f"There are **{counted(len(found), 'configuration')}** (flows not counted):\n\n"
        f"{table(('Name', 'Kind', 'Component', 'Id'), rows)}"
        + next_actions("Show the CRM extract configuration", "Run the CRM job", "List flows")
    )


def show_config(_talk: Talk, name: str) -> Script:
    """Show the CRM configuration."""
    results = yield both_lists()
    for result in results:
        if result.status != "done":
            yield Step(unread(result))
            return
    found = best_configs([result.output for result in results], name)
    if len(found) != 1:
        yield Step(which_one(found, name, "Show the {} configuration"))
        return
    config = found[0]
    if "tasks_count" in config:
        yield from _show_flow(config)
        return
    pair = {name: config[name] for name in ("component_id", "configuration_id")}
    (result,) = yield Step(calls=(Call("get_configs", {"configs": [pair]}),))
    if result.status != "done":
        yield Step(unread(result))
        return
    full = result.output["configs"][0]
    yield Step(
        f"**{full['name']}** (`{full['component_id']}` / {full['configuration_id']}, version {full['version']})\n\n"
        f"{full['description']}\n\n```json\n{json.dumps(full['parameters'], indent=2, ensure_ascii=False)}\n```"
        + next_actions(f"Run the {full['name']} job", f"Did the {full['name']} job run?")
    )


def which_one(found: Sequence[JsonObject], name: str, example: str) -> str:
    """Asks back when a name means none or several."""
    if not found:
        return f"I found no configuration or flow called {cell(name)}." + next_actions(
            "List my configurations", "List flows"
        )
    names = [each["name"] for each in found]
    if len(set(names)) < len(names):
        names = [f"{each['name']} {each['configuration_id']}" for each in found]
    return f"Which one do you mean: {', '.join(names)}?" + next_actions(
        *(example.format(each) for each in names[:4])
    )


def flows(_talk: Talk) -> Script:
    """List flows."""
    (result,) = yield Step(calls=(Call("get_flows"),))
    if result.status != "done":
        yield Step(unread(result))
        return
    found = result.output["flows"]
    rows = [
        (
            each["name"],
            each["tasks_count"],
            ", ".join(_schedule(plan) for plan in each["schedules"]) or "by hand",
            each["configuration_id"],
        )
        for each in found
    ]
    first = found[0]["name"] if found else "Daily refresh"
    yield Step(
        f"There are **{counted(len(found), 'flow')}**:\n\n{table(('Flow', 'Tasks', 'Runs', 'Id'), rows)}"
        + next_actions(f"Show the {first} flow", f"Run the {first} flow", "Which jobs failed?")
    )


def _schedule(plan: JsonObject) -> str:
    minute, hour, _, _, weekday = [*str(plan.get("cronTab", "")).split(), "*", "*", "*", "*", "*"][:5]
    if not minute.isdigit() or not hour.isdigit():
        return str(plan.get("cronTab"))
    day = {"*": "every day", "1": "on Mondays"}.get(weekday, f"on weekday {weekday}")
    return f"{day} at {int(hour):02d}:{int(minute):02d} {plan.get('timezone', '')}".strip()


def _show_flow(flow: JsonObject) -> Script:
    (result,) = yield Step(calls=(Call("get_flows", {"flow_ids": [flow["configuration_id"]]}),))
    if result.status != "done":
        yield Step(unread(result))
        return
    full = result.output["flows"][0]
    lines: list[str] = []
    for number, phase in enumerate(full["phases"], start=1):
        lines.append(f"{number}. **{phase['name']}**")
        lines += [
            f"   - `{task['task']['componentId']}` / {task['task']['configId']}"
            + (" (goes on when it fails)" if task.get("continueOnFailure") else "")
            for task in full["tasks"]
            if task["phase"] == phase["id"]
        ]
    plans = ", ".join(_schedule(plan) for plan in full.get("schedules", [])) or "by hand"
    yield Step(
        f"**{full['name']}** runs {plans}.\n\n{full['description']}\n\n"
        + "\n".join(lines)
        + next_actions(f"Run the {full['name']} flow", f"Did the {full['name']} flow run?")
    )


def jobs(_talk: Talk, *, failed: bool = False) -> Script:
    """Which jobs ran, or failed?"""
    given: JsonObject = {"status": "error", "limit": 10} if failed else {"limit": 10}
    (result,) = yield Step(
        thought="The user asks about jobs that failed." if failed else "The user asks about recent jobs.",
        calls=(Call("get_jobs", given),),
    )
    if result.status != "done":
        yield Step(unread(result))
        return
    found = result.output["jobs"]
    if not found:
        yield Step("No job failed." if failed else "No job has run yet.")
        return
    rows = [_row(job) for job in found]
    if failed:
        newest = found[0]
        first = (
            f"**{counted(len(found), 'job')}** failed in the last two weeks. The last one was "
            f"**{newest['configName']}**: {newest['result']['message']}"
        )
        more = next_actions(
            f"Why did the {newest['configName']} job fail?", f"Run the {newest['configName']} job"
        )
    else:
        first = f"The last {counted(len(found), 'job')}:"
        more = next_actions("Which jobs failed?", "Run the CRM job")
    yield Step(f"{first}\n\n{table(('', 'Job', 'Configuration', 'Started (UTC)', 'Seconds'), rows)}{more}")


def _row(job: JsonObject) -> tuple[Any, ...]:
    mark = _MARKS.get(job["status"], "…")
    return (
        mark,
        job["id"],
        job["configName"],
        job["startTime"][:16].replace("T", " "),
        job["durationSeconds"],
    )


def one_job(_talk: Talk, name: str) -> Script:
    """Why did the support desk job fail? Did the CRM job run? Job 30012."""
    number = re.fullmatch(r"(?:job\s*)?#?(\d{4,})", name.strip(), re.IGNORECASE)
    if number is not None:
        (result,) = yield Step(calls=(Call("get_jobs", {"job_ids": [number[1]], "include_logs": True}),))
    else:
        results = yield both_lists()
        for listed in results:
            if listed.status != "done":
                yield Step(unread(listed))
                return
        found = best_configs([listed.output for listed in results], name)
        if len(found) != 1:
            yield Step(which_one(found, name, "Did the {} job run?"))
            return
        (result,) = yield Step(
            calls=(
                Call(
                    "get_jobs",
                    {
                        "component_id": found[0]["component_id"],
                        "config_id": found[0]["configuration_id"],
                        "limit": 5,
                        "include_logs": True,
                    },
                ),
            )
        )
    if result.status != "done":
        yield Step(unread(result))
        return
    if not result.output["jobs"]:
        yield Step(f"There is no such job: {cell(name)}." if number is not None else "It has not run yet.")
        return
    yield Step(_about_job(result.output["jobs"]))


def _about_job(found: Sequence[JsonObject]) -> str:
    job = found[0]
    name = job["configName"]
    when = job["startTime"][:16].replace("T", " ")
    text = f"Job {job['id']} of **{name}** started {when} UTC"
    if not job["isFinished"]:
        return f"{text} and is still {job['status']}." + next_actions(f"Did the {name} job run?")
    text += f" and ended with **{job['status']}** after {counted(job['durationSeconds'], 'second')}.\n\n> {job['result']['message']}"
    if len(found) > 1:
        text += f"\n\nThe last {len(found)} runs:\n\n{table(('', 'Job', 'Configuration', 'Started (UTC)', 'Seconds'), [_row(each) for each in found])}"
    if "#api_token" in job["result"]["message"]:
        return (
            f"{text}\n\nThe token in the configuration has expired. Give it a new one, then run it again."
            + next_actions(f"Set #api_token of the {name} to new-token", f"Run the {name} job")
        )
    return text + next_actions(f"Run the {name} job", "Which jobs failed?")
