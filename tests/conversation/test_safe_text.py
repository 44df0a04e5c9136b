"""Foreign prose, code, lines and the clipboard: rules D1-D4, D7, T23."""

from __future__ import annotations

import re
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.conversation.safe_text import Safe, safe_code, safe_copy, safe_line, safe_prose
from tests.hostile_cases import HostileCase, each_case, hostile_cases, unwrapped
from tests.some import examples

ACTS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff]")
"""What no safe text may hold."""

PROSE = ("prose", "error", "title", "clipboard", "link")
ODD_PIECES = st.sampled_from(
    [
        "\x1b[2J",
        "\r\n",
        "\r",
        "\u202e",
        "\u200d",
        "\u200c",
        "\ufe0f",
        "\U0001f468",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "\U000e0072",
        "\u0301" * 3,
        "e\u0301",
        "\u0645",
        "\u0915\u094d",
        "\ud83d",
        "\ude00",
        "\u3164",
        " " * 500,
        "\n" * 150,
        "\t",
        "⟨U+202E⟩",
        "\U000e0100",
        "葛",
        "\u1820",
        "\u180b",
        "\xad",
        "\ue000",
        "x",
        " ",
    ]
)
ANY_TEXT = st.one_of(
    st.text(st.characters(codec=None, exclude_categories=())),
    st.lists(ODD_PIECES, max_size=30).map("".join),
)


@each_case(*PROSE)
def test_corpus_prose(case: HostileCase) -> None:
    shown = safe_prose(case.text)
    for wanted in case.strings("must_show"):
        assert unwrapped(wanted) in unwrapped(shown)
    for payload in case.strings("must_not_emit"):
        assert payload not in shown
    for point in case.strings("must_show_codepoints"):
        assert point in shown
    if case.is_false_alarm:
        assert shown == case.text
    assert not ACTS.search(shown)


@each_case(*PROSE)
def test_corpus_lines(case: HostileCase) -> None:
    line = safe_line(case.text)
    assert "\n" not in line
    assert not ACTS.search(line)
    if case.surface == "title":
        for wanted in case.strings("must_show"):
            assert wanted in line
    if case.is_false_alarm and "\n" not in case.text:
        assert line == case.text


@each_case("clipboard")
def test_corpus_clipboard(case: HostileCase) -> None:
    copied = safe_copy(case.text)
    if "clipboard" in case.expect:
        assert copied == case.expect["clipboard"]
    for forbidden in case.expect.get("clipboard_has_no", ()):
        assert forbidden not in copied
    assert not copied.endswith("\n")


def test_the_corpus_is_there() -> None:
    assert len(hostile_cases()) >= 149


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("a\x1b[2Jb\x07", "a␛[2Jb␇"),
        ("a\x7fb", "a␡b"),
        ("a\x9b2J", "a⟨U+009B⟩2J"),
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("a" + "\u202e" * 27, "a⟨27 hidden characters⟩"),
        ("a\u200bb\u2060c\ufeffd\xade\u200ef\u200fg", "abcdefg"),
        ("a\r\nb\rc\x0bd\x0ce\x85f\u2028g\u2029h", "a\nb\nc\nd\ne\nf\ng\nh"),
        ("ad\u200dmin", "ad⟨U+200D⟩min"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
        ("\u0645\u06cc\u200c", "\u0645\u06cc"),  # the next letter is still to come
        ("\u0620\u200c\u180b", "\u0620⟨U+180B⟩"),
        ("\u2764\ufe0f\u200d\U0001f525", "\u2764\ufe0f\u200d\U0001f525"),
        ("1\ufe0f\u20e3", "1\ufe0f\u20e3"),
        ("a\ufe0f", "a⟨U+FE0F⟩"),
        ("\U0001f600\U000e0163\U000e0155", "\U0001f600⟨U+E0163⟩⟨U+E0155⟩"),
        ("\u845b\U000e0100\u57ce", "\u845b\U000e0100\u57ce"),
        ("\U0001f3f4\U000e0072\U000e006d\U000e007f", "\U0001f3f4⟨U+E0072⟩⟨U+E006D⟩⟨U+E007F⟩"),
        ("Z" + "\u0301" * 300 + "end", "Z" + "\u0301" * 8 + "⟨292 marks⟩end"),
        ("\u0301x", "◌\u0301x"),
        ("a\n\u0301x", "a\n◌\u0301x"),
        ("\ud83d\ude00 \ud83d", "\U0001f600 \ufffd"),
        ("admin\u3164x\uffa0y", "admin⟨U+3164⟩x⟨U+FFA0⟩y"),
        ("\ue0b0", "⟨U+E0B0⟩"),
        ("new emoji \U0001fae9 \U0001fac6", "new emoji \U0001fae9 \U0001fac6"),
        ("x\u2800y", "x\u2800y"),
    ],
)
def test_prose_rules(raw: str, shown: str) -> None:
    assert safe_prose(raw) == shown


def test_code_keeps_its_indentation_and_shows_what_prose_drops() -> None:
    code = "def f():\n            return {\n\t\t\t\t\t\t1: '            x'}\n\n\n\n\nend"
    assert safe_prose(f"```py\n{code}\n```") == f"```py\n{code}\n```"
    assert safe_code(code) == code
    assert safe_code("ad\u200bmin") == "ad⟨U+200B⟩min"


def test_gaps_wider_than_any_screen_are_counted() -> None:
    assert safe_prose("a" + " " * 2000 + "b") == "a⟨2000 spaces⟩b"
    assert safe_prose("a" + "\t" * 500 + "b") == "a⟨500 tabs⟩b"
    assert safe_prose("a" + "\n" * 300 + "b") == "a\n⟨299 empty lines⟩\nb"
    assert safe_prose("a" + " " * 400 + "b" + "\n" * 100) == "a" + " " * 400 + "b" + "\n" * 100


def test_lines() -> None:
    assert safe_line("SELECT 1 -- x\n  FROM t\r\n") == "SELECT 1 -- x ⏎ FROM t"
    assert safe_line("a" + " " * 2000 + "b") == "a⟨2000 spaces⟩b"
    assert safe_line("x" * 20, 10) == "x" * 9 + "…"
    assert safe_line("x" * 10, 10) == "x" * 10
    assert safe_line("x", 0) == "…"
    assert safe_line("\U0001f468\u200d\U0001f469\u200d\U0001f467", 3) == "\U0001f468…"
    assert safe_line("") == ""


def test_a_long_line_costs_what_is_shown() -> None:
    huge = "a\x1b" * 3_000_000
    start = process_time()
    line = safe_line(huge, 80)
    assert process_time() - start < 0.1
    assert len(line) == 80
    assert line.endswith("…")


def test_safe_text_is_not_filtered_twice() -> None:
    shown = safe_prose("a\u202eb")
    assert isinstance(shown, Safe)
    assert safe_prose(shown) is shown


@pytest.mark.parametrize(
    "line",
    ["plain words, and more\n", "Příliš žluťoučký kůň\n", "売上は二〇二六年に\n", "so 😀 much 🎉 fun\n"],
)
def test_ordinary_text_costs_one_search(line: str) -> None:
    text = line * (1_000_000 // len(line))
    safe_prose(line)
    best = min(_seconds(text) for _ in range(3))
    assert best < 0.05, f"{best * 1000:.1f} ms for 1 MB"


def _seconds(text: str) -> float:
    start = process_time()
    shown = safe_prose(text)
    spent = process_time() - start
    assert shown == text
    return spent


@examples(300)
@given(ANY_TEXT)
def test_any_text_comes_out_safe_and_stays_so(raw: str) -> None:
    for door in (safe_prose, safe_code, safe_copy, safe_line):
        shown = door(raw)
        assert not ACTS.search(shown)
        shown.encode("utf-8")
        assert door(str(shown)) == shown
    assert "\n" not in safe_line(raw)
    assert len(safe_line(raw, 20)) <= 20


@examples(200)
@given(st.text(st.characters(codec="ascii", exclude_characters="".join(map(chr, [*range(32), 127])))))
def test_plain_ascii_is_never_touched(raw: str) -> None:
    raw = re.sub(" {9,}", " ", raw)
    assert safe_prose(raw) == raw
    assert safe_line(raw) == raw.strip()
