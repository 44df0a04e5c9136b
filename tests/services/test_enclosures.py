"""Files and addresses that go with messages: never lost on the way, never sent without being read anew."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kai_tui.backends.base import Backend
from kai_tui.conversation.messages import FilePart
from kai_tui.services.account import SANDBOX
from kai_tui.services.chat_session import ChatSession
from kai_tui.services.disk_keeper import DiskKeeper
from kai_tui.services.enclosures import Enclosure, of_file
from kai_tui.services.local_files import look_at
from kai_tui.services.workspace import Workspace
from kai_tui.storage.paths import Paths, account_files
from tests.backends.assistant_ui.kit import backend as assistant_ui
from tests.backends.imbrace.kit import account
from tests.backends.kai_server import Gate, answer, hang_up
from tests.fakes.assistant_ui import FakeAssistantUi
from tests.fakes.imbrace import ImbraceFake
from tests.services.scripted_backend import until

POST = "POST /ai-agent/v2/chat"
PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 40
PAGE = Enclosure("https://files.example.com/plan.pdf", "plan.pdf", False, media_type="application/pdf")


@pytest.fixture
async def fake() -> AsyncIterator[ImbraceFake]:
    async with ImbraceFake() as running:
        yield running


@asynccontextmanager
async def entered(fake: ImbraceFake | FakeAssistantUi, folder: Path) -> AsyncIterator[Workspace]:
    async def open_backend() -> Backend:
        return account(fake.url) if isinstance(fake, ImbraceFake) else assistant_ui(fake.url)

    who = SANDBOX._replace(id="files")
    files = account_files(Paths(folder, folder, folder, folder), who.id)
    workspace = Workspace(who, open_backend, DiskKeeper(files))
    workspace.connect()
    await until(lambda: workspace.connection.state == "connected", 20)
    try:
        yield workspace
    finally:
        await workspace.aclose()


@pytest.fixture
def picture(tmp_path: Path) -> Enclosure:
    (tmp_path / "a.png").write_bytes(PNG)
    return of_file(look_at(str(tmp_path / "a.png")))


async def over(session: ChatSession) -> None:
    await until(lambda: session.turn.phase == "finished" and not session.queue, 20)


def shown(session: ChatSession, number: int = 0) -> list[tuple[str, str]]:
    parts = [part for part in session.messages[number].parts if isinstance(part, FilePart)]
    return [
        (str(part.fields.get("filename") or part.fields.get("name")), str(part.fields["url"]))
        for part in parts
    ]


def posted(fake: ImbraceFake) -> list[list[str]]:
    """The names of the files of each message that was posted."""
    return [
        [part["name"] for part in seen.body["messages"][0]["parts"] if part["type"] == "file"]
        for seen in fake.calls(POST)
    ]


async def test_a_file_is_stored_and_its_address_goes_with_the_message(
    fake: ImbraceFake, tmp_path: Path, picture: Enclosure
):
    async with entered(fake, tmp_path) as workspace:
        session = workspace.chats.new_chat()
        session.enclose(picture, PAGE)
        session.send("Look at these")
        assert session.enclosed == ()
        # Shown with the message from the first moment on.
        assert [name for name, _ in shown(session)] == ["a.png", "plan.pdf"]
        await over(session)
        assert posted(fake) == [["a.png", "plan.pdf"]]
        assert fake.uploads == [({}, "a.png", PNG)]
        assert [url[:26] for _, url in shown(session)] == ["https://files.example.com/"] * 2
        session.send("And without")
        await over(session)
        assert posted(fake)[1] == []
        chat_id = session.chat_id
    async with entered(fake, tmp_path) as workspace:
        again = await workspace.chats.open_chat(chat_id)
        assert [name for name, _ in shown(again)] == ["a.png", "plan.pdf"]
        assert again.enclosed == ()


async def test_an_image_goes_whole_to_an_assistant_ui(tmp_path: Path, picture: Enclosure):
    async with FakeAssistantUi() as fake, entered(fake, tmp_path) as workspace:
        session = workspace.chats.new_chat()
        session.enclose(picture)
        session.send("image")
        await over(session)
        parts = fake.seen[-1].body["commands"][0]["message"]["parts"]
        assert [part["type"] for part in parts] == ["text", "image"]
        assert parts[1]["image"].startswith("data:image/png;base64,iVBOR")


async def test_a_file_that_went_away_keeps_the_message_from_being_sent_until_it_is_back(
    fake: ImbraceFake, tmp_path: Path, picture: Enclosure
):
    async with entered(fake, tmp_path) as workspace:
        session = workspace.chats.new_chat()
        session.enclose(picture)
        (tmp_path / "a.png").unlink()
        session.send("Look")
        await over(session)
        (message,) = session.messages
        assert session.delivery(message.id) == "not-sent"
        assert "There is no file" in (session.why_not_sent(message.id) or "")
        assert fake.calls(POST) == []
        (tmp_path / "a.png").write_bytes(PNG)
        session.retry(message.id)
        await over(session)
        assert posted(fake) == [["a.png"]]


async def test_what_is_stored_already_is_not_stored_again_by_a_retry(
    fake: ImbraceFake, tmp_path: Path, picture: Enclosure
):
    async with entered(fake, tmp_path) as workspace:
        session = workspace.chats.new_chat()
        session.enclose(picture)
        fake.on(POST, answer(429, {"message": "slow down"}))
        session.send("Look")
        await over(session)
        assert session.delivery(session.messages[0].id) == "not-sent"
        fake.on(POST)
        session.retry(session.messages[0].id)
        await over(session)
        assert len(fake.uploads) == 1
        assert posted(fake)[-1] == ["a.png"]


async def test_what_was_chosen_and_what_was_not_sent_outlives_the_program(
    fake: ImbraceFake, tmp_path: Path, picture: Enclosure
):
    async with entered(fake, tmp_path) as workspace:
        session = workspace.chats.new_chat()
        session.send("Hello")
        await over(session)
        fake.on("POST /data-board/boards/upload", hang_up)
        session.enclose(picture)
        session.send("Look")
        await over(session)
        session.enclose(PAGE)
        chat_id, message_id = session.chat_id, session.messages[-1].id
        assert session.delivery(message_id) == "not-sent"
    fake.on("POST /data-board/boards/upload")
    async with entered(fake, tmp_path) as workspace:
        again = await workspace.chats.open_chat(chat_id)
        assert again.enclosed == (PAGE,)
        assert shown(again, -1) == [("a.png", "")]
        again.retry(message_id)
        await over(again)
        assert posted(fake)[-1] == ["a.png"]
        assert again.enclosed == (PAGE,)


async def test_something_attached_to_no_words_is_found_again(fake: ImbraceFake, tmp_path: Path):
    async with entered(fake, tmp_path) as workspace:
        session = workspace.chats.new_chat()
        session.enclose(PAGE)
        chat_id = session.chat_id
    async with entered(fake, tmp_path) as workspace:
        assert await workspace.last_draft() == (chat_id, "")
        fresh = workspace.chats.new_chat()
        await workspace.chats.begin_instead(fresh, chat_id)
        assert fresh.enclosed == (PAGE,)
        assert (await workspace.last_draft(fresh.chat_id)) is None


async def test_queued_messages_keep_theirs_and_give_them_back(
    fake: ImbraceFake, tmp_path: Path, picture: Enclosure
):
    gate = Gate()

    async def slow(exchange):
        await gate.wait()
        await hang_up(exchange)

    async with entered(fake, tmp_path) as workspace:
        session = workspace.chats.new_chat()
        fake.on(POST, slow)
        session.send("First")
        await until(lambda: fake.calls(POST), 20)
        session.enclose(picture)
        session.send("Second")
        session.enclose(PAGE)
        session.send("Third")
        assert session.enclosed == ()
        assert session.take_newest() == "Third"
        assert session.enclosed == (PAGE,)
        fake.on(POST)
        session.stop()
        await until(lambda: session.turn.phase == "finished", 20)
        session.send_next()
        await over(session)
        assert posted(fake)[-1] == ["a.png"]
        gate.open()


async def test_what_goes_along_is_on_disk_before_the_words_are(
    fake: ImbraceFake, tmp_path: Path, picture: Enclosure, monkeypatch: pytest.MonkeyPatch
):
    """A crash in between must not leave words that are sent again without their file."""
    written: list[str] = []
    keep_note, keep_outgoing = DiskKeeper.keep_note, DiskKeeper.keep_outgoing

    async def note(self, chat_id, kind, value):
        await keep_note(self, chat_id, kind, value)
        if kind == "enclosed":
            written.append(f"note of {len((value or {}).get('messages', {}))}")

    async def outgoing(self, chat_id, message_id, text):
        await keep_outgoing(self, chat_id, message_id, text)
        written.append("words")

    monkeypatch.setattr(DiskKeeper, "keep_note", note)
    monkeypatch.setattr(DiskKeeper, "keep_outgoing", outgoing)
    async with entered(fake, tmp_path) as workspace:
        session = workspace.chats.new_chat()
        session.enclose(picture)
        session.send("Look")
        await over(session)
    assert written.index("note of 1") < written.index("words")
    # The server has both: nothing is kept any more.
    assert written[-1] == "note of 0"


async def test_other_words_for_a_question_go_with_what_went_with_it(
    fake: ImbraceFake, tmp_path: Path, picture: Enclosure
):
    async with entered(fake, tmp_path) as workspace:
        session = workspace.chats.new_chat()
        session.enclose(picture)
        session.send("Look")
        await over(session)
        session.enclose(PAGE)
        assert session.ask_again(session.messages[0].id, "Look closer")
        await over(session)
        assert posted(fake) == [["a.png"], ["a.png"]]
        assert len(fake.uploads) == 1
        # What was chosen for the next message is still for that.
        assert session.enclosed == (PAGE,)


async def test_a_stop_while_a_file_is_stored_sends_nothing(
    fake: ImbraceFake, tmp_path: Path, picture: Enclosure
):
    gate = Gate()

    async def slow(exchange):
        await gate.wait()
        await hang_up(exchange)

    async with entered(fake, tmp_path) as workspace:
        session = workspace.chats.new_chat()
        fake.on("POST /data-board/boards/upload", slow)
        session.enclose(picture)
        session.send("Look")
        await until(lambda: fake.calls("POST /data-board/boards/upload"), 20)
        session.stop()
        await over(session)
        assert session.delivery(session.messages[0].id) == "not-sent"
        assert fake.calls(POST) == []
        gate.open()
