"""From a sentence to a script: rules, tried in order; the first that fits wins."""

from __future__ import annotations

import difflib
import re

from kai_tui.sandbox.assistant import rules_change, rules_read, rules_talk, small_talk
from kai_tui.sandbox.assistant.about import meant_of
from kai_tui.sandbox.assistant.rules import Rule, Understood, rule
from kai_tui.sandbox.assistant.script import Script, Step
from kai_tui.sandbox.assistant.talk import Talk
from kai_tui.sandbox.assistant.words import bare, clean
from kai_tui.sandbox.assistant.writing import next_actions

KNOWN_SENTENCES = (
    "What can you help me with",
    "What tables do I have",
    "List my Keboola tables",
    "Show me the orders table",
    "Show me the customers table",
    "Which region sold most",
    "Which region sold most last month",
    "What buckets do I have",
    "Write SQL for orders by region",
    "Tell me more about that",
    "What did I just say",
    "What is my name",
    "List my configurations",
    "List flows",
    "Which jobs failed",
    "What project is this",
    "Top 5 products",
    "Sales by month",
)
"""Reading sentences that are recognised with a few letters wrong; nothing that changes is guessed."""


def _name(_sentence: str, text: str, talk: Talk) -> Understood | None:
    found = small_talk.name_in(text)
    if found is None:
        return None
    name, rest = found
    wish = understand(rest, talk) if clean(rest) else None
    if wish is None or wish.script is fallback:
        return Understood(lambda talk: small_talk.named(talk, name), aside=True)
    return wish


def _tell_more(_match: re.Match[str]) -> Understood:
    return Understood(tell_more, aside=True)


RULES: tuple[Rule, ...] = (
    *rules_talk.RULES,
    _name,
    rule(
        r"(?:(?:tell|show|give) me |i want (?:to know )?|say |know )?(?:some |a bit |a little )?more(?: details?| info(?:rmation)?)?"
        r"(?: (?:about|on|of) (?:that|this|it|them|those|these))?"
        r"|(?:explain|elaborate|expand|go on|continue|dig deeper|details?|why|how so)(?: (?:on |about )?(?:that|this|it|further|more))*",
        _tell_more,
    ),
    *rules_change.RULES,
    *rules_read.RULES,
)
"""Changes before reading: their words occur in the reading rules too."""


def understand(text: str, talk: Talk) -> Understood:
    """What to do about a message. Always finds something: in the end, the fallback."""
    sentence = clean(text)
    for candidate in dict.fromkeys((sentence, *_near(sentence))):
        for each in RULES:
            found = each(candidate, text if candidate == sentence else candidate, talk)
            if found is not None:
                return found
    return Understood(fallback)


def _near(sentence: str) -> list[str]:
    squeezed = {bare(each): each for each in KNOWN_SENTENCES}
    found = difflib.get_close_matches(bare(sentence), list(squeezed), n=1, cutoff=0.86)
    return [squeezed[found[0]]] if found else []


def tell_more(talk: Talk) -> Script:
    """Tell me more about that: about what was asked last that “that” can stand for."""
    for at in range(len(talk.before) - 1, -1, -1):
        message = talk.before[at]
        if message.get("role") != "user":
            continue
        text = meant_of(message)
        earlier = understand(text, Talk(text, talk.before[:at]))
        if earlier.aside or earlier.script is fallback:
            continue
        if earlier.more is not None:
            return earlier.more(talk)
        break
    return _nothing_more(talk)


def _nothing_more(_talk: Talk) -> Script:
    yield Step(
        "More about what? I am a rule-based stand-in and only follow up on questions about tables, sales, jobs and the like."
        + next_actions("What tables do I have?", "Which region sold most?", "Which jobs failed?")
    )


def fallback(talk: Talk) -> Script:
    """Anything else."""
    said = {word.rstrip("s") for word in re.findall(r"[a-z]+", talk.text.lower())}
    ideas = [
        idea
        for keys, idea in (
            (("table", "column", "data"), "What tables do I have?"),
            (("order", "sale", "revenue", "sold", "region"), "Which region sold most?"),
            (("bucket", "storage"), "What buckets do I have?"),
            (("job", "fail", "run", "error"), "Which jobs failed?"),
            (("flow", "schedule", "pipeline"), "List flows"),
            (("config", "component", "extractor", "configuration"), "List my configurations"),
            (("sql", "query"), "Write SQL for orders by region"),
            (("customer", "client"), "Show me the customers table"),
            (("product", "price", "stock"), "Top 5 products"),
        )
        if said & set(keys)
    ]
    yield Step(
        "I did not understand that. I am a **rule-based stand-in**, not a model: I know a number of sentences about the "
        "data and the work of Alder & Finch, plain SQL, and little else. I would rather say so than guess."
        + ("\n\nPerhaps one of these is what you mean?" if ideas else "\n\nThese I understand:")
        + next_actions(
            *(
                ideas[:4]
                or [
                    "What can you help me with?",
                    "What tables do I have?",
                    "Which region sold most?",
                    "Run the CRM job",
                ]
            )
        )
    )
