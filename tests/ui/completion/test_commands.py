"""What a prompt that begins with a slash means."""

from __future__ import annotations

import pytest

from kai_tui.ui.actions import ACTIONS
from kai_tui.ui.completion.commands import Command, Typed, Unknown, ranked, understand, word_of

COMMANDS = [
    Command(item.command, item.help, "", item.argument, item.needs_argument, item)
    for item in ACTIONS
    if item.command
]


@pytest.mark.parametrize(
    "text",
    [
        "/home/x is full",
        "/etc/hosts",
        "//",
        "/",
        "/ 5",
        "/3 of them",
        "a /new",
        " /new",
        "/é",
        "/new.txt",
        "/a/b\n/new",
    ],
)
def test_texts_that_are_messages(text: str) -> None:
    assert word_of(text) is None
    assert understand(text, COMMANDS) is None


@pytest.mark.parametrize(
    ("text", "words", "rest"),
    [
        ("/new", "new", ""),
        ("/NEW ", "new", ""),
        ("/vote up", "vote up", ""),
        ("/vote down now", "vote down", "now"),
        ("/theme dark", "theme", "dark"),
        ("/delete-all", "delete-all", ""),
        ("/readonly  on ", "readonly", "on"),
        ("/new\nfoo", "new", "foo"),
    ],
)
def test_commands_with_what_stands_behind_them(text: str, words: str, rest: str) -> None:
    meant = understand(text, COMMANDS)
    assert isinstance(meant, Typed)
    assert (meant.command.words, meant.rest) == (words, rest)


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("/nwe", "/new"),
        ("/them dark", "/theme"),
        ("/vote", "/vote up"),
        ("/zzzzz", ""),
        ("/tmp is full", "/top"),
    ],
)
def test_words_that_are_no_command(text: str, nearest: str) -> None:
    meant = understand(text, COMMANDS)
    assert isinstance(meant, Unknown)
    assert meant.nearest == nearest


def test_every_command_is_one_of_a_kind_and_can_be_typed() -> None:
    words = [each.words for each in COMMANDS]
    assert len(set(words)) == len(words)
    for each in COMMANDS:
        assert understand(f"/{each.words}", COMMANDS) == Typed(each, "")
        assert not each.needs_argument or each.argument


def test_what_is_typed_in_full_is_the_first_row() -> None:
    for each in COMMANDS:
        assert ranked(each.words, COMMANDS)[0].command == each


def test_a_command_is_also_found_by_what_it_is_called() -> None:
    assert "theme" in [each.command.words for each in ranked("light", COMMANDS)]
