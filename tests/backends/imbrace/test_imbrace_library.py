"""Agents to choose from, what to ask them, knowledge, attachments (imbrace.md §10, §11)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from kai_tui.backends.base import ConnectionLost, NotFound, Refused, Suggestion, UnexpectedAnswer, Unsupported
from kai_tui.backends.imbrace.client import ImbraceBackend
from kai_tui.backends.imbrace.library import MAX_ATTACHMENT
from kai_tui.backends.multipart import LocalFile
from tests.backends.imbrace.kit import CHAT, account, collect, failing, say
from tests.backends.kai_server import answer, hang_up
from tests.fakes.imbrace import ImbraceFake

PNG = LocalFile("a.png", b"\x89PNG" + bytes(1000), "image/png")
AGENTS = "GET /v3/ai/accounts/assistants"


@pytest.fixture
async def fake() -> AsyncIterator[ImbraceFake]:
    async with ImbraceFake() as running:
        yield running


@pytest.fixture
async def backend(fake: ImbraceFake) -> AsyncIterator[ImbraceBackend]:
    made = account(fake.url)
    yield made
    await made.aclose()


async def test_agents_come_first_and_bare_models_after_them(fake: ImbraceFake, backend: ImbraceBackend):
    found = await backend.all_agents()
    assert [(each.id, each.kind) for each in found] == [
        ("asst_stream", "agent"),
        ("asst_quiet", "agent"),
        ("asst_plain", "agent"),
        ("asst_nomodel", "agent"),
        ("asst_team", "agent"),
        ("model:gpt-stub", "model"),
    ]
    first = found[0]
    assert (first.name, first.description, first.streaming, first.thinks, first.model, first.type) == (
        "Streaming agent", "Answers token by token", True, True, "gpt-stub", "agent",
    )  # fmt: skip
    assert found[2].streaming is False
    assert found[3].thinks is False
    assert await backend.agent("asst_plain") == found[2]
    assert type(await failing(backend.agent("asst_missing"))) is Refused


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"_id": "a", "name": "A"}, {"_id": "a", "name": "twice"}]},
        {"success": True, "data": {"assistants": [{"assistant_id": "a", "name": "A"}]}},
        [{"assistantId": "a", "name": "A"}, "odd", {"name": "nobody"}],
    ],
)
async def test_agent_lists_of_any_shape_are_read(fake: ImbraceFake, backend: ImbraceBackend, body: object):
    fake.on(AGENTS, answer(200, body))
    assert [each.id for each in await backend.account_agents()] == ["a"]


async def test_where_the_list_is_missing_the_web_clients_is_taken(fake: ImbraceFake, backend: ImbraceBackend):
    fake.on(AGENTS, answer(404, {"detail": "Not Found"}))
    assert [each.id for each in await backend.account_agents()][:2] == ["asst_stream", "asst_quiet"]


async def test_missing_models_do_not_cost_the_agents(fake: ImbraceFake, backend: ImbraceBackend):
    fake.on("GET /v3/ai/workflow-agent/models", answer(500, {"detail": "boom"}))
    assert {each.kind for each in await backend.all_agents()} == {"agent"}
    fake.on("GET /v3/ai/workflow-agent/models", hang_up)
    assert type(await failing(backend.all_agents())) is ConnectionLost


async def test_suggestions_are_those_of_the_chosen_agent(fake: ImbraceFake, backend: ImbraceBackend):
    assert await backend.suggestions() == [
        Suggestion(text, text) for text in ("What can you do?", "Show my boards", "Draft an email")
    ]
    assert fake.seen[-1].query == {"assistant_id": "asst_stream"}
    asked = len(fake.seen)
    backend.choose(None)
    assert await backend.suggestions() == ()
    backend.choose("model:gpt-stub")
    assert isinstance(await failing(backend.suggestions()), Unsupported)
    assert len(fake.seen) == asked


async def test_knowledge_is_added_listed_and_deleted(fake: ImbraceFake, backend: ImbraceBackend):
    told: list[tuple[int, int]] = []
    file = LocalFile("notes.md", b"# Notes\n" * 20_000, "text/markdown")
    added = await backend.add_knowledge("asst_stream", file, on_progress=lambda *each: told.append(each))
    assert (added.name, added.bytes, added.agent) == ("notes.md", len(file.content), "asst_stream")
    assert fake.uploads == [({"assistant_id": "asst_stream", "is_rag": "true"}, "notes.md", file.content)]
    assert told[-1][0] == told[-1][1] > len(file.content)
    assert await backend.knowledge("asst_stream") == [added]
    assert await backend.knowledge("asst_quiet") == []
    await backend.delete_knowledge(added.id)
    assert await backend.knowledge("asst_stream") == []
    assert type(await failing(backend.delete_knowledge(added.id))) is NotFound


async def test_an_upload_goes_out_once_and_a_lost_one_is_told_as_unsure(
    fake: ImbraceFake, backend: ImbraceBackend
):
    fake.on("POST /v3/ai/rag/files", hang_up)
    error = await failing(backend.add_knowledge("a", PNG))
    assert error.sentence.endswith("The file may or may not have been stored.")
    assert len(fake.seen) == 1
    fake.on("POST /data-board/boards/upload", hang_up)
    await failing(backend.attach(PNG))
    assert len(fake.seen) == 2


async def test_an_attachment_is_stored_and_its_address_goes_with_the_message(
    fake: ImbraceFake, backend: ImbraceBackend
):
    attached = await backend.attach(PNG)
    assert (attached.name, attached.media_type) == ("a.png", "image/png")
    assert fake.uploads == [({}, "a.png", PNG.content)]
    await collect(backend.send(CHAT, replace(say("look"), attachments=(attached,))))
    (message, _) = await backend.messages(CHAT)
    assert message.parts[1].to_wire() == {
        "type": "file", "mediaType": "image/png", "name": "a.png", "url": attached.url,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (LocalFile("a.exe", b"MZ", "application/x-msdownload"), "file-kind"),
        (LocalFile("a.svg", b"", "image/png"), "file-size"),
        (LocalFile("a.png", bytes(MAX_ATTACHMENT + 1), "image/png"), "file-size"),
    ],
)
async def test_a_file_that_cannot_go_is_not_sent(
    fake: ImbraceFake, backend: ImbraceBackend, file: LocalFile, code: str
):
    error = await failing(backend.attach(file))
    assert (type(error), error.code) == (Refused, code)
    assert fake.seen == []


async def test_a_refused_attachment_says_why(fake: ImbraceFake, backend: ImbraceBackend):
    error = await failing(backend.attach(LocalFile("a.png", b"EVIL", "image/png")))
    assert (type(error), error.code) == (Refused, "file")
    assert error.sentence.endswith("did not store a.png: This file is not allowed")
    for odd in ([], [{}], {"url": "javascript:x"}, "text", {"data": [{"url": 5}]}):
        fake.on("POST /data-board/boards/upload", answer(200, odd))
        assert type(await failing(backend.attach(PNG))) in (Refused, UnexpectedAnswer)


async def test_text_of_a_file_and_files_for_an_agents_setup(fake: ImbraceFake, backend: ImbraceBackend):
    pdf = LocalFile("a.pdf", "Žluťoučký".encode(), "application/pdf")
    assert await backend.extract_text(pdf) == "Žluťoučký"
    result = await backend.add_agent_file("asst_stream", pdf)
    assert result["result"] == {"filename": "a.pdf"}
    assert fake.uploads[-1][0] == {"agent_id": "asst_stream"}
    fake.on("POST /v3/ai/files/extract", answer(200, {"message": "ok", "result": "plain"}))
    assert await backend.extract_text(pdf) == "plain"
    fake.on("POST /v3/ai/files/extract", answer(200, {"message": "ok", "result": None}))
    assert type(await failing(backend.extract_text(pdf))) is UnexpectedAnswer
