"""Secrets taken out of logs and reports: C7 and the corpus' `secret-*`."""

from __future__ import annotations

from time import perf_counter
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.conversation.safe_text import redact
from tests.hostile_cases import HostileCase, each_case
from tests.some import examples

TOKEN = "1234-567890-AbCdEfGhIjKlMnOpQrStUvWxYz012345678901"
HALVES = (TOKEN[: len(TOKEN) // 2], TOKEN[len(TOKEN) // 2 :])


@each_case("log")
def test_corpus_secrets(case: HostileCase) -> None:
    clean = redact(case.text)
    for secret in case.strings("must_not_show"):
        assert secret not in clean


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        HALVES[0],
        HALVES[1],
        f"x{TOKEN}y",
        f"'{TOKEN[:20]}'\n  '{TOKEN[20:]}'",
        f"│ {TOKEN[:10]} │\n│ {TOKEN[10:30]} │\n│ {TOKEN[30:]} │",
        TOKEN[:25] + "\\n" + TOKEN[25:],
        quote(quote(TOKEN)),
        f"Secret({TOKEN!r})",
    ],
)
def test_no_piece_of_a_live_token_is_left(text: str) -> None:
    clean = redact(f"before {text} after", [TOKEN])
    joined = "".join(character for character in clean if character.isalnum() or character == "-")
    secret_part = TOKEN.rpartition("-")[2]
    assert not any(secret_part[at : at + 10] in joined for at in range(len(secret_part) - 9))
    assert clean.startswith("before ")
    assert clean.endswith(" after")


def test_a_live_secret_of_any_alphabet() -> None:
    secret = "p@ss w/rd+%&=ž"
    assert "rd" not in redact(f"url?x={quote(secret, safe='')}", [secret])
    assert "rd" not in redact(f"got {secret}!", [secret])


@pytest.mark.parametrize(
    "text",
    [
        "password=hunter2hunter2",
        "{'headers': [(b'x-storageapi-token', b'hunter2hunter2')]}",
        '"apiKey": "hunter2hunter2"',
        "api_key: hunter2hunter2",
        "Cookie: a=hunter2hunter2; b=c",
        "https://user:hunter2hunter2@db.example/x",
        "Authorization: Basic aHVudGVyMmh1bnRlcjI=hunter2hunter2",
        "client_secret%3Dhunter2hunter2",
        "X-Api-Key: hunter2hunter2",
        "env MY_SECRET_KEY='hunter2hunter2' kai-tui",
    ],
)
def test_named_secrets(text: str) -> None:
    assert "hunter2" not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "1,204 tokens · 42 of 150 messages",
        "max_tokens: 150, total_tokens=1204",
        "Token refused by host.example. Press Ctrl+L to sign in again.",
        "the token was not sent",
        "in.c-main.orders 2026-11-21T10:00:00 2026-11-21 10:00 a1b2c3d4-0000-1111-2222-333344445555",
        'File "/x/y.py", line 12, in read_token',
    ],
)
def test_ordinary_log_lines_stay(text: str) -> None:
    assert redact(text, [TOKEN]) == text


@pytest.mark.some(4)
@pytest.mark.parametrize(
    "unit",
    [
        "token",
        "-",
        "1-1-",
        "eyJ",
        "a://",
        "a.",
        "authorization ",
        "://a:",
        "Bearer ",
        "\\",
        '"',
        "\n",
        "1-1-aaaa\n",
    ],
)
def test_redacting_takes_time_in_proportion(unit: str) -> None:
    start = perf_counter()
    redact(unit * (200_000 // len(unit)), [TOKEN])
    assert perf_counter() - start < 2


@examples(200)
@given(st.text(), st.lists(st.text(max_size=60), max_size=3))
def test_never_raises(text: str, secrets: list[str]) -> None:
    redact(text, secrets)


@examples(100)
@given(
    st.text(st.characters(codec="ascii"), min_size=8, max_size=64).filter(
        lambda text: text.strip() == text and len(text.split()) == 1
    )
)
def test_a_live_secret_is_always_gone(secret: str) -> None:
    assert secret not in redact(f"a {secret} b", [secret])
