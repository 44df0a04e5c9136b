"""The job a call started, read from its answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.conversation.messages import ToolPart
from kai_tui.conversation.started_jobs import StartedJob, started_job
from tests.conversation.test_changed_places import call
from tests.conversation.test_tools import ODD

JOB = {
    "id": "30013",
    "status": "created",
    "componentId": "keboola.flow",
    "configId": "9001",
    "isFinished": False,
    "startTime": "2026-11-21T10:00:00Z",
    "durationSeconds": 0,
    "url": "https://stack.test/queue/30013",
    "links": [],
}


def test_a_job_as_the_server_writes_it() -> None:
    assert started_job(call("run_job", JOB)) == StartedJob(
        "30013",
        "created",
        False,
        "keboola.flow",
        "9001",
        "2026-11-21T10:00:00Z",
        seconds=0.0,
        url="https://stack.test/queue/30013",
    )


@pytest.mark.parametrize(
    "output",
    [
        {"id": 30013, "status": "created"},
        {"job_id": "30013", "status": "created"},
        {"job": {"id": "30013", "status": "created"}},
        {"content": [{"type": "text", "text": '{"id": "30013", "status": "created"}'}]},
        '{"id": "30013", "status": "created"}',
        {"structuredContent": {"id": "30013", "status": "created"}, "content": []},
    ],
)
def test_other_shapes_of_the_same(output: Any) -> None:
    job = started_job(call("run_job", output))
    assert job is not None
    assert (job.id, job.status, job.finished) == ("30013", "created", False)


def test_a_job_that_had_ended_by_then() -> None:
    job = started_job(
        call("run_job", {"id": "7", "status": "error", "result": {"message": "No."}, "durationSeconds": 3})
    )
    assert job is not None
    assert (job.finished, job.message, job.seconds) == (True, "No.", 3.0)


@pytest.mark.parametrize(
    "part",
    [
        call("get_jobs", JOB),
        call("run_job", JOB, state="output-error"),
        call("run_job", JOB, preliminary=True),
        call("run_job", {"isError": True, "structuredContent": JOB}),
        call("run_job", {"id": "../../admin", "status": "created"}),
        call("run_job", {"id": "", "status": "created"}),
        call("run_job", {"id": True, "status": "created"}),
        call("create_bucket", {"id": "in.c-x", "status": "fine"}),
        call("update_config", {"id": "1", "status": "success"}),
    ],
)
def test_what_is_no_started_job(part: ToolPart) -> None:
    assert started_job(part) is None


def test_an_unknown_tool_that_starts_jobs() -> None:
    assert started_job(call("start_flow", JOB)) is not None


@given(st.sampled_from(["run_job", "x"]), ODD)
def test_nothing_odd_fails(tool: str, output: Any) -> None:
    started_job(call(tool, output))
