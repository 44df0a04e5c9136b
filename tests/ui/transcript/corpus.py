"""Texts like a model writes them; the same for the same seed."""

from __future__ import annotations

import random

WORDS = [
    "the",
    "of",
    "and",
    "to",
    "in",
    "a",
    "is",
    "that",
    "for",
    "it",
    "as",
    "was",
    "with",
    "be",
    "by",
    "on",
    "not",
    "latency",
    "buffer",
    "stream",
    "token",
    "widget",
    "layout",
    "render",
    "terminal",
    "worker",
    "message",
    "queue",
    "block",
    "parser",
    "cache",
    "viewport",
    "scroll",
    "session",
    "model",
    "reply",
    "table",
    "region",
]


def sentence(randomly: random.Random, length: int | None = None) -> str:
    count = length or randomly.randint(8, 22)
    words = [randomly.choice(WORDS) for _ in range(count)]
    at = randomly.randrange(count)
    word = words[at]
    words[at] = randomly.choice(
        [word] * 5
        + [
            f"**{word}**",
            f"`{word}_x()`",
            f"*{word}*",
            f"[{word}](https://e.com/{word})",
            "你好世界 🚀 naïve",
        ]
    )
    return " ".join(words).capitalize() + "."


def paragraph(randomly: random.Random) -> str:
    return " ".join(sentence(randomly) for _ in range(randomly.randint(2, 5))) + "\n\n"


def bullets(randomly: random.Random) -> str:
    lines = [f"- {sentence(randomly, randomly.randint(5, 14))}\n" for _ in range(randomly.randint(3, 8))]
    return "".join(lines) + "  - nested\n\n"


def numbered(randomly: random.Random) -> str:
    return "".join(f"{at + 1}. {sentence(randomly, 8)}\n" for at in range(randomly.randint(3, 7))) + "\n"


def code(randomly: random.Random) -> str:
    lines = [
        "    " * randomly.randint(0, 3)
        + f"def {randomly.choice(WORDS)}(x: int = {randomly.randrange(99)}) -> str:"
        for _ in range(randomly.randint(5, 60))
    ]
    return "```python\n" + "\n".join(lines) + "\n```\n\n"


def table(randomly: random.Random) -> str:
    columns = randomly.randint(2, 5)
    out = (
        "| " + " | ".join(randomly.choice(WORDS) for _ in range(columns)) + " |\n|" + "---|" * columns + "\n"
    )
    for _ in range(randomly.randint(3, 40)):
        out += "| " + " | ".join(sentence(randomly, randomly.randint(1, 6)) for _ in range(columns)) + " |\n"
    return out + "\n"


def quote(randomly: random.Random) -> str:
    return "> " + sentence(randomly) + "\n> " + sentence(randomly) + "\n\n"


def heading(randomly: random.Random) -> str:
    return "#" * randomly.randint(1, 4) + " " + sentence(randomly, 4) + "\n\n"


KINDS = [paragraph] * 9 + [bullets] * 4 + [numbered] * 2 + [code] * 3 + [table] + [quote] + [heading] * 3


def document(size: int, seed: int = 1) -> str:
    """About `size` characters of markdown."""
    randomly = random.Random(seed)
    out: list[str] = []
    length = 0
    while length < size:
        out.append(randomly.choice(KINDS)(randomly))
        length += len(out[-1])
    return "".join(out)[:size]
