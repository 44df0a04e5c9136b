"""A yes that holds for a while: what is chosen is what is said, and no stray key gives it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual import events
from textual.app import App
from textual.pilot import Pilot

from kai_tui.conversation.reviews.review import ObjectRef
from kai_tui.conversation.reviews.reviewing import review
from kai_tui.services.approval_service import Approval
from kai_tui.services.grants import GrantTerms
from kai_tui.ui.modals.allow import AllowDialog
from kai_tui.ui.themes import THEMES
from tests.ui.fakes import Clock, approval, until

TABLE = ObjectRef("table", "in.c-crm.customers")
NOTHING = object()


class Host(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.answer: object = NOTHING
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "kai-dark"


class Story:
    def __init__(self, app: Host, pilot: Pilot[None], dialog: AllowDialog, clock: Clock) -> None:
        self.app, self.pilot, self.dialog, self.clock = app, pilot, dialog, clock

    @property
    def text(self) -> str:
        lines = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in line) for line in lines)

    @property
    def words(self) -> str:
        """What is said, without the frame and the line breaks of its width."""
        return " ".join(self.text.replace("│", " ").split())

    async def quiet(self, seconds: float = 0.7) -> None:
        for _ in range(round(seconds / 0.1)):
            self.clock.now += 0.1
            self.dialog.beat()
            await self.pilot.pause(0)

    async def press(self, *keys: str) -> None:
        for key in keys:
            self.clock.now += 0.1
            self.dialog.beat()
            await self.pilot.press(key)
        await self.pilot.pause(0)

    async def answered(self) -> object:
        await until(self.pilot, lambda: self.app.answer is not NOTHING)
        return self.app.answer


def update(**changes: object) -> Approval:
    fields: dict[str, object] = {
        "tool_name": "update_descriptions",
        "title": "Update descriptions",
        "input": {"updates": [{"item_id": "in.c-crm.customers", "description": "Who buys"}]},
        "risk": "changes",
    }
    return approval(**(fields | changes))


@asynccontextmanager
async def allowing(
    question: Approval | None = None, size: tuple[int, int] = (80, 24), *, quiet: bool = True
) -> AsyncIterator[Story]:
    clock, app, asked = Clock(), Host(), question or update()
    dialog = AllowDialog(asked, review(asked.tool_name, asked.input, title_given=asked.title))
    dialog.keep_time(clock, lambda event: clock())
    async with app.run_test(size=size) as pilot:
        app.push_screen(dialog, lambda result: setattr(app, "answer", result))
        await until(
            pilot, lambda: dialog.is_mounted and "Allow for a while" in Story(app, pilot, dialog, clock).text
        )
        story = Story(app, pilot, dialog, clock)
        if quiet:
            await story.quiet()
        yield story


async def test_the_narrowest_terms_are_offered_first() -> None:
    async with allowing() as story:
        assert "only this table" in story.text
        assert (
            "Further calls of update_descriptions about table in.c-crm.customers and its columns, in this chat, on "
            "branch MAIN, run without a question for 10 minutes, at most 5 calls." in story.words
        )
        await story.press("right", "enter")
        assert await story.answered() == GrantTerms(
            "update_descriptions", of=TABLE, chat_id="chat", minutes=10, calls=5
        )


async def test_what_is_chosen_is_what_is_said_and_given() -> None:
    async with allowing(size=(140, 45)) as story:
        await story.press("tab", "right", "down", "right", "down", "left", "down", "right")
        assert "about anything, in every chat of My project" in story.words
        assert "run without a question for 20 calls." in story.words
        await story.press("down")
        await story.quiet()
        await story.press("right", "enter")
        assert await story.answered() == GrantTerms("update_descriptions", calls=20)


@pytest.mark.parametrize("key", ["enter", "escape"])
async def test_enter_and_esc_alone_allow_nothing(key: str) -> None:
    async with allowing() as story:
        await story.press(key)
        assert await story.answered() is None


async def test_nothing_counts_before_half_a_second_of_quiet() -> None:
    async with allowing(quiet=False) as story:
        await story.press("right", "enter", "right", "enter")
        assert story.app.answer is NOTHING
        assert story.dialog.chosen == "back"


@pytest.mark.some(2)
@pytest.mark.parametrize("keys", ["a", "y", "space", "1"])
async def test_typing_takes_the_arming_back(keys: str) -> None:
    async with allowing() as story:
        await story.press("right", keys, "enter")
        assert story.app.answer is NOTHING
        assert not story.dialog.guard.armed


async def test_a_changed_choice_is_read_before_it_can_be_given() -> None:
    """At a size where the words do not fit, their end has to be seen anew."""
    long = update(input={"updates": [{"item_id": "in.c-crm." + "x" * 400, "description": "d"}]})
    async with allowing(long, size=(60, 20)) as story:
        await story.press("right", "enter")
        assert story.app.answer is NOTHING
        assert "Read on to the end first" in story.text
        await story.press(*["pagedown"] * 6)
        await story.quiet()
        await story.press("enter")
        given = await story.answered()
        assert isinstance(given, GrantTerms)
        assert given.of == ObjectRef("table", "in.c-crm." + "x" * 400)


@pytest.mark.parametrize("size", [(30, 6), (59, 24), (80, 17)])
async def test_too_small_a_window_allows_nothing(size: tuple[int, int]) -> None:
    async with allowing(size=size) as story:
        await story.press("right", "enter")
        assert story.app.answer is NOTHING


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (140, 45), (200, 60)])
async def test_everything_has_room(size: tuple[int, int]) -> None:
    async with allowing(size=size) as story:
        for words in ("About", "Where", "How long", "At most", "Approve and allow", "Back"):
            assert words in story.text, words


async def test_a_call_about_several_objects_cannot_be_narrowed() -> None:
    both = [{"item_id": each, "description": "d"} for each in ("in.c-crm.customers", "in.c-crm.orders")]
    async with allowing(update(input={"updates": both})) as story:
        assert "only this" not in story.text
        assert "about anything" in story.words
        await story.press("right", "enter")
        given = await story.answered()
        assert isinstance(given, GrantTerms)
        assert given.of is None


async def test_a_question_that_is_gone_allows_nothing() -> None:
    async with allowing() as story:
        story.dialog.lapse()
        await story.press("right", "enter")
        assert story.app.answer is NOTHING
        assert "no longer open" in story.text


async def test_clicks_choose_and_give_only_when_armed() -> None:
    async with allowing() as story:
        await story.pilot.click("#allow-about", offset=(36, 0))
        assert "about anything" in story.words
        await story.pilot.click("#answer-allow")
        assert story.app.answer is NOTHING
        await story.quiet()
        await story.pilot.click("#answer-allow")
        assert await story.answered() == GrantTerms(
            "update_descriptions", chat_id="chat", minutes=10, calls=5
        )


async def test_after_a_stall_or_a_new_size_the_mark_is_back() -> None:
    """What was marked before the machine slept, or before everything moved, is no choice any more."""
    for happens in ("stall", "size", "paste"):
        async with allowing(size=(140, 45)) as story:
            await story.press("right")
            assert story.dialog.chosen == "allow"
            if happens == "stall":
                story.clock.now += 3
            elif happens == "size":
                await story.pilot.resize_terminal(120, 40)
            else:
                story.app.screen._forward_event(events.Paste("x"))
            await story.quiet()
            assert story.dialog.guard.armed
            await story.press("enter")
            assert await story.answered() is None, happens
