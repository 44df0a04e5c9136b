"""An answer that arrives letter by letter never shows what it takes back: no mark, no half link, no wrong block."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import pytest

from benchmarks.corpus import document as benchmark_document
from kai_tui.ui.transcript.half import closed
from kai_tui.ui.transcript.markdown import References, blocks_of, find_references
from kai_tui.ui.transcript.rows import Block, Table
from kai_tui.ui.transcript.splitter import Chunk, Splitter
from tests.ui.transcript.corpus import document

Shown = tuple[str, str]
"""What kind of row it is, and its text."""

CASES = {
    "loose list": "1. one\n\n2. two\n\n   para in two\n\n3. three\n\nAfter",
    "nested list": "- a\n  - b\n    - c **bold** x\n      1. d\n      2. e\n- f\n\n- g\n",
    "quote": "> quoted *text* here\n> more\n>\n> - list\n\nafter > it",
    "table": "Intro:\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n| `x|y` | **z** |\n\nEnd | of it",
    "fence": "Text:\n```python\ndef f():\n    return `x`\n```\nAfter ~~~ it\n~~~\nraw\n~~~\n",
    "fence in a list": "- do:\n  ```sql\n  SELECT 1\n  ```\n- then\n",
    "links": 'See [the docs](https://example.com/a_(b)) and ![img](http://x/y.png "t"), <https://a.b/x>, [r].',
    "definition": "Before.\n\n[r]: https://example.com/r\n\nAfter [r].",
    "marks": "a *it* b **bo** c ***both*** d _it_ e __bo__ f ~~st~~ g `co` h ``c`d`` snake_case **a *b* c** end* x",
    "sums": "2 * 3 * 4 and 5*6, a_1 + b_2, $a_b$ * 3",
    "breaks": "line one  \nline two\\\nline three\nsoft\n",
    "html": "a <b>bold</b> <br> &amp; &lt; AT&T List<String> x < y\n\n<div>\nblock\n</div>\n",
    "rules": "above\n\n---\n\nbelow\n\n***\n\nlast",
    "tasks": "- [ ] open\n- [x] done **b**\n- [x](http://y)\n* star\n+ plus\n",
    "escapes": "a \\*not\\* b \\[x\\] \\( y \\) 1\\. no",
    "indented code": "text\n\n    code block\n    more\n\nafter",
    "headings": "# One **b**\ntext\n## Two `c`\n### Three #\n#nope\n",
    "numbers": "10. ten\n11. eleven\n\n1) x\n2) y\ntext 3. not\n",
    "emoji": "👩‍👩‍👧 family ✅ done 数据 **数据** x\n",
    "lazy lines": "- a\n- b\nlazy\n\npara\n- c",
    "a list under words": "**Term**: text\n**Other**: `x`\n- **a**: b\n- *c*\n",
    **{f"bench {seed}": benchmark_document(1_500, seed) for seed in range(4)},
    **{f"corpus {seed}": document(1_500, seed) for seed in range(3)},
}

LONG_CASES = {f"corpus {seed}" for seed in (1, 2)}
"""As long as two hundred of the others."""


def _rows(chunks: Sequence[Chunk], references: References) -> list[Shown]:
    blocks: list[Block] = [block for chunk in chunks for block in blocks_of(chunk, references)]
    rows: list[Shown] = []
    for block in blocks:
        if isinstance(block, Table):
            rows += [("table", "|".join(cell.text for cell in row)) for row in block.rows]
        elif block.text.strip():
            rows.append((block.base + "".join(lead.text for lead in block.lead), block.text))
    return rows


def _as_it_arrives(text: str) -> Iterator[tuple[str, list[Shown]]]:
    splitter, references = Splitter(), References()
    done: list[Shown] = []
    settled = 0
    for end, character in enumerate(text, 1):
        splitter.feed(character)
        fresh, settled = splitter.settled[settled:], len(splitter.settled)
        for chunk in fresh:
            find_references(chunk.source, references)
        done += _rows(fresh, references)
        tail = splitter.tail()
        yield text[:end], done + (_rows([tail], references) if tail is not None else [])
    splitter.finish()
    yield text, done + _rows(splitter.settled[settled:], references)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in LONG_CASES else ()) for name in CASES]
)
def test_what_was_shown_stays_and_only_grows_at_its_end(name: str) -> None:
    before: list[Shown] = []
    for arrived, rows in _as_it_arrives(CASES[name]):
        where = repr(arrived[-40:])
        assert len(rows) >= len(before), f"{before[-1]} vanished after {where}"
        for index, (old, new) in enumerate(zip(before, rows, strict=False)):
            assert old[0] == new[0], f"{old} became {new} after {where}"
            if index < len(before) - 1:
                assert old == new, where
            else:
                assert new[1].startswith(old[1].rstrip()), f"{old} became {new} after {where}"
        before = rows


@pytest.mark.parametrize(
    "line",
    [
        "[a](" + "(x" * 1_400 + " y",
        "[a](" * 700,
        "`&" * 1_400,
        "&" * 3_000,
        "*a " * 900 + "a* " * 90,
        "`" * 1_501 + "a",
        "".join("`" * number + " " for number in range(1, 70)),
        " " * 2_999 + "x",
        "![" * 1_400,
        "\\" * 2_999,
        "**_~~`[" * 400,
    ],
    ids=range(11),
)
def test_hostile_lines_cost_little(line: str) -> None:
    began = time.process_time()
    closed(line)
    assert time.process_time() - began < 0.2
