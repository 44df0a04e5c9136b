"""Whom a chat is with: listed, chosen, kept between runs, and never changed where the server does not allow it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import pytest

from kai_tui.backends.agents import Agents, caps_for
from kai_tui.backends.base import LocalChats, Outgoing, Refused, Unsupported
from kai_tui.backends.chosen_agents import MOST_CHATS, ChosenAgents
from kai_tui.backends.local_chats import NoChats
from kai_tui.backends.secret import Secret
from tests.backends.imbrace.kit import account, collect, say
from tests.backends.knowrithm.desk import knowrithm
from tests.fakes.imbrace import ImbraceFake
from tests.fakes.knowrithm import FakeKnowrithm


class Notebook:
    """A `Memory` of this test."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}

    @property
    def chats(self) -> LocalChats:
        return NoChats()

    async def recall(self, name: str) -> str | None:
        return self.pages.get(name)

    async def keep(self, name: str, value: str | None) -> None:
        if value is None:
            self.pages.pop(name, None)
        else:
            self.pages[name] = value

    async def keep_secret(self, secret: Secret) -> None:
        raise NotImplementedError


@pytest.fixture
async def imbrace() -> AsyncIterator[ImbraceFake]:
    async with ImbraceFake() as running:
        yield running


@pytest.fixture
async def desk() -> AsyncIterator[FakeKnowrithm]:
    async with FakeKnowrithm() as running:
        yield running


async def test_the_choice_of_the_last_run_holds_and_a_new_one_wins():
    memory = Notebook()
    first = ChosenAgents(memory, "usual")
    await first.recall()
    first.choose("a")
    first.choose("b", "chat-1")
    await first.keep()

    second = ChosenAgents(memory, "usual")
    second.choose("c")
    await second.recall()
    assert (second.last, second.of("chat-1")) == ("c", "b")

    third = ChosenAgents(memory)
    await third.recall()
    assert third.last == "a"


async def test_what_was_kept_by_somebody_else_is_no_reason_to_fail():
    memory = Notebook()
    memory.pages = {"agents": '{"chat": 5, "other": "x"', "agent": ""}
    chosen = ChosenAgents(memory, "usual")
    await chosen.recall()
    assert (chosen.last, chosen.of("chat")) == ("usual", None)


async def test_only_the_newest_choices_are_kept():
    memory = Notebook()
    chosen = ChosenAgents(memory)
    for number in range(MOST_CHATS + 10):
        chosen.choose("a", f"chat-{number}")
    await chosen.keep()
    again = ChosenAgents(memory)
    await again.recall()
    assert again.of("chat-9") is None
    assert again.of(f"chat-{MOST_CHATS + 9}") == "a"


async def test_imbrace_lists_agents_and_models_and_keeps_the_choice(imbrace: ImbraceFake):
    memory = Notebook()
    backend = account(imbrace.url, agent=None, memory=memory)
    agents: Agents = backend.agents
    found = {each.id: each for each in await agents.list()}
    assert found["asst_plain"].note == "answers in one piece"
    assert found["asst_team"].note == "leads other agents"
    assert any(each.note.startswith("bare model") for each in found.values())
    await agents.choose("asst_quiet")
    await backend.aclose()

    later = account(imbrace.url, agent=None, memory=memory)
    await later.connect()
    assert later.agents.chosen() == "asst_quiet"
    await later.aclose()


async def test_imbrace_goes_on_with_another_agent_but_not_with_a_bare_model(imbrace: ImbraceFake):
    backend = account(imbrace.url, agent="asst_stream")
    chat_id = str(uuid.uuid4())
    await collect(backend.send(chat_id, say("hello")))
    model = next(each.id for each in await backend.agents.list() if each.id.startswith("model:"))
    with pytest.raises(Unsupported, match="new chat"):
        await backend.agents.choose(model, chat_id=chat_id)
    await backend.agents.choose("asst_quiet", chat_id=chat_id)
    await collect(backend.send(chat_id, say("and now?")))
    posts = imbrace.calls("POST /ai-agent/v2/chat")
    assert [post.body["assistant_id"] for post in posts] == ["asst_stream", "asst_quiet"]
    assert caps_for(backend, chat_id).votes
    await backend.aclose()


async def test_a_chat_with_a_bare_model_is_known_as_one_in_the_next_run(imbrace: ImbraceFake):
    memory = Notebook()
    backend = account(imbrace.url, agent=None, memory=memory)
    model = next(each.id for each in await backend.agents.list() if each.id.startswith("model:"))
    await backend.agents.choose(model)
    chat_id = str(uuid.uuid4())
    await collect(backend.send(chat_id, say("hello")))
    await backend.agents.choose("asst_stream")
    await backend.aclose()

    later = account(imbrace.url, agent=None, memory=memory)
    await later.connect()
    assert later.agents.chosen(chat_id) == model
    assert not caps_for(later, chat_id).votes
    assert caps_for(later).votes
    await later.aclose()


async def test_a_knowrithm_conversation_stays_with_its_agent(desk: FakeKnowrithm):
    desk.agents.append({"id": "a-3", "name": "Sales", "status": "active", "model_name": "m-2"})
    memory = Notebook()
    backend = knowrithm(desk, memory=memory)
    found = await backend.agents.list()
    assert [each.note for each in found] == ["m-1", "inactive", "m-2"]
    assert backend.agents.chosen() is None
    with pytest.raises(Refused) as refused:
        await collect(backend.send("chat-1", Outgoing("m-1", "Hello", new_chat=True)))
    assert refused.value.code == "agent"
    await backend.agents.choose("a-3", chat_id="chat-1")
    await collect(backend.send("chat-1", Outgoing("m-1", "Hello", new_chat=True)))
    assert not backend.agents.may_change("chat-1")
    with pytest.raises(Unsupported):
        await backend.agents.choose("a-1", chat_id="chat-1")
    await backend.agents.choose("a-1")
    assert (backend.agents.chosen("chat-1"), backend.agents.chosen("chat-2")) == ("a-3", "a-1")
    await backend.aclose()

    later = knowrithm(desk, memory=memory)
    await later.connect()
    assert later.agents.chosen() == "a-1"
    theirs = next(iter(desk.conversations))
    await later.chats()
    assert later.agents.chosen(theirs) == "a-3"
    await later.aclose()


async def test_the_only_active_agent_is_chosen_by_itself(desk: FakeKnowrithm):
    backend = knowrithm(desk)
    await backend.agents.list()
    assert backend.agents.chosen() == "a-1"
    await backend.aclose()
