"""The list of all waiting questions: a yes only after reading, nothing sent but by a deliberate word."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from textual.pilot import Pilot

from kai_tui.backends.base import Chat, ChatSummary
from kai_tui.services.approval_service import Decision
from kai_tui.services.disk_keeper import DiskKeeper
from kai_tui.storage.inbox import Asked, to_note
from kai_tui.storage.paths import account_files
from kai_tui.ui.app import KaiApp
from kai_tui.ui.inbox_rows import age_words
from kai_tui.ui.modals.approval import ApprovalDialog
from kai_tui.ui.modals.inbox import InboxDialog
from kai_tui.ui.screens.chat import ChatScreen
from tests.services.scripted_backend import ScriptedBackend
from tests.services.test_chat_session import asking, text_reply
from tests.ui.fakes import Clock, accounts_of, app_for, arm, kai_account, until
from tests.ui.test_approval_desk import Decisions, started, words


@dataclass
class Room:
    app: KaiApp
    pilot: Pilot[object]
    clock: Clock
    asked: Decisions

    @property
    def inbox(self) -> InboxDialog:
        assert isinstance(self.app.screen, InboxDialog)
        return self.app.screen

    def says(self, *texts: str) -> bool:
        shown = words(self.app)
        return all(text in shown for text in texts)

    async def ask(self, *calls: str, **changes: object) -> None:
        """Questions that wait, put off."""
        for call in calls:
            fields = {
                "input": {"name": call, "stage": "out"},
                "digest": f"digest of {call}",
                "message_id": call,
            }
            self.asked.ask(call, **(fields | changes))
        self.app.desk.put_off_all()
        self.app.desk.update()

    async def open(self) -> None:
        self.clock.now += 2
        await self.pilot.press("alt+q")
        await until(
            self.pilot, lambda: isinstance(self.app.screen, InboxDialog) and self.app.screen.is_mounted
        )
        await until(self.pilot, lambda: self.inbox._elsewhere is not None)

    async def quiet(self) -> None:
        """Until the list is armed."""
        for _ in range(12):
            self.clock.now += 0.1
            self.inbox.beat()
        await self.pilot.pause()
        assert self.inbox.guard.armed

    async def key(self, *keys: str) -> None:
        """As a person presses them."""
        for each in keys:
            self.clock.now += 0.2
            if isinstance(self.app.screen, InboxDialog):
                self.inbox.beat()
            await self.pilot.press(each)
            await self.pilot.pause()

    async def approve_opened(self) -> None:
        """In the question that was opened from the list: read it, then yes."""
        await until(
            self.pilot, lambda: isinstance(self.app.screen, ApprovalDialog) and self.app.screen.is_mounted
        )
        dialog = self.app.screen
        assert isinstance(dialog, ApprovalDialog)
        await arm(self.pilot, dialog, self.clock)
        await self.pilot.press("end")
        await until(self.pilot, lambda: (dialog.beat(), dialog.why_not() is None)[1])
        self.clock.now += 0.2
        dialog.beat()
        await self.pilot.press("right")
        self.clock.now += 0.2
        dialog.beat()
        await self.pilot.press("enter")
        await until(self.pilot, lambda: isinstance(self.app.screen, InboxDialog))


@asynccontextmanager
async def room(
    home: Path,
    *,
    size: tuple[int, int] = (100, 34),
    backend: ScriptedBackend | None = None,
    known: Sequence[object] = (),
) -> AsyncIterator[Room]:
    clock = Clock()
    app = app_for(home, backend, clock=clock, known=known)  # type: ignore[arg-type]
    async with app.run_test(size=size, notifications=True) as pilot:
        await started(app, pilot)
        yield Room(app, pilot, clock, Decisions(app))


@pytest.mark.slow
async def test_one_question_opens_itself_several_open_the_list(own_home: Path) -> None:
    async with room(own_home) as here:
        await here.ask("one")
        here.clock.now += 2
        await here.pilot.press("f3")
        await until(here.pilot, lambda: isinstance(here.app.screen, ApprovalDialog))
        dialog = here.app.screen
        assert isinstance(dialog, ApprovalDialog)
        await arm(here.pilot, dialog, here.clock)
        await here.pilot.press("escape")
        await until(here.pilot, lambda: isinstance(here.app.screen, ChatScreen))
        await here.ask("two")
        here.clock.now += 2
        await here.pilot.press("f3")
        await until(here.pilot, lambda: isinstance(here.app.screen, InboxDialog))
        await until(here.pilot, lambda: here.says("Waiting for you", "2 here", "one", "two"))
        assert here.asked.made == []


async def test_d_marks_a_no_and_nothing_goes_before_it_is_sent(own_home: Path) -> None:
    async with room(own_home) as here:
        await here.ask("one", "two")
        await here.open()
        await here.quiet()
        await here.key("d")
        await until(here.pilot, lambda: here.says("deny", "Send 1 answer"))
        assert here.asked.made == []
        await here.key("tab")
        await until(here.pilot, lambda: here.says("Ready: Enter sends"))
        await here.key("enter")
        await until(here.pilot, lambda: here.asked.made)
        assert here.asked.made == [("one", Decision(approved=False))]
        await until(here.pilot, lambda: here.says("1 answer is on its way", "1 here"))


async def test_it_closes_when_everything_was_answered(own_home: Path) -> None:
    async with room(own_home) as here:
        await here.ask("one", "two")
        await here.open()
        await here.quiet()
        await here.key("d", "d")
        await until(here.pilot, lambda: here.says("Send 2 answers"))
        await here.quiet()
        await here.key("tab")
        await until(here.pilot, lambda: here.says("Ready: Enter sends"))
        await here.key("enter")
        await until(here.pilot, lambda: len(here.asked.made) == 2)
        await until(here.pilot, lambda: isinstance(here.app.screen, ChatScreen))


@pytest.mark.slow
async def test_no_key_approves_and_enter_only_opens_the_question(own_home: Path) -> None:
    async with room(own_home) as here:
        await here.ask("one", "two")
        await here.open()
        await here.quiet()
        await here.key("a", "y", "space")
        assert here.asked.made == []
        assert not here.says("approve")
        await here.quiet()
        await here.key("enter")
        await until(here.pilot, lambda: isinstance(here.app.screen, ApprovalDialog))
        assert here.asked.made == []


async def test_a_yes_needs_the_question_read_to_its_end_and_then_the_list_sends_it(own_home: Path) -> None:
    long = {"name": "one", "sql": "\n".join(f"line {n}" for n in range(200))}
    async with room(own_home) as here:
        await here.ask("one", input=long)
        await here.ask("two")
        await here.open()
        await here.quiet()
        await here.key("enter")
        await until(
            here.pilot, lambda: isinstance(here.app.screen, ApprovalDialog) and here.app.screen.is_mounted
        )
        dialog = here.app.screen
        assert isinstance(dialog, ApprovalDialog)
        await until(here.pilot, lambda: here.says("sent from the list"))
        await arm(here.pilot, dialog, here.clock)
        await here.key("right", "enter")
        assert here.app.screen is dialog
        await here.key("left")
        await here.approve_opened()
        assert here.asked.made == []
        await until(here.pilot, lambda: here.says("approve", "Send 1 answer"))
        await here.quiet()
        await here.key("tab", "enter")
        await until(here.pilot, lambda: here.asked.made == [("one", Decision(approved=True))])


async def test_sending_obeys_the_guard(own_home: Path) -> None:
    """Not in the first half second, not in a burst, not after anything else was pressed."""
    async with room(own_home) as here:
        await here.ask("one", "two")
        await here.open()
        await here.pilot.press("d", "tab")
        await here.pilot.pause()
        await until(here.pilot, lambda: here.says("Send 1 answer"))
        assert not here.says("Enter sends")
        await here.quiet()
        await here.pilot.press("tab", "d", "enter")
        await here.pilot.pause()
        assert here.asked.made == []
        if isinstance(here.app.screen, ApprovalDialog):
            await arm(here.pilot, here.app.screen, here.clock)
            await here.pilot.press("escape")
        await until(here.pilot, lambda: isinstance(here.app.screen, InboxDialog))
        await here.quiet()
        await here.key("tab")
        await here.key("x")
        await here.key("enter")
        await here.pilot.pause()
        assert here.asked.made == []
        await here.pilot.app.workers.wait_for_complete()
        assert here.asked.made == []


@pytest.mark.slow
async def test_leaving_with_unsent_answers_is_asked_about_once(own_home: Path) -> None:
    async with room(own_home) as here:
        await here.ask("one", "two")
        await here.open()
        await here.quiet()
        await here.key("d", "escape")
        await until(here.pilot, lambda: here.says("is not sent"))
        assert isinstance(here.app.screen, InboxDialog)
        await here.key("escape")
        await until(here.pilot, lambda: isinstance(here.app.screen, ChatScreen))
        assert here.asked.made == []
        # They keep waiting, and none of them jumps up.
        here.clock.now += 5
        here.app.desk.update()
        await here.pilot.pause()
        assert isinstance(here.app.screen, ChatScreen)
        assert here.app.desk.waiting == 2


async def test_an_answer_to_what_changed_or_went_is_taken_back(own_home: Path) -> None:
    async with room(own_home) as here:
        await here.ask("one", "two", "three")
        await here.open()
        await here.quiet()
        await here.key("d", "d")
        await until(here.pilot, lambda: here.says("Send 2 answers"))
        here.asked.service.withdraw("chat", "one")
        here.asked.ask("two", digest="another", input={"name": "something else"}, message_id="two")
        await until(here.pilot, lambda: here.says("changed or went meanwhile", "Send the answers"))
        assert not here.inbox.guard.armed
        await here.quiet()
        await here.key("tab", "enter")
        assert here.asked.made == []


async def test_what_the_rules_forbid_is_not_said_to_be_on_its_way(own_home: Path) -> None:
    async with room(own_home) as here:
        await here.ask("one", "two")
        await here.open()
        await here.quiet()
        await here.key("d")
        await until(here.pilot, lambda: here.says("Send 1 answer"))
        here.asked.service.decide = lambda *_: False  # type: ignore[method-assign]
        await here.key("tab", "enter")
        await until(here.pilot, lambda: here.says("1 answer was not sent"))
        assert not here.says("on its way")


async def test_a_question_that_waits_long_says_so(own_home: Path) -> None:
    async with room(own_home) as here:
        await here.ask("one", asked_at=time.time() - 3 * 3600 - 5)
        here.clock.now += 2
        await here.pilot.press("f3")
        await until(
            here.pilot, lambda: isinstance(here.app.screen, ApprovalDialog) and here.says("asked 3 h ago")
        )


async def test_a_question_that_changes_while_it_is_read_is_read_anew_and_still_not_sent(
    own_home: Path,
) -> None:
    async with room(own_home) as here:
        await here.ask("one", "two")
        await here.open()
        await here.quiet()
        await here.key("enter")
        await until(
            here.pilot, lambda: isinstance(here.app.screen, ApprovalDialog) and here.app.screen.is_mounted
        )
        here.asked.ask("one", digest="another", input={"name": "something else"}, message_id="one")
        await until(here.pilot, lambda: isinstance(here.app.screen, InboxDialog))
        await here.quiet()
        await here.key("end", "enter")
        await until(
            here.pilot, lambda: isinstance(here.app.screen, ApprovalDialog) and here.says("something else")
        )
        dialog = here.app.screen
        assert isinstance(dialog, ApprovalDialog)
        await arm(here.pilot, dialog, here.clock)
        await here.key("enter")
        await until(
            here.pilot, lambda: isinstance(here.app.screen, InboxDialog) and here.says("Send 1 answer")
        )
        assert here.asked.made == []


async def test_what_goes_with_an_answer_is_said_before_it_is_sent(own_home: Path) -> None:
    async with room(own_home) as here:
        await here.ask("one", "two")
        await here.open()
        first, second = (each.approval for each in here.inbox._list._rows[:2])
        assert first is not None
        assert second is not None
        here.inbox._decided(first, Decision(approved=False, reason="wrong\x1b object"))
        await until(here.pilot, lambda: here.says("your answer: deny: wrong", "object"))
        here.inbox._decided(second, Decision(approved=True, updated_input={"name": "zwei", "stage": "out"}))
        await here.key("down")
        await until(here.pilot, lambda: here.says('your answer: approve with changes: name: "two" → "zwei"'))


@pytest.mark.slow
async def test_u_takes_an_answer_back(own_home: Path) -> None:
    async with room(own_home) as here:
        await here.ask("one", "two")
        await here.open()
        await here.quiet()
        await here.key("d", "up", "u")
        await until(here.pilot, lambda: here.says("Send the answers"))
        assert here.asked.made == []


def v6() -> ScriptedBackend:
    return ScriptedBackend(style="continuation", replies=[asking("w1", "w2")], answers=[text_reply("done")])


async def test_answers_of_one_message_go_in_one_post_and_only_all_of_them(own_home: Path) -> None:
    backend = v6()
    async with room(own_home, backend=backend) as here:
        workspace = here.app.workspace
        assert workspace is not None
        session = workspace.chats.new_chat()
        session.send("go")
        await until(here.pilot, lambda: len(workspace.approvals.pending) == 2)
        backend.stored[session.chat_id] = Chat(
            ChatSummary(session.chat_id, "t"), [each.reopened() for each in session.messages]
        )
        here.app.desk.put_off_all()
        await until(
            here.pilot, lambda: isinstance(here.app.screen, ApprovalDialog) or not here.app.desk.showing
        )
        if isinstance(here.app.screen, ApprovalDialog):
            await arm(here.pilot, here.app.screen, here.clock)
            await here.pilot.press("escape")
            await until(here.pilot, lambda: isinstance(here.app.screen, ChatScreen))
            here.app.desk.put_off_all()
        await here.open()
        await until(here.pilot, lambda: here.says("┌", "└"))
        await here.quiet()
        await here.key("d")
        await until(
            here.pilot, lambda: here.says("waits for the rest of", "those go together", "Send the answers")
        )
        await here.key(
            "tab", "enter"
        )  # nothing to send: the key stays in the list and opens the other question
        await here.approve_opened()
        await until(here.pilot, lambda: here.says("Send 2 answers"))
        assert backend.answered == []
        await here.quiet()
        await here.key("tab", "enter")
        await until(here.pilot, lambda: backend.answered)
        assert [[each.approved for each in answers] for answers in backend.answered] == [[False, True]]
        assert {each.tool_call_id for each in backend.answered[0]} == {"w1", "w2"}


async def waits_in(app_home: Path, account_id: str, paths) -> None:
    asked_then = Asked(
        "w9", "d9", tool_name="run_job", sentence="Run the job of CRM", effect="runs",
        chat_title="Nightly", branch="main", asked_at=time.time() - 7200,
    )  # fmt: skip
    keeper = DiskKeeper(account_files(paths, account_id))
    await keeper.keep_note("chat-9", "asked", to_note([asked_then], "gone"))
    await keeper.aclose()


async def test_what_waits_in_another_account_is_listed_counted_and_opens_it(own_home: Path) -> None:
    other = kai_account()
    clock = Clock()
    app = app_for(own_home, clock=clock, known=[other])
    await waits_in(own_home, other.id, app.accounts.paths)
    async with app.run_test(size=(120, 34), notifications=True) as pilot:
        await started(app, pilot)
        await until(pilot, lambda: "1 waits in another account" in words(app))
        here = Room(app, pilot, clock, Decisions(app))
        await here.open()
        await until(pilot, lambda: here.says("Run the job of CRM", "2 h", "opens it", "1 in another account"))
        assert here.says("as last known", "Project 1", "branch MAIN")
        await here.quiet()
        await here.key("enter")
        await until(pilot, lambda: accounts_of(app).opened[-1].id == other.id)
        await until(pilot, lambda: isinstance(app.screen, ChatScreen))


@pytest.mark.slow
async def test_from_the_start_screen_too(own_home: Path) -> None:
    other = kai_account()
    clock = Clock()
    app = app_for(own_home, clock=clock, known=[other], sandbox=False)
    await waits_in(own_home, other.id, app.accounts.paths)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "sandbox" in words(app))
        app.action_show_inbox()
        await until(pilot, lambda: isinstance(app.screen, InboxDialog) and "Run the job of CRM" in words(app))


async def test_a_question_that_was_not_read_again_cannot_be_answered(own_home: Path) -> None:
    async with room(own_home) as here:
        workspace = here.app.workspace
        assert workspace is not None
        workspace.inbox._rows["chat-1"] = {"w1": Asked("w1", "d", tool_name="run_job", sentence="Run a job")}
        workspace.inbox._observers.tell(None)
        await until(here.pilot, lambda: here.says("1 decision waits"))
        await here.open()
        await until(here.pilot, lambda: here.says("Run a job", "not read yet", "asked again as soon as"))
        await here.quiet()
        await here.key("d", "enter", "tab", "enter")
        assert isinstance(here.app.screen, InboxDialog)
        assert here.says("not read yet", "Send the answers")
        await here.key("delete")
        await until(here.pilot, lambda: here.says("Nothing waits for you."))
        assert workspace.inbox.unread == []


@pytest.mark.slow
async def test_nothing_waits_says_so(own_home: Path) -> None:
    async with room(own_home) as here:
        await here.pilot.press("f3")
        await until(here.pilot, lambda: here.says("No question waits for you"))
        here.app.action_show_inbox()
        await until(here.pilot, lambda: here.says("Nothing waits for you."))
        await here.key("escape")
        await until(here.pilot, lambda: isinstance(here.app.screen, ChatScreen))


@pytest.mark.parametrize(
    "size",
    [(30, 8), *(pytest.param(each, marks=pytest.mark.slow) for each in ((40, 14), (80, 24), (200, 60)))],
)
async def test_it_works_at_every_size(own_home: Path, size: tuple[int, int]) -> None:
    async with room(own_home, size=size) as here:
        await here.ask("one", "two")
        await here.open()
        await here.quiet()
        await until(here.pilot, lambda: here.says("Send the"))
        await here.key("d")
        await until(here.pilot, lambda: here.says("Send 1", "deny"))
        await here.key("tab", "enter")
        await until(here.pilot, lambda: here.asked.made == [("one", Decision(approved=False))])


async def test_many_questions_with_long_notes_leave_room_for_the_button(own_home: Path) -> None:
    async with room(own_home, size=(80, 24)) as here:
        await here.ask(*(f"call-{n}" for n in range(30)), note="Asked before kai-tui ended. " * 6)
        await here.open()
        await until(here.pilot, lambda: here.says("call-0", "30 here", "Send the answers", "Esc closes"))
        await here.key("end")
        await until(here.pilot, lambda: here.says("call-29", "Send the answers", "Esc closes"))
        await here.quiet()
        await here.key("d")
        await until(here.pilot, lambda: here.says("Send 1 answer"))


async def test_foreign_text_in_it_is_only_text(own_home: Path) -> None:
    odd = "[red]x[/] \x1b]8;;http://evil\x07\u202egpj.exe\nSend 9 answers"
    async with room(own_home) as here:
        await here.ask("one", chat_title=odd, tool_name=odd, title=odd, input={"name": odd}, note=None)
        await here.ask("two")
        await here.open()
        await until(here.pilot, lambda: here.says("two"))
        shown = words(here.app)
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "[red]" in shown
        assert not any(line.strip().startswith("Send 9 answers") for line in shown.splitlines())


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "now"), (59, "now"), (60, "1 min"), (7300, "2 h"), (86400 * 3.5, "3 d"), (-5, "now")],
)
def test_ages(seconds: float, shown: str) -> None:
    assert age_words(1_000_000.0, 1_000_000.0 + seconds) == shown
    assert age_words(0, 5) == ""


async def test_a_new_connection_disarms_the_list_and_a_decided_question_is_left_to_the_user(
    own_home: Path,
) -> None:
    async with room(own_home) as here:
        await here.ask("one", "two")
        await here.open()
        await here.quiet()
        await here.key("d", "tab")
        await until(here.pilot, lambda: here.says("Ready: Enter sends"))
        assert set(here.asked.service.reserved) == {("chat", "one")}
        here.app.desk.disarm()
        assert not here.inbox.guard.armed
        here.inbox.beat()  # at the next pulse the cursor is back in the list: Enter only opens a question
        await here.pilot.press("enter")
        await until(
            here.pilot, lambda: isinstance(here.app.screen, ApprovalDialog) and here.app.screen.is_mounted
        )
        assert here.asked.made == []
        dialog = here.app.screen
        assert isinstance(dialog, ApprovalDialog)
        await arm(here.pilot, dialog, here.clock)
        await here.pilot.press("escape")
        await until(here.pilot, lambda: isinstance(here.app.screen, InboxDialog))
        await here.quiet()
        assert here.asked.made == []
        await here.key("escape", "escape")
        await until(here.pilot, lambda: isinstance(here.app.screen, ChatScreen))
        assert set(here.asked.service.reserved) == set()
        here.app.desk.disarm()
