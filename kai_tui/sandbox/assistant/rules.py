"""What a rule is: it takes a sentence for something, or leaves it to the next rule."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from kai_tui.sandbox.assistant.script import Script
from kai_tui.sandbox.assistant.talk import Talk

Maker = Callable[[Talk], Script]


@dataclass(frozen=True, slots=True)
class Understood:
    """What a message was taken for."""

    script: Maker
    more: Maker | None = None
    """What “tell me more about that” leads to afterwards."""
    aside: bool = False
    """Says nothing “that” could stand for: a greeting, a sum, a question about the chat."""


Rule = Callable[[str, str, Talk], Understood | None]
"""Takes the cleaned sentence, the whole text and the conversation."""

LIST = r"(?:what|which|list|show|see|get|display|give|view|are there|do i have|do we have|how many)"
THE = r"(?:(?:the|my|our|a|an|all|this|that)\s+)*"
KINDS = r"jobs?|flows?|buckets?|tables?|configs?|configurations?|components?|project|orchestrations?|schema"
"""Words that name a kind of thing, so they name no table."""


def rule(pattern: str, make: Callable[[re.Match[str]], Understood | None]) -> Rule:
    """A rule for sentences that match a pattern as a whole."""
    compiled = re.compile(pattern, re.IGNORECASE)

    def apply(sentence: str, _text: str, _talk: Talk) -> Understood | None:
        match = compiled.fullmatch(sentence)
        return make(match) if match is not None else None

    return apply


def fixed(
    maker: Maker, more: Maker | None = None, *, aside: bool = False
) -> Callable[[re.Match[str]], Understood]:
    """For `rule`: always the same script."""
    return lambda _match: Understood(maker, more, aside)
