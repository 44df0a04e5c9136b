"""What goes wrong at iMBRACE, in the user's words (imbrace.md §14)."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

from kai_tui.backends.agents import NO_AGENT as NO_AGENT
from kai_tui.backends.base import CHAT_GONE, BackendError, NotFound, ServerFailed, TokenRefused

NO_ORGANIZATION: Final = "no-organization"
"""The `code` of a TokenRefused that misses the organisation, not the credential."""

_KAI: Final = "Is it a Kai address?"
_UNKNOWN_AGENT: Final = re.compile(r"Server error at \S+ \(500\): Assistant not found\b.*?\.(?= |$)")
_NO_MODEL: Final = re.compile(r"Server error at \S+ \(500\): Assistant is missing\b.*?\.(?= |$)")
_LIST: Final = re.compile(r"(\(5\d\d\)|\(4\d\d\)): [\[{].*?(?:[.…](?= |$)|$)", re.DOTALL)


def explained(error: BackendError) -> BackendError:
    """The same error with a sentence of this system where the general one misleads."""
    sentence, host = error.sentence, "The server"
    if isinstance(error, TokenRefused):
        if "organization" in (error.detail or "").lower():
            sentence = "The organisation is missing. Choose one for this account."
            error.code = NO_ORGANIZATION
    elif isinstance(error, NotFound):
        if error.code == "not_found:database":
            sentence = "The list of chats changed on the server. Load it again."
        elif error.code is not None and error.code != CHAT_GONE and error.code.startswith("not_found:chat"):
            sentence = "This chat no longer exists on the server."
        else:
            sentence = sentence.replace(_KAI, "Is it an iMBRACE address?")
    elif isinstance(error, ServerFailed):
        found = re.match(r"Server error at (\S+)", sentence)
        host = found.group(1) if found else host
        gone = _UNKNOWN_AGENT.sub(f"{host} does not know this agent. Choose another one.", sentence)
        idle = _NO_MODEL.sub(
            "This agent has no model, so it cannot answer. Choose another agent, or give it a model in iMBRACE.",
            gone,
        )
        if idle != sentence:
            error.code = NO_AGENT
        sentence = idle
    sentence = _LIST.sub(r"\1: it could not make sense of the request.", sentence)
    if sentence != error.sentence:
        error.sentence = sentence
        error.args = (sentence,)
    return error


@contextmanager
def in_our_words(
    change: Callable[[BackendError], BackendError] = explained,
) -> Generator[None]:
    """Errors raised inside come out explained; nothing of the original is left behind them."""
    try:
        yield
    except BackendError as error:
        raise change(error) from None
