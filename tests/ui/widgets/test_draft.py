from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kai_tui.ui.widgets.draft import BIG_TEXT, LONG_LINE, Draft, is_big, label, plain, spans
from kai_tui.ui.widgets.recall import MOST_PROMPTS, Recall
from tests.some import examples


def test_what_is_too_big_to_stand_in_the_prompt() -> None:
    assert not is_big("x" * LONG_LINE)
    assert is_big("x" * (LONG_LINE + 1))
    assert not is_big(("x" * 99 + "\n") * 80)
    assert is_big("x\n" * BIG_TEXT)


def test_labels_say_how_much_and_differ() -> None:
    assert label("x", {}) == "[pasted 1 B, 1 line]"
    assert label("x\n" * 700, {}) == "[pasted 1.4 KB, 700 lines]"
    text = "y" * 56 + "\n"
    assert label(text * 18_326, {}) == "[pasted 1020.1 KB, 18,326 lines]"
    assert label("é" * 2**20, {}) == "[pasted 2.0 MB, 1 line]"
    first = label("a" * 9000, {})
    assert label("b" * 9000, {first: "a" * 9000}) == f"{first[:-1]} #2]"


def test_text_puts_each_chip_back_once() -> None:
    inner = "[pasted 9.0 KB, 1 line #2]"
    draft = Draft("a [pasted 9.0 KB, 1 line] b", {"[pasted 9.0 KB, 1 line]": inner, inner: "deep"})
    assert draft.text == f"a {inner} b"
    assert draft.used().chips == {"[pasted 9.0 KB, 1 line]": inner}


def test_spans_are_where_the_labels_stand() -> None:
    name = label("a" * 9000, {})
    assert spans(f"x{name}y{name}", {name: ""}) == [(1, 1 + len(name)), (2 + len(name), 2 + 2 * len(name))]
    assert spans("[pasted by hand]", {name: ""}) == []


def test_plain_takes_terminal_sequences_out_and_keeps_the_words() -> None:
    assert plain("a\r\nb\rc\u2028d\te") == "a\nb\nc\nd\te"
    assert (
        plain("\x1b[1;31mred\x1b[0m \x1b]8;;http://x\x1b\\link\x1b]8;;\x07 \x1bM\x00\x07\x7f\x9b1m")
        == "red link 1m"
    )
    assert plain("数据 🏳️‍🌈 é") == "数据 🏳️‍🌈 é"


@examples(50)
@given(st.text())
def test_plain_leaves_no_control_character(text: str) -> None:
    assert all(character in "\n\t" or ord(character) >= 32 for character in plain(text))
    assert plain(plain(text)) == plain(text)


def test_recall_forgets_the_oldest_and_blank_ones() -> None:
    recall = Recall()
    recall.set_prompts(["", *map(str, range(MOST_PROMPTS + 5))])
    current = Draft("now")
    seen = []
    while (older := recall.older(current)) is not None:
        seen.append(older.shown)
        current = older
    assert seen[0] == str(MOST_PROMPTS + 4)
    assert len(seen) == MOST_PROMPTS


def test_plain_text_is_the_same_on_the_fast_way_and_on_the_slow_one() -> None:
    every = "".join(map(chr, range(128))) + "\r\n\ra\x1b[31mb\x1b]0;t\x07c"
    assert plain(every) == plain(every + "é").removesuffix("é")


def test_labels_beside_others_stand_for_their_own_text() -> None:
    one, two = Draft.of("x\n" * 10_000), Draft.of("y\n" * 10_000)
    assert one.shown == two.shown
    moved = two.beside(one.chips)
    assert moved.text == two.text
    assert moved.shown != one.shown
    assert two.beside({}) == two
    assert two.beside(two.chips) == two
