"""The hostile corpus in the question before a change, in small and large windows (t_approval_display, P3, D5-D8)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from textual.widgets import Static

from kai_tui.conversation.safe_text import Pairs
from kai_tui.services.approval_service import Approval
from kai_tui.ui.modals.reading_view import ReadingView
from tests.hostile_cases import HostileCase, each_case, unwrapped
from tests.hostile_payloads import hostile_texts
from tests.ui.fakes import approval
from tests.ui.test_approval_dialog import Desk, asked

ACTS = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\xa0\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e0fff]"
)
"""What may never be drawn: it acts on the terminal, hides, or reorders."""

SIZES = pytest.mark.parametrize(
    "size",
    [
        pytest.param((30, 6), marks=pytest.mark.slow),
        (80, 24),
        pytest.param((200, 60), marks=pytest.mark.slow),
    ],
)


def question(case: HostileCase) -> Approval:
    arguments = case.fields.get("args")
    if "raw_args" in case.fields:
        arguments = json.loads(case.fields["raw_args"], object_pairs_hook=Pairs)
    tool = case.fields["tool"]
    return approval(tool_name=tool, title=tool, input=arguments)


def views(desk: Desk) -> Iterator[ReadingView]:
    return (view for view in desk.dialog.query(ReadingView) if view.display)


def to_read(desk: Desk) -> str:
    """All lines that can be scrolled to and what stands above them, folding undone."""
    head = [str(desk.dialog.query_one(f"#{name}", Static).visual) for name in ("what", "facts", "hidden")]
    lines = [line for view in views(desk) for line in view._lines]
    return "\n".join(
        [*head, "".join(line.text for line in lines), *(line.text + line.aside for line in lines)]
    )


async def drawn(desk: Desk, pages: int) -> str:
    """What is on screen, page by page from the first one, and the last page."""
    shown = [desk.text]
    for key in ["pagedown"] * pages + ["end"]:
        if desk.dialog.panes.end_seen:
            break
        desk.dialog.panes.scroll_by(key)
        await desk.pilot.pause(0)
        shown.append(desk.text)
    await desk.pass_time(0.3)
    return "\n".join(shown)


@pytest.mark.some(6)
@SIZES
@each_case("approval-args", "approval-tool", "approval-raw")
async def test_the_corpus_is_shown_whole_and_does_nothing(case: HostileCase, size: tuple[int, int]) -> None:
    async with asked(question(case), size) as desk:
        await desk.arm()
        dialog = desk.dialog
        beginning = desk.text
        if not dialog.panes.end_seen:
            assert dialog.why_not() is not None, "nothing is approved that was not on screen to its end"
        elif case.expect.get("approve_enabled_before_end_seen") is True and size[1] > 20:
            assert dialog.why_not() is None
        text = to_read(desk)
        screens = beginning + await drawn(desk, 4)
        for wanted in case.strings("must_show"):
            assert unwrapped(wanted) in unwrapped(text)
        for point in case.strings("must_show_codepoints"):
            assert point in text
        for forbidden in (*case.strings("must_not_show"), *case.strings("must_not_emit")):
            assert forbidden not in text
            assert forbidden not in screens
        if case.must_flag:
            assert "! " in text or dialog.why_not() is not None
        for words in (case.expect.get("gap_marker"), case.expect.get("shows_size")):
            assert not words or words in text
        for key in case.expect.get("keys_listed", ()):
            assert key in text
        assert dialog.panes.end_seen, "the end can be reached"
        assert not ACTS.search(text)
        assert not ACTS.search(screens)
        # Deny stays there whatever the text does to the window.
        assert "Deny" in desk.text
        assert dialog.chosen == "deny"


@SIZES
async def test_every_place_of_a_question_holds_what_is_hostile(size: tuple[int, int]) -> None:
    texts = [text[:120] for _, text in hostile_texts(odd=True)]
    for first in range(0, len(texts), 24):
        evil = " ".join(texts[first : first + 24])
        changes = {"item_id": evil, "description": evil}
        asks = approval(
            tool_name="update_descriptions",
            title=evil,
            account=evil,
            host=evil,
            branch=evil,
            chat_title=evil,
            rule="the server asks",
            input={"updates": [changes], "change_description": evil, evil: evil},
        )
        async with asked(asks, size) as desk:
            await desk.arm()
            assert not ACTS.search(to_read(desk))
            assert not ACTS.search(await drawn(desk, 3))
            assert "Deny" in desk.text


@pytest.mark.some(2)
@pytest.mark.parametrize(
    "size",
    [
        (30, 6),
        (40, 14),
        pytest.param((60, 20), marks=pytest.mark.slow),
        (80, 24),
        pytest.param((119, 30), marks=pytest.mark.slow),
        (120, 30),
        pytest.param((140, 45), marks=pytest.mark.slow),
        pytest.param((200, 60), marks=pytest.mark.slow),
    ],
)
async def test_every_size_shows_what_can_be_answered(size: tuple[int, int]) -> None:
    long = approval(
        title="x" * 500,
        tool_name="y" * 500,
        account="z" * 300,
        host="h" * 300,
        chat_title="c" * 300,
        branch="b" * 200,
        input={"sql": "\n".join(f"line {number}" for number in range(50))},
    )
    async with asked(long, size) as desk:
        await desk.arm()
        lines = desk.text.splitlines()
        assert any("Deny" in line for line in lines)
        assert any("◐" in line or "●" in line for line in lines), "the state is always said"
        text = to_read(desk)
        for name in ("x" * 500, "y" * 500, "z" * 300, "h" * 300, "c" * 300, "b" * 200):
            assert name in text, "what has no room in the head is in the scroll"
        await desk.press("end")
        await desk.pass_time(0.3)
        assert "line 49" in text
        assert (desk.dialog.why_not() is None) == (size[0] >= 40 and size[1] >= 14)
