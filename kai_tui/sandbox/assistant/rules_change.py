"""Sentences that ask for a change."""

from __future__ import annotations

import re

from kai_tui.sandbox.assistant import asking, changing, describing, looking, undoing, working
from kai_tui.sandbox.assistant.questions import question_in
from kai_tui.sandbox.assistant.rules import THE, Rule, Understood, fixed, rule
from kai_tui.sandbox.assistant.talk import Talk, text_of
from kai_tui.sandbox.assistant.words import unquoted

_NAMES = r"(?P<names>[\"'`]?[\w.-]+[\"'`]?(?:(?:\s*,\s*(?:and\s+)?|\s+and\s+)[\"'`]?[\w.-]+[\"'`]?)*)"


def _new_bucket(match: re.Match[str]) -> Understood:
    said = f"{match['before'] or ''} {match['after'] or ''}".lower()
    stage = "out" if re.search(r"\bout(?:put)?\b", said) else "in"
    raw = re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", match["names"] or "")
    names = [unquoted(name) for name in raw if unquoted(name)]
    if len(names) == 1 and names[0].lower().startswith("out.c-"):
        stage = "out"
    return Understood(lambda talk: changing.create_buckets(talk, names, stage), looking.buckets)


def _bucket_name(sentence: str, _text: str, talk: Talk) -> Understood | None:
    """An answer to “What shall the bucket be called?”."""
    if not talk.before or changing.ASK_BUCKET_NAME not in text_of(talk.before[-1]):
        return None
    name = re.sub(r"^(?:call it|name it|it's|it is|called|named)\s+", "", sentence, flags=re.IGNORECASE)
    if re.fullmatch(r"[\"'`]?[\w.-]+[\"'`]?", name) is None:
        return None
    return Understood(lambda talk: changing.create_buckets(talk, [unquoted(name)], "in"), looking.buckets)


def _describe(match: re.Match[str]) -> Understood:
    target, text = match["target"], unquoted(match["text"] or "")
    return Understood(lambda talk: describing.describe(talk, target, text), looking.more_about_tables)


def _write_sql(match: re.Match[str]) -> Understood:
    wish = match["wish"]
    question = question_in(wish) or question_in(f"total {wish}")
    return Understood(
        lambda talk: asking.write_sql(talk, wish),
        (lambda talk: asking.ask_more(talk, question)) if question is not None else None,
    )


def _run(match: re.Match[str]) -> Understood | None:
    name = match["name"]
    if re.fullmatch(r"(?:it|this|that|sql|query|select.*)", name, re.IGNORECASE):
        return None
    return Understood(lambda talk: changing.run_job(talk, name), lambda talk: working.one_job(talk, name))


RULES: tuple[Rule, ...] = (
    undoing.undo,
    rule(
        rf"(?:create|make|add|new|set up|open)\s+(?:me\s+)?(?P<before>(?:(?:a|an|the|new|empty|another|two|in|out|input|output|stage|storage)\s+)*)"
        rf"buckets?(?:\s+(?P<after1>(?:in|on) (?:the )?(?:in|out)(?:put)?(?: stage)?))?"
        rf"(?:\s*:?\s*(?:called|named|with (?:the )?names?|name)?\s*:?\s*{_NAMES})?"
        rf"(?P<after>\s+(?:in|on|with)\s+(?:the\s+)?(?:stage\s+)?(?:in|out)(?:put)?(?:\s+stage)?)?",
        _new_bucket,
    ),
    _bucket_name,
    rule(
        rf"(?:create|make|add)\s+{THE}(?:new\s+)?bucket\s+(?:called|named)\s+(?P<name>[\w .-]+)",
        # A bucket's name has no spaces: the call shows which name it will get.
        lambda match: Understood(
            lambda talk: changing.create_buckets(talk, ["-".join(match["name"].split())], "in"),
            looking.buckets,
        ),
    ),
    rule(
        rf"(?:set|change|update|edit|make|write|add|improve|put|give)\s+{THE}(?:new\s+|better\s+)?description\s+(?:of|for|on|to)\s+{THE}"
        r"(?P<target>.+?)(?:\s*(?:\s(?:to|as|with)(?:\s*:)?\s+|[:=]\s*)(?P<text>.+))?",
        _describe,
    ),
    rule(
        rf"(?:set|change|update|edit)\s+{THE}(?P<target>[\w.\- ]+?)(?:'s)? description(?:\s*(?:to|as|with|:|=)\s*:?\s*(?P<text>.+))?",
        _describe,
    ),
    rule(rf"describe\s+{THE}(?P<target>[\w.\- ]+?)\s+as\s*:?\s+(?P<text>.+)", _describe),
    rule(
        r"(?:save|store|keep|turn|make)\s+(?:that|this|it|(?:the |that |this |my )?(?:sql|query))?\s*(?:as|into|to)\s+(?:a |an )?(?:new )?(?:sql )?transformation"
        r"(?:\s*:?\s*(?:called|named)?\s*:?\s*(?P<name>.+))?",
        lambda match: Understood(
            lambda talk: changing.save_transformation(talk, unquoted(match["name"] or "")), working.configs
        ),
    ),
    rule(
        rf"rename\s+{THE}(?P<name>.+?)(?:\s+(?:config|configuration|extractor|writer|transformation|flow))?\s+(?:to|as|into)\s+(?P<new>.+)",
        lambda match: Understood(
            lambda talk: changing.rename_config(talk, match["name"], unquoted(match["new"]))
        ),
    ),
    rule(
        rf"(?:set|change|update)\s+{THE}(?:parameter\s+|value\s+of\s+)?(?P<path>[#\w$.\[\]]+)\s+(?:of|in|on|for)\s+{THE}"
        r"(?P<name>.+?)(?:\s+(?:config|configuration|extractor|writer|transformation))?\s*(?:\sto\s|=|:)\s*(?P<value>.+)",
        lambda match: Understood(
            lambda talk: changing.set_parameter(talk, match["path"], match["name"], unquoted(match["value"]))
        ),
    ),
    rule(
        rf"(?:create|make|add|new)\s+{THE}(?:new\s+)?(?:config|configuration)\s+(?:of|for|with|in)\s+{THE}"
        r"(?P<component>.+?)(?:\s+(?:called|named)\s+(?P<name>.+))?",
        lambda match: Understood(
            lambda talk: changing.create_config(
                talk, match["component"], unquoted(match["name"] or f"New {match['component']}")
            ),
            working.configs,
        ),
    ),
    rule(
        rf"(?:write|generate|draft|build|create|make|give|show)(?: me)?\s+(?:{THE}|some |the )?(?:sql|query|select)(?: query| statement| code)?"
        r"(?:\s+(?:for|to|that|of|which|showing|with|get|gets|count|counts))*\s+(?P<wish>.+)",
        _write_sql,
    ),
    rule(
        rf"(?:re-?run|run|start|trigger|execute|launch|kick off|restart)\s+{THE}(?P<name>.+?)(?:\s+(?:again|once more|now))*",
        _run,
    ),
    rule(r"(?:delete|remove|drop|erase|destroy|purge|truncate)\b.*", fixed(changing.no_deleting)),
)
