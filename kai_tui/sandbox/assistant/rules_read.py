"""Sentences that ask to look at something."""

from __future__ import annotations

import re

from kai_tui.sandbox.assistant import asking, looking, working
from kai_tui.sandbox.assistant.questions import question_in
from kai_tui.sandbox.assistant.rules import KINDS, LIST, THE, Maker, Rule, Understood, fixed, rule
from kai_tui.sandbox.assistant.script import Script
from kai_tui.sandbox.assistant.talk import Talk

_TABLE_NAMES = frozenset(
    (
        "customers",
        "deals",
        "orders",
        "order_items",
        "products",
        "regions",
        "tickets",
        "monthly_sales",
        "customer_value",
    )
)


def _question(sentence: str, _text: str, _talk: Talk) -> Understood | None:
    question = question_in(sentence)
    if question is None:
        return None
    return Understood(lambda talk: asking.ask(talk, question), lambda talk: asking.ask_more(talk, question))


def _count(match: re.Match[str]) -> Understood | None:
    what = match["what"]
    last = what.split()[-1].lower()
    if question_in(f"total {what}") is not None and re.search(
        r"\b(?:by|per|last|this|today|yesterday)\b", what
    ):
        return None
    makers: dict[str, Maker] = {
        "tables": looking.tables,
        "buckets": looking.buckets,
        "flows": working.flows,
        "jobs": working.jobs,
        "configurations": working.configs,
        "configs": working.configs,
    }
    if last in makers:
        return Understood(makers[last], looking.more_about_tables)
    return Understood(lambda talk: asking.count(talk, what), lambda talk: looking.describe_table(talk, last))


def _show(match: re.Match[str]) -> Understood | None:
    name = match["name"]
    if re.fullmatch(rf"(?:{KINDS})", name, re.IGNORECASE):
        return None
    return Understood(
        lambda talk: looking.show_table(talk, name), lambda talk: looking.describe_table(talk, name)
    )


def _about(match: re.Match[str]) -> Understood | None:
    name = match["name"]
    if re.fullmatch(rf"(?:{KINDS}|that|this|it|them|you|yourself|me|data)", name, re.IGNORECASE):
        return None
    return Understood(
        lambda talk: looking.describe_table(talk, name), lambda talk: looking.show_table(talk, name)
    )


def _is_table_talk(match: re.Match[str]) -> bool:
    """“What is x” asks for a table only when x looks like one of ours; “describe x” always does."""
    if re.match(r"what(?:'s| is)\s", match[0], re.IGNORECASE) is None:
        return True
    return match["name"].lower().rsplit(".", 1)[-1].strip('"`') in _TABLE_NAMES


def _tables(match: re.Match[str]) -> Understood:
    bucket = (match["bucket"] or "").strip()
    if bucket.lower() in ("keboola", "project", "storage", "my", "it", "sandbox", "here"):
        bucket = ""
    return Understood(lambda talk: looking.tables(talk, bucket), looking.more_about_tables)


def _config(match: re.Match[str]) -> Understood:
    name = match["name"]
    return Understood(lambda talk: working.show_config(talk, name), lambda talk: working.one_job(talk, name))


def _job(match: re.Match[str]) -> Understood:
    name = match["name"]
    return Understood(lambda talk: working.one_job(talk, name), lambda talk: working.show_config(talk, name))


def _failed_jobs(talk: Talk) -> Script:
    return working.jobs(talk, failed=True)


def _last_failed(talk: Talk) -> Script:
    return working.one_job(talk, "Support desk")


RULES: tuple[Rule, ...] = (
    rule(
        rf"(?:{LIST}\s+)?(?:me\s+)?{THE}(?:jobs? (?:that |which )?(?:have |has )?(?:failed|fails?)|failed jobs?|failing jobs?|failures|errors?)(?: .*)?"
        r"|(?:which|what|have any|did any|any)\s+(?:of my )?(?:jobs?\s+)?(?:thing\s+)?(?:have\s+|has\s+)?(?:failed|failing|fail|broke|went wrong|is broken)(?: .*)?"
        r"|did any(?:thing| jobs?) (?:fail|break|go wrong)(?: .*)?",
        fixed(_failed_jobs, _last_failed),
    ),
    rule(
        rf"(?:why (?:did|does|is|has)|what happened (?:to|with)|what(?:'s| is) wrong with)\s+{THE}(?P<name>.+?)(?:'s)?(?:\s+(?:job|flow|config|configuration))?"
        r"(?:\s+(?:fail(?:ed|ing|s)?|break|broken?|not work(?:ing)?))?",
        _job,
    ),
    rule(
        rf"(?:did|has|have)\s+{THE}(?P<name>.+?)(?:\s+(?:job|flow|config|configuration))?\s+(?:run|ran|finish(?:ed)?|end(?:ed)?|succeed(?:ed)?|work(?:ed)?)(?: .*)?",
        _job,
    ),
    rule(
        rf"(?:(?:what(?:'s| is|'re| are)|show|get|check|give)(?: me)?\s+)?{THE}(?:status|state|log|logs|history|result)\s+(?:of|for)\s+{THE}(?P<name>.+?)(?:\s+(?:job|flow)s?)?",
        _job,
    ),
    rule(r"(?:show |get |open |see )?(?:me )?(?:the )?(?P<name>job\s*#?\d{4,})", _job),
    rule(
        rf"(?:{LIST}\s+)?(?:me\s+)?{THE}(?:(?:last|latest|recent|newest|past|previous)\s+)?(?:\d+\s+)?(?:job|jobs|job history|job runs|runs|queue)(?: .{{0,40}})?",
        fixed(working.jobs, _failed_jobs),
    ),
    rule(
        rf"(?:show|open|see|view|get|display|describe)\s+(?:me\s+)?{THE}(?P<name>.+?)\s+(?:config|configuration|flow|extractor|writer|transformation|orchestration)",
        _config,
    ),
    rule(
        rf"(?:(?:{LIST}|do i have any)\s+)?(?:me\s+)?{THE}(?:scheduled\s+)?(?:flows?|orchestrations?|schedules?|pipelines?)(?: .{{0,40}})?",
        fixed(working.flows, working.configs),
    ),
    rule(
        rf"{LIST}\s+(?:me\s+)?{THE}(?:keboola\s+)?(?:configs?|configurations?|components?|extractors?|writers?|transformations?|connections?|connectors?)(?: .{{0,40}})?"
        r"|(?:my )?(?:configs|configurations|components|extractors|writers|transformations)",
        fixed(working.configs, working.jobs),
    ),
    rule(
        rf"(?:(?:{LIST}|tell me about|describe|about)\s+)?(?:me\s+)?(?:is\s+)?{THE}(?:current\s+)?(?:keboola\s+)?project(?: info(?:rmation)?| is this| am i in| do i use)?"
        r"|where am i|what company is this|(?:what(?:'s| is)|who is|tell me about) (?:alder & finch|alder and finch|the company)",
        fixed(looking.project, looking.tables),
    ),
    rule(
        r"how many\s+(?P<what>[\w\- ]+?)(?:\s+(?:do|does|did|are|is|have|has|can|in the|exist|were)\b.*)?",
        _count,
    ),
    rule(rf"(?:count|number of)\s+{THE}(?P<what>[\w\- ]+)", _count),
    rule(
        rf"(?:{LIST}\s+)?(?:me\s+)?{THE}(?:keboola\s+)?(?:storage\s+)?buckets(?: .{{0,40}})?",
        fixed(looking.buckets, looking.more_about_tables),
    ),
    rule(
        rf"(?:(?:{LIST})\s+)?(?:me\s+)?(?:of\s+)?{THE}(?:available\s+)?(?:keboola\s+)?(?:storage\s+)?(?:data\s+)?tables"
        r"(?:\s+(?:do i have|do we have|can i (?:use|see|query)|are there|are available|exist|i have|you (?:know|have)|available))?"
        r"(?:\s+(?:are\s+)?(?:in|of|from|inside)\s+(?:the\s+|my\s+)?(?:bucket\s+)?(?P<bucket>[\w.-]+)(?:\s+bucket)?)?",
        _tables,
    ),
    rule(
        r"(?:which|what|list|show(?: me)?|are there any|any)\s+(?:of (?:the |our )?)?(?:products?|items?|articles?)?\s*(?:(?:that )?(?:are|is|have|run|running))*\s*"
        r"(?:(?:sold|running|nearly) )?(?:out of|low (?:on|in)|low|in|on)\s+stock(?: products?| items?)?",
        fixed(asking.stock, lambda talk: looking.show_table(talk, "products")),
    ),
    _question,
    rule(
        rf"(?:show|open|display|preview|see|view|print|give|get|look at|read|list)\s+(?:me\s+)?(?:(?:some|the first|the last|first|last|\d+|rows|data|contents?|of|from|in|inside)\s+)*{THE}"
        r"(?:table\s+)?(?P<name>[\w.\-\"`]+)(?:\s+(?:table|data|rows))?",
        _show,
    ),
    rule(
        rf"(?:what(?:'s| is)? in|what (?:data )?does|what(?:'s| is) inside)\s+{THE}(?:table\s+)?(?P<name>[\w.\-\"`]+)(?:\s+table)?(?:\s+(?:have|contain|hold))?",
        _show,
    ),
    rule(
        rf"(?:describe|explain|tell me (?:more )?about|more about|what(?:'s| is)(?: in)?|(?:what|which|show me the|show|list)?\s*(?:columns?|schema|fields|structure|columns are)\s+(?:of|in|does|for))\s+{THE}"
        r"(?:table\s+)?(?P<name>[\w.\-\"`]+)\s*(?:table|have)?",
        lambda match: _about(match) if _is_table_talk(match) else None,
    ),
    rule(
        r"(?P<q>(?:how (?:do|can|does|to|should)|what(?:'s| is| are| does)|where (?:do|can)|explain|define|why (?:do|does|should))\b.*\b"
        r"(?:buckets?|tables?|storage|components?|extractors?|writers?|configurations?|configs?|transformations?|flows?|orchestrations?|jobs?|"
        r"workspaces?|tokens?|branch(?:es)?|keboola|kai|connectors?|schedules?|rows)\b.*)",
        lambda match: Understood(lambda talk: looking.handbook(talk, match["q"]), looking.project),
    ),
)
