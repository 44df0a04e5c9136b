"""What is there now, beside a question: from the chat at once, from the project soon, and never in the way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from kai_tui.backends.base import (
    Backend,
    BackendError,
    CannotConnect,
    NotAllowed,
    NotFound,
    Refused,
    ToolInfo,
    Unsupported,
)
from kai_tui.backends.project import Job
from kai_tui.conversation import events as e
from kai_tui.conversation.reviews.review import ObjectRef, Present, Wanted
from kai_tui.services.account import SANDBOX
from kai_tui.services.account_service import AccountService
from kai_tui.services.approval_service import Approval, Decision
from kai_tui.services.chat_session import ChatSession
from kai_tui.services.disk_keeper import DiskKeeper
from kai_tui.services.present_values import MOST_LOOKED_UP, READ_AT_ONCE, Known, Look, PresentValues
from kai_tui.services.workspace import Workspace
from kai_tui.storage.paths import AccountFiles
from tests.services.scripted_backend import ScriptedBackend, Step, until
from tests.services.test_attention import PROJECT

TABLE = Wanted("description", ObjectRef("table", "in.c-crm.t"))
BUCKET = Wanted("description", ObjectRef("bucket", "in.c-crm"))
RUNS = Wanted("jobs", ObjectRef("configuration", "ex.crm/17"))
PREVIEW = Wanted("preview", ObjectRef("configuration", "ex.crm/17"))
LOOKING = "Looking at the project…"


@dataclass
class FakeProject:
    """A project that holds what the test says, and can be made to wait."""

    holds: dict[Wanted, Any] = field(default_factory=dict)
    previewed: Any = None
    asked: list[Wanted] = field(default_factory=list)
    gate: asyncio.Event | None = None
    gates: dict[Wanted, asyncio.Event] = field(default_factory=dict)

    async def present(self, wanted: Wanted) -> Any:
        self.asked.append(wanted)
        for gate in (self.gate, self.gates.get(wanted)):
            if gate is not None:
                await gate.wait()
        value = self.holds.get(wanted, NotFound(f"The project has no {wanted.of.kind} {wanted.of.id}."))
        if isinstance(value, Exception):
            raise value
        return value

    async def preview(self, tool: str, input: Any) -> Any:
        self.asked.append(PREVIEW)
        if isinstance(self.previewed, Exception):
            raise self.previewed
        return self.previewed

    async def job(self, job_id: str) -> Job:
        raise Unsupported("not here")

    async def last_jobs(self, component_id: str, configuration_id: str, limit: int = 5) -> list[Job]:
        raise Unsupported("not here")


class WithProject(ScriptedBackend):
    looked_at: FakeProject | None = None

    @property
    def project(self) -> FakeProject | None:
        return self.looked_at


@dataclass
class Stand:
    workspace: Workspace
    project: FakeProject
    backend: WithProject
    now: list[float]
    opening: list[BackendError] = field(default_factory=list)

    def values(self, *wanted: Wanted, patience: float = 20.0) -> PresentValues:
        async def backend() -> Backend:
            if self.opening:
                raise self.opening[0]
            return self.backend

        return PresentValues(
            backend,
            self.workspace.chats,
            wall=lambda: 1000.0 + self.now[0],
            patience=patience,
            wishes=lambda _tool, _input: wanted,
        )


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[Stand]:
    backend = WithProject()
    backend.tool_list = [ToolInfo("get_tables", read_only=True)]
    backend.looked_at = FakeProject({TABLE: "Rows", BUCKET: "The CRM", RUNS: []})

    async def provide() -> ScriptedBackend:
        return backend

    files = AccountFiles(lambda: (tmp_path / "state.sqlite", tmp_path / "cache.sqlite"))
    workspace = Workspace(PROJECT, provide, DiskKeeper(files))
    yield Stand(workspace, backend.looked_at, backend, [0.0])
    await workspace.aclose()
    leaked = [t for t in asyncio.all_tasks() if t is not asyncio.current_task() and not t.done()]
    assert leaked == []


def question(
    chat_id: str = "c", call_id: str = "q", *, has_input: bool = True, digest: str = "d"
) -> Approval:
    return Approval(
        chat_id, "Chat", "m", call_id, None, "update_descriptions", "Update", {"updates": []}, has_input,
        "changes", "P", "kai.test", "main", digest, 0.0,
    )  # fmt: skip


async def done(look: Look) -> Known:
    await until(lambda: not look.known.looking)
    return look.known


def heard(look: Look) -> list[Known]:
    news: list[Known] = []
    look.observe(news.append)
    return news


async def chatted(stand: Stand, *steps: Step) -> ChatSession:
    """A chat in which something was said already."""
    stand.backend.replies.append([*steps, e.Finish("stop")])
    session = stand.workspace.chats.new_chat()
    session.send("Hello")
    await until(lambda: session.turn.phase == "finished")
    return session


def showed(description: str, call_id: str = "r") -> tuple[Step, ...]:
    output = {"tables": [{"id": "in.c-crm.t", "description": description}]}
    return (e.ToolInputAvailable(call_id, "get_tables", {}, {}), e.ToolOutputAvailable(call_id, output, {}))


# What is found


async def test_the_project_is_looked_at_in_the_background(stand: Stand) -> None:
    stand.project.gate = asyncio.Event()
    values = stand.values(TABLE, BUCKET)
    look = values.look(question())
    news = heard(look)
    assert look.known == Known({}, True, LOOKING)
    stand.project.gate.set()
    known = await done(look)
    assert known == Known(
        {TABLE: Present("Rows", "project", 1000.0), BUCKET: Present("The CRM", "project", 1000.0)}, False, ""
    )
    assert news == [known]  # what somebody reads changes once
    await values.aclose()


async def test_what_the_chat_showed_is_known_at_once(stand: Stand) -> None:
    session = await chatted(stand, *showed("As the chat had it"))
    stand.project.gate = asyncio.Event()
    values = stand.values(TABLE, BUCKET)
    look = values.look(question(session.chat_id))
    (present,) = look.known.presents.values()
    assert (present.value, present.source) == ("As the chat had it", "chat")
    assert present.seen is not None
    stand.project.gate.set()
    assert (await done(look)).presents[TABLE] == Present("Rows", "project", 1000.0)
    await values.aclose()


async def test_what_the_chat_showed_at_length_is_known_soon(stand: Stand) -> None:
    table = {"id": "in.c-crm.t", "description": "x" * READ_AT_ONCE}
    output = {"content": [{"type": "text", "text": json.dumps({"tables": [table]})}]}
    read = (e.ToolInputAvailable("r", "get_tables", {}, {}), e.ToolOutputAvailable("r", output, {}))
    session = await chatted(stand, *read)
    stand.backend.looked_at = None
    values = stand.values(TABLE)
    look = values.look(question(session.chat_id))
    assert look.known == Known({}, True, LOOKING)
    assert (await done(look)).presents[TABLE].value == table["description"]
    await values.aclose()


async def test_what_the_project_does_not_have_any_more_is_not_shown_as_present(stand: Stand) -> None:
    session = await chatted(stand, *showed("Gone by now"))
    del stand.project.holds[TABLE]
    values = stand.values(TABLE, BUCKET)
    known = await done(values.look(question(session.chat_id)))
    assert (TABLE in known.presents, BUCKET in known.presents) == (False, True)
    assert known.note == "The project has no table in.c-crm.t."
    await values.aclose()


async def test_a_slow_part_does_not_hold_up_the_rest(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kai_tui.services.present_values.AT_ONCE", 0.01)
    stand.project.gates[BUCKET] = asyncio.Event()
    values = stand.values(TABLE, BUCKET)
    look = values.look(question())
    await until(lambda: TABLE in look.known.presents)
    assert look.known.looking
    stand.project.gates[BUCKET].set()
    assert len((await done(look)).presents) == 2
    await values.aclose()


async def test_a_preview(stand: Stand) -> None:
    stand.project.previewed = {"isValid": True, "originalConfig": {}, "updatedConfig": {}}
    values = stand.values(PREVIEW)
    known = await done(values.look(question()))
    assert known.presents == {PREVIEW: Present(stand.project.previewed, "preview", 1000.0)}
    for number, failure in enumerate((Unsupported("no such server"), NotAllowed("Not for you."))):
        stand.project.previewed = failure
        assert await done(values.look(question(digest=f"{number}"))) == Known()
    await values.aclose()


# What goes wrong


@pytest.mark.parametrize(
    ("failure", "note"),
    [
        (CannotConnect("No way there."), "The project cannot be looked at: No way there."),
        (Unsupported("not this"), ""),
        (Refused("This id cannot be asked for.", code="id"), ""),
        (RuntimeError("a bug"), "kai-tui made a mistake while it looked at the project."),
    ],
)
async def test_whatever_goes_wrong_what_the_chat_showed_stands(
    stand: Stand, failure: Exception, note: str
) -> None:
    session = await chatted(stand, *showed("As the chat had it"))
    stand.project.holds[TABLE] = failure
    values = stand.values(TABLE)
    known = await done(values.look(question(session.chat_id)))
    assert known.presents[TABLE].value == "As the chat had it"
    assert known.note == note
    await values.aclose()


async def test_a_backend_that_does_not_open(stand: Stand) -> None:
    stand.opening.append(CannotConnect("No way there."))
    values = stand.values(TABLE)
    assert await done(values.look(question())) == Known(
        {}, False, "The project cannot be looked at: No way there."
    )
    await values.aclose()


async def test_a_backend_without_a_project_says_nothing(stand: Stand) -> None:
    stand.backend.looked_at = None
    values = stand.values(TABLE)
    assert await done(values.look(question())) == Known()
    await values.aclose()


async def test_a_project_that_never_answers_is_waited_for_only_so_long(stand: Stand) -> None:
    stand.project.gates[BUCKET] = asyncio.Event()
    values = stand.values(TABLE, BUCKET, patience=0.05)
    known = await done(values.look(question()))
    assert (list(known.presents), known.note) == ([TABLE], "The project did not answer in time.")
    await values.aclose()


async def test_many_troubles_are_not_a_wall_of_text(stand: Stand) -> None:
    wanted = [Wanted("description", ObjectRef("table", f"t{number}")) for number in range(7)]
    values = stand.values(*wanted)
    known = await done(values.look(question()))
    assert known.note.endswith("t2. (and 4 more)")
    await values.aclose()


async def test_hundreds_of_values_are_looked_up_as_far_as_it_makes_sense(stand: Stand) -> None:
    wanted = [Wanted("description", ObjectRef("table", f"t{number}")) for number in range(MOST_LOOKED_UP + 5)]
    stand.project.holds |= dict.fromkeys(wanted, "x")
    values = stand.values(*wanted)
    known = await done(values.look(question()))
    assert len(known.presents) == len(stand.project.asked) == MOST_LOOKED_UP
    assert known.note == "Only the first 100 of 105 values were looked up in the project."
    await values.aclose()


async def test_nothing_is_asked_where_nothing_helps(stand: Stand) -> None:
    values = stand.values()
    assert values.look(question()).known == Known()
    values = stand.values(TABLE)
    assert values.look(question(has_input=False)).known == Known()
    assert stand.project.asked == []


async def test_odd_inputs_do_not_keep_the_question_from_being_shown(stand: Stand) -> None:
    def fails(_tool: str, _input: Any) -> Sequence[Wanted]:
        raise TypeError("odd")

    async def backend() -> Backend:
        return stand.backend

    values = PresentValues(backend, stand.workspace.chats, wishes=fails)
    look = values.look(question())
    assert look.known == Known()
    look.stop()


# Again, and no more


async def test_a_question_opened_again_is_not_looked_up_again_for_a_moment(stand: Stand) -> None:
    values = stand.values(TABLE)
    first = values.look(question())
    await done(first)
    first.stop()
    stand.now[0] = 9.0
    again = values.look(question())
    assert again.known == first.known
    assert len(stand.project.asked) == 1
    again.stop()
    await done(values.look(question(digest="another question")))
    assert len(stand.project.asked) == 2
    stand.now[0] = 30.0
    await done(values.look(question()))
    assert len(stand.project.asked) == 3
    await values.aclose()


async def test_who_looks_no_more_hears_no_more(stand: Stand) -> None:
    stand.project.gate = asyncio.Event()
    values = stand.values(TABLE)
    look = values.look(question())
    news = heard(look)
    await until(lambda: stand.project.asked != [])
    look.stop()
    look.stop()
    stand.project.gate.set()
    await done(values.look(question()))
    assert news == []
    await values.aclose()


def changing(stand: Stand, gate: asyncio.Event, tool: str, item: str) -> list[Step]:
    updates = {"updates": [{"item_id": item, "description": "New"}]}
    return [e.ToolInputAvailable("w", tool, updates, {}), gate, e.ToolOutputAvailable("w", {"results": []}, {}),
            e.Finish("stop")]  # fmt: skip


@pytest.mark.parametrize(
    ("tool", "item", "times"),
    [
        ("update_descriptions", "in.c-crm.t", 2),
        ("update_descriptions", "in.c-crm.other", 1),
        ("a_tool_of_tomorrow", "in.c-crm.other", 2),
        ("get_tables", "in.c-crm.t", 1),
    ],
)
async def test_a_change_that_ends_while_somebody_looks_is_looked_at_again(
    stand: Stand, tool: str, item: str, times: int
) -> None:
    gate = asyncio.Event()
    stand.backend.replies.append(changing(stand, gate, tool, item))
    session = stand.workspace.chats.new_chat()
    session.send("Go")
    await until(lambda: session.last_assistant_message is not None)
    values = stand.values(TABLE)
    look = values.look(question(session.chat_id))
    news = heard(look)
    await done(look)
    stand.project.holds[TABLE] = "New"
    gate.set()
    await until(lambda: session.turn.phase == "finished")
    known = await done(look)
    assert len(stand.project.asked) == times
    assert known.presents[TABLE].value == ("New" if times == 2 else "Rows")
    if times == 2:
        assert TABLE not in news[-2].presents  # the old one is not the present any more
    await values.aclose()


async def test_a_change_that_ended_meanwhile_makes_what_was_kept_stale(stand: Stand) -> None:
    gate = asyncio.Event()
    stand.backend.replies.append(changing(stand, gate, "update_descriptions", "in.c-crm.t"))
    session = stand.workspace.chats.new_chat()
    session.send("Go")
    await until(lambda: session.last_assistant_message is not None)
    values = stand.values(TABLE)
    look = values.look(question(session.chat_id))
    await done(look)
    look.stop()
    stand.project.holds[TABLE] = "New"
    gate.set()
    await until(lambda: session.turn.phase == "finished")
    assert (await done(values.look(question(session.chat_id)))).presents[TABLE].value == "New"
    await values.aclose()


async def test_a_session_is_left_alone_when_nobody_looks(stand: Stand) -> None:
    session = await chatted(stand, *showed("x"))
    before = _observers(session)
    values = stand.values(TABLE)
    look = values.look(question(session.chat_id))
    assert _observers(session) == before + 1
    look.stop()
    assert _observers(session) == before


def _observers(session: ChatSession) -> int:
    observers: Any = session._observers  # pyright: ignore[reportPrivateUsage]
    return len(observers._callbacks)


# With the sandbox


async def test_over_the_sandbox_the_present_is_what_the_project_has(tmp_path: Path) -> None:
    environ = {"KAI_TUI_HOME": str(tmp_path), "KAI_TUI_SANDBOX_PACE": "0"}
    workspace = AccountService(environ).open(SANDBOX)
    workspace.connect()
    await until(lambda: workspace.connection.state == "connected", 20)
    session = workspace.chats.new_chat()
    session.send('Set the description of the bucket in.c-crm to "Our customers"')
    await until(lambda: len(workspace.approvals.pending) == 1, 20)
    (approval,) = workspace.approvals.pending
    wanted = Wanted("description", ObjectRef("bucket", "in.c-crm"))

    async def backend() -> Backend:
        return await workspace.backend()

    values = PresentValues(backend, workspace.chats, wishes=lambda _tool, _input: [wanted])
    look = values.look(approval)
    before = (await done(look)).presents[wanted]
    assert before.source == "project"
    assert before.value not in ("", "Our customers")
    assert workspace.approvals.decide(approval, Decision(True))
    await until(lambda: look.known.presents.get(wanted, before).value == "Our customers", 20)
    await values.aclose()
    await workspace.aclose()


async def test_a_preview_of_one_input_is_not_shown_for_another_one(stand: Stand) -> None:
    """The call as the user edited it goes by the same digest: the server's preview of what was asked is not its."""
    values = stand.values(PREVIEW)
    asked = question()
    asked = replace(asked, tool_name="update_config", input={"name": "as asked"})
    stand.project.previewed = {"updatedConfig": {"name": "as asked"}}
    look = values.look(asked)
    assert (await done(look)).presents[PREVIEW].value == {"updatedConfig": {"name": "as asked"}}
    stand.project.previewed = {"updatedConfig": {"name": "as edited"}}
    edited = values.look(replace(asked, input={"name": "as edited"}))
    assert PREVIEW not in edited.known.presents
    assert (await done(edited)).presents[PREVIEW].value == {"updatedConfig": {"name": "as edited"}}
    edited.stop()
    look.stop()
    again = values.look(asked)
    assert again.known.presents[PREVIEW].value == {"updatedConfig": {"name": "as asked"}}
    assert values.known(asked)[PREVIEW].value == {"updatedConfig": {"name": "as asked"}}
    await values.aclose()
