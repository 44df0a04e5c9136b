"""An interview as a user goes through it, without a screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from kai_tui.backends.base import BackendError
from kai_tui.backends.system import Choice, Field, Guide, NewAccount
from kai_tui.ui.interview import HIDDEN, Interview, shown, why_not
from tests.ui.fake_system import ADDRESS, SECRET, FakeSystem, no_server, wrong_key


class Player:
    """Runs an interview as the dialog does, and answers it."""

    def __init__(self, fake: FakeSystem, settings: dict[str, str] | None = None, **how: Any) -> None:
        self.fake = fake
        self.interview: Interview[NewAccount] = Interview(
            lambda guide: fake.interview(guide, settings or {}), self._changed, **how
        )
        self.news = asyncio.Event()
        self.result: NewAccount | None = None
        self.task: asyncio.Task[None] | None = None
        self.start()

    def _changed(self) -> None:
        self.news.set()

    def start(self) -> None:
        if self.task is not None:
            self.task.cancel()
        self.task = asyncio.create_task(self._go())

    async def _go(self) -> None:
        while True:
            try:
                self.result = await self.interview.run()
                self.news.set()
                return
            except BackendError as error:
                self.interview.failed(error.sentence)

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                self.news.clear()
                await self.news.wait()

    async def asked(self, name: str) -> Field:
        await self.until(lambda: self.now.question is not None and self.now.question.name == name)
        assert self.now.question is not None
        return self.now.question

    async def says(self, name: str, text: str) -> None:
        await self.asked(name)
        assert self.interview.answer(text)

    def back(self, typed: str = "") -> bool:
        went = self.interview.back(typed)
        if went:
            self.start()
        return went

    @property
    def now(self):
        return self.interview.now


async def to_the_agent(player: Player) -> None:
    await player.says("address", ADDRESS)
    await player.says("key", SECRET)
    await player.asked("agent")


async def test_answers_are_checked_shown_and_handed_over() -> None:
    player = Player(FakeSystem())
    await player.says("address", "  fake.test ")
    await player.says("key", SECRET)
    await player.says("agent", "agent-2")
    await player.says("verbose", "no")
    await player.says("prompt", "two\nlines \n")
    await player.until(lambda: player.result is not None)
    assert player.result is not None
    assert player.result.secret is not None
    assert player.result.settings["address"] == "https://fake.test"
    assert player.result.settings["prompt"] == "two\nlines \n"
    assert player.result.secret.reveal() == SECRET
    lines = [(each.kind, each.text, each.value, each.checked) for each in player.now.lines]
    assert lines == [
        ("answer", "Address", "fake.test", True),
        ("answer", "API key", HIDDEN, True),
        ("told", "signed in as Ada", "", False),
        ("done", "looking for agents", "", False),
        ("told", "3 agents", "", False),
        ("answer", "Agent", "Agent 2", False),
        ("answer", "Show its thoughts", "no", False),
        ("answer", "Instructions", "2 lines", False),
    ]


async def test_what_is_refused_is_asked_again_with_what_was_typed() -> None:
    fake = FakeSystem(address_errors=[no_server()])
    player = Player(fake)
    await player.says("address", "fake.test")
    await player.until(lambda: player.now.problem)
    assert player.now.problem == no_server().sentence
    assert player.now.text == "fake.test"
    await player.says("address", "fake.test")
    await player.asked("key")
    assert player.now.problem == ""
    assert fake.checked == ["fake.test", "fake.test"]


async def test_a_step_back_asks_nothing_of_the_server_again() -> None:
    fake = FakeSystem()
    player = Player(fake)
    await to_the_agent(player)
    await player.says("agent", "agent-3")
    await player.asked("verbose")
    assert player.back("yes")
    await player.asked("agent")
    assert player.now.text == "agent-3"
    assert [each.text for each in player.now.lines][-1] == "3 agents"
    await player.says("agent", "agent-3")
    await player.asked("verbose")
    assert player.now.text == "yes", "what stood in the field that was left is there again"
    assert fake.checked == [ADDRESS, "agents"]
    assert fake.secrets == [SECRET]


async def test_back_to_the_secret_has_it_in_the_field_and_tries_it_anew() -> None:
    fake = FakeSystem()
    player = Player(fake)
    await to_the_agent(player)
    assert player.back()
    await player.asked("key")
    assert player.now.text == SECRET
    await player.says("key", SECRET)
    await player.asked("agent")
    assert fake.secrets == [SECRET, SECRET]
    assert fake.checked == [ADDRESS, "agents", "agents"]


async def test_a_secret_typed_for_one_address_is_not_offered_for_another() -> None:
    """T14: Enter in a field full of dots would send it there."""
    player = Player(FakeSystem())
    await player.says("address", ADDRESS)
    await player.asked("key")
    assert player.back(SECRET)
    await player.says("address", ADDRESS)
    await player.asked("key")
    assert player.now.text == SECRET, "the same address: nothing has to be typed again"
    assert player.back(SECRET)
    await player.says("address", "https://other.test")
    await player.asked("key")
    assert player.now.text == ""
    assert SECRET not in repr(player.interview._tape)  # pyright: ignore[reportPrivateUsage]
    assert player.task is not None
    player.task.cancel()


async def test_back_from_a_running_check_gives_it_up() -> None:
    fake = FakeSystem(gate=asyncio.Event())
    player = Player(fake)
    await player.says("address", "fake.test")
    await player.until(lambda: player.now.doing)
    assert player.interview.can_go_back
    assert player.back("")
    await player.asked("address")
    assert player.now.text == "fake.test"
    assert not player.now.doing
    assert not player.interview.can_go_back
    assert not player.back("x")
    fake.gate.set()  # type: ignore[union-attr]
    await asyncio.sleep(0)
    assert player.now.question is not None
    assert player.now.question.name == "address"


async def test_another_answer_leads_another_way() -> None:
    player = Player(FakeSystem())
    await to_the_agent(player)
    await player.says("agent", "agent-1")
    await player.says("verbose", "yes")
    await player.says("depth", "4")
    await player.asked("prompt")
    assert player.back()
    assert await player.asked("depth")
    assert player.back()
    assert await player.asked("verbose")
    await player.says("verbose", "no")
    await player.asked("prompt")
    assert "How deep" not in [each.text for each in player.now.lines]


async def test_an_interview_that_cannot_go_on_asks_its_last_question_again() -> None:
    fake = FakeSystem(late_errors=[no_server()])
    player = Player(fake)
    await to_the_agent(player)
    await player.says("agent", "agent-1")
    await player.says("verbose", "no")
    await player.says("prompt", "hello")
    await player.until(lambda: player.now.problem)
    assert (await player.asked("prompt")).name == "prompt"
    assert player.now.text == "hello"
    await player.says("prompt", "hello")
    await player.until(lambda: player.result is not None)


async def test_signing_in_again_asks_for_nothing_but_the_secret() -> None:
    settings = {"address": ADDRESS, "agent": "agent-2", "verbose": "no", "prompt": ""}
    player = Player(FakeSystem(), settings, skips_known=True)
    await player.says("key", SECRET)
    await player.until(lambda: player.result is not None)
    assert player.result is not None
    assert dict(player.result.settings) == settings


async def test_signing_in_again_stops_where_something_is_refused() -> None:
    settings = {"address": ADDRESS, "agent": "agent-2", "verbose": "no"}
    player = Player(FakeSystem(address_errors=[no_server()]), settings, skips_known=True)
    await player.asked("address")
    assert player.now.problem == no_server().sentence
    assert player.now.text == ADDRESS


async def test_signing_in_again_can_step_back_to_what_was_skipped() -> None:
    player = Player(FakeSystem(secret_errors=[wrong_key()]), {"address": ADDRESS}, skips_known=True)
    await player.says("key", SECRET)
    await player.until(lambda: player.now.problem)
    assert player.back()
    await player.asked("address")
    assert player.now.text == ADDRESS
    assert player.now.problem == ""


async def test_what_was_caught_by_the_interview_is_the_same_on_the_way_back() -> None:
    tries: list[str] = []

    async def health() -> str:
        tries.append("health")
        raise no_server()

    async def whole(guide: Guide) -> str:
        try:
            await guide.check("looking", health)
        except BackendError:
            guide.tell("no health")
        await guide.ask(Field("one", "One"))
        return await guide.ask(Field("two", "Two"))

    news = asyncio.Event()
    interview: Interview[str] = Interview(whole, news.set)

    async def asked(name: str) -> None:
        async with asyncio.timeout(5):
            while interview.now.question is None or interview.now.question.name != name:
                news.clear()
                await news.wait()

    task = asyncio.create_task(interview.run())
    await asked("one")
    interview.answer("1")
    await asked("two")
    interview.back("")
    task.cancel()
    task = asyncio.create_task(interview.run())
    await asked("one")
    interview.answer("1")
    await asked("two")
    interview.answer("2")
    assert await task == "2"
    assert tries == ["health"]


async def test_nothing_typed_stays_behind() -> None:
    player = Player(FakeSystem())
    await to_the_agent(player)
    player.back()
    await player.asked("key")
    player.interview.forget()
    assert player.now.text == ""
    assert SECRET not in repr(vars(player.interview)) + repr(player.now)
    assert player.task is not None
    player.task.cancel()


@pytest.mark.parametrize(
    ("question", "text", "why"),
    [
        (Field("a", "A"), "  ", "This is needed."),
        (Field("a", "A", "secret"), "", "Paste it here."),
        (Field("a", "A", required=False), "", ""),
        (Field("a", "A", "switch"), "maybe", "Say yes or no."),
        (Field("a", "A", "choice", choices=(Choice("", "none"),)), "", ""),
        (Field("a", "A", "choice", choices=(Choice("x", "X"),)), "y", "Choose one of these."),
        (Field("a", "A", "lines"), "\n", "This is needed."),
    ],
)
def test_why_an_answer_is_none(question: Field, text: str, why: str) -> None:
    assert why_not(question, text) == why


def test_a_secret_is_never_shown() -> None:
    assert SECRET not in shown(Field("a", "A", "secret"), SECRET)
