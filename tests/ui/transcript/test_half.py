"""The line being written never shows open marks."""

import pytest

from kai_tui.ui.transcript.half import closed
from kai_tui.ui.transcript.markdown import blocks_of
from kai_tui.ui.transcript.rows import Row
from kai_tui.ui.transcript.splitter import Splitter


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("plain", "plain"),
        ("a **bo", "a **bo**"),
        ("a **bold** b", "a **bold** b"),
        ("a **bold *", "a **bold**"),
        ("a **", "a "),
        ("a `co", "a `co`"),
        ("a `", "a "),
        ("`**` and **x", "`**` and **x**"),
        ("a ~~st", "a ~~st~~"),
        ("see [la", "see "),
        ("see [label](http://x", "see "),
        ("see [label](http://x)", "see [label](http://x)"),
        ("a[1] b", "a[1] b"),
        ("- [ ] t", "- [ ] t"),
        ("first **a\nsecond", "first **a\nsecond"),
        ("x\n", "x\n"),
    ],
)
def test_closed(source: str, shown: str) -> None:
    assert closed(source) == shown


def test_no_step_of_a_sentence_shows_a_mark() -> None:
    sentence = "We **sold** `a_b` and *more* [here](https://example.com/a_b) ~~not~~ **there `x` too** now."
    splitter = Splitter()
    for character in sentence:
        splitter.feed(character)
        chunk = splitter.tail()
        for block in blocks_of(chunk) if chunk is not None else ():
            assert isinstance(block, Row)
            assert not set("[]()`~") & set(block.text), block.text
            assert "**" not in block.text
