"""What there was before an approved call is kept: only what the chat does not show itself, and no secrets."""

from __future__ import annotations

from typing import Any

from kai_tui.conversation.messages import Message, ToolPart
from kai_tui.conversation.reviews.review import ObjectRef, Present, Wanted
from kai_tui.services.session_before import LONGEST, MOST_CALLS
from tests.services.test_jobs import House, house  # noqa: F401 - a fixture
from tests.ui.fakes import approval
from tests.ui.transcript.chat_source import answer, tool

CONFIG = Wanted("configuration", ObjectRef("configuration", "x/7"))
TEXT = Wanted("description", ObjectRef("table", "in.c-a.t"))
JOBS = Wanted("jobs", ObjectRef("configuration", "x/7"))


def a_call() -> ToolPart:
    part = answer(tool("update_config", input={}, output={})).parts[0]
    assert isinstance(part, ToolPart)
    return part


async def test_it_is_on_disk_with_the_yes_and_there_after_a_restart(house: House) -> None:  # noqa: F811
    workspace = house.enter(None)
    session = workspace.chats.new_chat()
    value = {"name": "Old", "parameters": {"#password": "plain", "host": "old"}}
    found = {
        CONFIG: Present(value, "project", 5.0),
        TEXT: Present("shown in the chat", "chat"),
        JOBS: Present([], "project"),
    }
    session._tools = session._tools._replace(presents=lambda _: found)
    session._keep_before(approval(chat_id=session.chat_id, tool_call_id="call-1"))
    while session._background:
        await next(iter(session._background))
    note = (await workspace.keeper.notes(session.chat_id))["before"]
    assert "plain" not in repr(note)
    again = house.enter(None).chats.new_chat()
    again.messages.append(Message.user("u", "x"))
    again.restore_before(note)
    [(wanted, present)] = again.values_before(a_call()).items()
    assert wanted == CONFIG
    assert (present.value["name"], present.source, present.seen) == ("Old", "project", 5.0)
    assert present.value["parameters"]["host"] == "old"


async def test_there_is_an_end_to_what_is_kept(house: House) -> None:  # noqa: F811
    session = house.enter(None).chats.new_chat()
    found: dict[Wanted, Present] = {CONFIG: Present({"name": "Old"}, "project")}
    session._tools = session._tools._replace(presents=lambda _: found)
    for number in range(MOST_CALLS + 5):
        session._keep_before(approval(tool_call_id=f"call-{number}"))
    assert len(session._values_then) == MOST_CALLS
    assert "call-0" not in session._values_then
    found[CONFIG] = Present("x" * LONGEST, "project")
    session._keep_before(approval(tool_call_id="long"))
    assert "long" not in session._values_then


async def test_notes_nobody_can_read_are_left_out(house: House) -> None:  # noqa: F811
    session = house.enter(None).chats.new_chat()
    odd: list[Any] = [
        None,
        5,
        {"call-1": 5},
        {"call-1": [5, {}]},
        {"call-1": [{"what": [], "kind": {}, "id": []}]},
    ]
    for note in odd:
        session.restore_before(note)
        assert session.values_before(a_call()) == {}
