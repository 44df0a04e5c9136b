"""What needs no tool: help, names, what was said, sums, courtesies."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable

from kai_tui.sandbox.assistant.script import Script, Step
from kai_tui.sandbox.assistant.talk import Talk
from kai_tui.sandbox.assistant.words import clean
from kai_tui.sandbox.assistant.writing import next_actions, quote

HELP = """\
I am the assistant of the sandbox: a **rule-based stand-in** for Kai. There is no model behind me and no \
network, but the project is real: a database about a made-up company, *Alder & Finch*, outdoor gear in four regions. \
My tools really read and change it.

**Look around**
- What tables do I have? · Show me the orders table
- List my configurations · List flows · Which jobs failed?

**Ask the data**
- Which region sold most? · Top 5 products last month
- Write SQL for orders by region · or any `SELECT …`

**Change things** (I ask you first)
- Create a bucket called test-bucket
- Set the description of the customers table to …
- Run the CRM job

**Hard cases**: type `/demo` to see two writes at once, a failing tool, hostile text and more."""


def help_text(_talk: Talk) -> Script:
    """What can you help me with?"""
    yield Step(
        HELP
        + next_actions(
            "What tables do I have?", "Which region sold most?", "Create a bucket called test-bucket", "/demo"
        )
    )


def who(_talk: Talk) -> Script:
    """Who or what are you?"""
    yield Step(
        "I am a rule-based stand-in for Kai, the Keboola AI Assistant. I match your sentences against rules; "
        "there is no language model here, so I am quick, always the same, and easily puzzled. "
        "What my tools say is true of the sandbox's database."
        + next_actions("What can you help me with?", "What tables do I have?")
    )


def greeting(talk: Talk) -> Script:
    """Hello."""
    name = known_name(talk)
    yield Step(
        f"Hello{f', {name}' if name else ''}! I am the sandbox's rule-based stand-in for Kai. "
        "Ask me about the data of Alder & Finch, or have me change something."
        + next_actions("What can you help me with?", "What tables do I have?", "Which region sold most?")
    )


def thanks(_talk: Talk) -> Script:
    """Thank you."""
    yield Step("You are welcome." + next_actions("What can you help me with?"))


_NAMED = re.compile(
    r"(?:^|[.!,]\s*)(?:hi,? |hello,? )?(?:my name(?: is|'s)|call me|i am called)\s+"
    r"([^\W\d_][\w'’-]*(?:\s+[A-ZÀ-Þ][\w'’-]*){0,2})",
    re.IGNORECASE,
)
_I_AM = re.compile(r"(?:^|[.!,]\s*)[Ii](?:'m| am) ([A-ZÀ-Þ][\w'’-]+)(?=$|[.!,])")


def name_in(text: str) -> tuple[str, str] | None:
    """The name somebody gives in a text, and the text without it."""
    line = " ".join(text.replace("’", "'").split())
    match = _NAMED.search(line) or _I_AM.search(line)
    if match is None:
        return None
    words = match[1].split()
    # Without capitals only the first word can be the name: "my name is ada and I …".
    name = " ".join(words[:1] + [word for word in words[1:] if word[:1].isupper()])
    rest = line[: match.start()] + line[match.end(1) :]
    return name[:1].upper() + name[1:], re.sub(r"^[\s.!,]*(?:and\b)?[\s.!,]*", "", rest)


def known_name(talk: Talk) -> str | None:
    """The name the user gave last."""
    for text in reversed(talk.asked):
        found = name_in(text)
        if found is not None:
            return found[0]
    return None


def named(talk: Talk, name: str) -> Script:
    """My name is Ada."""
    yield Step(
        f"Nice to meet you, {name}. I will remember your name in this chat."
        + next_actions("What is my name?", "What can you help me with?")
    )


def what_name(talk: Talk) -> Script:
    """What is my name?"""
    name = known_name(talk)
    if name is None:
        yield Step("You have not told me your name in this chat. Say “My name is …” and I will remember it.")
    else:
        yield Step(f"Your name is **{name}**: you told me in this chat.")


def what_said(talk: Talk, *, first: bool = False) -> Script:
    """What did I just say?"""
    asked = talk.asked
    if not asked:
        yield Step("Nothing before this: it is your first message in this chat.")
        return
    said = asked[0] if first else asked[-1]
    yield Step(f"{'Your first message was' if first else 'You just said'}:\n\n{quote(said[:2000])}")


_WORDS = (
    (r"\bplus\b", "+"),
    (r"\bminus\b", "-"),
    (r"\b(?:times|multiplied by)\b|[×·]|(?<=[\d\s)])x(?=[\d\s(])", "*"),
    (r"\b(?:divided by|over)\b|[÷:]", "/"),
    (r"\^", "**"),
    (r"(\d(?:[\d.]*))\s*(?:%|percent) of\b", r"\1/100*"),
    (r"−", "-"),
    (r"(?<=\d),(?=\d{3}\b)", ""),
)
_ASKS = re.compile(
    r"^(?:what(?:'s| is| are)|how much (?:is|are)|calculate|compute|evaluate|solve|what does)\s+",
    re.IGNORECASE,
)
_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda left, right: left / right,
    ast.FloorDiv: lambda left, right: left // right,
    ast.Mod: lambda left, right: left % right,
    ast.Pow: lambda left, right: left**right,
}


def sum_of(text: str) -> tuple[str, str] | None:
    """The expression in a question like “What is 2 + 2?” and what it makes; None when it is no sum."""
    asked = _ASKS.sub("", clean(text)).removesuffix("equal").rstrip("= ")
    expression = asked
    for pattern, sign in _WORDS:
        expression = re.sub(pattern, sign, expression, flags=re.IGNORECASE)
    if len(expression) > 200 or not re.fullmatch(r"[\d\s.+\-*/%()]+", expression):
        return None
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
        if not isinstance(tree, ast.BinOp):
            return None
        value = _value(tree)
    except ZeroDivisionError:
        return asked, "not defined: nothing can be divided by zero"
    except (SyntaxError, ValueError, OverflowError, RecursionError):
        return None
    return asked, f"{value:,.10g}" if isinstance(value, float) and abs(value) < 1e15 else f"{value:,}"


def _value(node: ast.expr) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _value(node.operand)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = _value(node.left), _value(node.right)
        if isinstance(node.op, ast.Pow) and (abs(right) > 64 or abs(left) > 1e6):
            raise ValueError("too large")
        return _OPERATORS[type(node.op)](left, right)
    raise ValueError("no sum")


def reckon(_talk: Talk, asked: str, value: str) -> Script:
    """What is 2 + 2?"""
    if value.startswith("not defined"):
        yield Step(f"{asked} is {value}.")
    else:
        yield Step(f"{asked} = **{value}**")
