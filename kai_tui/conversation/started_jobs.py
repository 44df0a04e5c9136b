"""The job that a call started, read from its answer (keboola-tools.md §2, `run_job`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, cast

from kai_tui.conversation.events import JsonObject
from kai_tui.conversation.messages import Message, ToolPart
from kai_tui.conversation.tool_results import answer_of
from kai_tui.conversation.tools import risk

ENDED: Final = frozenset({"success", "warning", "error", "cancelled", "terminated"})
"""Statuses of a job after which there is no other one."""
STATUSES: Final = ENDED | {"created", "waiting", "processing", "terminating"}
_ID: Final = re.compile(r"[\w-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class StartedJob:
    """A job as it was right after its start. Texts are raw."""

    id: str
    status: str
    finished: bool
    component_id: str = ""
    configuration_id: str = ""
    started: str = ""
    """ISO 8601, as the stack wrote it."""
    ended: str = ""
    seconds: float | None = None
    message: str = ""
    url: str = ""


def started_job(call: ToolPart) -> StartedJob | None:
    """The job a call that is done has started; None for every other call."""
    if call.state != "output-available" or call.preliminary or risk(call.tool_name) == "reads":
        return None
    answer, failed = answer_of(call.output)
    if failed or not isinstance(answer, dict):
        return None
    fields = cast("JsonObject", answer)
    inner = fields.get("job")
    if isinstance(inner, dict):
        fields = cast("JsonObject", inner)
    return _read(fields) if call.tool_name == "run_job" or _is_job(fields) else None


def jobs_started(messages: Iterable[Message]) -> Iterator[tuple[ToolPart, StartedJob]]:
    """All calls that started a job, in the order of the messages."""
    for message in messages:
        # What `started_job` asks for stands in the text of each of them.
        if not message.may_call() or not message.mentions("run_job", "isFinished", "runId"):
            continue
        for part in message.tool_calls():
            if (job := started_job(part)) is not None:
                yield part, job


def _is_job(fields: JsonObject) -> bool:
    """Whether the answer of a tool we do not know is a job: it says its status and what runs."""
    return fields.get("status") in STATUSES and ("isFinished" in fields or "runId" in fields)


def _read(fields: JsonObject) -> StartedJob | None:
    raw = fields.get("id", fields.get("job_id", fields.get("jobId")))
    job_id = str(raw) if isinstance(raw, int) and not isinstance(raw, bool) else raw
    if not isinstance(job_id, str) or _ID.fullmatch(job_id) is None:
        return None
    status = _text(fields, "status")
    finished = fields.get("isFinished", fields.get("is_finished"))
    result: Any = fields.get("result")
    seconds = fields.get("durationSeconds")
    return StartedJob(
        job_id,
        status,
        finished if isinstance(finished, bool) else status in ENDED,
        _text(fields, "componentId", "component_id", "component"),
        _text(fields, "configId", "config_id", "config"),
        _text(fields, "startTime"),
        _text(fields, "endTime"),
        float(seconds) if isinstance(seconds, int | float) and not isinstance(seconds, bool) else None,
        _text(cast("JsonObject", result), "message") if isinstance(result, dict) else "",
        _text(fields, "url"),
    )


def _text(fields: JsonObject, *names: str) -> str:
    return next((value for name in names if isinstance(value := fields.get(name), str)), "")
