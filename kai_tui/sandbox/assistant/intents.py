"""From a sentence to a script: rules, tried in order; the first that fits wins."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass

from kai_tui.sandbox.assistant import asking, changing, demo, looking, small_talk, working
from kai_tui.sandbox.assistant.questions import question_in
from kai_tui.sandbox.assistant.script import Script, Step
from kai_tui.sandbox.assistant.talk import Talk, text_of
from kai_tui.sandbox.assistant.words import bare, clean, unquoted
from kai_tui.sandbox.assistant.writing import next_actions

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


def _rule(pattern: str, make: Callable[[re.Match[str]], Understood | None]) -> Rule:
    compiled = re.compile(pattern, re.IGNORECASE)

    def apply(sentence: str, _text: str, _talk: Talk) -> Understood | None:
        match = compiled.fullmatch(sentence)
        return make(match) if match is not None else None

    return apply


_LIST = r"(?:what|which|list|show|see|get|display|give|view|are there|do i have|do we have|how many)"
_THE = r"(?:(?:the|my|our|a|an|all|this|that)\s+)*"
_NOUNS_OF_OTHERS = (
    r"jobs?|flows?|buckets?|tables?|configs?|configurations?|components?|project|orchestrations?|schema"
)


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


def _name(_sentence: str, text: str, talk: Talk) -> Understood | None:
    found = small_talk.name_in(text)
    if found is None:
        return None
    name, rest = found
    wish = understand(rest, talk) if clean(rest) else None
    if wish is None or wish.script is fallback:
        return Understood(lambda talk: small_talk.named(talk, name), aside=True)
    return wish


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
    return Understood(lambda talk: changing.describe(talk, target, text), looking.more_about_tables)


def _write_sql(match: re.Match[str]) -> Understood:
    wish = match["wish"]
    question = question_in(wish) or question_in(f"total {wish}")
    return Understood(
        lambda talk: asking.write_sql(talk, wish),
        (lambda talk: asking.ask_more(talk, question)) if question is not None else None,
    )


def _question(sentence: str, _text: str, _talk: Talk) -> Understood | None:
    question = question_in(sentence)
    if question is None:
        return None
    return Understood(lambda talk: asking.ask(talk, question), lambda talk: asking.ask_more(talk, question))


def _count(match: re.Match[str]) -> Understood | None:
    what = match["what"]
    last = what.split()[-1].lower()
    if question_in(what) is not None and re.search(r"\b(?:by|per|last|this|today|yesterday)\b", what):
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
    if re.fullmatch(rf"(?:{_NOUNS_OF_OTHERS})", name, re.IGNORECASE):
        return None
    return Understood(
        lambda talk: looking.show_table(talk, name), lambda talk: looking.describe_table(talk, name)
    )


def _about(match: re.Match[str]) -> Understood | None:
    name = match["name"]
    if re.fullmatch(rf"(?:{_NOUNS_OF_OTHERS}|that|this|it|them|you|yourself|me|data)", name, re.IGNORECASE):
        return None
    return Understood(
        lambda talk: looking.describe_table(talk, name), lambda talk: looking.show_table(talk, name)
    )


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


def _run(match: re.Match[str]) -> Understood | None:
    name = match["name"]
    if re.fullmatch(r"(?:it|this|that|sql|query|select.*)", name, re.IGNORECASE):
        return None
    return Understood(lambda talk: changing.run_job(talk, name), lambda talk: working.one_job(talk, name))


def _said(match: re.Match[str]) -> Understood:
    first = "first" in match[0].lower()
    return Understood(lambda talk: small_talk.what_said(talk, first=first), aside=True)


def _more(_match: re.Match[str]) -> Understood:
    return Understood(tell_more, aside=True)


def _fixed(
    maker: Maker, more: Maker | None = None, *, aside: bool = False
) -> Callable[[re.Match[str]], Understood]:
    return lambda _match: Understood(maker, more, aside)


def _failed_jobs(talk: Talk) -> Script:
    return working.jobs(talk, failed=True)


def _last_failed(talk: Talk) -> Script:
    return working.one_job(talk, "Support desk")


_NAMES = r"(?P<names>[\"'`]?[\w.-]+[\"'`]?(?:(?:\s*,\s*(?:and\s+)?|\s+and\s+)[\"'`]?[\w.-]+[\"'`]?)*)"

RULES: tuple[Rule, ...] = (
    _demo,
    _sql,
    _rule(
        r"\??|/?help(?: me)?(?: out)?|what (?:all )?(?:can|do|could) (?:you|u|kai) (?:help(?: me)?(?: out)?(?: with)?|do|know)(?: for me)?"
        r"|what (?:can|should|could) i (?:ask|do|say|try|type)(?: you)?(?: here| first)?|can you help(?: me)?|how can you help(?: me)?"
        r"|(?:list |show )?(?:me )?(?:the |your )?(?:commands|examples|features|capabilities|abilities)|how (?:does|do) (?:this|you) work"
        r"|(?:how (?:do|can) i )?(?:get started|start|begin)|getting started|what is this|menu|/start",
        _help,
    ),
    _sum,
    _rule(
        r"what(?:'s| is) my name|who am i|do you (?:know|remember) (?:my name|who i am|me)|say my name",
        _fixed(small_talk.what_name, aside=True),
    ),
    _rule(
        r"(?:what|can you repeat what|repeat what|tell me what) (?:did |have )?i (?:just |first )?(?:say|said|ask|asked|write|wrote|type|typed|tell you|told you)"
        r"(?: you)?(?: just)?(?: now| before| last| first| at first| a moment ago)?"
        r"|what(?:'s| was| is) my (?:last|previous|first) (?:message|question|sentence|prompt)",
        _said,
    ),
    _name,
    _rule(
        r"(?:hi|hello|hey|good (?:morning|afternoon|evening|day)|hallo|ahoj|moin|servus|yo|greetings)(?: there| kai| again| all)?",
        _fixed(small_talk.greeting, aside=True),
    ),
    _rule(
        r"(?:thanks?|thank you|thx|ty|cheers|great|nice|cool|perfect|awesome|ok|okay|good|well done|bye|goodbye)"
        r"(?: (?:a lot|so much|very much|kai|job|work|one|you))*",
        _fixed(small_talk.thanks, aside=True),
    ),
    _rule(
        r"(?:who|what) are you|are you (?:an? |the )?(?:real |human|bot|robot|ai|llm|person|model|machine|kai|chatgpt|claude|gpt).*"
        r"|what (?:model|llm|ai) (?:are you|is this|do you use)|what(?:'s| is) your name|tell me (?:more )?about yourself",
        _fixed(small_talk.who, aside=True),
    ),
    _rule(
        r"(?:(?:tell|show|give) me |i want (?:to know )?|say |know )?(?:some |a bit |a little )?more(?: details?| info(?:rmation)?)?"
        r"(?: (?:about|on|of) (?:that|this|it|them|those|these))?"
        r"|(?:explain|elaborate|expand|go on|continue|dig deeper|details?|why|how so)(?: (?:on |about )?(?:that|this|it|further|more))*",
        _more,
    ),
    # Changes first: their words occur in the reading rules too.
    _rule(
        rf"(?:create|make|add|new|set up|open)\s+(?:me\s+)?(?P<before>(?:(?:a|an|the|new|empty|another|two|in|out|input|output|stage|storage)\s+)*)"
        rf"buckets?(?:\s+(?P<after1>(?:in|on) (?:the )?(?:in|out)(?:put)?(?: stage)?))?"
        rf"(?:\s*:?\s*(?:called|named|with (?:the )?names?|name)?\s*:?\s*{_NAMES})?"
        rf"(?P<after>\s+(?:in|on|with)\s+(?:the\s+)?(?:stage\s+)?(?:in|out)(?:put)?(?:\s+stage)?)?",
        _new_bucket,
    ),
    _bucket_name,
    _rule(
        rf"(?:set|change|update|edit|make|write|add|improve|put|give)\s+{_THE}(?:new\s+|better\s+)?description\s+(?:of|for|on|to)\s+{_THE}"
        r"(?P<target>.+?)(?:\s*(?:\s(?:to|as|with)(?:\s*:)?\s+|[:=]\s*)(?P<text>.+))?",
        _describe,
    ),
    _rule(
        rf"(?:set|change|update|edit)\s+{_THE}(?P<target>[\w.\- ]+?)(?:'s)? description(?:\s*(?:to|as|with|:|=)\s*:?\s*(?P<text>.+))?",
        _describe,
    ),
    _rule(rf"describe\s+{_THE}(?P<target>[\w.\- ]+?)\s+as\s*:?\s+(?P<text>.+)", _describe),
    _rule(
        r"(?:save|store|keep|turn|make)\s+(?:that|this|it|(?:the |that |this |my )?(?:sql|query))?\s*(?:as|into|to)\s+(?:a |an )?(?:new )?(?:sql )?transformation"
        r"(?:\s*:?\s*(?:called|named)?\s*:?\s*(?P<name>.+))?",
        lambda match: Understood(
            lambda talk: changing.save_transformation(talk, unquoted(match["name"] or "")), working.configs
        ),
    ),
    _rule(
        rf"rename\s+{_THE}(?P<name>.+?)(?:\s+(?:config|configuration|extractor|writer|transformation|flow))?\s+(?:to|as|into)\s+(?P<new>.+)",
        lambda match: Understood(
            lambda talk: changing.rename_config(talk, match["name"], unquoted(match["new"]))
        ),
    ),
    _rule(
        rf"(?:set|change|update)\s+{_THE}(?:parameter\s+|value\s+of\s+)?(?P<path>[#\w$.\[\]]+)\s+(?:of|in|on|for)\s+{_THE}"
        r"(?P<name>.+?)(?:\s+(?:config|configuration|extractor|writer|transformation))?\s*(?:\sto\s|=|:)\s*(?P<value>.+)",
        lambda match: Understood(
            lambda talk: changing.set_parameter(talk, match["path"], match["name"], unquoted(match["value"]))
        ),
    ),
    _rule(
        rf"(?:create|make|add|new)\s+{_THE}(?:new\s+)?(?:config|configuration)\s+(?:of|for|with|in)\s+{_THE}"
        r"(?P<component>.+?)(?:\s+(?:called|named)\s+(?P<name>.+))?",
        lambda match: Understood(
            lambda talk: changing.create_config(
                talk, match["component"], unquoted(match["name"] or f"New {match['component']}")
            ),
            working.configs,
        ),
    ),
    _rule(
        rf"(?:write|generate|draft|build|create|make|give|show)(?: me)?\s+(?:{_THE}|some |the )?(?:sql|query|select)(?: query| statement| code)?"
        r"(?:\s+(?:for|to|that|of|which|showing|with|get|gets|count|counts))*\s+(?P<wish>.+)",
        _write_sql,
    ),
    _rule(
        rf"(?:re-?run|run|start|trigger|execute|launch|kick off|restart)\s+{_THE}(?P<name>.+?)(?:\s+(?:again|once more|now))*",
        _run,
    ),
    _rule(r"(?:delete|remove|drop|erase|destroy|purge|truncate)\b.*", _fixed(changing.no_deleting)),
    # Reading.
    _rule(
        rf"(?:{_LIST}\s+)?(?:me\s+)?{_THE}(?:jobs? (?:that |which )?(?:have |has )?(?:failed|fails?)|failed jobs?|failing jobs?|failures|errors?)(?: .*)?"
        r"|(?:which|what|have any|did any|any)\s+(?:of my )?(?:jobs?\s+)?(?:thing\s+)?(?:have\s+|has\s+)?(?:failed|failing|fail|broke|went wrong|is broken)(?: .*)?"
        r"|did any(?:thing| jobs?) (?:fail|break|go wrong)(?: .*)?",
        _fixed(_failed_jobs, _last_failed),
    ),
    _rule(
        rf"(?:why (?:did|does|is|has)|what happened (?:to|with)|what(?:'s| is) wrong with)\s+{_THE}(?P<name>.+?)(?:'s)?(?:\s+(?:job|flow|config|configuration))?"
        r"(?:\s+(?:fail(?:ed|ing|s)?|break|broken?|not work(?:ing)?))?",
        _job,
    ),
    _rule(
        rf"(?:did|has|have)\s+{_THE}(?P<name>.+?)(?:\s+(?:job|flow|config|configuration))?\s+(?:run|ran|finish(?:ed)?|end(?:ed)?|succeed(?:ed)?|work(?:ed)?)(?: .*)?",
        _job,
    ),
    _rule(
        rf"(?:(?:what(?:'s| is|'re| are)|show|get|check|give)(?: me)?\s+)?{_THE}(?:status|state|log|logs|history|result)\s+(?:of|for)\s+{_THE}(?P<name>.+?)(?:\s+(?:job|flow)s?)?",
        _job,
    ),
    _rule(r"(?:show |get |open |see )?(?:me )?(?:the )?(?P<name>job\s*#?\d{4,})", _job),
    _rule(
        rf"(?:{_LIST}\s+)?(?:me\s+)?{_THE}(?:(?:last|latest|recent|newest|past|previous)\s+)?(?:\d+\s+)?(?:job|jobs|job history|job runs|runs|queue)(?: .{{0,40}})?",
        _fixed(working.jobs, _failed_jobs),
    ),
    _rule(
        rf"(?:show|open|see|view|get|display|describe)\s+(?:me\s+)?{_THE}(?P<name>.+?)\s+(?:config|configuration|flow|extractor|writer|transformation|orchestration)",
        _config,
    ),
    _rule(
        rf"(?:(?:{_LIST}|do i have any)\s+)?(?:me\s+)?{_THE}(?:scheduled\s+)?(?:flows?|orchestrations?|schedules?|pipelines?)(?: .{{0,40}})?",
        _fixed(working.flows, working.configs),
    ),
    _rule(
        rf"{_LIST}\s+(?:me\s+)?{_THE}(?:keboola\s+)?(?:configs?|configurations?|components?|extractors?|writers?|transformations?|connections?|connectors?)(?: .{{0,40}})?"
        r"|(?:my )?(?:configs|configurations|components|extractors|writers|transformations)",
        _fixed(working.configs, working.jobs),
    ),
    _rule(
        rf"(?:(?:{_LIST}|tell me about|describe|about)\s+)?(?:me\s+)?(?:is\s+)?{_THE}(?:current\s+)?(?:keboola\s+)?project(?: info(?:rmation)?| is this| am i in| do i use)?"
        r"|where am i|what company is this|(?:what(?:'s| is)|who is|tell me about) (?:alder & finch|alder and finch|the company)",
        _fixed(looking.project, looking.tables),
    ),
    _rule(
        r"how many\s+(?P<what>[\w\- ]+?)(?:\s+(?:do|does|did|are|is|have|has|can|in the|exist|were)\b.*)?",
        _count,
    ),
    _rule(rf"(?:count|number of)\s+{_THE}(?P<what>[\w\- ]+)", _count),
    _rule(
        rf"(?:{_LIST}\s+)?(?:me\s+)?{_THE}(?:keboola\s+)?(?:storage\s+)?buckets(?: .{{0,40}})?",
        _fixed(looking.buckets, looking.more_about_tables),
    ),
    _rule(
        rf"(?:(?:{_LIST})\s+)?(?:me\s+)?(?:of\s+)?{_THE}(?:available\s+)?(?:keboola\s+)?(?:storage\s+)?(?:data\s+)?tables"
        r"(?:\s+(?:do i have|do we have|can i (?:use|see|query)|are there|are available|exist|i have|you (?:know|have)|available))?"
        r"(?:\s+(?:are\s+)?(?:in|of|from|inside)\s+(?:the\s+|my\s+)?(?:bucket\s+)?(?P<bucket>[\w.-]+)(?:\s+bucket)?)?",
        _tables,
    ),
    _question,
    _rule(
        rf"(?:show|open|display|preview|see|view|print|give|get|look at|read|list)\s+(?:me\s+)?(?:(?:some|the first|the last|first|last|\d+|rows|data|contents?|of|from|in|inside)\s+)*{_THE}"
        r"(?:table\s+)?(?P<name>[\w.\-\"`]+)(?:\s+(?:table|data|rows))?",
        _show,
    ),
    _rule(
        rf"(?:what(?:'s| is)? in|what (?:data )?does|what(?:'s| is) inside)\s+{_THE}(?:table\s+)?(?P<name>[\w.\-\"`]+)(?:\s+table)?(?:\s+(?:have|contain|hold))?",
        _show,
    ),
    _rule(
        rf"(?:describe|explain|tell me (?:more )?about|more about|what(?:'s| is)(?: in)?|(?:what|which|show me the|show|list)?\s*(?:columns?|schema|fields|structure|columns are)\s+(?:of|in|does|for))\s+{_THE}"
        r"(?:table\s+)?(?P<name>[\w.\-\"`]+)\s*(?:table|have)?",
        lambda match: _about(match) if _is_table_talk(match) else None,
    ),
    _rule(
        r"(?P<q>(?:how (?:do|can|does|to|should)|what(?:'s| is| are| does)|where (?:do|can)|explain|define|why (?:do|does|should))\b.*\b"
        r"(?:buckets?|tables?|storage|components?|extractors?|writers?|configurations?|configs?|transformations?|flows?|orchestrations?|jobs?|"
        r"workspaces?|tokens?|branch(?:es)?|keboola|kai|connectors?|schedules?|rows)\b.*)",
        lambda match: Understood(lambda talk: looking.handbook(talk, match["q"]), looking.project),
    ),
)


def _is_table_talk(match: re.Match[str]) -> bool:
    """“What is x” asks for a table only when x looks like one of ours; “describe x” always does."""
    if re.match(r"what(?:'s| is)\s", match[0], re.IGNORECASE) is None:
        return True
    return match["name"].lower().rsplit(".", 1)[-1].strip('"`') in _TABLE_NAMES


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


def understand(text: str, talk: Talk) -> Understood:
    """What to do about a message. Always finds something: in the end, the fallback."""
    sentence = clean(text)
    for candidate in dict.fromkeys((sentence, *_near(sentence))):
        for rule in RULES:
            found = rule(candidate, text if candidate == sentence else candidate, talk)
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
        earlier = understand(text_of(message), Talk(text_of(message), talk.before[:at]))
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
