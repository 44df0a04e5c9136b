"""What goes wrong in the middle, against the real AI SDK: stops, errors, lost programs."""

from __future__ import annotations

import pytest

from kai_tui.backends.base import NotFound
from tests.peers.house import House, Talk
from tests.services.scripted_backend import until

pytestmark = pytest.mark.slow

ROUND_TWICE = ["user", "assistant", "assistant", "user"]
"""Whose messages were posted: a wish, its answer, the answer once more, the next message."""


async def test_stopping_hangs_up_and_keeps_the_half(house: House) -> None:
    talk = await house.talk()
    talk.session.send("slow")
    await until(lambda: "word5 " in talk.session.messages[-1].text)
    seen = talk.session.messages[-1].text
    talk.session.stop()
    assert talk.session.turn.reason == "cancelled"
    assert talk.session.messages[-1].text.startswith(seen)
    await until(lambda: talk.journal().hang_ups == 1)
    assert (finish := talk.session.messages[-1].finish) is not None
    assert finish.reason == "cancelled"
    # The server stopped, and kept what it had said: at least what stands on the screen.
    await until(lambda: len(talk.persisted()) == 2)
    (kept,) = [each["parts"][-1]["text"] for each in talk.persisted() if each["role"] == "assistant"]
    assert kept.startswith(talk.session.messages[-1].text)
    assert "word299" not in kept
    await talk.say("hello")
    assert talk.session.turn.reason == "stop"
    assert "You said" in talk.session.messages[-1].text
    assert [each["id"] for each in talk.seen()] == [each["id"] for each in talk.persisted()]


async def test_stopping_while_a_tool_works(house: House) -> None:
    talk = await house.talk()
    talk.session.send("slow call")
    await until(lambda: talk.states() == ["output-available"])
    assert talk.calls()[0].fields["preliminary"] is True
    talk.session.stop()
    await until(lambda: talk.journal().hang_ups == 1)
    await until(lambda: len(talk.persisted()) == 2)
    await talk.say("hello")
    assert talk.session.turn.reason == "stop", talk.session.messages[-1].errors
    assert len(talk.journal().posts) == 2


async def test_a_stopped_reply_is_still_marked_after_a_restart(house: House) -> None:
    talk = await house.talk()
    talk.session.send("slow")
    await until(lambda: "word5 " in talk.session.messages[-1].text)
    await talk.workspace.aclose()
    await until(lambda: len(talk.persisted()) == 2)
    again = await house.enter()
    session = await again.chats.open_chat(talk.session.chat_id)
    assert session.messages[-1].text.startswith("word0 word1 ")
    finish = session.messages[-1].finish
    assert finish is not None
    assert finish.reason == "cancelled"


@pytest.mark.parametrize(
    ("script", "text", "error"),
    [
        ("error mid-stream", "This much came", "Overloaded"),
        ("error first", "", "Overloaded at once"),
        ("connection of the model breaks", "Half of ", "The connection to the model broke"),
    ],
)
async def test_an_error_keeps_what_came_and_the_chat_goes_on(
    house: House, script: str, text: str, error: str
) -> None:
    talk = await house.talk()
    message = await talk.say(script)
    assert talk.session.turn.reason == "error"
    assert message.text == text
    assert message.errors == [error]
    await talk.agrees()
    await talk.say("hello")
    assert talk.session.turn.reason == "stop"
    assert len(talk.journal().posts) == 2
    await talk.agrees()


async def test_a_question_is_asked_again_after_a_restart(house: House) -> None:
    talk = await house.talk()
    shown = await talk.asked("two writes", 2)
    await talk.workspace.aclose()
    again = await house.enter()
    reopened = Talk(talk.peer, again, await again.chats.open_chat(talk.session.chat_id))
    asked = await reopened.questions(2)
    assert [each.digest for each in asked] == [each.digest for each in shown]
    for each in asked:
        reopened.decide(each, False)
    await reopened.over()
    assert reopened.states() == ["output-denied", "output-denied"]
    assert len(talk.journal().posts) == 2
    await reopened.agrees()


async def test_a_decision_made_elsewhere_is_not_sent_again(
    house: House, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Two programs show the same question; the second to answer finds it settled."""
    talk = await house.talk()
    (mine,) = await talk.asked("write")
    elsewhere = House(house.peer, tmp_path_factory.mktemp("elsewhere"))
    workspace = await elsewhere.enter()
    theirs = Talk(house.peer, workspace, await workspace.chats.open_chat(talk.session.chat_id))
    (question,) = await theirs.questions()
    theirs.decide(question, False, "no")
    await theirs.over()
    buckets = talk.journal().buckets
    talk.decide(mine, True)
    await talk.over()
    assert talk.journal().buckets == buckets
    assert len(talk.journal().posts) == 2
    assert talk.states() == ["output-denied"]
    assert any("settled" in each for each in talk.said)
    await workspace.aclose()
    await talk.agrees()


async def test_resuming_brings_nothing(house: House) -> None:
    """kai.md §4.9: 204, whatever runs."""
    talk = await house.talk()
    await talk.say("read")
    backend = await talk.workspace.backend()
    resume = getattr(backend, "resume")  # noqa: B009 - of Kai alone, not of every backend
    assert [event async for event in resume(talk.session.chat_id)] == []


async def test_a_chat_deleted_elsewhere(house: House) -> None:
    talk = await house.talk()
    await talk.say("read")
    backend = await talk.workspace.backend()
    await backend.delete(talk.session.chat_id)
    with pytest.raises(NotFound):
        await backend.chat(talk.session.chat_id)
    await talk.workspace.aclose()
    again = await house.enter()
    # The copy kept here is shown first; then the server's list counts.
    await until(lambda: talk.session.chat_id not in [row.id for row in again.history.rows])


@pytest.mark.parametrize("approved", [True, False])
async def test_a_chat_stopped_right_after_a_yes_does_not_stay_dead(house: House, approved: bool) -> None:
    """The SDK keeps the answer without an outcome then, and refuses every further message."""
    talk = await house.talk()
    (approval,) = await talk.asked("slow write")
    talk.decide(approval, True)
    await until(lambda: len(talk.journal().posts) == 2)
    talk.session.stop()
    await until(lambda: talk.journal().hang_ups == 1)
    await until(lambda: "outcome" in "".join(talk.said) or talk.states() == ["output-available"])
    (again,) = await talk.asked("hello")
    assert again.input == approval.input
    assert "look at the project" in (again.note or "")
    assert [post["message"]["role"] for post in talk.journal().posts] == ["user", "assistant"]
    talk.decide(again, approved)
    await until(lambda: not talk.session.queue and talk.session.turn.phase == "finished")
    await until(lambda: talk.session.messages[-1].text == "You said: hello")
    assert talk.session.turn.reason == "stop"
    assert [post["message"]["role"] for post in talk.journal().posts] == ROUND_TWICE
    await talk.agrees()


async def test_a_chat_left_right_after_a_yes_says_so_when_it_is_opened(house: House) -> None:
    talk = await house.talk()
    (approval,) = await talk.asked("slow write")
    talk.decide(approval, True)
    await until(lambda: len(talk.journal().posts) == 2)
    await talk.workspace.aclose()
    again = await house.enter()
    session = await again.chats.open_chat(talk.session.chat_id)
    reopened = Talk(talk.peer, again, session)
    await until(lambda: any("no outcome so far" in each for each in reopened.said))
    (question,) = await reopened.asked("hello")
    reopened.decide(question, False, "leave it")
    await until(lambda: session.messages[-1].text == "You said: hello" and not session.turn.busy)
    assert [post["message"]["role"] for post in talk.journal().posts] == ROUND_TWICE
    assert session.messages[1].tool_calls()[0].state == "output-denied"
    await reopened.agrees()
