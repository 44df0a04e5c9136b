"""What stands in the ledger, and when: before anything is sent, of every decision, without secrets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.backends.base import CannotConnect, ConnectionLost, NotFound, ToolInfo
from kai_tui.backends.project import Job
from kai_tui.conversation import events as e
from kai_tui.conversation.approvals import decision_digest, digest
from kai_tui.services.account import SANDBOX
from kai_tui.services.account_ledger import AccountLedger
from kai_tui.services.account_service import AccountService
from kai_tui.services.approval_service import Approval, Decision
from kai_tui.services.grants import GrantTerms
from kai_tui.services.job_state import JobState
from kai_tui.services.ledger_book import records_of
from kai_tui.services.ledger_entries import decision_entry, outcome_entry
from kai_tui.services.workspace import Workspace
from kai_tui.storage.errors import StorageError
from kai_tui.storage.ledger import LedgerFile
from kai_tui.storage.ledger_chain import verify
from kai_tui.storage.paths import app_paths
from tests.services.scripted_backend import ScriptedBackend, Step, until
from tests.services.test_chat_session import ANSWER, CHAT, Desk, write_call
from tests.services.test_chat_session import desk_for as desk_for

CANARY = "1234-567890-CanaryCanaryCanaryCanary12"
JOB = {
    "id": "991",
    "status": "created",
    "configId": "7",
    "isFinished": False,
    "url": "https://x.example/jobs/991",
}

With = Callable[[ScriptedBackend], Desk]


def sound(file: LedgerFile) -> bool:
    rows, kept = file.checked()
    return verify(rows, kept).sound


def told(file: LedgerFile) -> list[str]:
    """Each entry in a word or two."""
    words: list[str] = []
    for row in file.rows():
        entry = row.entry
        words.append(" ".join(filter(None, [row.call_id, entry.get("decision") or entry.get("outcome")])))
    return words[1:]


def decisions(file: LedgerFile) -> list[dict[str, Any]]:
    return [dict(row.entry) for row in file.rows() if row.entry["kind"] == "decision"]


@pytest.fixture
def file(tmp_path: Path) -> LedgerFile:
    return LedgerFile(tmp_path / "state.ledger.sqlite", "account-1")


@pytest.fixture
def with_ledger(desk_for, file: LedgerFile) -> With:
    """A session that writes into `file`."""

    def make(backend: ScriptedBackend) -> Desk:
        desk = desk_for(backend)
        ledger = AccountLedger(lambda: file.path, "account-1", lambda: [CANARY])
        desk.session._tools = desk.session._tools._replace(ledger=ledger)
        return desk

    return make


class Watching(ScriptedBackend):
    """Notes what stood in the ledger when an answer was posted."""

    file: LedgerFile
    seen: list[str]

    def answer(self, *args: Any, **more: Any) -> Any:
        with suppress(StorageError):
            self.seen = told(self.file)
        return super().answer(*args, **more)


def side_request(file: LedgerFile, *end: Step, **more: Any) -> Watching:
    gate = asyncio.Event()
    reply: list[Step] = [e.Start(ANSWER), *write_call(), gate, *end, e.Finish("stop")]
    backend = Watching(replies=[reply], offers={"edits_input": True}, **more)
    backend.file, backend.seen = file, []
    backend.gates["output"] = gate
    return backend


async def asked(desk: Desk) -> Approval:
    desk.session.send("go")
    await until(lambda: desk.approvals.pending)
    return desk.approvals.pending[0]


async def over(desk: Desk) -> None:
    desk.backend.gates["output"].set()
    await desk.turn_over()
    await settled(desk)


async def settled(desk: Desk) -> None:
    await until(lambda: not desk.session._background)


async def test_an_approval_stands_there_before_it_is_sent_and_its_end_after_it(
    with_ledger: With, file: LedgerFile
) -> None:
    backend = side_request(file, e.ToolOutputAvailable("w1", JOB, {}))
    desk = with_ledger(backend)
    approval = await asked(desk)
    assert desk.approvals.decide(approval, Decision(True))
    await until(lambda: backend.answered)
    assert backend.seen == ["w1 approved"]
    await over(desk)
    assert told(file) == ["w1 approved", "w1 sent", "w1 done"]
    (entry,) = decisions(file)
    assert entry["by"] == "you"
    assert entry["tool"] == "create_config"
    assert (entry["account"], entry["host"], entry["branch"]) == ("Project", "kai.test", "main")
    assert entry["shown"] == approval.digest
    assert len(entry["input"]) == 64
    assert "title" not in json.dumps(entry)
    assert file.rows()[-1].entry["job"] == JOB["url"]
    assert file.rows()[-1].entry["of"] == 2
    assert sound(file)


@pytest.mark.parametrize(
    ("status", "outcome", "told_as"),
    [
        ("success", "done", "the job ended well"),
        ("warning", "done", "the job ended with a warning"),
        ("error", "failed", "the job failed"),
        ("terminated", "failed", "the job was stopped"),
    ],
)
async def test_the_end_of_a_job_is_told_once(
    with_ledger: With, file: LedgerFile, status: str, outcome: str, told_as: str
) -> None:
    desk = with_ledger(side_request(file, e.ToolOutputAvailable("w1", JOB, {})))
    desk.approvals.decide(await asked(desk), Decision(True))
    await until(lambda: desk.backend.answered)
    await over(desk)
    assert records_of(file.rows())[0].outcome == "a job was started"
    ended = JobState(Job("991", status, finished=True, message="4 rows", url=JOB["url"]))
    for _ in range(2):
        desk.session.show_job("w1", JobState(Job("991", "processing")))
        desk.session.show_job("w1", ended)
        desk.session.show_job("w1", ended)
        await settled(desk)
    assert told(file) == ["w1 approved", "w1 sent", "w1 done", f"w1 {outcome}"]
    (record,) = records_of(file.rows())
    assert record.outcome == told_as
    assert (record.detail, record.job) == (f"The job ended: {status}. 4 rows", JOB["url"])


@pytest.mark.parametrize(
    ("end", "outcome"),
    [
        (e.ToolOutputDenied("w1"), "denied"),
        (e.ToolOutputError("w1", "boom", {}), "failed"),
        (
            e.ToolOutputAvailable("w1", {"isError": True, "content": [{"type": "text", "text": "no"}]}, {}),
            "failed",
        ),
    ],
)
async def test_every_end_is_told(with_ledger: With, file: LedgerFile, end: Step, outcome: str) -> None:
    desk = with_ledger(side_request(file, end))
    desk.approvals.decide(await asked(desk), Decision(outcome != "denied", "wrong bucket"))
    await until(lambda: desk.backend.answered)
    await over(desk)
    assert told(file)[1:] == ["w1 sent", f"w1 {outcome}"]
    assert decisions(file)[0]["reason"] == "wrong bucket"


@pytest.mark.parametrize(
    ("error", "outcomes"),
    [
        (CannotConnect("refused"), ["w1 not sent"]),
        (ConnectionLost("lost", code="lost"), ["w1 unsure"]),
        (NotFound("gone"), ["w1 settled elsewhere"]),
    ],
)
async def test_an_answer_that_did_not_go_well_is_told_too(
    with_ledger: With, file: LedgerFile, error: Any, outcomes: list[str]
) -> None:
    desk = with_ledger(side_request(file, answers=[[error]]))
    desk.approvals.decide(await asked(desk), Decision(True))
    await until(lambda: desk.backend.answered)
    await settled_but_for_the_turn(desk, 2)
    await over(desk)
    assert told(file) == ["w1 approved", *outcomes]


async def settled_but_for_the_turn(desk: Desk, entries: int) -> None:
    file = LedgerFile(desk.session._tools.ledger._path())  # type: ignore[attr-defined]
    await until(lambda: len(told(file)) >= entries)


async def test_what_cannot_be_recorded_is_not_approved_but_a_no_is_sent(
    with_ledger: With, file: LedgerFile
) -> None:
    file.add({"kind": "note"})
    file.path.write_bytes(b"not a database at all\n")
    desk = with_ledger(side_request(file, e.ToolOutputDenied("w1")))
    desk.approvals.decide(await asked(desk), Decision(True))
    await until(lambda: desk.approvals.pending)
    assert desk.backend.answered == []
    (notice,) = desk.notices()
    assert "Your decision was not sent." in notice
    assert "ledger is damaged" in notice
    assert "Nothing is approved unrecorded." in notice
    assert ("withdraw", "w1") in desk.keeper.log
    assert desk.approvals.pending[0].note, "it is asked anew, by the user and by no rule"
    desk.approvals.decide(desk.approvals.pending[0], Decision(False))
    await until(lambda: desk.backend.answered)
    assert [each.approved for each in desk.backend.answered[0]] == [False]
    assert any("Your No is sent, but the ledger does not have it" in each for each in desk.notices())
    await over(desk)


def continuation(*calls: str, answer: list[Step] | None = None) -> ScriptedBackend:
    reply: list[Step] = [e.Start(ANSWER)]
    for call in calls:
        reply += [*write_call(call), e.ToolApprovalRequest(call, f"ap-{call}", {})]
    rest: list[Step] = [e.Start(ANSWER), *(e.ToolOutputAvailable(call, {}, {}) for call in calls)]
    answers = [answer] if answer is not None else []
    return ScriptedBackend(
        style="continuation",
        replies=[[*reply, e.Finish("tool-calls")]],
        answers=[*answers, [*rest, e.Finish("stop")]],
    )


async def continued(desk: Desk, *said: Decision) -> None:
    desk.session.send("go")
    await until(lambda: len(desk.approvals.pending) == len(said))
    message = desk.session.messages[-1]
    desk.backend.stored[CHAT] = desk_chat(message)
    for approval, decision in zip(list(desk.approvals.pending), said, strict=True):
        assert desk.approvals.decide(approval, decision)


def desk_chat(message: Any) -> Any:
    from kai_tui.backends.base import Chat, ChatSummary

    return Chat(ChatSummary(CHAT, "t"), [message.reopened()])


async def test_answers_that_go_together_are_recorded_one_by_one(with_ledger: With, file: LedgerFile) -> None:
    desk = with_ledger(continuation("w1", "w2"))
    await continued(desk, Decision(True), Decision(False, "wrong object"))
    await desk.turn_over()
    await settled(desk)
    assert told(file)[:2] == ["w1 approved", "w2 denied"]
    assert sorted(told(file)[2:4]) == ["w1 sent", "w2 sent"]
    assert told(file)[4:] == ["w1 done", "w2 done"]
    assert sound(file)


async def test_of_answers_that_go_together_none_goes_when_one_cannot_be_recorded(
    with_ledger: With, file: LedgerFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = with_ledger(continuation("w1", "w2"))
    ledger: Any = desk.session._tools.ledger
    decided = ledger.decided

    async def full(approval: Approval, decision: Decision) -> str | None:
        return await decided(approval, decision) if approval.tool_call_id == "w1" else "The disk is full."

    monkeypatch.setattr(ledger, "decided", full)
    await continued(desk, Decision(True), Decision(True))
    await until(lambda: len(desk.approvals.pending) == 2)
    await settled(desk)
    assert desk.backend.answered == []
    assert told(file) == ["w1 approved", "w1 not sent"]
    assert any("The disk is full. Nothing is approved unrecorded." in each for each in desk.notices())


async def test_an_answer_whose_connection_was_lost_is_unsure_until_the_chat_is_read(
    with_ledger: With, file: LedgerFile
) -> None:
    gate = asyncio.Event()
    desk = with_ledger(continuation("w1", answer=[gate, ConnectionLost("lost", code="lost")]))
    await continued(desk, Decision(True))
    part = {**write_part("w1"), "state": "output-available", "output": {}}
    done = desk.backend.stored[CHAT].messages[0].to_wire()
    done["parts"] = [part]
    await until(lambda: desk.backend.answered)
    desk.backend.stored[CHAT] = desk_chat(type(desk.session.messages[-1]).from_wire(done))
    gate.set()
    await desk.turn_over()
    await settled(desk)
    assert told(file) == ["w1 approved", "w1 unsure", "w1 done"]


def write_part(call: str) -> dict[str, Any]:
    return {
        "type": "dynamic-tool",
        "toolName": "create_config",
        "toolCallId": call,
        "input": {"name": "x"},
        "approval": {"id": f"ap-{call}", "approved": True},
    }


@dataclass
class Always:
    """A rule that decides everything."""

    decision: Decision

    def decide(self, approval: Approval, *, again: bool) -> Decision | None:
        return None if again else self.decision

    def holds(self, approval: Approval, decision: Decision) -> bool:
        return True

    def forbids(self, approval: Approval) -> str | None:
        return None


async def test_a_rule_that_decides_is_named(with_ledger: With, file: LedgerFile) -> None:
    desk = with_ledger(side_request(file, e.ToolOutputAvailable("w1", {}, {})))
    terms = GrantTerms("create_config", minutes=10, calls=5)
    desk.approvals.policy = Always(
        Decision(True, by="grant", rule="Allowed for 10 minutes, 2 of 5 calls.", grant=terms)
    )
    desk.session.send("go")
    await until(lambda: desk.backend.answered)
    await over(desk)
    (entry,) = decisions(file)
    assert (entry["by"], entry["rule"]) == ("grant", "Allowed for 10 minutes, 2 of 5 calls.")
    assert (entry["grant"]["minutes"], entry["grant"]["calls"]) == (10, 5)
    assert await desk.session._tools.ledger.rules(CHAT) == {"w1": "Allowed for 10 minutes, 2 of 5 calls."}


async def test_what_the_server_ran_without_asking_stands_there_once(
    with_ledger: With, file: LedgerFile
) -> None:
    calls: list[Step] = [
        *write_call("w1"),
        e.ToolInputStart("r1", "get_tables", {}),
        e.ToolInputAvailable("r1", "get_tables", {}, {}),
        e.ToolInputStart("u1", "some_tool", {}),
        e.ToolInputAvailable("u1", "some_tool", {}, {}),
        *(e.ToolOutputAvailable(call, {}, {}) for call in ("w1", "r1", "u1")),
        e.Finish("stop"),
    ]
    tools = [ToolInfo("create_config", "", False, "always_allow")]
    desk = with_ledger(ScriptedBackend(replies=[[e.Start(ANSWER), *calls]] * 2, tool_list=tools))
    for _ in range(2):
        desk.session.send("go")
        await until(lambda: desk.session.turn.phase == "finished")
        await settled(desk)
    assert told(file) == ["w1 not asked", "w1 done"]
    assert decisions(file)[0]["rule"] == "Your setting on the server: this tool always runs."


async def test_a_call_that_ended_while_nobody_looked_gets_its_end_later(
    with_ledger: With, file: LedgerFile
) -> None:
    file.add({"kind": "decision", "chat_id": CHAT, "call_id": "w1", "decision": "approved"})
    desk = with_ledger(ScriptedBackend())
    part = {**write_part("w1"), "state": "output-available", "output": JOB}
    desk.session.messages.append(
        type(desk_message()).from_wire({"id": ANSWER, "role": "assistant", "parts": [part]})
    )
    desk.session.know_answers({("w1", "ap-w1"): True})
    await settled(desk)
    assert told(file) == ["w1 approved", "w1 done"]
    assert await desk.session._tools.ledger.unsettled(CHAT) == set()


def desk_message() -> Any:
    from kai_tui.conversation.messages import Message

    return Message()


# What an entry says


def approval(tool: str = "update_config", input: Any = None, **more: Any) -> Approval:
    base = Approval(
        chat_id=CHAT, chat_title="A title", message_id="m", tool_call_id="w1", approval_id=None, tool_name=tool,
        title="", input=input, has_input=True, risk="changes", account="P", host="h", branch="main",
        digest=digest(None, "w1", tool, input), asked=0.0, edits=True,
    )  # fmt: skip
    return replace(base, **more)


def test_no_secret_is_left_in_an_entry() -> None:
    before = {
        "name": "x",
        "#key": "hush-1",
        "password": "hush-2",
        "nested": {"#deep": ["hush-3"], "api_key": "hush-4", "text": f"token={CANARY}"},
        "long": "y" * 5000,
    }
    after = {
        **before,
        "#key": "hush-5",
        "password": "hush-6",
        "nested": {"#deep": ["hush-7"], "api_key": "hush-8", "text": f"with {CANARY[12:]} in it"},
        "name": CANARY,
        "added": {"authToken": "hush-9", "#x": "hush-10"},
        "long": "y" * 5001,
    }
    said = Decision(
        True,
        reason=f"because Authorization: Bearer {CANARY}",
        updated_input=after,
        answers={"What is the password?": "hush-11", CANARY: 1},
        rule=CANARY,
        shown=decision_digest("x", after, {}),
    )
    text = json.dumps(
        [
            decision_entry(
                approval(CANARY, before, account=CANARY, host=CANARY, title=CANARY), said, [CANARY]
            ),
            outcome_entry(
                "c", "w1", "failed", job=f"https://x/?token={CANARY}", detail=CANARY, secrets=[CANARY]
            ),
        ],
        ensure_ascii=False,
    )
    assert "hush-" not in text
    assert not any(CANARY[at : at + 12] in text for at in range(len(CANARY) - 11))
    assert "A title" not in text
    assert "5,001" in text or "5,003" in text, "what was cut is counted"
    entry = decision_entry(approval(input={"a": [1, 2]}), Decision(True, updated_input={"a": [1, 3]}))
    assert entry["edits"] == [{"path": "a[1]", "does": "sets", "before": "2", "after": "3"}]
    assert entry["input"] != entry["sent"]


def test_a_changed_input_is_what_was_allowed_and_what_was_asked_for_stands_beside_it() -> None:
    was, now = ({"name": name, "stage": "in"} for name in ("sales", "sales2026"))
    entry = decision_entry(approval("create_bucket", was), Decision(True, updated_input=now))
    assert entry["sentence"] == "Create bucket in.c-sales2026"
    assert entry["asked"] == "Create bucket in.c-sales"
    assert [each["id"] for each in entry["objects"]] == ["in.c-sales2026"]
    plain = decision_entry(approval("create_bucket", was), Decision(True))
    assert plain["sentence"] == "Create bucket in.c-sales"
    assert "asked" not in plain


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(json_values, st.dictionaries(st.text(), json_values, max_size=4), st.text())
def test_every_decision_has_an_entry_that_can_be_written(before: Any, after: Any, text: str) -> None:
    from kai_tui.storage.ledger_chain import canonical

    entry = decision_entry(
        approval(text, before, chat_title="t", account=text),
        Decision(True, text, updated_input=after, answers=after),
        [text],
    )
    assert json.loads(canonical(entry))["kind"] == "decision"


# With the built-in assistant


@pytest.fixture
async def enter(tmp_path: Path) -> Any:
    opened: list[Workspace] = []

    async def make(flavour: str) -> Workspace:
        environ = {"KAI_TUI_HOME": str(tmp_path), "KAI_SERVICE": flavour, "KAI_TUI_SANDBOX_PACE": "0"}
        workspace = AccountService(environ).open(SANDBOX)
        opened.append(workspace)
        workspace.connect()
        await until(lambda: workspace.connection.state == "connected", 20)
        return workspace

    yield make
    for workspace in opened:
        await workspace.aclose()


@pytest.mark.parametrize("flavour", ["agent", "assistant"])
async def test_a_deleted_chat_leaves_its_decisions_and_a_purged_account_nothing(
    enter: Callable[[str], Awaitable[Workspace]], tmp_path: Path, flavour: str
) -> None:
    workspace = await enter(flavour)
    session = workspace.chats.new_chat()
    session.send("Create a bucket called reports")
    await until(lambda: workspace.approvals.pending, 20)
    session.set_title("A title of its own")
    assert workspace.approvals.decide(workspace.approvals.pending[0], Decision(True))
    await until(lambda: session.turn.phase == "finished", 20)
    await until(lambda: not session._background, 20)
    paths = app_paths({"KAI_TUI_HOME": str(tmp_path)})
    from kai_tui.storage.paths import account_files, ledgers, remove_account_files

    file = LedgerFile(account_files(paths, SANDBOX.id).ledger)
    call = session.messages[-1].tool_calls()[0].tool_call_id
    assert told(file) == [f"{call} approved", f"{call} sent", f"{call} done"]
    await workspace.history.delete(session.chat_id)
    assert len(told(file)) == 3
    assert "A title of its own" not in "".join(row.content for row in file.rows())
    assert sound(file)
    await workspace.aclose()
    remove_account_files(paths, SANDBOX.id)
    assert ledgers(paths) == []
    assert not file.head_path.exists()


@pytest.mark.parametrize("flavour", ["agent", "assistant"])
async def test_with_a_ledger_that_cannot_be_written_nothing_changes_in_the_project(
    enter: Callable[[str], Awaitable[Workspace]], tmp_path: Path, flavour: str
) -> None:
    """The whole way: the ledger's place is taken by a folder, as on a disk that takes nothing there."""
    from kai_tui.services.changes import Notice
    from kai_tui.storage.paths import account_files

    place = account_files(app_paths({"KAI_TUI_HOME": str(tmp_path)}), SANDBOX.id).ledger
    place.mkdir(parents=True)
    workspace = await enter(flavour)
    session = workspace.chats.new_chat()
    said: list[str] = []
    session.observe(lambda change: said.append(change.sentence) if isinstance(change, Notice) else None)
    session.send("Create a bucket called reports")
    await until(lambda: workspace.approvals.pending, 20)
    workspace.approvals.decide(workspace.approvals.pending[0], Decision(True))
    await until(lambda: workspace.approvals.pending and workspace.approvals.pending[0].note, 20)
    assert any("Nothing is approved unrecorded." in each for each in said)
    assert session.messages[-1].tool_calls()[0].state in ("input-available", "approval-requested")
    place.rmdir()
    assert workspace.approvals.decide(workspace.approvals.pending[0], Decision(True))
    await until(lambda: session.turn.phase == "finished", 20)
    await until(lambda: not session._background, 20)
    assert session.messages[-1].tool_calls()[0].state == "output-available"
    assert [each.split()[-1] for each in told(LedgerFile(place))] == ["approved", "sent", "done"]


async def test_a_question_of_an_earlier_run_waits_on_when_the_ledger_takes_nothing(
    enter: Callable[[str], Awaitable[Workspace]], tmp_path: Path
) -> None:
    from kai_tui.storage.paths import account_files

    first = await enter("agent")
    session = first.chats.new_chat()
    session.send("Create a bucket called reports")
    await until(lambda: first.approvals.pending, 20)
    await until(lambda: not session._background, 20)
    await first.aclose()
    place = account_files(app_paths({"KAI_TUI_HOME": str(tmp_path)}), SANDBOX.id).ledger
    place.mkdir(parents=True)
    second = await enter("agent")
    await until(lambda: second.approvals.pending, 20)
    asked = second.approvals.pending[0]
    assert second.approvals.decide(asked, Decision(True))
    await until(lambda: second.approvals.pending and second.approvals.pending[0].asked != asked.asked, 20)
    assert second.approvals.pending[0].note == "Your first answer was not sent."
    place.rmdir()
    assert second.approvals.decide(second.approvals.pending[0], Decision(False))
    await until(lambda: len(told(LedgerFile(place))) == 2, 20)
