"""Answers that say no: every known error body and status, as one of our errors (kai.md §12).

Texts of a server are foreign: one line, at most 200 characters, never markup, still raw.
"""

from __future__ import annotations

import email.utils
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, cast

from kai_tui.backends.base import (
    CHAT_GONE,
    BackendError,
    Delivery,
    NotAllowed,
    NotFound,
    RateLimited,
    Refused,
    ServerFailed,
    TokenRefused,
    UnexpectedAnswer,
)
from kai_tui.conversation.json_text import BadJson, decode_json

MAX_RETRY_AFTER = 600.0
"""Seconds. A server cannot make us wait longer than this (reliability.md §3)."""

_SHOWN = 200
_READ = 64 * 1024
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_MESSAGES = ("message", "errorText", "msg")
_BAD_TOKEN_CODES = frozenset({"storage.tokenInvalid", "storage.tokenExpired", "storage.tokenNotFound"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an error body says, whoever wrote it."""

    message: str = ""
    code: str | None = None
    """`type:surface` for both Kai services; the Storage API's own code; else None."""
    cause: str | None = None
    exception_id: str | None = None
    """What support asks for."""

    @property
    def detail(self) -> str | None:
        """Cause and exception id in one line, for the details view."""
        found = [text for text in (self.cause, self.exception_id) if text]
        return " · ".join(found) or None


def one_line(text: str, limit: int = _SHOWN) -> str:
    """The text's first `limit` characters on one line. Foreign text stays raw otherwise."""
    line = " ".join(text[: limit * 20].split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def read_refusal(content: bytes, media_type: str = "") -> Refusal:
    """Read an error body of any shape; never raises. Bodies beyond 64 KiB are not looked at whole."""
    if not content.strip():
        return Refusal()
    if len(content) <= _READ:
        try:
            return _from_json(decode_json(content))
        except BadJson:
            pass
    text = content[:_READ].decode("utf-8", "replace")
    if "html" in media_type or text.lstrip()[:200].lower().startswith(
        ("<!doctype", "<html", "<head", "<?xml")
    ):
        title = _TITLE.search(text)
        return Refusal(one_line(html.unescape(title.group(1))) if title else "")
    if text.lstrip().startswith(("{", "[")):
        return Refusal()  # broken or giant JSON tells a person nothing
    return Refusal(one_line(next(iter(text.strip().splitlines()), "")))


def _from_json(body: Any, depth: int = 0) -> Refusal:
    if isinstance(body, str):
        return Refusal(one_line(body))
    if depth > 3:
        return Refusal()
    if isinstance(body, list):
        found = [_from_json(item, depth + 1) for item in cast("list[Any]", body)[:5]]
        return next((refusal for refusal in found if refusal.message), Refusal())
    if not isinstance(body, dict):
        return Refusal()
    fields = cast("dict[str, Any]", body)
    error = fields.get("error")
    if isinstance(error, dict):
        return _from_agent(cast("dict[str, Any]", error))
    refusal = Refusal(
        message=one_line(
            next(
                filter(
                    None, (_text(error), _of_field(fields), *(_text(fields.get(name)) for name in _MESSAGES))
                ),
                "",
            )
        ),
        code=_text(fields.get("code")) or _text(fields.get("error_code")) or None,
        cause=one_line(_text(fields.get("cause")) or _details(fields.get("details"))) or None,
        exception_id=one_line(_text(fields.get("exceptionId")), 80) or None,
    )
    if refusal.message:
        return refusal
    for name in ("detail", "errors"):
        inner = _from_json(fields.get(name), depth + 1)
        if inner.message:
            return replace(refusal, message=inner.message)
    return refusal


def _details(details: Any) -> str:
    """`{"files": ["File too large"]}` in one line (knowrithm.md §10)."""
    if not isinstance(details, dict):
        return _text(details)
    found: list[str] = []
    for name, said in list(cast("dict[str, Any]", details).items())[:5]:
        texts = (
            [_text(each) for each in cast("list[Any]", said)[:5]] if isinstance(said, list) else [_text(said)]
        )
        found += [f"{name}: {text}" for text in texts if text]
    return ", ".join(found)


def _from_agent(error: dict[str, Any]) -> Refusal:
    kind, surface = _text(error.get("type")), _text(error.get("surface"))
    return Refusal(
        message=one_line(_text(error.get("message"))),
        code=f"{kind}:{surface}" if kind and surface else kind or _text(error.get("code")) or None,
        cause=one_line(_text(error.get("subtype")) or _text(error.get("cause"))) or None,
        exception_id=one_line(_text(error.get("exceptionId")), 80) or None,
    )


def _of_field(fields: dict[str, Any]) -> str:
    """What FastAPI finds wrong with one field of a request (assistant-ui.md §3): its place and what it says."""
    said, place = _text(fields.get("msg")), fields.get("loc")
    if not said or not isinstance(place, list) or not place:
        return ""
    return f"{'.'.join(str(step) for step in cast('list[Any]', place)[:8])}: {said}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def from_answer(
    status: int, headers: Mapping[str, str], content: bytes, host: str, *, now: datetime | None = None
) -> BackendError:
    """The error for an answer whose status is not 2xx. `now`: for Retry-After dates."""
    refusal = read_refusal(content, headers.get("content-type", "").lower())
    wait = retry_after(headers, now=now)
    return _classify(status, headers, refusal, host, wait)


def _classify(
    status: int, headers: Mapping[str, str], refusal: Refusal, host: str, wait: float | None
) -> BackendError:
    why = refusal.message

    def error(kind: type[BackendError], sentence: str, *, delivery: Delivery | None = None) -> BackendError:
        return kind(
            sentence,
            code=refusal.code,
            status=status,
            delivery=delivery,
            retry_after=wait,
            detail=refusal.detail,
        )

    if 300 <= status < 400:
        # 307 and 308 say the request was not handled; after the others it may have been.
        return error(
            UnexpectedAnswer,
            f"{host} sends us on to {_target(headers)}. Nothing was sent there. Check the address.",
            delivery="not-sent" if status in (307, 308) else "unsure",
        )
    if status == 401 or (refusal.code in _BAD_TOKEN_CODES and status < 500):
        refused = error(TokenRefused, f"Token refused by {host}. Sign in again with a valid token.")
        refused.detail = refused.detail or why or None
        return refused
    if status == 403:
        return error(NotAllowed, f"Not allowed: {_sentence(why) or f'{host} gives no reason.'}")
    if status == 404:
        if refusal.code in (CHAT_GONE, "not_found:vote"):
            return error(NotFound, "This chat no longer exists on the server.")
        if refusal.code is None:
            return error(NotFound, f"{host} has nothing of that kind at this address. Is it a Kai address?")
        return error(NotFound, f"{host} cannot find that{_after_colon(why)}")
    if status == 429 or (status == 503 and wait is not None):
        said = _sentence(why) or f"{host} takes no more requests for now."
        return error(RateLimited, said if wait is None else f"{said} Try again in {_seconds(wait)}.")
    if status == 413:
        return error(Refused, f"{host} finds this too large.")
    if 400 <= status < 500:
        said = _after_colon(why if not refusal.cause else f"{why.rstrip('.')} ({refusal.cause})")
        return error(Refused, f"{host} did not take the request ({status}){said}")
    return error(ServerFailed, f"Server error at {host} ({status}){_after_colon(why)}")


def not_what_was_asked(
    status: int, media_type: str, content: bytes, host: str, *, wanted: str
) -> UnexpectedAnswer:
    """The error for a good status with a body of another kind. `wanted`: "a stream", "JSON"."""
    refusal = read_refusal(content, media_type)
    if "html" in media_type:
        sentence = f"{host} answered with text/html, not {wanted} (a login page or proxy?)."
    elif refusal.message:
        sentence = f"{host} answered, but not with {wanted}: {_sentence(refusal.message)}"
    elif media_type:
        sentence = f"{host} answered with {one_line(media_type, 60)}, not {wanted}."
    else:
        sentence = f"{host} answered without {wanted}."
    return UnexpectedAnswer(sentence, code=refusal.code or "media-type", status=status, detail=refusal.detail)


def retry_after(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Seconds to wait from Retry-After: a number or an HTTP date, 0 to 600; None for junk.

    A date counts from the server's own Date header, because clocks differ.
    """
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]*)?", value):
        return MAX_RETRY_AFTER if len(value) > 9 else min(float(value), MAX_RETRY_AFTER)
    until = _http_date(value)
    if until is None:
        return None
    start = _http_date(headers.get("date", "")) or now or datetime.now(UTC)
    return min(max((until - start).total_seconds(), 0.0), MAX_RETRY_AFTER)


def _http_date(value: str) -> datetime | None:
    if not value or len(value) > 60:
        return None
    try:
        found = email.utils.parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _target(headers: Mapping[str, str]) -> str:
    location = headers.get("location", "")
    host = re.match(r"(?:[a-zA-Z][a-zA-Z0-9+.\-]*:)?//([^/?#]*)", location)
    named = one_line(host.group(1).rsplit("@", 1)[-1], 100) if host else ""
    return named or "another address"


def _sentence(text: str) -> str:
    return text if not text or text[-1] in ".!?…" else f"{text}."


def _after_colon(text: str) -> str:
    return f": {_sentence(text)}" if text else "."


def _seconds(wait: float) -> str:
    return f"{wait:.0f} s" if wait < 120 else f"{wait / 60:.0f} min"
