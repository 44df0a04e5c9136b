"""What goes wrong at a server or on the way to it: our own types, each with a sentence for the user.

Light on purpose: the screens import these before the first paint.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

Delivery: TypeAlias = Literal["draft", "queued", "sending", "sent", "not-sent", "unsure"]
"""Where a user's message is: `unsure` until the chat was read back (design.md §4)."""

CHAT_GONE = "not_found:chat"
"""The `code` of a NotFound that is about the chat itself (kai.md §12)."""
MESSAGE_UNSURE = "Your message may or may not have arrived."
"""How the sentence of an error ends whose `delivery` is `unsure`."""


class BackendError(Exception):
    """Something went wrong at or on the way to the server.

    `sentence` is for the user: what happened and what to do, already in our words (P24).
    Foreign text inside it is raw; it goes through `safe_text` at the screen.
    """

    delivery: Delivery = "unsure"
    """For a chat message: `not-sent` only when it provably never reached the server."""

    def __init__(
        self,
        sentence: str,
        *,
        code: str | None = None,
        status: int | None = None,
        delivery: Delivery | None = None,
        retry_after: float | None = None,
        detail: str | None = None,
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code
        self.status = status
        self.retry_after = retry_after
        """Seconds, when the server said."""
        self.detail = detail
        """Technical detail for the details view: exception id, cause."""
        if delivery is not None:
            self.delivery = delivery


class CannotConnect(BackendError):
    """The server was not reached."""

    delivery: Delivery = "not-sent"


class ConnectionLost(BackendError):
    """The connection broke after the request may have arrived."""


class TokenRefused(BackendError):
    """401, or the stack says the token is invalid."""

    delivery: Delivery = "not-sent"


class NotAllowed(BackendError):
    """403."""

    delivery: Delivery = "not-sent"


class NotFound(BackendError):
    """404: a chat that is gone, or an approval nobody waits for."""

    delivery: Delivery = "not-sent"


class RateLimited(BackendError):
    """429, or 503 with Retry-After."""

    delivery: Delivery = "not-sent"


class Refused(BackendError):
    """400 and other 4xx: the request itself was not taken."""

    delivery: Delivery = "not-sent"


class ServerFailed(BackendError):
    """5xx."""


class UnexpectedAnswer(BackendError):
    """An answer that is not what the protocol says: HTML, a wrong content type, broken JSON, a redirect."""


class AnswerTooLarge(BackendError):
    """A cap of ours was reached (design.md §5)."""


class NoKaiThere(BackendError):
    """The stack's index lists no Kai service (kai.md §3)."""

    delivery: Delivery = "not-sent"


class Unsupported(BackendError):
    """This backend has no such thing; the screen should not have offered it."""

    delivery: Delivery = "not-sent"
