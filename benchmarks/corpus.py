"""Markdown such as a model writes, the same every time, cut into tokens."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

END = "ENDMARKQZX"
"""Stands once, as the last word of every reply."""

_WORDS = [
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
    "this",
    "are",
    "or",
    "his",
    "from",
    "at",
    "which",
    "but",
    "have",
    "had",
    "orders",
    "revenue",
    "bucket",
    "table",
    "region",
    "customer",
    "pipeline",
    "snapshot",
    "column",
    "warehouse",
    "query",
    "schedule",
    "flow",
    "job",
    "amount",
    "extractor",
    "transformation",
    "writer",
    "component",
    "dashboard",
    "latency",
    "storage",
    "branch",
    "token",
    "metric",
]


def _sentence(random_: random.Random, words: int | None = None) -> str:
    chosen = [random_.choice(_WORDS) for _ in range(words or random_.randint(8, 20))]
    at = random_.randrange(len(chosen))
    kind = random_.random()
    if kind < 0.15:
        chosen[at] = f"**{chosen[at]}**"
    elif kind < 0.3:
        chosen[at] = f"`{chosen[at]}_id`"
    elif kind < 0.36:
        chosen[at] = f"[{chosen[at]}](https://example.com/{chosen[at]})"
    elif kind < 0.39:
        chosen[at] = "数据表 🚀 naïve"
    return " ".join(chosen).capitalize() + "."


def _paragraph(random_: random.Random) -> str:
    return " ".join(_sentence(random_) for _ in range(random_.randint(2, 5))) + "\n\n"


def _bullets(random_: random.Random) -> str:
    return "".join(f"- {_sentence(random_, 9)}\n" for _ in range(random_.randint(3, 7))) + "\n"


def _fence(random_: random.Random) -> str:
    columns = ", ".join(random_.choice(_WORDS) for _ in range(4))
    lines = [f"SELECT {columns}", f"FROM {random_.choice(_WORDS)}"]
    lines += [
        f"  AND {random_.choice(_WORDS)} > {random_.randrange(999)}" for _ in range(random_.randint(3, 14))
    ]
    return "```sql\n" + "\n".join(lines) + "\n```\n\n"


def _table(random_: random.Random) -> str:
    columns = random_.randint(3, 5)
    head = " | ".join(random_.choice(_WORDS) for _ in range(columns))
    rows = "".join(
        "| "
        + " | ".join(f"{random_.choice(_WORDS)} {random_.randrange(99)}" for _ in range(columns))
        + " |\n"
        for _ in range(random_.randint(3, 8))
    )
    return f"| {head} |\n|{'---|' * columns}\n{rows}\n"


def _heading(random_: random.Random) -> str:
    return "#" * random_.randint(1, 4) + " " + _sentence(random_, 4).rstrip(".") + "\n\n"


_BLOCKS: list[Callable[[random.Random], str]] = (
    [_paragraph] * 9 + [_bullets] * 5 + [_fence] * 3 + [_table] + [_heading] * 3
)


def document(characters: int, seed: int = 1) -> str:
    """Markdown of about this length that ends with `END`."""
    random_ = random.Random(seed)
    blocks: list[str] = []
    length = 0
    while length < characters:
        blocks.append(random_.choice(_BLOCKS)(random_))
        length += len(blocks[-1])
    return "".join(blocks) + f"\n\n{END}"


def tokens(text: str, size: int = 4) -> Iterator[str]:
    """The text in pieces of `size` characters."""
    for start in range(0, len(text), size):
        yield text[start : start + size]
