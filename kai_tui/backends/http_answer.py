"""A whole answer of the HTTP door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from kai_tui.backends import refusals
from kai_tui.conversation.json_text import BadJson, decode_json

MAX_ANSWER = 32 * 1024 * 1024
"""Bytes of an ordinary answer, after decoding."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer, with a 2xx status unless another one was asked for."""

    status: int
    media_type: str
    """Lower case, without parameters; empty when the server named none."""
    content: bytes
    host: str
    retry_after: float | None = None
    """Seconds the server asks to wait."""

    @classmethod
    def of(cls, response: httpx.Response, content: bytes, host: str) -> Answer:
        """The answer whose body was read."""
        wait = refusals.retry_after(response.headers)
        return cls(response.status_code, media_type_of(response), content, host, wait)

    def json(self) -> Any:
        """The body as JSON. Raises UnexpectedAnswer for anything else."""
        try:
            return decode_json(self.content)
        except BadJson:
            raise refusals.not_what_was_asked(
                self.status, self.media_type, self.content, self.host, wanted="JSON"
            ) from None


def media_type_of(response: httpx.Response) -> str:
    """What the answer says it is: lower case, without parameters; empty when it does not say."""
    return response.headers.get("content-type", "").partition(";")[0].strip().lower()
