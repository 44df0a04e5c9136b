"""Every kind of block as lines at 40 cells, and what selection copies of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_tui.ui.transcript.markdown import blocks_of, find_references
from kai_tui.ui.transcript.rows import Block, Row, Table, row_count
from kai_tui.ui.transcript.splitter import split
from kai_tui.ui.transcript.strips import Gutter, Rendered, layout, texts
from kai_tui.ui.transcript.styles import plain_palette
from kai_tui.ui.transcript.table_shape import shape_of
from kai_tui.ui.transcript.wrap import cells
from tests.some import examples
from tests.ui.transcript.chat_source import ChatSource, answer, document_of, lines_of, text

EDGE = Gutter((), (), 0)


def rendered(source: str, width: int = 40) -> list[Rendered]:
    references: dict[str, object] = {}
    chunks = split(source)
    for chunk in chunks:
        find_references(chunk.source, references)
    return [
        layout(blocks_of(chunk, references), width, plain_palette(), EDGE, gap=chunk.gap) for chunk in chunks
    ]


def lines(source: str, width: int = 40) -> list[str]:
    return [line.strip.text.rstrip() for part in rendered(source, width) for line in part.lines]


def rows(source: str) -> list[Row]:
    return [block for chunk in split(source) for block in blocks_of(chunk) if isinstance(block, Row)]


def copied(source: str) -> str:
    found = [row for part in rendered(source) for row in part.rows]
    return "\n".join(row.text if row.copied is None else row.copied for row in found)


CASES = {
    "paragraphs": ("One.\n\nTwo.", ["One.", "", "Two."]),
    "line ends are kept": ("One\ntwo  \nthree", ["One", "two", "three"]),
    "inline marks vanish": ("**b** *i* ~~s~~ `c` [l](http://x)", ["b i s c l"]),
    "headings stand apart": ("a\n# H\nb", ["a", "", "H", "", "b"]),
    "bullets": ("- a\n- b\n  - c\n    - d", ["• a", "• b", "  ◦ c", "    ▪ d"]),
    "loose bullets": ("- a\n\n- b", ["• a", "", "• b"]),
    "numbers": ("3. a\n4. b", ["3. a", "4. b"]),
    "numbers of two digits": ("9. a\n10. b", ["9. a", "10. b"]),
    "paragraph in an item": ("1. a\n\n   b", ["1. a", "", "   b"]),
    "tasks": ("- [ ] a\n- [x] b", ["☐ a", "☑ b"]),
    "an empty item": ("- a\n-\n- b", ["• a", "•", "• b"]),
    "text before a list": ("Here:\n- a", ["Here:", "• a"]),
    "quotes": ("> a\n>\n> > b", ["▎ a", "▎", "▎ ▎ b"]),
    "a list in a quote": ("> - a\n> - b", ["▎ • a", "▎ • b"]),
    "a rule": ("a\n\n---\n\nb", ["a", "", "─" * 24, "", "b"]),
    "code": ("a\n```py\nx = 1\n\n```\nb", ["a", "", " py", " x = 1", "", "", "b"]),
    "code without a language": ("```\nx\n```", [" x"]),
    "code without an end": ("```sql\nSELECT", [" sql", " SELECT"]),
    "an empty fence": ("```\n```", [""]),
    "indented code": ("a\n\n    x\n      y", ["a", "", " x", "   y"]),
    "code in a list": ("- a\n  ```\n  x\n  ```", ["• a", "   x"]),
    "tabs in code": ("```\n\tx\ty\n```", ["     x   y"]),
    "long code goes on": (
        "```\n" + "0123456789" * 5 + "\n```",
        [" " + "0123456789" * 3 + "01234567", " ↳ 890123456789"],
    ),
    "html is text": ("<div>a</div>\n\n<!-- c -->", ["<div>a</div>", "", "<!-- c -->"]),
    "images are text": ("![a cat](http://x/c.png)", ["▣ a cat (http://x/c.png)"]),
    "entities": ("&lt;b&gt; &amp; &copy;", ["<b> & ©"]),
    "escapes": (r"\*a\* \# b", ["*a* # b"]),
    "an empty link keeps nothing": ("a [](http://x) b", ["a  b"]),
    "a table": (
        "| a | num |\n|---|---|\n| x | 1,200 |\n| y | 3 |",
        ["a │   num", "──┼──────", "x │ 1,200", "y │     3"],
    ),
    "aligned columns": (
        "| left | mid | right |\n|:---|:---:|---:|\n| a | b | c |",
        ["left │ mid │ right", "─────┼─────┼──────", "a    │  b  │     c"],
    ),
    "short and long table rows": (
        "| a | b |\n|---|---|\n| 1 |\n| 1 | 2 | 3 |",
        ["a │ b", "──┼──────", "1 │", "1 │ 2 | 3"],
    ),
    "pipes in table code": (
        "| a | b |\n|---|---|\n| `x|y` | z |\n| p \\| q | r |",
        ["a     │ b", "──────┼──", "x|y   │ z", "p | q │ r"],
    ),
    "a table goes on after text": ("| a |\n|---|\n| 1 |\nend", ["a", "─", "1", "", "end"]),
    "next actions that are not the last are code": (
        "Done.\n\n```next_actions\n- Show it\n* And *that*\n```",
        ["Done.", "", " next_actions", " - Show it", " * And *that*"],
    ),
    "references from below": ("See [here][r].\n\n[r]: http://x", ["See here."]),
}


@pytest.mark.parametrize("name", CASES)
def test_lines(name: str) -> None:
    source, expected = CASES[name]
    assert lines(source) == expected


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("- a\n- b\n  - c", "- a\n- b\n  - c"),
        ("1. a\n2. b", "1. a\n2. b"),
        ("> a", "> a"),
        ("- [x] a", "- [x] a"),
        ("```py\n\tx = 1\n```", "\n\tx = 1"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a\tb\n1\t2"),
        ("---", "---"),
        ("**bold** [label](http://x)", "bold label"),
    ],
)
def test_what_is_copied(source: str, text: str) -> None:
    assert copied(source) == text


def test_a_wide_table_wraps_its_cells_and_keeps_every_word() -> None:
    words = [f"word{number}" for number in range(40)]
    source = f"| name | long | other |\n|---|---|---|\n| x | {' '.join(words)} | {' '.join(words)} |"
    shown = lines(source, 60)
    assert all(len(line) <= 60 for line in shown)
    joined = " ".join(shown)
    for word in words:
        assert joined.count(word) >= 2


def test_only_rows_of_several_lines_are_set_apart() -> None:
    long = " ".join(["word"] * 30)
    source = f"| a | b |\n|---|---|\n| 1 | x |\n| 2 | x |\n| 3 | {long} |\n| 4 | x |\n| 5 | x |"
    shown = lines(source, 60)
    rules = [number for number, line in enumerate(shown) if line.strip() == "│"]
    first = [
        next(n for n, line in enumerate(shown) if line.strip().startswith(f"{row} ")) for row in range(1, 6)
    ]
    assert rules == [first[2] - 1, first[3] - 1]


def test_a_narrow_window_shows_rows_as_names_and_values() -> None:
    source = "| Region | Note |\n|---|---|\n| West | " + "extraordinarily " * 3 + "|\n| East | 5 |"
    assert lines(source, 24) == [
        "Region  West", "Note    extraordinarily", "        extraordinarily", "        extraordinarily", "────────",
        "Region  East", "Note    5",
    ]  # fmt: skip
    assert lines(f"| {'name ' * 3}| b |\n|---|---|\n| {'x' * 30} | 1 |", 20) == [
        "name name name", "  " + "x" * 17, "  " + "x" * 13, "b", "  1",
    ]  # fmt: skip


def test_a_table_too_wide_for_its_window_says_what_is_missing_and_where_it_is() -> None:
    names = [f"column{number}" for number in range(12)]
    values = [f"value{number}" for number in range(12)]
    source = f"| {' | '.join(names)} |\n{'|---' * 12}|\n| {' | '.join(values)} |"
    shown = lines(source, 60)
    assert shown == [
        "12 columns, 6 shown · Ctrl+O, t opens the table",
        "column0 │ column1 │ column2 │ column3 │ column4 │ column5 …",
        "────────┼─────────┼─────────┼─────────┼─────────┼────────",
        "value0  │ value1  │ value2  │ value3  │ value4  │ value5",
    ]
    assert copied(source).split() == [*names, *values]


def test_a_number_or_a_date_is_never_cut() -> None:
    number, day, text = "123456789012.55", "2026-01-01T10:00:00Z", "a text that may be cut " * 4
    source = "| a | b | c |\n|---|---|---|\n" + f"| {text} | {number} | {day} |\n" * 3
    for width in range(62, 140):
        for line in lines(source, width)[2:]:
            if "│" in line and "…" in line:
                assert number in line
                assert day in line


@pytest.mark.parametrize("width", range(20, 160, 7))
def test_no_line_of_a_table_is_wider_than_its_window(width: int) -> None:
    wide = "| " + " | ".join(f"{'名前' * 3} {n}" for n in range(9)) + " |\n" + "|---" * 9 + "|\n"
    wide += ("| " + " | ".join(["日本語のテキスト", "1,234.5", "x" * 40] * 3) + " |\n") * 3
    assert all(cells(line) < width for line in lines(wide, width))


def test_numbers_stay_at_one_side_while_a_table_grows() -> None:
    """A column changes its side at most once, when a first cell shows that it holds no numbers."""
    rows = ["| 1 | 5 % | |", "| 20 | 10 % | 7 |", "| 300 | — | x |", "| 4 | n/a | 8 |"] * 12
    sides: list[list[str]] = []
    for count in range(1, len(rows) + 1):
        chunks = split("| a | b | c |\n|---|---|---|\n" + "\n".join(rows[:count]) + "\n")
        tables = [block for chunk in chunks for block in blocks_of(chunk) if isinstance(block, Table)]
        aligns = [(table.shape or shape_of(table)).aligns for table in tables]
        assert aligns == [aligns[0]] * len(aligns)
        sides.append(list(aligns[0]))
    assert {side[0] for side in sides} == {side[1] for side in sides} == {"right"}
    assert [side[2] for side in sides] == ["left", "right"] + ["left"] * (len(rows) - 2)


def test_columns_stand_below_each_other_over_pieces_of_a_table() -> None:
    source = "| a | b |\n|---|---|\n" + "".join(f"| {'x' * 8} | {number} |\n" for number in range(100))
    assert len({line.index("│") for line in lines(source) if "│" in line}) == 1


def test_links_know_where_they_lead() -> None:
    row = rows("go [there](http://a/b) or https://c.d/e(f), (https://g.h/i).")[0]
    assert [(row.text[start:end], href) for start, end, href in row.links] == [
        ("there", "http://a/b"),
        ("https://c.d/e(f)", "https://c.d/e(f)"),
        ("https://g.h/i", "https://g.h/i"),
    ]


def test_dangerous_addresses_are_no_links() -> None:
    row = rows("[a](javascript:alert(1)) [b](file:///etc/passwd)")[0]
    assert row.links == []
    assert "javascript:" in row.text


def test_entities_bring_no_hidden_characters() -> None:
    row = rows("a&#x202e;b &lrm;c &#27;[2J")[0]
    assert "\u202e" not in row.text
    assert "\u200e" not in row.text
    assert "\x1b" not in row.text


def test_code_is_coloured_by_the_name_of_its_language_only() -> None:
    assert any(row.spans for row in rows("```python\ndef f(): pass\n```"))
    assert not any(row.spans for row in rows("```\ndef f(): pass\n```"))
    assert not any(row.spans for row in rows("```nosuchlanguage\ndef f(): pass\n```"))


def test_odd_line_ends_in_code_do_not_shift_its_fences() -> None:
    assert lines("```py\u2028x\ny\x0bz\n```\nend") == [" py ⏎ x", " y", " z", "", "end"]


MARKDOWN = st.lists(
    st.sampled_from(
        ["# H", "- a", "  - b", "> q", "```", "x", "", "| a | b |", "|---|---|", "1. n", "**b", "`c", "[l](x)",
         "你好 🚀", "<b>", "&#x202e;", "\x1b[2J", "\u2066", "word " * 20, "![i](data:image/png;base64,xx)", "***",
         "- [ ] t", "    code", "[r]: http://x", "|", "~~~py", "\t", "a\x85b"]
    ),
    max_size=30,
).map("\n".join)  # fmt: skip


@given(MARKDOWN, st.integers(12, 90))
@examples(150)
def test_any_text_gives_strips_of_exactly_the_width(source: str, width: int) -> None:
    for part in rendered(source, width):
        for line in part.lines:
            assert line.strip.cell_length == width
            assert sum(segment.cell_length for segment in line.strip) == width
            assert not any(
                ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in line.strip.text
            )
            for piece in line.pieces:
                assert 0 <= piece.start <= piece.end <= len(part.rows[line.row].text)


@given(MARKDOWN, st.integers(12, 90))
@examples(60)
def test_rows_count_the_same_at_every_width(source: str, width: int) -> None:
    for chunk in split(source):
        blocks: list[Block] = blocks_of(chunk)
        drawn = layout(blocks, width, plain_palette(), EDGE)
        assert len(drawn.rows) == row_count(blocks)
        assert [row.text for row in drawn.rows] == [row.text for row in texts(blocks)]
        assert sorted({line.row for line in drawn.lines}) == sorted(
            {line.row for line in drawn.lines} & set(range(len(drawn.rows)))
        )
        assert all(isinstance(block, (Row, Table)) for block in blocks)


def test_a_list_mark_stands_before_the_first_line_of_its_code_only() -> None:
    document = document_of(
        ChatSource(answer(text("1. ```sql\n   select 1\n   from t\n   ```\n2. ```\n   a\n   b\n   ```")))
    )
    assert [line[8:].rstrip() for line in lines_of(document) if line.strip()] == [
        "1.  sql",
        "    select 1",
        "    from t",
        "2.  a",
        "    b",
    ]
