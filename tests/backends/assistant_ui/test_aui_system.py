"""An account of an Assistant UI server: paths, headers or a command, and all that can be set (assistant-ui.md §1-§6)."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kai_tui.backends.assistant_ui import settings as aui
from kai_tui.backends.assistant_ui.config import AssistantUiConfig, ClientTool, HeaderCommand
from kai_tui.backends.assistant_ui.system import SYSTEM
from kai_tui.backends.assistant_ui.threads import KeptThreads, Thread
from kai_tui.backends.base import Refused, TokenRefused
from kai_tui.backends.secret import Secret, SecretLine
from kai_tui.services.other_systems import AnotherAccount
from tests.backends.guide import ScriptedGuide
from tests.backends.kai_server import answer
from tests.fakes.assistant_ui import TOKEN, FakeAssistantUi
from tests.services.accounts_kit import Keyring, files_with, interviewed, keyring, service

__all__ = ["keyring"]


@pytest.fixture
async def server() -> AsyncIterator[FakeAssistantUi]:
    async with FakeAssistantUi() as running:
        yield running


async def test_headers_are_checked_and_kept_apart_from_the_settings(
    own_home: Path, server: FakeAssistantUi, keyring: Keyring
) -> None:
    accounts = service(own_home)
    typed = json.dumps({"Authorization": f"Bearer {TOKEN}", "X-Org": "needle-org-1"})
    guide = ScriptedGuide(
        {"address": server.url, "headers": ["a b\u00e9", "Host: elsewhere", "canary-wrong-1", typed]}
    )
    new = await interviewed(accounts, "assistant-ui", guide)
    assert guide.names == ["address", "chat_path", "sign_in", "headers", "more"]
    assert guide.told == ["It wants to know who asks."]
    assert guide.field("sign_in").default == "headers"
    assert [sentence for _, sentence in guide.refusals] == [
        "A header's value cannot have such characters in it.",
        "The header host is set by this program itself.",
        "The server did not take these headers (401).",
    ]
    assert TOKEN not in repr(new) + json.dumps(dict(new.settings))
    account = await accounts.add("assistant-ui", new)
    later = service(own_home)
    (known,) = await later.accounts()
    assert (await later.test(known)).name == "fake-aui"
    sent = server.calls("GET /health")[-1].headers
    assert (sent["authorization"], sent["x-org"]) == (f"Bearer {TOKEN}", "needle-org-1")
    assert files_with(own_home, TOKEN, "needle-org-1", "canary-wrong-1") == []
    assert {TOKEN, "needle-org-1"} <= set(later.live_secrets())  # the token without its word, too
    assert all(exchange.body == {} for exchange in server.calls("POST /api/chat"))  # no model was asked
    # Edited: an empty answer keeps the headers; another path is another account.
    guide = ScriptedGuide({"more": "yes", "system": "Be brief.\nVery."})
    edited = await accounts.edit(account, await interviewed(accounts, "assistant-ui", guide, account))
    assert not guide.field("headers").required
    assert edited.settings["system"] == "Be brief.\nVery."  # type: ignore[union-attr]
    assert TOKEN in keyring.entries[account.id]
    server.on("POST /assistant", answer(422, {"detail": "Field required"}))
    other = await interviewed(accounts, "assistant-ui", ScriptedGuide({"chat_path": "assistant"}), account)
    assert await accounts.edit(account, other) == AnotherAccount(None)
    # Without headers nothing secret is left.
    server.token = None
    bare = await accounts.edit(
        account, await interviewed(accounts, "assistant-ui", ScriptedGuide({"sign_in": "none"}), account)
    )
    assert bare.token_from == ""  # type: ignore[union-attr]
    assert keyring.entries == {}


async def test_a_command_says_who_asks(own_home: Path, server: FakeAssistantUi, keyring: Keyring) -> None:
    accounts = service(own_home)
    program = f"{sys.executable} -c "
    guide = ScriptedGuide(
        {
            "address": server.url,
            "sign_in": "command",
            "command": [
                "'unclosed",
                "./helper",
                program + "\"print('wrong-token')\"",
                program + f"\"print('{TOKEN}'.strip())\"",
            ],
        }
    )
    account = await accounts.add("assistant-ui", await interviewed(accounts, "assistant-ui", guide))
    said = [sentence for _, sentence in guide.refusals]
    assert said[0] == "A quotation mark of the command is not closed."
    assert "relative path" in said[1]
    assert said[2] == "The server did not take what the command printed (401)."
    assert account.token_from == ""
    await service(own_home).test(account)
    assert server.calls("GET /health")[-1].headers["authorization"] == f"Bearer {TOKEN}"


async def test_everything_can_be_set_and_comes_back_as_it_was(server: FakeAssistantUi) -> None:
    server.token = None
    server.on("POST /chat", answer(422, {"detail": "Field required"}))
    tools = '{"get_location": {"description": "Where", "parameters": {"type": "object"}}, "now": {}}'
    guide = ScriptedGuide(
        {
            "address": server.url,
            "chat_path": ["nothing-here", "chat"],
            "more": "yes",
            "cancel_path": ["//evil", "/stop"],
            "resume_path": "/resume",
            "health_path": "",
            "form": "ui-messages",
            "encoding": "openai",
            "system": "Be brief.",
            "tools": ["{", '["a"]', '{"a": 1}', tools],
            "asks_user": "ask_user, confirm",
            "first_state": "",
            "run_config": '{"a": 1}',
            "extra": ["[]", '{"config": {"apiKey": "canary-1"}}', '{"callSettings": {"temperature": 0}}'],
            "fields": ["[]", '{"callSettings": {"k": 1}, "config": {"apiKey": "canary-2"}}'],
            "name": "Work",
        }
    )
    new = await SYSTEM.interview(guide, {})
    assert guide.told == ["It answers whoever asks."]
    assert [name for name, _ in guide.refusals] == [
        "chat_path",
        "cancel_path",
        *["tools"] * 3,
        *["extra"] * 2,
        "fields",
    ]
    assert "has nothing at /nothing-here" in guide.refusals[0][1]
    assert new.label == "Work"
    assert "put keys and tokens into the secret fields" in guide.refusals[-2][1]
    assert "canary" not in repr(new) + json.dumps(dict(new.settings))
    config = aui.config_of(new.settings, new.secret)
    assert config == AssistantUiConfig(
        server.url,
        chat_path="/chat",
        cancel_path="/stop",
        resume_path="/resume",
        health_path=None,
        encoding="openai",
        form="ui-messages",
        system="Be brief.",
        tools={"get_location": ClientTool("Where", {"type": "object"}), "now": ClientTool()},
        asks_user=frozenset({"ask_user", "confirm"}),
        first_state=None,
        run_config={"a": 1},
        extra={"callSettings": {"temperature": 0, "k": 1}, "config": {"apiKey": "canary-2"}},
    )
    seen = len(server.seen)
    guide.begin_again()
    assert await SYSTEM.interview(guide, {}) == new  # a step back asks and checks nothing twice
    assert len(server.seen) == seen
    again = ScriptedGuide()
    assert await SYSTEM.interview(again, new.settings, new.secret) == new
    none = await SYSTEM.interview(ScriptedGuide({"fields": "{}"}), new.settings, new.secret)
    assert (none.secret, none.settings["secret_fields"]) == (None, "")
    usual = await SYSTEM.interview(ScriptedGuide({"more": "no"}), new.settings)
    assert aui.config_of(usual.settings, None) == AssistantUiConfig(server.url, chat_path="/chat")


async def test_two_accounts_at_one_address_are_told_apart_by_name(
    own_home: Path, server: FakeAssistantUi
) -> None:
    server.token = None
    accounts = service(own_home)
    first, second = [
        await accounts.add(
            "assistant-ui",
            await interviewed(
                accounts,
                "assistant-ui",
                ScriptedGuide({"address": server.url, "more": "yes" if name else "no", "name": name}),
            ),
        )
        for name in ("", "Second")
    ]
    assert first.id != second.id
    assert [each.label for each in await accounts.accounts()] == ["Second", first.label]


async def test_an_account_whose_headers_are_gone_sends_nothing(
    own_home: Path, server: FakeAssistantUi, keyring: Keyring
) -> None:
    accounts = service(own_home)
    guide = ScriptedGuide({"address": server.url, "headers": TOKEN})
    account = await accounts.add("assistant-ui", await interviewed(accounts, "assistant-ui", guide))
    keyring.entries.clear()
    seen = len(server.seen)
    with pytest.raises(TokenRefused):
        await service(own_home).test(account)
    keyring.entries[account.id] = "something else"
    with pytest.raises(TokenRefused):
        await service(own_home).test(account)
    assert len(server.seen) == seen


async def test_state_of_a_thread_is_kept_between_runs_and_goes_with_its_chat(own_home: Path) -> None:
    accounts = service(own_home)
    workspace = accounts.open(accounts.sandbox())
    threads = KeptThreads(workspace._keeper.local_chats)  # pyright: ignore[reportPrivateUsage]
    assert await threads.load("t1") == Thread()
    thread = Thread({"messages": [{"role": "user"}]}, "run-1", {"messages": []})
    await threads.keep("t1", thread)
    assert list(await threads.messages("t1")) == []
    await workspace.aclose()
    workspace = service(own_home).open(accounts.sandbox())
    threads = KeptThreads(workspace._keeper.local_chats)  # pyright: ignore[reportPrivateUsage]
    assert await threads.load("t1") == thread
    await threads.keep("t1", Thread())
    assert await threads.load("t1") == Thread()
    await workspace.aclose()


@pytest.mark.parametrize(
    ("typed", "headers"),
    [
        ("abc123", {"authorization": "Bearer abc123"}),
        ("user:pass", {"authorization": "Bearer user:pass"}),
        ("X-Api-Key: k 1\nX-Org:  o", {"x-api-key": "k 1", "x-org": "o"}),
        ('{"X-Api-Key": "k"}', {"x-api-key": "k"}),
    ],
)
def test_headers_are_read_in_every_usual_form(typed: str, headers: dict[str, str]) -> None:
    found = aui.headers_of(typed)
    assert {name: value.reveal() for name, value in found.items()} == headers  # type: ignore[union-attr]
    assert all(isinstance(value, SecretLine) for value in found.values())
    assert aui.parts_of(aui.secret_of(found, {"a": {"b": "é"}})) == (found, {"a": {"b": "é"}})


@pytest.mark.parametrize("typed", ["", "{", "{}", '{"a": 1}', "[1]é", '{"Content-Length": "1"}'])
def test_headers_that_cannot_be_sent_are_refused_without_repeating_them(typed: str) -> None:
    with pytest.raises(Refused) as caught:
        aui.headers_of(typed)
    assert typed.strip("{}") not in caught.value.sentence or len(typed) < 3


def test_a_command_is_words_or_a_json_list() -> None:
    usual: dict[str, Any] = {"command_timeout": "5", "command_scheme": "", "command_header": "X-Key"}
    assert aui.command_of({**usual, "command": "a 'b c'"}) == HeaderCommand(("a", "b c"), "x-key", "", 5.0)
    assert aui.command_of({"command": '["a", "b c"]'}).argv == ("a", "b c")
    for wrong in ({"command": ""}, {"command": "[1]"}, {"command": "a", "command_timeout": "0"}):
        with pytest.raises(Refused):
            aui.command_of(wrong)
    assert aui.parts_of(Secret("[]")) == ({}, {})
    assert aui.secret_of({}, {}) is None


def test_secret_fields_are_in_no_repr() -> None:
    from kai_tui.backends.assistant_ui.settings import config_of, secret_of
    from kai_tui.backends.assistant_ui.threads import Thread
    from kai_tui.backends.assistant_ui.turn import Request

    settings = {"address": "https://a.example", "secret_fields": "yes"}
    config = config_of(settings, secret_of({}, {"config": {"apiKey": "canary-key"}}))
    assert config.extra == {"config": {"apiKey": "canary-key"}}
    request = Request("c", "/api/chat", Thread(), None, {**config.extra})
    assert "canary" not in repr(config) + repr(request)
