"""What holds for a chat and what it is about: sent with every message, kept over a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from kai_tui.backends.base import CannotConnect, Chat, ChatTerms
from kai_tui.conversation import events as e
from kai_tui.conversation.messages import Message
from kai_tui.services import call_questions
from kai_tui.services.changes import Notice, TermsChanged
from kai_tui.services.chat_session import ChatSession
from kai_tui.services.terms import KnownTerms
from tests.services.scripted_backend import ScriptedBackend, Step, until
from tests.services.test_history_and_chats import open_workspace as open_workspace
from tests.services.test_history_and_chats import stored_chat, text_message

READ_ONLY = ChatTerms("public", read_only=True)
TABLE = "/admin/projects/1/storage/in.c-shop/table/orders"
BUCKET = "/admin/projects/1/storage/in.c-shop"
AWAY = CannotConnect("kai.test refuses connections.")


def done(count: int = 1) -> list[list[Step]]:
    return [[e.Finish("stop")] for _ in range(count)]


def agent(replies: Sequence[list[Step]] = (), **fields: object) -> ScriptedBackend:
    offers = {"read_only_chats": True, "visibility": True, "context_path": True}
    return ScriptedBackend(replies=list(replies), offers=offers, **fields)  # type: ignore[arg-type]


async def over(session: ChatSession) -> None:
    await until(lambda: session.turn.phase == "finished")


def as_stored(session: ChatSession, visibility: str = "private", *, messages: int | None = None) -> Chat:
    """The chat as the server gives it back."""
    kept = stored_chat(1, *(Message.from_wire(each.to_wire()) for each in session.messages[:messages]))
    return Chat(replace(kept.summary, id=session.chat_id, visibility=visibility), kept.messages)


# Terms


async def test_they_hold_after_a_restart_for_messages_and_answers(open_workspace) -> None:
    first = open_workspace(agent(done()))
    session = first.chats.new_chat()
    assert session.known_terms == KnownTerms("private", False)
    session.set_terms(READ_ONLY)
    session.send("go")
    await over(session)
    await first.aclose()

    backend = agent(done(), stored={session.chat_id: as_stored(session, "public")})
    again = await open_workspace(backend).chats.open_chat(session.chat_id)
    assert again.known_terms == KnownTerms("public", True)
    assert not again.set_terms(ChatTerms())
    again.send("more")
    await over(again)
    assert backend.posts[0].terms == READ_ONLY


async def test_usual_terms_are_known_of_chats_begun_here(open_workspace) -> None:
    first = open_workspace(agent(done()))
    session = first.chats.new_chat()
    session.send("go")
    await over(session)
    await first.aclose()
    stored = {session.chat_id: as_stored(session)}
    again = await open_workspace(agent(stored=stored)).chats.open_chat(session.chat_id)
    assert again.known_terms == KnownTerms("private", False)


@pytest.mark.parametrize(
    ("theirs", "visibility"), [("public", "public"), ("private", "private"), ("", None), ("shared", None)]
)
async def test_of_a_chat_from_elsewhere_only_the_servers_word_is_known(
    open_workspace, theirs: str, visibility: str | None
) -> None:
    chat = stored_chat(1, text_message("m", "user", "hi"))
    chat = replace(chat, summary=replace(chat.summary, visibility=theirs))
    session = await open_workspace(agent(stored={"chat-1": chat})).chats.open_chat("chat-1")
    assert session.known_terms == KnownTerms(visibility, None)  # type: ignore[arg-type]
    assert session.terms == ChatTerms("public" if theirs == "public" else "private")
    await session.aclose()
    assert await open_workspace(agent())._keeper.notes("chat-1") == {}


async def test_the_servers_visibility_wins_over_what_was_noted(open_workspace) -> None:
    first = open_workspace(agent(done()))
    session = first.chats.new_chat()
    session.set_terms(READ_ONLY)
    session.send("go")
    await over(session)
    await first.aclose()

    backend = agent(stored={session.chat_id: as_stored(session, "private")}, chat_error=AWAY)
    workspace = open_workspace(backend)
    copy = await workspace.chats.open_chat(session.chat_id)
    assert copy.known_terms == KnownTerms("public", True)
    heard: list[object] = []
    copy.observe(heard.append)
    backend.chat_error = None
    await workspace.chats.refresh_copies()
    assert copy.known_terms == KnownTerms("private", True)
    assert copy.terms == ChatTerms("private", read_only=True)
    assert TermsChanged() in heard


async def test_a_first_message_that_never_arrived_decides_nothing(open_workspace) -> None:
    backend = agent([[AWAY], *done()])
    session = open_workspace(backend).chats.new_chat()
    session.send("go")
    await over(session)
    assert session.set_terms(READ_ONLY)
    session.retry(session.messages[0].id)
    assert not session.set_terms(ChatTerms())
    await until(lambda: len(backend.posts) == 2)
    await over(session)
    assert [each.terms for each in backend.posts] == [ChatTerms(), READ_ONLY]


async def test_a_kai_that_does_not_keep_to_read_only_is_told_of(open_workspace) -> None:
    first = open_workspace(agent(done()))
    session = first.chats.new_chat()
    session.set_terms(READ_ONLY)
    session.send("go")
    await over(session)
    await first.aclose()
    stored = {session.chat_id: as_stored(session, "public")}
    again = await open_workspace(ScriptedBackend("continuation", stored=stored)).chats.open_chat(
        session.chat_id
    )
    heard: list[object] = []
    again.observe(heard.append)
    await until(lambda: heard)
    assert isinstance(heard[0], Notice)
    assert "does not keep to that" in heard[0].sentence


async def test_in_a_read_only_chat_a_change_is_asked_about_only_when_the_server_waits(
    open_workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_questions, "SILENCE_SECONDS", 0.02)
    refused: list[Step] = [
        e.Start("a"),
        e.ToolInputAvailable("c1", "create_bucket", {"name": "x"}, {}),
        e.ToolOutputError("c1", "This chat is read-only.", {}),
        e.Finish("stop"),
    ]
    waiting: list[Step] = [
        e.Start("b"),
        e.ToolInputAvailable("c2", "create_bucket", {"name": "x"}, {}),
        asyncio.Event(),
    ]
    workspace = open_workspace(agent([refused, waiting]))
    asked: list[object] = []
    workspace.approvals.observe(lambda _: asked.extend(workspace.approvals.pending))
    session = workspace.chats.new_chat()
    session.set_terms(READ_ONLY)
    session.send("make it")
    await over(session)
    assert asked == []
    session.send("again")
    await until(lambda: workspace.approvals.pending)
    assert "This chat is read-only" in (workspace.approvals.pending[0].note or "")


# What it is about


async def test_messages_are_about_the_object_until_it_is_removed(open_workspace) -> None:
    backend = agent(done(3))
    session = open_workspace(backend).chats.new_chat()
    session.set_context(TABLE)
    for text in ("one", "two"):
        session.send(text)
        await over(session)
    session.set_context(None)
    session.send("three")
    await over(session)
    assert [each.context_path for each in backend.posts] == [TABLE, TABLE, None]
    assert [each.about for each in session.messages if each.role == "user"] == [TABLE, TABLE, None]


async def test_a_waiting_message_keeps_the_context_it_was_written_with(open_workspace) -> None:
    gate = asyncio.Event()
    backend = agent([[gate, e.Finish("stop")], *done(3)])
    session = open_workspace(backend).chats.new_chat()
    session.send("one")
    session.send("about nothing")
    session.set_context(TABLE)
    session.send("about the table")
    session.set_context(BUCKET)
    session.send("about the bucket")
    gate.set()
    await until(lambda: len(backend.posts) == 4)
    assert [each.context_path for each in backend.posts] == [None, None, TABLE, BUCKET]


async def test_a_message_sent_again_keeps_the_context_it_was_written_with(open_workspace) -> None:
    backend = agent([[AWAY], *done()])
    session = open_workspace(backend).chats.new_chat()
    session.set_context(TABLE)
    session.send("go")
    await over(session)
    session.set_context(BUCKET)
    session.retry(session.messages[0].id)
    await until(lambda: len(backend.posts) == 2)
    assert [each.context_path for each in backend.posts] == [TABLE, TABLE]


async def test_after_a_restart_the_chat_and_its_unsent_message_are_about_the_same(open_workspace) -> None:
    first = open_workspace(agent([*done(), [AWAY]]))
    session = first.chats.new_chat()
    session.set_context(TABLE)
    session.send("one")
    await over(session)
    session.send("two")
    await until(lambda: session.delivery(session.messages[-1].id) == "not-sent")
    session.set_context(BUCKET)
    await first.aclose()

    backend = agent(done(2), stored={session.chat_id: as_stored(session, messages=1)})
    again = await open_workspace(backend).chats.open_chat(session.chat_id)
    assert again.context_path == BUCKET
    unsent = again.messages[-1]
    assert (unsent.text, unsent.about) == ("two", TABLE)
    again.retry(unsent.id)
    await over(again)
    again.send("three")
    await until(lambda: len(backend.posts) == 2)
    assert [each.context_path for each in backend.posts] == [TABLE, BUCKET]


async def test_waiting_messages_keep_their_context_over_a_restart(open_workspace) -> None:
    gate = asyncio.Event()
    first = open_workspace(agent([[e.Start("a"), gate]]))
    session = first.chats.new_chat()
    session.send("one")
    session.send("about nothing")
    session.set_context(TABLE)
    session.send("about the table")
    session.set_context(None)
    await until(lambda: len(session.messages) == 1 and session.turn.phase == "streaming")
    await first.aclose()

    backend = agent(done(2), stored={session.chat_id: as_stored(session)})
    again = await open_workspace(backend).chats.open_chat(session.chat_id)
    again.set_context(BUCKET)
    again.resume_queue()
    await until(lambda: len(backend.posts) == 2)
    assert [(each.text, each.context_path) for each in backend.posts] == [
        ("about nothing", None),
        ("about the table", TABLE),
    ]


async def test_the_note_is_gone_when_there_is_nothing_to_remember(open_workspace) -> None:
    workspace = open_workspace(agent(done()))
    session = workspace.chats.new_chat()
    session.set_context(TABLE)
    session.send("one")
    await over(session)
    session.set_context(None)
    await session.aclose()
    assert set(await workspace._keeper.notes(session.chat_id)) - {"unseen"} == {"terms"}


async def test_what_was_chosen_for_a_chat_that_never_began_goes_with_its_draft(open_workspace) -> None:
    first = open_workspace(agent())
    session = first.chats.new_chat()
    session.set_terms(READ_ONLY)
    session.set_context(TABLE)
    await session.aclose()
    await first.aclose()

    backend = agent(done())
    workspace = open_workspace(backend)
    fresh = workspace.chats.new_chat()
    await workspace.chats.begin_instead(fresh, session.chat_id)
    assert (fresh.terms, fresh.context_path) == (READ_ONLY, TABLE)
    assert await workspace._keeper.notes(session.chat_id) == {}
    fresh.send("go")
    await over(fresh)
    assert (backend.posts[0].terms, backend.posts[0].context_path) == (READ_ONLY, TABLE)


@pytest.mark.parametrize("metadata", [None, [], {"requestContext": []}, {"requestContext": {"path": 1}}, "x"])
def test_odd_metadata_is_about_nothing(metadata: object) -> None:
    wire = {"id": "m", "role": "user", "parts": [], "metadata": metadata}
    assert Message.from_wire(wire).about is None
