"""What a decision hangs on, shown exactly: rules D5-D8, A4."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.conversation.safe_text import Exact, Pairs, exact_arguments, exact_value, safe_exact
from tests.conversation.test_safe_text import ANY_TEXT
from tests.hostile_cases import HostileCase, each_case, unwrapped
from tests.some import examples

NOT_EXACT = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\xa0\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ud800-\udfff]"
)


def all_shown(tool: str, arguments: Any) -> tuple[str, list[str], int]:
    """What an approval has on its screen: the text, the warnings, the number of hidden characters."""
    name = safe_exact(tool, one_line=True)
    parts: list[Exact] = [name]
    if isinstance(arguments, dict):
        entries = exact_arguments(arguments)
        lines = [entry.key.text for entry in entries] or ["no arguments"]
        for entry in entries:
            lines += [entry.key.text, entry.size, entry.value.text]
            parts += [entry.key, entry.value]
    else:
        parts.append(exact_value(arguments))
        lines = [parts[-1].text]
    flags = [flag for part in parts for flag in part.flags]
    text = "\n".join([name.text, *lines, *flags, *(note for part in parts for note in part.notes)])
    return text, flags, sum(part.hidden for part in parts)


@each_case("approval-args", "approval-tool", "approval-raw")
def test_corpus_approvals(case: HostileCase) -> None:
    arguments = case.fields.get("args")
    if "raw_args" in case.fields:
        arguments = json.loads(case.fields["raw_args"], object_pairs_hook=Pairs)
    text, flags, hidden = all_shown(case.fields["tool"], arguments)
    for wanted in case.strings("must_show"):
        assert unwrapped(wanted) in unwrapped(text)
    for point in case.strings("must_show_codepoints"):
        assert point in text
    for payload in case.strings("must_not_emit"):
        assert payload not in text
    for forbidden in case.strings("must_not_show"):
        assert forbidden not in text
    if case.must_flag and case.surface != "approval-raw":
        assert flags or hidden
    if case.is_false_alarm:
        assert not flags
        assert not hidden
    for words in (case.expect.get("gap_marker"), case.expect.get("shows_size")):
        if words:
            assert words in text
    for key in case.expect.get("keys_listed", ()):
        assert key in [entry.key.text for entry in exact_arguments(arguments)]
    assert not NOT_EXACT.search(text)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("rm\u00a0-rf", "rm⟨U+00A0⟩-rf"),
        ("a\tb", "a⟨U+0009⟩b"),
        ("a\nb\r\nc", "a⏎\nb⏎\nc"),
        ("a\rb", "a⟨U+000D⟩b"),
        ("\U0001f600\ufe0f", "\U0001f600⟨U+FE0F⟩"),
        ("e\u0301", "e\u0301"),
        ("ta\u0302\u0323p", "ta\u0302\u0323p"),
        ("Z" + "\u0301" * 5, "Z\u0301\u0301⟨U+0301⟩⟨U+0301⟩⟨U+0301⟩"),
        ("Z" + "\u0301" * 300, "Z\u0301\u0301⟨U+0301 ×298⟩"),
        ("\u0301a", "⟨U+0301⟩a"),
        ("⟨U+202E⟩", "⟨U+27E8⟩U+202E⟩"),
        ("a⏎b", "a⟨U+23CE⟩b"),
        ("\u00a0" * 2000, "⟨U+00A0 ×2000⟩"),
        ("a\u1161b", "a⟨U+1161⟩b"),
        ("\u1112\u1161\u11ab", "\u1112\u1161\u11ab"),
        ("\ue000\U0010ffff", "⟨U+E000⟩⟨U+10FFFF⟩"),
        ("a" + " " * 8 + "b" + " " * 9, "a        b⟨9 spaces⟩"),
        ("Продажи 2026", "Продажи 2026"),
    ],
)
def test_exact_rules(raw: str, shown: str) -> None:
    assert safe_exact(raw).text == shown


def test_one_line() -> None:
    shown = safe_exact("drop\nx", one_line=True)
    assert shown.text == "drop⏎x"
    assert shown.hidden == 1
    assert shown.flags


def test_values_are_json_with_readable_lines() -> None:
    assert exact_value('say "hi" \\ \t').text == '"say \\"hi\\" \\\\ \\t"'
    assert exact_value("a\n  b\r\nc").text == '"a\\n\n│   b\\r\\n\n│ c"'
    assert exact_value({"q": "x\ny", "n": [1, 2], "e": {}, "b": None}).text == (
        '{\n  "q": "x\\n\n  │ y",\n  "n": [1, 2],\n  "e": {},\n  "b": null\n}'
    )
    assert exact_value(list(range(1000, 1030))).text.count("\n") == 31
    assert exact_value(["a", 1]).text == '[\n  "a",\n  1\n]'
    assert exact_value(True).text == "true"
    assert exact_value(1.5).text == "1.5"


def test_a_value_can_not_begin_a_line_like_a_key() -> None:
    value = exact_value('x\ndry_run: true\n"dry_run": true')
    assert all(line.startswith(("│ ", '"')) for line in value.text.split("\n"))


def test_gaps_at_line_starts_are_indentation_up_to_a_limit() -> None:
    assert exact_value("SELECT\n" + " " * 20 + "x").text == '"SELECT\\n\n│ ' + " " * 20 + 'x"'
    assert "⟨40 spaces⟩" in exact_value("SELECT\n" + " " * 40 + "x").text
    assert "⟨3 empty lines⟩" in exact_value("a\n \n\t\n\nb").text
    assert exact_value("a\n\n\nb").text == '"a\\n\n│ \\n\n│ \\n\n│ b"'


def test_big_numbers_are_flagged() -> None:
    assert not exact_value(2**53).flags
    assert exact_value({"id": 2**53 + 1}).flags
    assert exact_value(float("inf")).flags
    assert exact_value(10**5000).flags
    assert exact_value(b"x").flags  # pyright: ignore - not JSON: must be said, not raised


def test_duplicate_keys_are_all_shown() -> None:
    arguments = json.loads('{"table": "a", "table": "b", "x": {"y": 1, "y": 2}}', object_pairs_hook=Pairs)
    entries = exact_arguments(arguments)
    assert [(entry.key.text, entry.value.text) for entry in entries[:2]] == [
        ("table", '"a"'),
        ("table", '"b"'),
    ]
    assert arguments.duplicates == ["table"]
    assert entries[2].value.text == '{\n  "y": 1,\n  "y": 2\n}'
    assert any("more than once" in flag for flag in entries[2].value.flags)


def test_names_whose_ends_can_not_be_seen_are_quoted() -> None:
    assert [entry.key.text for entry in exact_arguments({"": 1, " a": 2, "a b": 3})] == ['""', '" a"', "a b"]


def test_depth() -> None:
    deep: Any = "bottom"
    for _ in range(200):
        deep = {"a": deep}
    shown = exact_value(deep)
    assert '"bottom"' in shown.text
    assert max(len(line) for line in shown.text.split("\n")) < 60
    for _ in range(100_000):
        deep = [deep]
    assert any("deeper" in flag for flag in exact_value(deep).flags)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://2130706433/", "127.0.0.1"),
        ("http://0x7f.1/", "127.0.0.1"),
        ("http://0177.0.0.01/x", "127.0.0.1"),
        ("https://good.example@evil.example/", "host is evil.example"),
        ("https://good.example,x;y@evil.example", "host is evil.example"),
        (r"https://good.example\@evil.example", "good.example"),
        (r"https:\\evil.example\x", "evil.example"),
        ("https:/evil.example", "evil.example"),
        ("https://%65vil.example/", "evil.example"),
        ("https://evil。example/", "evil.example"),
        ("https://keb\xadoola.com/", "keboola.com"),
        ("see https://b\u00fccher.example now", "xn--bcher-kva.example"),
        (r"\\evil.example\share", "network path"),
        ("jdbc:x://u:p@db.example:5432/x", "db.example:5432"),
    ],
)
def test_address_tricks_are_said(url: str, words: str) -> None:
    flags = exact_value(url).flags
    assert any(words in flag for flag in flags), flags


@pytest.mark.parametrize(
    "text",
    [
        "https://connection.keboola.com/v2/storage?x=1#y",
        "http://192.168.0.1:8080/x",
        "https://[::1]:80/",
        "in.c-main.orders",
        'SELECT a, b FROM "in.c-main"."orders" WHERE x > 1 -- all\n  AND y = \'z\'',
        "Sales – 2026 “final” … it’s 5 × 3 m²",
        "売上（2026年）：合計、１０％！",
        "SQLクエリ",
        "Δt = 5 μs, 10 µm, 1º, nº 5",
        "İstanbul ısı ğ",
        "Продажи Q3.csv",
        "Ελληνικά κείμενα",
        "한국어 텍스트",
        "Ahoj 😀",
        "नमस्ते दुनिया",
        "ta\u0302\u0323p",
    ],
)
def test_ordinary_values_are_not_flagged(text: str) -> None:
    shown = exact_value(text)
    assert shown.flags == ()
    assert shown.hidden == 0


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("in.c-рор.orders", "U+0440"),
        ("сurl evil.example", "U+0441"),
        ("delete_tαble", "U+03B1"),
        ("ɡoogle.com", "U+0261"),
        ("rm –rf /", "U+2013"),
        ("SELECT ‘x’", "U+2018"),
        ("a∕b", "U+2215"),
        ("\U0001d41d\U0001d42b\U0001d428\U0001d429 table", "U+1D41D"),
        ("ﬁle.txt", "U+FB01"),
        ("ｄｅｌｅｔｅ 売上", "U+FF44"),
    ],
)
def test_disguises_are_flagged(text: str, point: str) -> None:
    flags = exact_value(text).flags
    assert any(point in flag for flag in flags), flags


@pytest.mark.some(3)
@pytest.mark.parametrize(
    "value",
    [
        "A" * 5_000_000 + ";rm -rf /",
        "SELECT 'a', \"b\"\n" * 60_000,
        "売上" * 400_000,
        ":" * 600_000,
        "://a@" * 60_000,
        "и" * 400_000 + " a",
        " ".join(
            f"слово{chr(0x430 + n % 32)}{chr(0x430 + n // 32 % 32)}{chr(0x430 + n // 1024 % 32)}"
            for n in range(40_000)
        ),
        "a(" * 100_000 + "é",
        "a.é." * 100_000 + " ",
    ],
    ids=["one line", "sql", "cjk", "colons", "addresses", "long word", "words", "brackets", "dots"],
)
def test_megabytes_are_shown_whole(value: str) -> None:
    shown = exact_arguments({"command": value})[0]
    if value[0] == "A":
        assert shown.value.text == f'"{value}"'
        assert shown.size == "5,000,009 characters"


@examples(300)
@given(ANY_TEXT)
def test_any_text_is_shown_exactly(raw: str) -> None:
    for shown in (
        safe_exact(raw),
        safe_exact(raw, one_line=True),
        exact_value(raw),
        exact_value({raw: [raw]}),
    ):
        for text in (shown.text, *shown.flags, *shown.notes):
            assert not NOT_EXACT.search(text)
            text.encode("utf-8")
    assert "\n" not in safe_exact(raw, one_line=True).text


@examples(200)
@given(st.text(min_size=1), st.text(min_size=1))
def test_different_values_look_different(one: str, other: str) -> None:
    if one != other:
        assert exact_value(one).text != exact_value(other).text


@examples(100)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_is_shown(value: Any) -> None:
    exact_value(value)
    exact_arguments(value)
