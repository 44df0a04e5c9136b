"""The adapter against the fake iMBRACE: what is posted, what comes of it, what must never happen twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from kai_tui.backends.base import (
    MESSAGE_UNSURE,
    Attachment,
    CannotConnect,
    ConnectionLost,
    NotAllowed,
    NotFound,
    Refused,
    ServerFailed,
    TokenRefused,
    ToolAnswer,
    Unsupported,
)
from kai_tui.backends.imbrace.client import ImbraceBackend
from kai_tui.backends.secret import Secret
from kai_tui.conversation import events as e
from kai_tui.conversation.approvals import pending, respond
from kai_tui.conversation.messages import DataPart, Message
from tests.backends.imbrace.kit import CHAT, OTHER_CHAT, account, collect, failing, folded, say
from tests.backends.kai_server import TIMEOUT, answer, hang_up
from tests.fakes.imbrace import JWT, USER, ImbraceFake

POST = "POST /ai-agent/v2/chat"
Make = Callable[..., ImbraceBackend]


@pytest.fixture
async def fake() -> AsyncIterator[ImbraceFake]:
    async with ImbraceFake() as running:
        yield running


@pytest.fixture
async def make(fake: ImbraceFake) -> AsyncIterator[Make]:
    made: list[ImbraceBackend] = []

    def maker(credential: str = "api_test", **options: Any) -> ImbraceBackend:
        made.append(account(fake.url, credential, **options))
        return made[-1]

    yield maker
    for backend in made:
        await backend.aclose()


async def turn(backend: ImbraceBackend, text: str, chat: str = CHAT) -> Message:
    return folded(await collect(backend.send(chat, say(text))))


def without_ours(message: Message) -> list[Any]:
    return [part.to_wire() for part in message.parts if not isinstance(part, DataPart)]


# A message


async def test_a_message_is_posted_as_the_protocol_says(fake: ImbraceFake, make: Make):
    message = await turn(make(), "Hello")
    (seen,) = fake.seen
    assert seen.call == POST
    assert seen.body == {
        "id": CHAT,
        "assistant_id": "asst_stream",
        "organization_id": "org_1",
        "messages": [
            {
                "id": say("").message_id,
                "role": "user",
                "parts": [{"type": "text", "text": "Hello", "clientMessageId": say("").message_id}],
            }
        ],
    }
    assert seen.headers["x-api-key"] == "api_test"
    assert seen.headers["x-organization-id"] == "org_1"
    assert seen.headers["accept"] == "text/event-stream, text/plain"
    assert "authorization" not in seen.headers
    assert message.text == "Hello from the stub model. You said: Hello"
    assert message.id == fake.chats[CHAT].messages[-1]["id"]


async def test_everything_optional_is_posted_when_there_is_something(fake: ImbraceFake, make: Make):
    backend = make(model=("gpt-other", "p2"), board="brd_1")
    picture = Attachment("https://files.example.com/a.png", "a.png", "image/png")
    await collect(backend.send(CHAT, replace(say("ž \ud83d\ude00 \ud83d"), attachments=(picture,))))
    body: Any = fake.seen[0].body
    assert (body["model_id"], body["provider_id"], body["board_id"]) == ("gpt-other", "p2", "brd_1")
    assert body["messages"][0]["parts"] == [
        {"type": "text", "text": "ž 😀 ?", "clientMessageId": say("").message_id},
        {"type": "file", "mediaType": "image/png", "name": "a.png", "url": picture.url},
    ]
    only_file = await collect(backend.send(OTHER_CHAT, replace(say(" "), attachments=(picture,))))
    assert isinstance(only_file[-1], e.Finish)
    assert [part["type"] for part in fake.calls(POST)[1].body["messages"][0]["parts"]] == ["file"]


async def test_nothing_is_sent_that_cannot_be_right(fake: ImbraceFake, make: Make):
    backend = make()
    bad = Attachment("javascript:alert(1)")
    for wrong, code in (
        (backend.send(CHAT, say("  ")), "empty"),
        (backend.send("nope", say("x")), "id"),
        (backend.send(CHAT.replace("-", ""), say("x")), "id"),
        (backend.send(f"{{{CHAT}}}", say("x")), "id"),
        (backend.send(CHAT, replace(say("x"), attachments=(bad,))), "url"),
        (make(agent=None).send(CHAT, say("x")), "agent"),
        (backend.answer(CHAT, Message(), []), "empty"),
        (backend.delete("../../health"), "id"),
    ):
        error = await failing(wrong)
        assert (type(error), error.code, error.delivery) == (Refused, code, "not-sent")
    assert fake.seen == []


async def test_what_imbrace_does_not_have_says_so(make: Make):
    backend = make()
    for missing in (
        backend.quota(),
        backend.instructions("user"),
        backend.set_instructions("user", ""),
        backend.permissions(),
        backend.set_permissions(None),
        backend.answer_by_tool_result(CHAT, Message(), ToolAnswer("c", True)),
    ):
        assert type(await failing(missing)) is Unsupported
    assert await backend.tools() == ()
    assert (backend.caps.approval, backend.caps.history, backend.caps.votes) == (
        "continuation",
        "server",
        True,
    )
    assert not backend.caps.usage
    assert not backend.caps.visibility


@pytest.mark.parametrize(
    ("credential", "headers"),
    [
        ("api_test", {"x-api-key": "api_test"}),
        ("acc_test", {"x-access-token": "acc_test"}),
        (JWT, {"x-access-token": JWT, "authorization": f"Bearer {JWT}"}),
    ],
)
async def test_each_kind_of_credential_has_its_headers(
    fake: ImbraceFake, make: Make, credential: str, headers: dict[str, str]
):
    assert (await make(credential).whoami()).id == USER
    (seen,) = fake.seen
    names = ("x-api-key", "x-access-token", "authorization")
    assert {name: seen.headers[name] for name in names if name in seen.headers} == headers


async def test_a_service_run_by_oneself_is_asked_without_the_gateway(fake: ImbraceFake):
    from kai_tui.backends.imbrace.places import places

    where = places("https://gateway.example", {"ai_agent": f"{fake.url}/api"})
    backend = ImbraceBackend(where, Secret(JWT), organization="org_1", agent="asst_stream")
    assert (await turn(backend, "Hello")).text.endswith("You said: Hello")
    assert [seen.call for seen in fake.seen] == ["POST /api/v2/chat"]
    await backend.aclose()
    alone = ImbraceBackend(where, Secret("api_test"), agent="asst_stream")
    error = await failing(alone.send(CHAT, say("x")))
    assert (type(error), error.code) == (TokenRefused, "no-organization")
    await alone.aclose()


# Agents


async def test_a_chat_stays_with_its_agent(fake: ImbraceFake, make: Make):
    backend = make()
    await turn(backend, "Hello")
    backend.choose("asst_quiet")
    await turn(backend, "again")
    await turn(backend, "new", OTHER_CHAT)
    backend.choose("asst_team", chat_id=CHAT)
    await turn(backend, "and now")
    assert [seen.body["assistant_id"] for seen in fake.calls(POST)] == [
        "asst_stream", "asst_stream", "asst_quiet", "asst_team",
    ]  # fmt: skip
    later = make(agent="asst_plain")
    await later.chat(CHAT)
    assert later.agent_of(CHAT) == "asst_stream"
    assert later.agent_of(OTHER_CHAT) == later.chosen == "asst_plain"


async def test_connecting_tells_who_answers_and_chooses_an_only_agent(fake: ImbraceFake, make: Make):
    fake.agents = fake.agents[:1]
    backend = make(agent=None)
    info = await backend.connect()
    assert (info.service, info.version, info.name) == ("imbrace", "1.0.0", "iMBRACE")
    for said in (info, await backend.about()):
        assert said.details["signed in as"] == "tester@example.com"
        assert (said.details["status"], said.details["uptime"]) == ("ok", 176.8)  # rows of the about panel
    assert info.address == f"{fake.url}/ai-agent"
    assert backend.chosen == "asst_stream"
    fake.agents = [{"id": "a"}, {"id": "b"}]
    undecided = make(agent=None)
    await undecided.connect()
    assert undecided.chosen is None
    open_calls = [seen for seen in fake.seen if seen.path.endswith(("/health", "/version"))]
    assert open_calls
    assert all("x-api-key" not in seen.headers for seen in open_calls)


async def test_an_unknown_agent_and_one_without_a_model_ask_for_another(make: Make):
    for agent in ("asst_missing", "asst_nomodel"):
        error = await failing(make(agent=agent).send(CHAT, say("x")))
        assert (type(error), error.code, error.delivery) == (ServerFailed, "agent", "unsure")
        assert "hoose another" in error.sentence
        assert error.sentence.endswith(MESSAGE_UNSURE)


async def test_a_plain_agent_answers_in_one_piece_that_is_not_stored(fake: ImbraceFake, make: Make):
    backend = make(agent="asst_plain")
    message = await turn(backend, "Hello")
    assert message.text == "Hello from the stub model. You said: Hello"
    assert message.finish == e.Finish("stop", stored=False)
    assert [each.role for each in await backend.messages(CHAT)] == ["user"]
    assert (await backend.status(CHAT)).running
    error = await failing(backend.send(CHAT, say("fail500 please")))
    assert (type(error), error.delivery) == (ServerFailed, "unsure")
    assert fake.posts == 2


# Approvals


async def asked(backend: ImbraceBackend) -> Message:
    return await turn(backend, "please approve a new board")


def decide(message: Message, yes: bool, reason: str | None = None) -> ToolAnswer:
    (call,) = pending(message)
    return ToolAnswer(call.tool_call_id, yes, call.approval_id, reason)


@pytest.mark.parametrize("yes", [True, False])
async def test_an_answer_continues_the_same_message(fake: ImbraceFake, make: Make, yes: bool):
    backend = make()
    message = await asked(backend)
    reply = decide(message, yes, None if yes else "not now")
    events = await collect(backend.answer(CHAT, message, [reply]))
    goes_on = folded(events, respond(message, [reply]))
    body: Any = fake.calls(POST)[-1].body
    assert body["is_tool_approval"] is True
    (sent,) = body["messages"]
    assert (sent["id"], sent["role"]) == (message.id, "assistant")
    assert set(sent) == {"id", "role", "parts"}
    part = sent["parts"][-1]
    assert part["state"] == "approval-responded"
    assert part["approval"] == {
        "id": reply.approval_id, "approved": yes, **({} if yes else {"reason": "not now"}),
    }  # fmt: skip
    (call,) = goes_on.tool_calls()
    assert call.state == ("output-available" if yes else "output-denied")
    assert goes_on.id == message.id
    assert goes_on.faults == []
    (_, stored) = await backend.messages(CHAT)
    assert without_ours(stored) == without_ours(goes_on)
    assert fake.posts == 2


async def test_an_answer_to_a_message_from_the_history_is_the_same(fake: ImbraceFake, make: Make):
    backend = make()
    await asked(backend)
    (_, message) = (await backend.chat(CHAT)).messages
    events = await collect(backend.answer(CHAT, message, [decide(message, True)]))
    assert isinstance(events[-1], e.Finish)
    assert set(fake.calls(POST)[-1].body["messages"][0]) == {"id", "role", "parts"}


async def test_no_answer_goes_out_that_does_not_fit_what_was_shown(fake: ImbraceFake, make: Make):
    backend = make()
    message = await asked(backend)
    right = decide(message, True)
    for wrong, code in (
        ([ToolAnswer("another", True)], "incomplete"),
        ([right, ToolAnswer("another", True)], "incomplete"),
        ([ToolAnswer(right.tool_call_id, True, "aitxt-another")], "changed"),
        ([ToolAnswer(right.tool_call_id, True, right.approval_id, updated_input={})], None),
    ):
        error = await failing(backend.answer(CHAT, message, wrong))
        assert (error.code, error.delivery) == (code, "not-sent")
    assert fake.posts == 1


async def test_an_answer_is_posted_once_whatever_happens(fake: ImbraceFake, make: Make):
    backend = make()
    message = await asked(backend)
    fake.on(POST, hang_up)
    error = await failing(backend.answer(CHAT, message, [decide(message, True)]))
    assert type(error) is ConnectionLost
    assert error.sentence.endswith("Your decision may or may not have arrived.")
    assert fake.posts == 2


async def test_the_parts_of_our_making_never_go_back(fake: ImbraceFake, make: Make):
    backend = make()
    document = await turn(backend, "makedoc please", OTHER_CHAT)
    assert any(part.type == "data-document" for part in document.parts)
    message = await asked(backend)
    message.parts = [*document.parts, *message.parts]
    await failing_or_done(backend.answer(CHAT, message, [decide(message, True)]))
    sent = fake.calls(POST)[-1].body["messages"][0]["parts"]
    assert {part["type"] for part in sent} >= {"tool-createDocument", "tool-create_board", "text"}
    assert not any(part["type"].startswith("data-") for part in sent)


async def failing_or_done(events: AsyncIterator[e.Event]) -> None:
    async with asyncio.timeout(TIMEOUT):
        async for _ in events:
            pass


# Hanging up and waiting


async def test_after_hanging_up_the_server_goes_on_and_the_answer_can_be_waited_for(
    fake: ImbraceFake, make: Make
):
    fake.slowly.clear()
    backend = make()
    async with asyncio.timeout(TIMEOUT), aclosing(backend.send(CHAT, say("slow please"))) as events:
        async for event in events:
            if isinstance(event, e.TextDelta) and "word4" in event.delta:
                break
    await asyncio.wait_for(fake.hung_up.wait(), TIMEOUT)
    assert (await backend.status(CHAT)).running
    states: list[bool] = []
    async with asyncio.timeout(TIMEOUT):
        async for state in backend.until_idle(CHAT):
            states.append(state.running)
            fake.slowly.set()
    assert states == [True, False]
    assert not (await backend.status(CHAT)).running
    assert (await backend.messages(CHAT))[-1].text.endswith("word199 ")
    assert fake.posts == 1


async def test_a_status_stream_that_gives_up_or_breaks_says_so(fake: ImbraceFake, make: Make):
    from tests.backends.kai_server import stream, stream_then

    path = f"GET /ai-agent/chat-client/chats/{CHAT}/status/stream"
    backend = make()
    fake.on(
        path,
        stream(
            b'data: {"status":"processing"}\n\ndata: nonsense\n\ndata: {"status":"idle","stale":true}\n\n'
        ),
    )
    states = [(state.running, state.stale) async for state in backend.until_idle(CHAT)]
    assert states == [(True, False), (False, True)]
    fake.on(path, stream_then(b'data: {"status":"processing"}\n\n', "cut"))
    error = await failing(backend.until_idle(CHAT))
    assert type(error) is ConnectionLost


# History


async def test_the_history_is_paged_newest_first(fake: ImbraceFake, make: Make):
    backend = make()
    ids = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(5)]
    for number, chat in enumerate(ids):
        await turn(backend, f"hello {number}", chat)
    first = await backend.chats(limit=2)
    second = await backend.chats(cursor=first.cursor, limit=2)
    third = await backend.chats(cursor=second.cursor, limit=2)
    found = [each.id for page in (first, second, third) for each in page.items]
    assert found == ids[::-1]
    assert third.cursor is None
    assert first.items[0].title == "hello 4"
    assert fake.calls("GET /ai-agent/chat-client/chats")[1].query == {
        "limit": "2", "organization_id": "org_1", "ending_before": ids[3],
    }  # fmt: skip


async def test_an_odd_row_does_not_cost_the_others(fake: ImbraceFake, make: Make):
    rows = [{"id": CHAT, "title": 7, "lastContext": ["odd"]}, {"title": "no id"}, 5, {"id": OTHER_CHAT}]
    fake.on("GET /ai-agent/chat-client/chats", answer(200, {"chats": rows, "hasMore": "yes"}))
    page = await make().chats()
    assert [(each.id, each.title) for each in page.items] == [(CHAT, "7"), (OTHER_CHAT, "")]
    assert page.cursor is None


async def test_a_chat_is_read_with_its_messages_and_its_agent(fake: ImbraceFake, make: Make):
    backend = make()
    message = await turn(backend, "makedoc please")
    chat = await backend.chat(CHAT)
    assert chat.summary.title == "makedoc please"
    assert chat.extra["assistantId"] == "asst_stream"
    assert [each.role for each in chat.messages] == ["user", "assistant"]
    assert without_ours(chat.messages[1]) == without_ours(message)


async def test_chats_are_deleted_one_and_all(fake: ImbraceFake, make: Make):
    backend = make()
    for chat in (CHAT, OTHER_CHAT):
        await turn(backend, "hello", chat)
    await backend.delete(CHAT)
    error = await failing(backend.delete(CHAT))
    assert (type(error), error.code) == (NotFound, "not_found:chat")
    assert await backend.delete_all() == 1
    assert (await backend.chats()).items == []
    nowhere = await failing(make(organization="").delete_all())
    assert (type(nowhere), nowhere.code) == (Refused, "no-organization")


async def test_another_users_chat_is_not_ours(fake: ImbraceFake, make: Make):
    await turn(make(), "hello")
    error = await failing(make("api_other").chat(CHAT))
    assert (type(error), error.code) == (NotAllowed, "forbidden:chat")
    assert (await make("api_other").chats()).items == []


async def test_votes_are_given_changed_and_read(fake: ImbraceFake, make: Make):
    backend = make()
    message = await turn(backend, "hello")
    await backend.vote(CHAT, message.id, True)
    assert await backend.votes(CHAT) == {message.id: True}
    await backend.vote(CHAT, message.id, False)
    assert await backend.votes(CHAT) == {message.id: False}
    assert fake.calls("PATCH /ai-agent/chat-client/votes")[0].body == {
        "chatId": CHAT, "messageId": message.id, "type": "up",
    }  # fmt: skip


async def test_the_end_of_a_chat_is_cut_off_to_say_it_anew(fake: ImbraceFake, make: Make):
    backend = make()
    await turn(backend, "first")
    await turn(backend, "second")
    second = (await backend.messages(CHAT))[2]
    await backend.delete_from(second.id)
    assert [each.text for each in await backend.messages(CHAT) if each.role == "user"] == ["first"]


async def test_what_was_sent_is_found_again_by_the_id_it_was_sent_with(fake: ImbraceFake, make: Make):
    """The server gives it another id; without ours a message that arrived would be sent a second time."""
    first = say("hello", "aaaaaaaa-0000-4000-8000-000000000001")
    second = say("hello", "aaaaaaaa-0000-4000-8000-000000000002")
    backend = make()
    for outgoing in (first, second, second):
        await collect(backend.send(CHAT, outgoing))
    for reading in (make(), backend):
        mine = [each for each in await reading.messages(CHAT) if each.role == "user"]
        assert [each.id for each in mine[:2]] == [first.message_id, second.message_id]
        assert mine[2].id == fake.chats[CHAT].messages[4]["id"]
        assert all(each.parts[0].to_wire() == {"type": "text", "text": "hello"} for each in mine)
    await backend.delete_from(second.message_id)
    assert [each["role"] for each in fake.chats[CHAT].messages] == ["user", "assistant"]


async def test_an_answer_that_was_not_kept_can_be_stored(fake: ImbraceFake, make: Make):
    backend = make(agent="asst_plain")
    message = await turn(backend, "Hello")
    await backend.keep_answer(CHAT, message)
    (_, kept) = await backend.messages(CHAT)
    assert (kept.text, kept.id) == (message.text, message.id)


async def test_visibility_and_titles(fake: ImbraceFake, make: Make):
    backend = make()
    await turn(backend, "hello")
    await backend.set_visibility(CHAT, "public")
    assert (await backend.chat(CHAT)).summary.visibility == "public"
    assert await backend.title_for(CHAT, "Tell me about boards") == "Tell me about boards"


async def test_documents_have_versions(make: Make):
    backend = make()
    document_id = "00000000-0000-4000-8000-000000000007"
    await backend.save_document(document_id, "Draft", "one", "text")
    saved = await backend.save_document(document_id, "Draft", "two", "text")
    assert saved.content == "two"
    assert [each.content for each in await backend.document_versions(document_id)] == ["one", "two"]
    assert (await backend.document(document_id)).content == "two"
    assert (await backend.latest_document("text")).id == document_id
    assert type(await failing(backend.latest_document("sheet"))) is NotFound


async def test_a_teams_sub_agents_are_parts_and_words(make: Make):
    events = await collect(make(agent="asst_team").send(CHAT, say("ask the team")))
    (part,) = [part for part in folded(events).parts if isinstance(part, DataPart)]
    assert part.to_wire()["data"] == {
        "session": "ses_1",
        "agent": "Researcher",
        "state": "done",
        "text": "Looking it up.",
        "calls": [{"tool": "web_search", "done": True}],
        "parent": "ses_0",
        "agentId": "asst_sub",
        "flow": "flow_1",
    }
    assert [event.text for event in events if isinstance(event, e.Status)] == [
        "Researcher is at work",
        "Researcher uses web_search",
        "Researcher: Open the flow to check it",
        "Researcher is done",
    ]


# Credentials


async def test_a_refused_credential_is_told_and_a_new_one_used(fake: ImbraceFake, make: Make):
    backend = make("acc_old")
    told: list[TokenRefused] = []
    backend.on_refused = told.append
    for call in (backend.send(CHAT, say("x")), backend.chats(), backend.all_agents()):
        error = await failing(call)
        assert (type(error), error.delivery) == (TokenRefused, "not-sent")
    assert len(told) == 3
    backend.renew(Secret("acc_test"))
    assert (await turn(backend, "hello")).text
    # A credential of another kind takes the place of the old header, too.
    fake.credentials["api_test"] = USER
    backend.renew(Secret("api_test"))
    assert (await turn(backend, "hello")).text
    assert "x-access-token" not in fake.seen[-1].headers
    assert fake.seen[-1].headers["x-api-key"] == "api_test"
    backend.renew(Secret("acc_gone"))
    await failing(backend.chats())
    assert len(told) == 4
    assert "x-api-key" not in fake.seen[-1].headers


async def test_a_stream_goes_on_over_a_renewal(fake: ImbraceFake, make: Make):
    fake.slowly.clear()
    backend = make("acc_test")
    events: list[e.Event] = []
    async with asyncio.timeout(TIMEOUT), aclosing(backend.send(CHAT, say("slow please"))) as running:
        async for event in running:
            events.append(event)
            if not fake.slowly.is_set() and isinstance(event, e.TextDelta):
                backend.renew(Secret("api_test"))
                fake.slowly.set()
    assert folded(events).text.endswith("word199 ")


async def test_the_missing_organisation_is_told_as_such_to_who_watches(fake: ImbraceFake):
    from kai_tui.backends.imbrace.places import places

    backend = ImbraceBackend(
        places(fake.url, {"ai_agent": f"{fake.url}/api"}), Secret("api_test"), agent="asst_stream"
    )
    told: list[str] = []
    backend.on_refused = lambda error: told.append(error.sentence)
    await failing(backend.send(CHAT, say("x")))
    assert told == ["The organisation is missing. Choose one for this account."]
    await backend.aclose()


async def test_a_closed_account_sends_nothing(fake: ImbraceFake, make: Make):
    backend = make()
    await backend.aclose()
    assert type(await failing(backend.send(CHAT, say("x")))) is CannotConnect
    assert fake.seen == []
