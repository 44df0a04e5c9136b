"""How the sandbox says no: the error bodies of both flavours (protocols/kai.md §12)."""

from __future__ import annotations

import uuid
from typing import Any, Literal, TypeAlias

from starlette.responses import Response

from kai_tui.sandbox.answers import JsonAnswer

JsonObject: TypeAlias = dict[str, Any]
Flavour: TypeAlias = Literal["agent", "assistant"]
Problem: TypeAlias = Literal[
    "bad_request", "unauthorized", "forbidden", "not_found", "conflict", "payload_too_large", "rate_limit"
]

_STATUS: dict[Problem, int] = {
    "bad_request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "conflict": 409,
    "payload_too_large": 413,
    "rate_limit": 429,
}
BAD_REQUEST = "The request couldn't be processed. Please check your input and try again."


class Refusal(Exception):
    """A request that is not served."""

    def __init__(
        self, problem: Problem, surface: str, message: str = BAD_REQUEST, *, cause: str | None = None
    ) -> None:
        super().__init__(message)
        self.problem: Problem = problem
        self.surface = surface
        self.message = message
        self.cause = cause
        """What exactly is wrong; only kai-assistant's bodies have room for it."""

    def response(self, flavour: Flavour) -> Response:
        """The refusal as an HTTP answer."""
        return JsonAnswer(self._body(flavour), _STATUS[self.problem])

    def _body(self, flavour: Flavour) -> JsonObject:
        if flavour == "agent":
            message = f"{self.message} ({self.cause})" if self.cause is not None else self.message
            return {
                "error": {
                    "type": self.problem,
                    "surface": self.surface,
                    "message": message,
                    "exceptionId": f"KAI-sandbox-{uuid.uuid4().hex[:8]}",
                }
            }
        return {
            "code": f"{self.problem}:{self.surface}",
            "message": self.message,
            **({"cause": self.cause} if self.cause is not None else {}),
        }


class NotInStack(Refusal):
    """The Storage API and the job queue say "not found" in a shape of their own (kai.md §12)."""

    def __init__(self, message: str, code: str | int = 404) -> None:
        super().__init__("not_found", "api", message)
        self.code = code

    def _body(self, flavour: Flavour) -> JsonObject:
        return {"error": self.message, "code": self.code, "exceptionId": "sandbox", "status": "error"}


def no_route() -> Refusal:
    """There is no such endpoint."""
    return Refusal("not_found", "api", "There is no such endpoint.")


def no_chat() -> Refusal:
    """There is no such chat."""
    return Refusal(
        "not_found", "chat", "The requested chat was not found. Please check the chat ID and try again."
    )


def bad_request(cause: str, surface: str = "api") -> Refusal:
    """Something in the request is wrong; `cause` says what."""
    return Refusal("bad_request", surface, cause=cause)
