"""What the screen says about a turn that does not simply run: waits, losses, refused tokens, sleep."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from kai_tui.backends.base import (
    CHAT_GONE,
    Chat,
    ChatSummary,
    NotFound,
    RateLimited,
    TokenRefused,
    Waiting,
)
from kai_tui.conversation import events as e
from kai_tui.conversation.messages import Message, TextPart
from kai_tui.services.signing_in import AnotherProject
from kai_tui.services.wake import SleepWatch
from kai_tui.storage.credential_errors import CredentialsUnavailable
from kai_tui.ui.app import KaiApp
from kai_tui.ui.launch import LaunchOptions
from kai_tui.ui.modals.approval import ApprovalDialog
from kai_tui.ui.modals.renew import RenewDialog
from kai_tui.ui.modals.sign_in import SignInDialog
from kai_tui.ui.screens.chat import ChatScreen
from tests.services.scripted_backend import ScriptedBackend, Step
from tests.services.test_chat_session import write_call
from tests.ui.fakes import TOKEN, Clock, FakeAccounts, accounts_of, kai_account, until
from tests.ui.test_chat_screen import composer, ready, reply, words

WIDE = (120, 30)


class Story:
    """The program over a scripted backend, with clocks that stand still."""

    def __init__(self, home: Path, backend: ScriptedBackend, account_known: bool = True) -> None:
        self.clock, self.wall, self.backend = Clock(), Clock(), backend
        accounts = FakeAccounts(home, backend)
        accounts.turn_clock = self.clock
        accounts.listed = [kai_account()]
        self.accounts = accounts
        self.app = KaiApp(
            accounts,
            LaunchOptions(sandbox=not account_known),
            sleep_watch=SleepWatch(wall=self.wall, monotonic=self.clock),
        )

    async def begin(self, pilot: Pilot[object]) -> ChatScreen:
        if not self.app.options.sandbox:
            await until(pilot, lambda: "Project 1" in words(self.app))
            await pilot.press("down", "down", "enter")
        self.pilot = pilot
        return await ready(self.app, pilot)

    async def pass_time(self, seconds: float, *, asleep: bool = False) -> None:
        """Time passes for the session on screen; `asleep`: only for the wall clock."""
        self.wall.now += seconds
        if not asleep:
            self.clock.now += seconds
        session = self.screen.session
        assert session is not None
        session.beat()
        self.screen._status.refresh()
        await self.pilot.pause(0)

    @property
    def screen(self) -> ChatScreen:
        screen = self.app.screen_stack[0]
        assert isinstance(screen, ChatScreen)
        return screen

    async def sees(self, *texts: str) -> None:
        try:
            await until(self.pilot, lambda: all(text in flat(self.app) for text in texts), 10)
        except TimeoutError:
            raise AssertionError(f"not seen: {texts}; the screen is\n{words(self.app)}") from None


def flat(app: KaiApp) -> str:
    """What is on screen, as running text."""
    return " ".join(words(app).translate(str.maketrans("│▌", "  ")).split())


@asynccontextmanager
async def playing(home: Path, backend: ScriptedBackend, size: tuple[int, int] = WIDE) -> AsyncIterator[Story]:
    story = Story(home, backend)
    async with story.app.run_test(size=size) as pilot:
        await story.begin(pilot)
        yield story


# Silence


async def test_a_silent_reply_is_waited_for_in_words(own_home: Path) -> None:
    more = asyncio.Event()
    backend = ScriptedBackend(replies=[reply("Half of it", more, e.TextDelta("t", " and more"))])
    async with playing(own_home, backend) as story:
        await story.pilot.press(*"go", "enter")
        await story.sees("Half of it", "streaming")
        await story.pass_time(16)
        await story.sees("waiting 16 s")
        assert "Esc stops, or keep waiting" not in flat(story.app)
        await story.pass_time(46)
        await story.sees("Still nothing for 1 min 2 s: Esc stops, or keep waiting", "waiting 1 min 02 s")
        more.set()
        await story.sees("and more")
        await until(story.pilot, lambda: "Still nothing" not in flat(story.app))
        assert "waiting" not in flat(story.app)


# The server asks to wait


async def test_a_429_counts_down_on_the_message_and_goes_on_by_itself(own_home: Path) -> None:
    backend = ScriptedBackend(replies=[[RateLimited("Too many.", retry_after=42.0)], reply()])
    async with playing(own_home, backend) as story:
        await story.pilot.press(*"go", "enter")
        await story.sees(
            "The server asks to wait: sending again in 42 s · Esc cancels", "sending again in 42 s"
        )
        await story.pilot.press(*"typed meanwhile")
        await story.pass_time(32)
        await story.sees("sending again in 10 s · Esc cancels")
        assert composer(story.app).text == "typed meanwhile"
        await story.pass_time(11)
        await story.sees("West sold most.")
        assert [each.text for each in backend.posts] == ["go", "go"]
        assert composer(story.app).text == "typed meanwhile"


async def test_escape_cancels_the_wait_and_a_key_sends(own_home: Path) -> None:
    backend = ScriptedBackend(replies=[[RateLimited("Too many.", retry_after=42.0)], reply()])
    async with playing(own_home, backend) as story:
        await story.pilot.press(*"go", "enter")
        await story.sees("sending again in 42 s")
        await story.pilot.press("escape")
        await story.sees("not sent: The server asks to wait until", "Ctrl+S sends it")
        assert len(backend.posts) == 1
        await story.pilot.press("ctrl+s")
        await story.sees("West sold most.")
        assert backend.posts[0].message_id == backend.posts[1].message_id


async def test_leaving_the_chat_ends_the_wait(own_home: Path) -> None:
    backend = ScriptedBackend(replies=[[RateLimited("Too many.", retry_after=42.0)]])
    async with playing(own_home, backend) as story:
        session = story.screen.session
        assert session is not None
        await story.pilot.press(*"go", "enter")
        await story.sees("sending again in 42 s")
        await story.pilot.press("ctrl+n")
        await until(story.pilot, lambda: not session.turn.busy)
        assert not session.watched
        story.clock.now += 100
        session.beat()
        await story.pilot.pause(0.02)
        assert len(backend.posts) == 1


async def test_tries_to_connect_are_counted(own_home: Path) -> None:
    gate = asyncio.Event()
    backend = ScriptedBackend(replies=[[Waiting("Cannot reach kai.test.", 2.0, 2, 3), gate, *reply()]])
    async with playing(own_home, backend) as story:
        await story.pilot.press(*"go", "enter")
        await story.sees(
            "Cannot reach kai.test. Trying again in 2 s (2 of 3) · Esc stops",
            "connecting (2 of 3) again in 2 s",
        )
        await story.pilot.press("escape")
        await story.sees("not sent: Stopped before the server answered. · Ctrl+S sends it")


async def test_reading_that_is_tried_again_is_in_the_status_line(own_home: Path) -> None:
    backend = ScriptedBackend()
    async with playing(own_home, backend) as story:
        assert backend.on_wait is not None
        backend.on_wait(Waiting("Cannot reach kai.test.", 2.0, 2, 3))
        await story.sees("connecting (2 of 3) again in 2 s")
        backend.on_wait(None)
        await until(story.pilot, lambda: "connecting" not in flat(story.app))


# Cut off, stopped, gone


async def test_a_cut_reply_says_so_and_a_key_looks_again(own_home: Path) -> None:
    cut: list[Step] = [
        e.Start("answer"),
        e.TextStart("t"),
        e.TextDelta("t", "One two three"),
        e.ToolInputStart("c1", "query_data", {}),
        e.Finish("lost", detail="Connection lost after 3 words."),
    ]
    backend = ScriptedBackend(replies=[cut])
    async with playing(own_home, backend) as story:
        await story.pilot.press(*"go", "enter")
        await story.sees(
            "cut off: Connection lost after 3 words. What came is kept. · F5 looks again", "interrupted"
        )
        session = story.screen.session
        assert session is not None
        whole = Message("answer", "assistant", [TextPart({"type": "text", "text": "One two three four"})])
        question = Message.user(backend.posts[0].message_id, "go")
        backend.stored[session.chat_id] = Chat(ChatSummary(session.chat_id, "t"), [question, whole])
        await story.pilot.press("f5")
        await story.sees("One two three four", "The server had more of it, which is shown.")


async def test_stopping_says_that_the_server_may_go_on(own_home: Path) -> None:
    async with playing(own_home, ScriptedBackend(replies=[reply("Half", asyncio.Event())])) as story:
        await story.pilot.press(*"go", "enter")
        await story.sees("Half")
        await story.pilot.press("escape")
        await story.sees("stopped. Kai may still be working on the server. · F5 looks again")


async def test_a_chat_that_is_gone_goes_on_in_a_new_one(own_home: Path) -> None:
    gone = NotFound("This chat no longer exists on the server.", code=CHAT_GONE)
    backend = ScriptedBackend(replies=[reply("First."), [gone], reply("In the new one.")])
    async with playing(own_home, backend) as story:
        await story.pilot.press(*"one", "enter")
        await story.sees("First.")
        first = story.screen.session
        await story.pilot.press(*"two", "enter")
        await story.sees("This chat no longer exists on the server · Enter starts a new chat with your text")
        await story.sees("Ctrl+S sends it in a new chat", "First.")
        await story.pilot.press("ctrl+s")
        await story.sees("In the new one.")
        assert story.screen.session is not first
        assert [each.text for each in backend.posts] == ["one", "two", "two"]
        assert "no longer exists on the server · Enter" not in flat(story.app)


# A token that is refused


def refusing(*more: list[Step]) -> ScriptedBackend:
    return ScriptedBackend(replies=[[TokenRefused("Token refused by kai.test.", status=401)], *more])


async def renewal(story: Story) -> RenewDialog:
    await until(
        story.pilot, lambda: isinstance(story.app.screen, RenewDialog) and story.app.screen.is_mounted
    )
    dialog = story.app.screen
    assert isinstance(dialog, RenewDialog)
    return dialog


async def test_a_refused_token_is_renewed_over_the_chat_and_nothing_is_sent_by_itself(own_home: Path) -> None:
    backend = refusing(reply())
    async with playing(own_home, backend) as story:
        screen, workspace = story.screen, story.screen.workspace
        await story.pilot.press(*"go", "enter", *"a draft")
        dialog = await renewal(story)
        await story.sees("Project 1", "https://connection.test", "Token refused by kai.test.")
        assert TOKEN not in words(story.app)
        dialog.query_one("#token", Input).value = TOKEN
        await story.pilot.press("enter")
        await until(story.pilot, lambda: story.app.screen is screen)
        assert accounts_of(story.app).renewals == [("project-1", TOKEN, "keyring")]
        assert [token.reveal() for token in backend.tokens] == [TOKEN]
        assert story.app.workspace is workspace
        assert len(backend.posts) == 1
        assert composer(story.app).text == "a draft"
        await story.sees("not sent: The token was refused. · Ctrl+S sends it")
        await story.pilot.press("ctrl+s")
        await story.sees("West sold most.")
        assert backend.posts[0].message_id == backend.posts[1].message_id


async def test_the_dialog_comes_once_for_many_refusals_and_not_again_when_put_away(own_home: Path) -> None:
    backend = refusing([TokenRefused("Token refused by kai.test.", status=401)])
    async with playing(own_home, backend) as story:
        refused = TokenRefused("Token refused by kai.test.", status=401)
        assert backend.on_refused is not None
        for _ in range(3):
            backend.on_refused(refused)
        await renewal(story)
        await story.pilot.press("escape")
        await until(story.pilot, lambda: story.app.screen is story.screen)
        backend.on_refused(refused)
        await story.pilot.pause(0.05)
        assert story.app.screen is story.screen
        assert backend.tokens == []
        await story.pilot.press(*"go", "enter")
        await renewal(story)  # the user wanted something that needs it
        await story.pilot.press("escape")
        await story.sees("not sent: The token was refused.")
        assert len(backend.posts) == 1


async def test_the_dialog_waits_until_the_user_pauses(own_home: Path) -> None:
    backend = ScriptedBackend()
    async with playing(own_home, backend) as story:
        await story.pilot.press(*"typing")
        assert backend.on_refused is not None
        backend.on_refused(TokenRefused("Token refused by kai.test.", status=401))
        await story.pilot.press(*" on")
        assert composer(story.app).text == "typing on"
        dialog = await renewal(story)
        assert dialog.query_one("#token", Input).value == ""
        assert composer(story.app).text == "typing on"


async def test_a_token_of_another_project_changes_nothing_and_can_be_opened_for_itself(
    own_home: Path,
) -> None:
    backend = refusing()
    async with playing(own_home, backend) as story:
        accounts_of(story.app).renew_errors = [AnotherProject("Other project", "2")]
        accounts_of(story.app).branches = None
        await story.pilot.press(*"go", "enter")
        dialog = await renewal(story)
        dialog.query_one("#token", Input).value = TOKEN
        await story.pilot.press("enter")
        await story.sees("“Other project”, not of this account", "Another token", "Open that project")
        assert backend.tokens == []
        await story.pilot.press("tab", "enter")
        await until(story.pilot, lambda: isinstance(story.app.screen, SignInDialog))
        await until(story.pilot, lambda: accounts_of(story.app).sign_ins)
        assert accounts_of(story.app).sign_ins == [("https://connection.test", TOKEN, None)]


@pytest.mark.parametrize("choice", ["memory", pytest.param("file", marks=pytest.mark.slow)])
async def test_a_good_token_that_cannot_be_kept_is_asked_about(own_home: Path, choice: str) -> None:
    backend = refusing()
    async with playing(own_home, backend) as story:
        accounts_of(story.app).renew_errors = [CredentialsUnavailable("This system has no keyring.")]
        await story.pilot.press(*"go", "enter")
        dialog = await renewal(story)
        dialog.query_one("#token", Input).value = TOKEN
        await story.pilot.press("enter")
        await story.sees("This system has no keyring.", "Only this session")
        await story.pilot.press(*(("tab",) if choice == "file" else ()), "enter")
        await until(story.pilot, lambda: story.app.screen is story.screen)
        assert [keep for _, _, keep in accounts_of(story.app).renewals] == ["keyring", choice]


async def test_a_question_typed_into_the_dialog_is_sent_nowhere(own_home: Path) -> None:
    async with playing(own_home, refusing()) as story:
        await story.pilot.press(*"go", "enter")
        await renewal(story)
        await story.pilot.press(*"what is this", "enter")
        await story.sees("A token has no spaces in it. Nothing was sent.")
        assert accounts_of(story.app).renewals == []


async def test_without_an_address_to_check_at_the_usual_sign_in_opens_once(own_home: Path) -> None:
    backend = ScriptedBackend()
    story = Story(own_home, backend)
    story.accounts.listed = [kai_account()._replace(storage_url="")]
    async with story.app.run_test(size=WIDE) as pilot:
        await story.begin(pilot)
        assert backend.on_refused is not None
        for _ in range(3):
            backend.on_refused(TokenRefused("Token refused by kai.test.", status=401))
        await until(pilot, lambda: isinstance(story.app.screen, SignInDialog))
        await pilot.pause(0.05)
        assert sum(isinstance(each, SignInDialog) for each in story.app.screen_stack) == 1
        await pilot.press("escape")
        await until(pilot, lambda: story.app.screen is story.screen)


# Sleep


async def test_after_a_sleep_a_dead_stream_is_cut_off_and_read_back(own_home: Path) -> None:
    backend = ScriptedBackend(replies=[reply("Half of it", asyncio.Event())])
    async with playing(own_home, backend) as story:
        await story.pilot.press(*"go", "enter")
        await story.sees("Half of it")
        session = story.screen.session
        assert session is not None
        whole = Message("answer", "assistant", [TextPart({"type": "text", "text": "Half of it, and all"})])
        question = Message.user(backend.posts[0].message_id, "go")
        backend.stored[session.chat_id] = Chat(ChatSummary(session.chat_id, "t"), [question, whole])
        await story.pass_time(3600, asleep=True)
        story.app.look_at_clocks()
        await until(
            story.pilot, lambda: [n.message for n in story.app._notifications] == ["Was asleep. Checking…"]
        )
        await until(story.pilot, lambda: backend.connections_dropped == 1)
        assert session.turn.busy
        await story.pass_time(11)
        await story.sees("Half of it, and all", "the computer was asleep", "F5 looks again")
        assert len(backend.posts) == 1


async def test_after_a_sleep_a_stream_that_lives_goes_on(own_home: Path) -> None:
    more, end = asyncio.Event(), asyncio.Event()
    backend = ScriptedBackend(replies=[reply("Half", more, e.TextDelta("t", " and more"), end)])
    async with playing(own_home, backend) as story:
        await story.pilot.press(*"go", "enter")
        await story.sees("Half")
        await story.pass_time(60, asleep=True)
        story.app.look_at_clocks()
        await story.pass_time(1)
        more.set()
        await story.sees("Half and more")
        await story.pass_time(11)
        end.set()
        session = story.screen.session
        assert session is not None
        await until(story.pilot, lambda: session.turn.reason == "stop")


async def test_after_a_sleep_a_waiting_question_is_read_again(own_home: Path) -> None:
    asked: list[Step] = [
        e.Start("answer"),
        *write_call(),
        e.ToolApprovalRequest("w1", "a1", {}),
        e.Finish("tool-calls"),
    ]
    backend = ScriptedBackend(style="continuation", replies=[asked])
    async with playing(own_home, backend) as story:
        await story.pilot.press(*"go", "enter")
        await until(story.pilot, lambda: isinstance(story.app.screen, ApprovalDialog))
        session = story.screen.session
        assert session is not None
        settled = Message("answer", "assistant", [TextPart({"type": "text", "text": "Somebody said no."})])
        question = Message.user(backend.posts[0].message_id, "go")
        backend.stored[session.chat_id] = Chat(ChatSummary(session.chat_id, "t"), [question, settled])
        story.wall.now += 3600
        story.app.look_at_clocks()
        await until(story.pilot, lambda: story.app.screen is story.screen)
        await story.sees("Somebody said no.")
        assert backend.answered == []


async def test_a_clock_that_is_set_right_is_no_sleep(own_home: Path) -> None:
    async with playing(own_home, ScriptedBackend()) as story:
        story.wall.now += 4
        story.app.look_at_clocks()
        story.wall.now -= 3000
        story.app.look_at_clocks()
        await story.pilot.pause(0.02)
        assert list(story.app._notifications) == []


# Drafts


async def test_a_draft_that_is_taken_up_is_not_left_behind_in_the_new_chat(own_home: Path) -> None:
    backend = ScriptedBackend(stored={"old": Chat(ChatSummary("old", "Old"), [Message.user("u", "Hi")])})
    story = Story(own_home, backend)
    workspace = story.accounts.open(kai_account())
    await workspace.save_draft("old", "from the crash")
    await workspace.aclose()
    async with story.app.run_test(size=WIDE) as pilot:
        await story.begin(pilot)
        await until(pilot, lambda: composer(story.app).text == "from the crash")
        await until(pilot, lambda: story.screen.session is not None and story.screen.session.chat_id == "old")
        composer(story.app).load("")
        await story.screen.keep_draft()
        assert await story.screen.workspace.last_draft() is None
