"""Sentences about the conversation itself, demonstrations and plain SQL."""

from __future__ import annotations

import re

from kai_tui.sandbox.assistant import asking, demo, small_talk
from kai_tui.sandbox.assistant.rules import Rule, Understood, fixed, rule
from kai_tui.sandbox.assistant.talk import Talk


def _help(match: re.Match[str]) -> Understood:
    return Understood(small_talk.help_text, aside=True)


def _demo(_sentence: str, text: str, _talk: Talk) -> Understood | None:
    match = re.fullmatch(r"\s*/?demos?\b\s*(.*)", text, re.IGNORECASE | re.DOTALL)
    return Understood(lambda talk: demo.demo(talk, match[1])) if match is not None else None


def _sql(_sentence: str, text: str, _talk: Talk) -> Understood | None:
    statement = asking.statement_in(text)
    if statement is not None:
        return Understood(lambda talk: asking.run(talk, statement))
    return Understood(asking.no_writing_sql) if asking.is_writing_sql(text) else None


def _sum(_sentence: str, text: str, _talk: Talk) -> Understood | None:
    found = small_talk.sum_of(text)
    return Understood(lambda talk: small_talk.reckon(talk, *found), aside=True) if found is not None else None


def _said(match: re.Match[str]) -> Understood:
    first = "first" in match[0].lower()
    return Understood(lambda talk: small_talk.what_said(talk, first=first), aside=True)


RULES: tuple[Rule, ...] = (
    _demo,
    _sql,
    rule(
        r"\??|/?help(?: me)?(?: out)?|what (?:all )?(?:can|do|could) (?:you|u|kai) (?:help(?: me)?(?: out)?(?: with)?|do|know)(?: for me)?"
        r"|what (?:can|should|could) i (?:ask|do|say|try|type)(?: you)?(?: here| first)?|can you help(?: me)?|how can you help(?: me)?"
        r"|(?:list |show )?(?:me )?(?:the |your )?(?:commands|examples|features|capabilities|abilities)|how (?:does|do) (?:this|you) work"
        r"|(?:how (?:do|can) i )?(?:get started|start|begin)|getting started|what is this|menu|/start",
        _help,
    ),
    _sum,
    rule(
        r"what(?:'s| is) my name|who am i|do you (?:know|remember) (?:my name|who i am|me)|say my name",
        fixed(small_talk.what_name, aside=True),
    ),
    rule(
        r"(?:what|can you repeat what|repeat what|tell me what) (?:did |have )?i (?:just |first )?(?:say|said|ask|asked|write|wrote|type|typed|tell you|told you)"
        r"(?: you)?(?: just)?(?: now| before| last| first| at first| a moment ago)?"
        r"|what(?:'s| was| is) my (?:last|previous|first) (?:message|question|sentence|prompt)",
        _said,
    ),
    rule(
        r"(?:hi|hello|hey|good (?:morning|afternoon|evening|day)|hallo|ahoj|moin|servus|yo|greetings)(?: there| kai| again| all)?",
        fixed(small_talk.greeting, aside=True),
    ),
    rule(
        r"(?:thanks?|thank you|thx|ty|cheers|great|nice|cool|perfect|awesome|ok|okay|good|well done|bye|goodbye)"
        r"(?: (?:a lot|so much|very much|kai|job|work|one|you))*",
        fixed(small_talk.thanks, aside=True),
    ),
    rule(
        r"(?:who|what) are you|are you (?:an? |the )?(?:real |human|bot|robot|ai|llm|person|model|machine|kai|chatgpt|claude|gpt).*"
        r"|what (?:model|llm|ai) (?:are you|is this|do you use)|what(?:'s| is) your name|tell me (?:more )?about yourself",
        fixed(small_talk.who, aside=True),
    ),
)
