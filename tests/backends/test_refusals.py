from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from kai_tui.backends import refusals
from kai_tui.backends.base import (
    BackendError,
    NotAllowed,
    NotFound,
    RateLimited,
    Refused,
    ServerFailed,
    TokenRefused,
    UnexpectedAnswer,
)
from tests.backends.kai_server import recording

NOW = datetime(2026, 5, 4, 9, 0, 0, tzinfo=UTC)


def mapped(status: int, body: Any = b"", **headers: str) -> BackendError:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return refusals.from_answer(status, names, content, "kai.example", now=NOW)


@pytest.mark.parametrize(
    ("name", "kind", "code", "delivery"),
    [
        ("http-400", Refused, "bad_request:api", "not-sent"),
        ("http-401", TokenRefused, "unauthorized:chat", "not-sent"),
        ("http-403", NotAllowed, "forbidden:chat", "not-sent"),
        ("http-404", NotFound, "not_found:chat", "not-sent"),
        ("http-429", RateLimited, "rate_limit:chat", "not-sent"),
        ("http-500-text", ServerFailed, None, "unsure"),
        ("http-502-html", ServerFailed, None, "unsure"),
        ("http-agent-404", NotFound, "not_found:api", "not-sent"),
        ("http-agent-429", RateLimited, "rate_limit:chat", "not-sent"),
    ],
)
def test_recorded_answers(name: str, kind: type[BackendError], code: str | None, delivery: str):
    recorded = recording(f"{name}.http.json")
    error = refusals.from_answer(
        recorded["status"], recorded["headers"], recorded["body"].encode(), "kai.example"
    )
    assert type(error) is kind
    assert (error.code, error.delivery, error.status) == (code, delivery, recorded["status"])
    assert error.sentence.endswith(".")
    assert "<" not in error.sentence


def test_the_cause_and_the_exception_id_are_kept():
    cause = recording("http-400.http.json")["body"].encode()
    error = mapped(400, cause)
    assert "Missing required field: message" in error.sentence
    assert error.detail == "Missing required field: message"
    agent = mapped(404, recording("http-agent-404.http.json")["body"].encode())
    assert agent.detail == "KAI-oracle-00000001"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": "Invalid access token", "code": "storage.tokenInvalid"}, "Invalid access token"),
        ({"code": "", "message": "Something went wrong. Please try again later."}, "Something went wrong."),
        ({"error": {"type": "internal", "message": "boom"}}, "boom"),
        ({"message": "boom"}, "boom"),
        ({"errorText": "boom"}, "boom"),
        ({"detail": "boom"}, "boom"),
        ({"detail": [{"message": "boom"}]}, "boom"),
        ({"errors": ["boom", "bam"]}, "boom"),
        (["boom"], "boom"),
        ([{"message": "boom"}], "boom"),
        ("boom", "boom"),
        (b"boom\nsecond line", "boom"),
        (b"<html><head><title>502 Bad &amp; Gateway</title></head><body>x</body>", "502 Bad & Gateway"),
        (b"<!DOCTYPE html><p>no title", ""),
        (b'{"message": "broken', ""),
        (b"", ""),
        (b"   \n", ""),
        (b"\x1c", ""),
        ([], ""),
        (17, ""),
        (None, ""),
        ({"error": {"message": {"deep": 1}}}, ""),
        (b"\xff\xfe\xfa", "\ufffd\ufffd\ufffd"),
    ],
)
def test_every_shape_of_error_body(body: Any, said: str):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    refusal = refusals.read_refusal(content)
    assert refusal.message.startswith(said)
    assert bool(refusal.message) == bool(said)
    assert mapped(500, content).sentence.startswith("Server error at kai.example (500)")


def test_foreign_text_is_short_and_on_one_line():
    error = mapped(500, {"message": "a\nb\t" + "x" * 5000})
    assert "\n" not in error.sentence
    assert len(error.sentence) < 300
    assert len(mapped(500, b"[" * 200_000).sentence) < 100
    assert len(mapped(500, b"x" * 5_000_000).sentence) < 300


def test_an_invalid_token_is_told_by_its_code_too():
    error = mapped(400, {"error": "Invalid access token", "code": "storage.tokenInvalid"})
    assert isinstance(error, TokenRefused)
    assert "Sign in again" in error.sentence


@pytest.mark.parametrize(
    ("status", "kind", "delivery"),
    [(301, UnexpectedAnswer, "unsure"), (303, UnexpectedAnswer, "unsure"), (307, UnexpectedAnswer, "not-sent"),
     (405, Refused, "not-sent"), (409, Refused, "not-sent"), (413, Refused, "not-sent"), (418, Refused, "not-sent"),
     (500, ServerFailed, "unsure"), (503, ServerFailed, "unsure"), (504, ServerFailed, "unsure"),
     (599, ServerFailed, "unsure")],
)  # fmt: skip
def test_every_status_has_a_class_and_a_sentence(status: int, kind: type[BackendError], delivery: str):
    error = mapped(status)
    assert type(error) is kind
    assert error.delivery == delivery
    assert "kai.example" in error.sentence


def test_a_redirect_names_the_other_host_only():
    error = mapped(307, location="https://user:pw@evil.example/steal?token=1")
    assert "evil.example" in error.sentence
    assert "pw" not in error.sentence
    assert "steal" not in error.sentence
    assert "another address" in mapped(302, location="/login").sentence


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("3600", 600.0),
        ("9" * 5000, 600.0),
        (format_datetime(NOW + timedelta(seconds=30), usegmt=True), 30.0),
        (format_datetime(NOW - timedelta(days=3), usegmt=True), 0.0),
        (format_datetime(NOW + timedelta(days=3), usegmt=True), 600.0),
        ("-5", None),
        ("soon", None),
        ("٧", None),
        ("1e9", None),
        ("Wed, 99 Foo 2026", None),
        ("", None),
    ],
)
def test_retry_after(value: str, seconds: float | None):
    for status in (429, 503):
        error = mapped(status, retry_after=value)
        assert error.retry_after == seconds
        assert isinstance(error, RateLimited) is (status == 429 or seconds is not None)


def test_a_retry_date_counts_from_the_clock_of_the_server():
    theirs = NOW + timedelta(hours=5)
    error = mapped(
        429,
        date=format_datetime(theirs, usegmt=True),
        retry_after=format_datetime(theirs + timedelta(seconds=12), usegmt=True),
    )
    assert error.retry_after == 12.0
    assert "Try again in 12 s." in error.sentence


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            {"error": "Validation failed", "code": "DOC_001", "details": {"files": ["File too large"]}},
            "did not take the request (400): Validation failed (files: File too large).",
        ),
        ({"msg": "Bad agent", "error_code": "AGENT_1"}, "did not take the request (400): Bad agent."),
        (
            {"detail": [{"type": "enum", "msg": "Input should be 'temporary'"}]},
            "Input should be 'temporary'.",
        ),
        ({"message": "No", "details": "because"}, "No (because)."),
        ({"error": "No", "details": {"a": 1, "b": [2]}}, "(400): No."),
    ],
)
def test_details_and_other_names_of_the_message(body: object, said: str):
    error = refusals.from_answer(
        400, {"content-type": "application/json"}, json.dumps(body).encode(), "kai.example"
    )
    assert error.sentence.endswith(said)
