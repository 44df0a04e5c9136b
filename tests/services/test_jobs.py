"""A job that a chat started is followed to its end, calmly, and its outcome stays known."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from kai_tui.backends.base import BackendError, CannotConnect, Chat, ChatSummary, NotFound, TokenRefused
from kai_tui.backends.project import Job
from kai_tui.conversation import events as e
from kai_tui.conversation.messages import Message, ToolPart
from kai_tui.services.attention import Happening
from kai_tui.services.changes import PartChanged
from kai_tui.services.chat_session import ChatSession
from kai_tui.services.disk_keeper import DiskKeeper
from kai_tui.services.job_state import JobState
from kai_tui.services.jobs import NOT_HERE, NOT_KNOWN, JobWatch, ending
from kai_tui.services.workspace import Workspace
from kai_tui.storage.paths import AccountFiles
from tests.conversation.test_started_jobs import JOB
from tests.services.scripted_backend import ScriptedBackend, until
from tests.services.test_attention import PROJECT
from tests.ui.transcript.chat_source import answer, tool

RUNS = Job("30013", "processing", seconds=1.0, url="https://stack.test/queue/30013")
ENDED = replace(RUNS, status="success", finished=True, seconds=4.0, message="Done.")


@dataclass
class FakeProject:
    """Answers what the test says, the last answer for ever."""

    answers: list[Job | BackendError]
    asked: list[str] = field(default_factory=list)

    async def job(self, job_id: str) -> Job:
        self.asked.append(job_id)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        await asyncio.sleep(0)
        if isinstance(found, BackendError):
            raise found
        return found


class WithProject(ScriptedBackend):
    """A backend whose project can be looked at."""

    behind: Any = None

    @property
    def project(self) -> Any:
        return self.behind


@dataclass
class House:
    """Workspaces over the same files, with a clock that moves with the ticks."""

    folder: Path
    now: float = 100.0
    held: asyncio.Event | None = None
    """Ticks wait for it."""
    ticks: int = 0
    opened: list[Workspace] = field(default_factory=list)
    happened: list[Happening] = field(default_factory=list)

    async def tick(self, seconds: float) -> None:
        self.ticks += 1
        self.now += seconds
        if self.held is not None:
            await self.held.wait()
        await asyncio.sleep(0)

    def enter(self, project: FakeProject | None, **scripts: Any) -> Workspace:
        backend = WithProject(**{"style": "continuation", **scripts})
        backend.behind = project

        async def provide() -> ScriptedBackend:
            return backend

        files = AccountFiles(lambda: (self.folder / "state.sqlite", self.folder / "cache.sqlite"))
        workspace = Workspace(PROJECT, provide, DiskKeeper(files), clock=lambda: self.now)
        workspace._jobs = JobWatch(
            workspace.chats,
            workspace.project,
            lambda session, job: workspace.attention.job_ended(session, ending(job)),
            clock=lambda: self.now,
            wall=lambda: 0.0,
            tick=self.tick,
        )
        workspace.attention.on_happening(self.happened.append)
        self.opened.append(workspace)
        return workspace


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path)
    yield made
    for workspace in made.opened:
        await workspace.aclose()


def reply() -> list[Any]:
    """A turn in which a job is started."""
    return [
        e.Start("a1"),
        e.ToolInputAvailable("call-1", "run_job", {"component_id": "keboola.flow"}, {}),
        e.ToolOutputAvailable("call-1", dict(JOB), {}),
        e.Finish("stop"),
    ]


def state_of(session: ChatSession) -> JobState | None:
    part = next(part for message in session.messages for part in message.parts if isinstance(part, ToolPart))
    return session.job(part)


def kept_chat() -> dict[str, Chat]:
    messages = [Message.user("u1", "Run it"), answer(tool("run_job", input={}, output=dict(JOB)))]
    return {"chat": Chat(ChatSummary("chat", "Orders"), messages)}


async def run(workspace: Workspace) -> ChatSession:
    session = workspace.chats.new_chat()
    session.send("Run it")
    await until(lambda: session.turn.phase == "finished")
    return session


async def test_a_job_is_followed_from_its_start_to_its_end_and_told(house: House) -> None:
    project = FakeProject([RUNS, RUNS, ENDED])
    workspace = house.enter(project, replies=[reply()])
    session = workspace.chats.new_chat()
    states: list[str] = []
    session.observe(
        lambda change: (
            states.append(state.job.status)
            if isinstance(change, PartChanged) and (state := state_of(session))
            else None
        )
    )
    session.send("Run it")
    await until(lambda: workspace.jobs.following == 0 and project.asked)
    assert project.asked == ["30013"] * 3
    assert list(dict.fromkeys(states)) == ["created", "processing", "success"]
    state = state_of(session)
    assert state is not None
    assert (state.job, state.following) == (ENDED, False)
    assert [(each.event, each.notice.sentence) for each in house.happened if each.notice] == [
        ("job", "Job 30013 ended well.")
    ]
    await until(lambda: workspace.attention.states[session.chat_id].want == "new")


async def test_a_failed_job_marks_its_chat_as_failed_and_one_that_is_seen_does_not(house: House) -> None:
    failed = replace(ENDED, status="error")
    workspace = house.enter(FakeProject([failed]), replies=[reply()])
    session = await run(workspace)
    await until(lambda: workspace.jobs.following == 0)
    assert workspace.attention.states[session.chat_id].want == "failed"
    other = house.enter(FakeProject([failed]), replies=[reply()])
    other.attention.looked_at = lambda chat_id: True
    session = await run(other)
    await until(lambda: other.jobs.following == 0)
    assert session.chat_id not in other.attention.states


async def test_looks_come_ever_more_rarely_and_the_card_is_redrawn_once_a_second_where_it_is_seen(
    house: House,
) -> None:
    project = FakeProject([RUNS])
    house.held = asyncio.Event()
    workspace = house.enter(project, replies=[reply()])
    session = await run(workspace)
    session.set_watched(True)
    redrawn: list[object] = []
    session.observe(redrawn.append)
    house.held.set()
    await until(lambda: house.now > 2000)
    house.held.clear()
    assert 15 <= len(project.asked) <= 15 + 60 + (house.now - 400) // 15
    assert all(isinstance(change, PartChanged) for change in redrawn)
    assert len(redrawn) <= house.ticks + len(project.asked)
    session.set_watched(False)
    before, ticks = len(redrawn), house.ticks
    house.held.set()
    await until(lambda: house.ticks > ticks + 60)
    house.held.clear()
    rare = (house.ticks - ticks) // 15 + 2
    assert len(redrawn) - before <= rare, "nobody sees it: only what was found is told"
    assert session.job(session.messages[-1].parts[0]) is not None  # type: ignore[arg-type]


async def test_a_chat_that_is_opened_again_goes_on_following_and_knows_the_outcome_for_good(
    house: House,
) -> None:
    project = FakeProject([RUNS, ENDED])
    workspace = house.enter(project, stored=kept_chat())
    session = await workspace.chats.open_chat("chat")
    assert state_of(session) is None, "nothing is said before anybody looked"
    workspace.jobs.look(session)
    workspace.jobs.look(session)
    await until(lambda: (state := state_of(session)) is not None and state.job.finished)
    assert len(project.asked) == 2
    await workspace.aclose()
    house.opened.remove(workspace)
    later = FakeProject([RUNS])
    again = house.enter(later, stored=kept_chat())
    session = await again.chats.open_chat("chat")
    again.jobs.look(session)
    state = state_of(session)
    assert state is not None
    assert state.job == ENDED
    assert again.jobs.following == 0
    assert later.asked == []


async def test_what_ended_while_the_program_was_closed_is_shown_and_not_announced(house: House) -> None:
    workspace = house.enter(FakeProject([ENDED]), stored=kept_chat())
    session = await workspace.chats.open_chat("chat")
    workspace.jobs.look(session)
    await until(lambda: (state := state_of(session)) is not None and state.job.finished)
    assert house.happened == []


async def test_a_server_out_of_reach_is_said_and_asked_again(house: House) -> None:
    project = FakeProject([RUNS, CannotConnect("The stack does not answer."), ENDED])
    workspace = house.enter(project, replies=[reply()])
    session = workspace.chats.new_chat()
    whys: list[str] = []
    session.observe(lambda _: whys.append(state.why_not) if (state := state_of_any(session)) else None)
    session.send("Run it")
    await until(lambda: (state := state_of_any(session)) is not None and state.job.finished)
    assert "The stack does not answer." in whys
    assert whys[-1] == ""


def state_of_any(session: ChatSession) -> JobState | None:
    return next(iter(session._jobs.values()), None)


@pytest.mark.parametrize(
    ("project", "why"),
    [
        (None, NOT_HERE),
        (FakeProject([NotFound("no")]), NOT_KNOWN),
        (FakeProject([TokenRefused("The token is not valid.")]), "The token is not valid."),
    ],
    ids=["no project", "unknown job", "token refused"],
)
async def test_what_cannot_be_followed_says_why_and_asks_no_more(
    house: House, project: FakeProject | None, why: str
) -> None:
    workspace = house.enter(project, replies=[reply()])
    session = await run(workspace)
    await until(lambda: workspace.jobs.following == 0)
    state = state_of(session)
    assert state is not None
    assert (state.following, state.why_not) == (False, why)
    asked = len(project.asked) if project is not None else 0
    assert asked <= 6
    ticks = house.ticks
    for _ in range(20):
        await asyncio.sleep(0)
    assert house.ticks == ticks


async def test_the_queue_may_hear_of_a_new_job_a_moment_late(house: House) -> None:
    project = FakeProject([NotFound("no"), NotFound("no"), ENDED])
    workspace = house.enter(project, replies=[reply()])
    session = await run(workspace)
    await until(lambda: workspace.jobs.following == 0)
    state = state_of(session)
    assert state is not None
    assert state.job.finished


async def test_a_job_of_long_ago_is_not_asked_for_again_and_again_while_nobody_can_be_reached(
    house: House,
) -> None:
    project = FakeProject([CannotConnect("The stack does not answer.")])
    workspace = house.enter(project, stored=kept_chat())
    session = await workspace.chats.open_chat("chat")
    workspace.jobs.look(session)
    await until(lambda: project.asked and workspace.jobs.following == 0)
    state = state_of(session)
    assert state is not None
    assert (state.following, state.why_not) == (False, "The stack does not answer.")
    assert len(project.asked) == 5
    project.answers = [ENDED]
    workspace.connect()
    await until(lambda: (state := state_of(session)) is not None and state.job.finished)


async def test_it_goes_on_after_signing_in_again(house: House) -> None:
    project = FakeProject([TokenRefused("no"), ENDED])
    workspace = house.enter(project, replies=[reply()])
    session = await run(workspace)
    await until(lambda: workspace.jobs.following == 0)
    workspace.connect()
    await until(lambda: (state := state_of(session)) is not None and state.job.finished)


async def test_nothing_is_asked_for_a_chat_that_was_left_for_good(house: House) -> None:
    project = FakeProject([RUNS])
    workspace = house.enter(project, replies=[reply()])
    session = await run(workspace)
    await until(lambda: len(project.asked) > 2)
    workspace.chats.forget(session.chat_id)
    await until(lambda: workspace.jobs.following == 0)
    asked = len(project.asked)
    await workspace.aclose()
    house.opened.remove(workspace)
    assert len(project.asked) == asked


async def test_closing_the_account_stops_it_at_once(house: House) -> None:
    project = FakeProject([RUNS])
    workspace = house.enter(project, replies=[reply()])
    await run(workspace)
    await until(lambda: len(project.asked) > 2)
    await workspace.aclose()
    house.opened.remove(workspace)
    asked = len(project.asked)
    for _ in range(20):
        await asyncio.sleep(0)
    assert (workspace.jobs.following, len(project.asked)) == (0, asked)


async def test_notes_nobody_can_read_are_left_out(house: House) -> None:
    workspace = house.enter(FakeProject([ENDED]))
    session = workspace.chats.new_chat()
    for note in (None, 5, [], {"c": None}, {"c": {"id": 5}}, {"c": {"id": "1", "finished": False}}):
        session.restore_jobs(note)
    assert state_of_any(session) is None
