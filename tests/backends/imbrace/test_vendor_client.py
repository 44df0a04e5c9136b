"""The vendor's own client (`imbrace` 1.3.1 from PyPI) takes our fake for the real thing.

Its known flaws (imbrace.md §15) are named where they show.
"""

from __future__ import annotations

import asyncio
import json
import warnings
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import httpx
import pytest
from imbrace import AsyncImbraceClient, ImbraceClient
from imbrace.exceptions import ApiError, AuthError, ImbraceError
from imbrace.types.ai import CompletionInput, CompletionMessage

from tests.backends.imbrace.kit import CHAT, RECORDED
from tests.backends.kai_server import TIMEOUT
from tests.fakes.imbrace import CODE, JWT, PASSWORD, USER, ImbraceFake

T = TypeVar("T")
HELLO = {"role": "user", "content": "Hello"}


@pytest.fixture
async def fake() -> AsyncIterator[ImbraceFake]:
    async with ImbraceFake() as running:
        yield running


async def by_client(fake: ImbraceFake, do: Callable[[ImbraceClient], T], **credential: Any) -> T:
    """What the synchronous client makes of the fake; it works in a thread of its own."""

    def work() -> T:
        with ImbraceClient(gateway=fake.url, **(credential or {"api_key": "api_test"})) as client:
            return do(client)

    async with asyncio.timeout(TIMEOUT):
        return await asyncio.to_thread(work)


async def refused(fake: ImbraceFake, do: Callable[[ImbraceClient], Any], **credential: Any) -> Exception:
    with pytest.raises(ImbraceError) as caught:
        await by_client(fake, do, **credential)
    return caught.value


async def test_it_chats_and_reads_the_history(fake: ImbraceFake):
    def chat(client: ImbraceClient) -> str:
        body = {"id": CHAT, "assistant_id": "asst_stream", "messages": [HELLO]}
        return "".join(client.ai_agent.stream_chat_text(body))  # type: ignore[arg-type]

    assert await by_client(fake, chat) == "Hello from the stub model. You said: Hello"
    rows = await by_client(fake, lambda c: c.ai_agent.list_chats(organization_id="org_1", limit=2))
    assert [row["id"] for row in rows["chats"]] == [CHAT]
    assert (await by_client(fake, lambda c: c.ai_agent.get_chat(CHAT)))["status"] == "idle"
    messages = await by_client(fake, lambda c: c.ai_agent.list_client_messages(CHAT))
    assert [message["role"] for message in messages] == ["user", "assistant"]
    votes = await by_client(fake, lambda c: c.ai_agent.get_votes(CHAT))
    assert votes == []
    idle = await by_client(fake, lambda c: c.ai_agent.stream_client_chat_status(CHAT).text)
    assert idle == 'data: {"status":"idle"}\n\n'
    assert await by_client(fake, lambda c: c.ai_agent.update_client_chat(CHAT, {"visibility": "public"})) == {
        "ok": True
    }
    deleted = await by_client(fake, lambda c: c.ai_agent.delete_chat(CHAT))
    assert deleted["id"] == CHAT
    assert await by_client(fake, lambda c: c.ai_agent.delete_all_client_chats("org_1")) == {"deletedCount": 0}


async def test_an_error_in_the_stream_is_its_error(fake: ImbraceFake):
    body: Any = {
        "id": CHAT,
        "assistant_id": "asst_stream",
        "messages": [{"role": "user", "content": "fail401"}],
    }
    error = await refused(fake, lambda c: list(c.ai_agent.stream_chat_text(body)))
    assert "Incorrect API key provided." in str(error)


async def test_who_answers_and_who_asks(fake: ImbraceFake):
    assert (await by_client(fake, lambda c: c.ai_agent.get_health()))["data"]["status"] == "ok"
    assert (await by_client(fake, lambda c: c.ai_agent.get_version()))["data"]["version"] == "1.0.0"
    user = await by_client(fake, lambda c: c.ai_agent.get_chat_client_user({}))
    assert user == {"id": USER, "email": "tester@example.com"}
    jwt = await by_client(
        fake, lambda c: c.ai_agent.get_chat_client_user({}), access_token=JWT, organization_id="org_1"
    )
    assert jwt["id"] == USER
    suggested = await by_client(fake, lambda c: c.ai_agent.get_agent_prompt_suggestion("asst_stream"))
    assert suggested["data"][0] == "What can you do?"
    error = await refused(fake, lambda c: c.ai_agent.list_client_chats(), api_key="api_bad")
    assert isinstance(error, AuthError)
    assert error.status_code == 401


async def test_it_signs_in(fake: ImbraceFake):
    def sign_in(client: ImbraceClient) -> Any:
        organizations = client.login("tester@example.com", PASSWORD)["organizations"]
        listed = client.organizations.list()
        client.select_organization(organizations[0]["id"])
        key = client.auth.get_third_party_token(30)
        return listed, client.ai_agent.get_chat_client_user({}), key["apiKey"]["apiKey"]

    def by_code(client: ImbraceClient) -> Any:
        client.request_otp("tester@example.com")
        client.login_with_otp("tester@example.com", CODE)
        client.select_organization("org_2")
        return client.ai_agent.get_chat_client_user({})

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it warns of a client without credentials
        listed, user, key = await by_client(fake, sign_in, access_token=None)
        assert user["id"] == USER
        assert len(listed["data"]) == 2
        assert key.startswith("api_")
        assert (await by_client(fake, by_code, access_token=None))["id"] == USER
        assert isinstance(
            await refused(fake, lambda c: c.login("tester@example.com", "wrong"), access_token=None),
            AuthError,
        )


async def test_agents_models_and_knowledge(fake: ImbraceFake):
    agents: Any = await by_client(fake, lambda c: c.ai.list_ai_agents())
    assert agents[0]["id"] == "asst_stream"
    agent: Any = await by_client(fake, lambda c: c.chat_ai.get_ai_agent("asst_plain"))
    assert agent["streaming"] is False
    added: Any = await by_client(
        fake, lambda c: c.ai.upload_rag_file({"file": ("a.txt", b"text", "text/plain")})
    )
    assert (added["filename"], added["bytes"]) == ("a.txt", 4)
    listed: Any = await by_client(fake, lambda c: c.ai.list_rag_files())
    assert [each["id"] for each in listed] == [added["id"]]
    await by_client(fake, lambda c: c.ai.delete_rag_file(added["id"]))
    assert fake.knowledge == {}
    stored: Any = await by_client(
        fake, lambda c: c.boards.upload_board_file_v2({"file": ("a.png", b"x", "image/png")})
    )
    assert stored[0]["url"].endswith("/a.png")
    text: Any = await by_client(fake, lambda c: c.chat_ai.extract_file({"file": ("a.pdf", b"text")}))
    assert text["result"] == {"text": "text"}


async def test_completions_whole_and_streamed(fake: ImbraceFake):
    asked = CompletionInput(model="gpt-stub", messages=[CompletionMessage(role="user", content="Hello")])
    whole = await by_client(fake, lambda c: c.ai.complete(asked))
    assert whole.choices[0].message.content == "1 messages, the last: Hello"
    chunks = await by_client(fake, lambda c: list(c.ai.stream(asked)))
    said = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert said == whole.choices[0].message.content


async def test_its_known_flaws_are_refused_as_by_the_real_server(fake: ImbraceFake):
    body: Any = {"id": CHAT, "assistant_id": "asst_stream", "messages": [HELLO]}
    await by_client(fake, lambda c: list(c.ai_agent.stream_chat_text(body)))
    for flawed, status in (
        (lambda c: c.ai_agent.update_vote({"messageId": "m", "vote": "up"}), 400),
        (lambda c: c.ai_agent.generate_client_chat_title(CHAT), 400),
        (lambda c: c.ai_agent.create_document({"kind": "text", "content": "Draft..."}), 400),
        (lambda c: c.ai_agent.persist_client_message({"chatId": CHAT, "content": "Hello"}), 400),
        (lambda c: c.ai_agent.stream_sub_agent_chat(body), 404),
    ):
        error = await refused(fake, flawed)
        assert isinstance(error, ApiError)
        assert error.status_code == status


async def test_the_asynchronous_client_chats_too(fake: ImbraceFake):
    async with asyncio.timeout(TIMEOUT), AsyncImbraceClient(gateway=fake.url, api_key="api_test") as client:
        body: Any = {"id": CHAT, "assistant_id": "asst_stream", "messages": [HELLO]}
        words = [word async for word in client.ai_agent.stream_chat_text(body)]
        assert "".join(words).endswith("You said: Hello")
        assert len(await client.ai_agent.list_client_messages(CHAT)) == 2
        with pytest.raises(TypeError):  # it awaits the votes twice
            await client.ai_agent.get_votes(CHAT)


async def test_its_recorded_requests_are_answered(fake: ImbraceFake):
    """The bytes it sent to a recorder, sent to the fake: 2xx but for the flaws."""
    fake.credentials["api_test"] = USER
    for line in (RECORDED / "client-requests.jsonl").read_text().splitlines():
        head, _, body = json.loads(line)["bytes"].partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        method, path, _ = first.split(" ")
        headers = dict(each.split(": ", 1) for each in lines)
        for name in ("Host", "Content-Length", "Connection"):
            headers.pop(name, None)
        path = path.replace("/api/", "/ai-agent/", 1)
        async with httpx.AsyncClient(timeout=TIMEOUT) as client:
            said = await client.request(method, fake.url + path, headers=headers, content=body.encode())
        flawed = path.endswith(("/title", "/votes")) and method != "GET"
        if path.endswith("sub-agent-chat"):
            assert said.status_code == 404
        elif said.status_code != 200:
            # Chats it had made before the recording began, or deleted by then, are none of the fake's.
            assert (flawed and said.status_code == 400) or said.json()["code"] == "not_found:chat"
