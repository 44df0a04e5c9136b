"""Chunks: nothing lost, nothing depends on how deltas fell, nothing shown broken."""

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kai_tui.ui.transcript.splitter import CODE_LINES, LINE, SOFT, TABLE_ROWS, Chunk, Splitter, split
from tests.some import examples
from tests.ui.transcript.corpus import document

LINES = st.sampled_from(
    [
        "", "", "text", "word " * 30, "# Heading", "- item", "  - nested", "1. one", "2. two", "> quote",
        "```py", "```", "~~~", "   ```sql", "| a | b |", "|---|---|", "| 1 | 2 |", "a | b", "---", "===",
        "    code", "x" * 200, "\r", "text\r", "`tick", "[r]: http://x", "* * *", "- [ ] task", "word " * 900,
    ]
)  # fmt: skip
TEXTS = st.lists(LINES, max_size=60).map("\n".join)


def feed(text: str, cuts: list[int]) -> Splitter:
    splitter = Splitter()
    last = 0
    for cut in sorted(cut % (len(text) + 1) for cut in cuts):
        splitter.feed(text[last:cut])
        splitter.tail()
        last = cut
    splitter.feed(text[last:])
    return splitter


@given(TEXTS)
@examples(200)
def test_the_chunks_joined_are_the_text(text: str) -> None:
    assert "".join(chunk.source for chunk in split(text)) == text


@given(TEXTS, st.lists(st.integers(0, 100_000), max_size=30))
@examples(200)
@example("a" * (2 * LINE) + "\n```\n", [LINE - 1, LINE + 1])
def test_where_deltas_are_cut_changes_nothing(text: str, cuts: list[int]) -> None:
    splitter = feed(text, cuts)
    settled = list(splitter.settled)
    splitter.finish()
    assert splitter.settled == split(text)
    assert splitter.settled[: len(settled)] == settled


@pytest.mark.parametrize("seed", range(5))
def test_token_by_token(seed: int) -> None:
    text = document(30_000, seed)
    splitter = Splitter()
    randomly = random.Random(seed)
    at = 0
    while at < len(text):
        step = randomly.randint(1, 9)
        splitter.feed(text[at : at + step])
        at += step
    splitter.finish()
    assert splitter.settled == split(text)
    assert max(len(chunk.source) for chunk in splitter.settled) < 4 * SOFT + 3_000


def kinds(text: str) -> list[str]:
    return [chunk.kind for chunk in split(text) if chunk.source.strip()]


def test_blocks_have_chunks_of_their_own() -> None:
    assert kinds("a\n```py\nx\n```\nb\n\n| a | b |\n|---|---|\n| 1 | 2 |\nc") == [
        "prose", "code", "prose", "table", "prose",
    ]  # fmt: skip


def test_a_long_fence_settles_in_pieces_that_know_their_language() -> None:
    lines = [f"line {number}" for number in range(3 * CODE_LINES)]
    chunks = split("```python\n" + "\n".join(lines) + "\n```\nend")
    code = [chunk for chunk in chunks if chunk.kind == "code"]
    assert len(code) == 4
    assert {chunk.info for chunk in code} == {"python"}
    assert [chunk.opens for chunk in code] == [True, False, False, False]
    assert [chunk.closes for chunk in code] == [False, False, False, True]
    assert [chunk.gap for chunk in code] == [False] * 4


def test_a_long_table_settles_in_pieces_that_know_its_head() -> None:
    rows = "".join(f"| {number} | b |\n" for number in range(3 * TABLE_ROWS))
    chunks = split("| a | b |\n|---|---|\n" + rows)
    assert [chunk.opens for chunk in chunks] == [True, False, False]
    assert chunks[1].head == chunks[0].source


def test_a_numbered_list_goes_on_with_its_numbers() -> None:
    text = "".join(f"1. {'word ' * 30}\n" for _ in range(20))
    chunks = split(text)
    assert len(chunks) > 2
    count = 1
    for chunk in chunks:
        assert chunk.ordinal == count
        count += chunk.source.count("1. ")


def test_a_fence_in_a_list_stays_with_its_item() -> None:
    assert kinds("1. do\n\n   ```sh\n   ls\n   ```\n\n2. then\n") == ["prose"]


def test_a_nested_fence_without_end_becomes_a_block() -> None:
    chunks = split("- x\n  ```py\n" + "  y = 1\n" * 3_000)
    assert chunks[0].kind == "prose"
    assert chunks[-1].kind == "code"
    assert chunks[-1].info == "py"


def tail(text: str) -> Chunk | None:
    splitter = Splitter()
    splitter.feed(text)
    return splitter.tail()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Some text:\n-", "Some text:\n"),
        ("Some text:\n- ", "Some text:\n"),
        ("Some text:\n- a", "Some text:\n- a"),
        ("Some text\n==", "Some text\n"),
        ("1", None),
        ("1. a", "1. a"),
        ("#", None),
        ("# T", "# T"),
        ("``", None),
        ("a\n|", "a\n"),
        ("a\n\n| x | y |\n|--", "a\n\n"),
        ("- [", None),
        ("- [ ] a", "- [ ] a"),
    ],
)
def test_what_may_still_become_a_marker_is_held_back(text: str, shown: str | None) -> None:
    found = tail(text)
    assert (found.source if found is not None else None) == shown


def test_a_half_received_fence_is_code() -> None:
    found = tail("Look:\n```python\nprint(1)\n``")
    assert found is not None
    assert (found.kind, found.info, found.source) == ("code", "python", "```python\nprint(1)\n")


def test_table_rows_appear_when_they_are_complete() -> None:
    found = tail("| a | b |\n|---|---|\n| 1 | 2 |\n| 3 ")
    assert found is not None
    assert found.kind == "table"
    assert found.source.endswith("| 1 | 2 |\n")


def test_text_that_was_no_table_appears() -> None:
    found = tail("| only\nthis")
    assert found is not None
    assert found.source == "| only\nthis"


@pytest.mark.parametrize("text", ["```\n" * 5_000, "|" * 50_000, "> " * 20_000, "`" * 50_000, "- " * 20_000])
def test_odd_texts_are_split_in_bounded_pieces(text: str) -> None:
    chunks = split(text)
    assert "".join(chunk.source for chunk in chunks) == text
    assert max(len(chunk.source) for chunk in chunks) <= 30_000
