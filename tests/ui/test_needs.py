"""What a system does not have is not offered: every action, for everything one can talk to."""

from __future__ import annotations

from pathlib import Path

import pytest

from kai_tui.backends.base import Capabilities
from kai_tui.ui.actions import ACTIONS
from kai_tui.ui.modals.help import help_text
from kai_tui.ui.needs import KAI_AT_FIRST, NEEDS, NOTHING_YET, is_there, known_caps, without
from kai_tui.ui.palette import ActionProvider
from kai_tui.ui.screens.chat import ChatScreen
from tests.contract.table import TABLE
from tests.services.scripted_backend import ScriptedBackend
from tests.ui.fakes import app_for, kai_account
from tests.ui.test_chat_screen import ready

QUESTIONS = {
    "review_waiting", "choose", "decide", "scroll_arguments", "decide_later",
    "show_grants", "revoke_grants", "toggle_read_only", "undo_change",
}  # fmt: skip
VOTES = {"vote_up", "vote_down"}
PANELS = {"edit_instructions", "tool_permissions"}
FILES = {"attach_file", "detach_file"}
LOCAL = {"look_again", "refresh_chats"}
MISSING: dict[str, set[str]] = {
    "kai-agent": {"delete_all_chats", *FILES, "answer_left_open", "restore_chat", "deleted_chats"},
    "kai-assistant": {"delete_all_chats", *PANELS, *FILES, "restore_chat", "deleted_chats"},
    "sandbox": {"delete_all_chats", *FILES, "answer_left_open", "restore_chat", "deleted_chats"},
    "imbrace": {*PANELS, "answer_left_open", "chat_terms", "show_tokens", "restore_chat", "deleted_chats"},
    "imbrace-model": {*PANELS, *FILES, *QUESTIONS, *VOTES, *LOCAL, "answer_left_open", "chat_terms", "restore_chat", "deleted_chats"},
    "aui-data": {"delete_all_chats", *PANELS, *VOTES, *LOCAL, "chat_terms", "restore_chat", "deleted_chats"},
    "knowrithm": {"delete_all_chats", *PANELS, *FILES, *QUESTIONS, *VOTES, "answer_left_open", "chat_terms"},
    "kiss": {"delete_all_chats",
        *PANELS, *FILES, *QUESTIONS, *VOTES, *LOCAL,
        "answer_left_open", "chat_terms", "show_tokens", "restore_chat", "deleted_chats",
    },
}  # fmt: skip
"""By hand, from protocols/README.md §1. Whether chats that are kept here can be deleted is up to who keeps them."""


@pytest.mark.parametrize("system", MISSING)
def test_every_action_is_offered_exactly_where_it_can_be_done(system: str):
    caps = TABLE[system].caps
    missing = {each.name for each in ACTIONS if not is_there(each.name, caps)}
    assert missing - {"delete_chat", "delete_listed"} == MISSING[system]
    assert ("delete_chat" in missing) == (not caps.delete)


def test_every_need_is_of_an_action_and_says_what_is_missing():
    names = {each.name for each in ACTIONS}
    assert set(NEEDS) <= names
    for name in NEEDS:
        sentence = without(name, "iMBRACE")
        assert sentence.startswith("iMBRACE ")
        assert sentence.endswith(".")


def test_before_it_is_known_kai_has_its_usual_things_and_others_have_nothing():
    account = kai_account()
    assert known_caps(account, None) is KAI_AT_FIRST
    other = type(account)("x", "imbrace", "Somewhere")
    assert known_caps(other, None) is NOTHING_YET
    caps = Capabilities(approval="none")
    assert known_caps(other, caps) is caps


@pytest.mark.parametrize("system", ["kai-agent", "imbrace-model", "knowrithm"])
async def test_palette_and_help_offer_what_is_there(tmp_path: Path, system: str):
    caps = TABLE[system].caps
    backend = ScriptedBackend(
        style=caps.approval,
        offers={name: getattr(caps, name) for name in Capabilities._fields if name != "approval"},
    )
    app = app_for(tmp_path, backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        screen = app.screen
        assert isinstance(screen, ChatScreen)
        offered = {str(hit.text) async for hit in ActionProvider(screen).discover()}
        shown = help_text(70, screen.denies).plain
        for item in ACTIONS:
            if not is_there(item.name, caps):
                assert item.label not in offered, item.name
                assert " ".join(item.help.split()[:6]) not in " ".join(shown.split()) or item.name in LOCAL
        assert ("What can be done" in shown) is False
        await screen.run_action("chat_terms")
        await pilot.pause()
        assert (app.screen is screen) == ("chat_terms" in MISSING[system])


def test_help_says_what_a_system_cannot_do():
    shown = help_text(70, name="Knowrithm", lacks=("Answers come in one piece.",)).plain
    assert "Limits of Knowrithm\n· Answers come in one piece." in shown
