"""The line of a job below the card of the call that started it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kai_tui.backends.project import Job
from kai_tui.services.changes import PartChanged
from kai_tui.services.job_state import JobState
from kai_tui.ui.transcript.renderers.job_row import job_row
from kai_tui.ui.transcript.stops import first_of
from kai_tui.ui.transcript.view import Transcript
from tests.conversation.test_started_jobs import JOB
from tests.ui.transcript.chat_source import ChatSource, TranscriptApp, answer, text, tool

RUNS = JobState(Job("30013", "processing", url=str(JOB["url"])), following=True, ran=10.0, at=100.0)
LINK = {"type": "ui-detail", "title": "Job: 30013", "url": JOB["url"]}


def started() -> ChatSource:
    call = tool(
        "run_job",
        input={"component_id": "keboola.flow", "configuration_id": "9001"},
        output={**JOB, "links": [LINK]},
    )
    return ChatSource(answer(call, text("It runs.")))


@pytest.mark.parametrize(
    ("state", "line"),
    [
        (replace(RUNS, job=Job("7", "created"), ran=None), "○ Job 7 is about to start"),
        (replace(RUNS, job=Job("7", "waiting"), ran=None), "○ Job 7 waits to start"),
        (RUNS, "● Job 30013 is running  12 s"),
        (JobState(Job("7", "success", finished=True, seconds=4.4)), "✓ Job 7 ended well after 4 s"),
        (
            JobState(Job("7", "warning", finished=True, seconds=90, message="2 rows\nleft out")),
            "! Job 7 ended with a warning after 1 min 30 s: 2 rows left out",
        ),
        (JobState(Job("7", "error", finished=True, message="No.")), "✗ Job 7 failed: No."),
        (JobState(Job("7", "terminated", finished=True)), "⊘ Job 7 was stopped"),
        (JobState(Job("7", "odd", finished=True)), "○ Job 7 ended: odd"),
        (
            replace(RUNS, why_not="The stack does not answer."),
            "○ Job 30013 was processing when it was last seen: The stack does not answer.",
        ),
    ],
)  # fmt: skip
def test_how_a_job_goes_in_words(state: JobState, line: str) -> None:
    row = job_row(state, 102.0)
    assert row.lead[0].text.strip() + " " + row.text == line


async def test_the_card_of_a_running_job_changes_one_line_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = started()
    source.jobs["call-1"] = RUNS
    app = TranscriptApp(source)
    async with app.run_test(size=(80, 12)) as pilot:
        before = app.lines()
        assert before[0].startswith("  Kai   ✓ run_job  keboola.flow / 9001")
        assert before[0].endswith("started ▸")
        assert before[1] == "          ● Job 30013 is running  10 s"
        assert before[3].strip() == "It runs."
        app.transcript.refresh()
        await pilot.pause()
        assert all(app.transcript._shown), "it was painted"
        renders = app.transcript._document.renders
        painted: list[object] = []
        monkeypatch.setattr(app.transcript, "refresh", lambda *regions, **_: painted.extend(regions))
        app.now = 101.0
        app.transcript.apply(PartChanged("a1", 0))
        app.draw()
        monkeypatch.undo()
        assert app.lines()[1] == "          ● Job 30013 is running  11 s"
        assert [line for index, line in enumerate(app.lines()) if index != 1] == [
            line for index, line in enumerate(before) if index != 1
        ]
        assert app.transcript._document.renders == renders + 1
        assert [(region.y, region.height) for region in painted] == [(1, 1)]  # type: ignore[attr-defined]
        await pilot.click(Transcript, offset=(14, 1))
        assert [each.href for each in app.said if isinstance(each, Transcript.LinkChosen)] == [JOB["url"]]


async def test_nothing_ticks_when_nothing_runs() -> None:
    source = started()
    source.jobs["call-1"] = RUNS
    app = TranscriptApp(source)
    async with app.run_test(size=(80, 12)) as pilot:
        app.draw()
        await pilot.pause(0.1)
        assert not app.transcript._awake, "the seconds come from whoever follows the job"


async def test_the_opened_card_has_the_whole_message_and_stays_still_while_the_job_runs() -> None:
    source = started()
    source.jobs["call-1"] = RUNS
    app = TranscriptApp(source)
    async with app.run_test(size=(80, 60)) as pilot:
        app.transcript.focus()
        await pilot.pause(0)
        app.transcript._cursor = first_of(app.transcript._document.blocks[0].units[0])
        await pilot.press("enter")
        assert "status: processing" in app.shown()
        before = app.lines()
        app.now = 105.0
        renders = app.transcript._document.renders
        app.transcript.apply(PartChanged("a1", 0))
        app.draw()
        assert app.transcript._document.renders == renders + 1
        assert app.lines()[2:] == before[2:]
        long = "word " * 60
        source.jobs["call-1"] = JobState(replace(RUNS.job, status="error", finished=True, message=long))
        app.transcript.apply(PartChanged("a1", 0))
        app.draw()
        assert app.lines()[1].strip(" ▌").startswith("✗ Job 30013 failed: word word")
        assert "status: error" in app.shown()
        assert app.shown().count("word") > 60
        assert "message: " in app.shown()


async def test_a_message_full_of_control_characters_is_made_safe() -> None:
    source = started()
    evil = "a\x1b[2J\u202eb\x07"
    source.jobs["call-1"] = JobState(Job("7\x1b", evil, finished=True, message=evil))
    app = TranscriptApp(source)
    async with app.run_test(size=(80, 30)) as pilot:
        app.transcript.focus()
        await pilot.pause(0)
        app.transcript._cursor = first_of(app.transcript._document.blocks[0].units[0])
        await pilot.press("enter")
        for character in ("\x1b", "\u202e", "\x07"):
            assert character not in app.shown()
