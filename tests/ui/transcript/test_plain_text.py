"""Markdown copied as plain text is what one reads."""

from __future__ import annotations

import pytest

from kai_tui.ui.transcript.plain_text import plain_text


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        ("# **Bold** head\n\nText with `code` and *em*.", "Bold head\n\nText with code and em."),
        ("- one\n- two\n  - three", "- one\n- two\n  - three"),
        ("1. one\n2. two", "1. one\n2. two"),
        ("> said\n> twice", "> said\n> twice"),
        ("| a | b |\n|---|---|\n| **1** | x y |", "a\tb\n1\tx y"),
        ("```python\n\tif x:\n\n\t\treturn\n```\nafter", "\tif x:\n\n\t\treturn\n\nafter"),
        ("- [x] done\n- [ ] open", "- [x] done\n- [ ] open"),
        ("[text](https://x.example)", "text"),
        ("a\n\n---\n\nb", "a\n\n---\n\nb"),
        ("", ""),
    ],
)
def test_what_is_read(source: str, plain: str) -> None:
    assert plain_text(source) == plain


def test_control_characters_do_not_come_along() -> None:
    assert "\x1b" not in plain_text("a\x1b[201~b\n\n`\x1b]0;x\x07`")


def test_long_tables_and_code_stay_whole() -> None:
    rows = "\n".join(f"| {number} | v{number} |" for number in range(300))
    lines = plain_text(f"| n | v |\n|---|---|\n{rows}").split("\n")
    assert lines[0] == "n\tv"
    assert lines[1:] == [f"{number}\tv{number}" for number in range(300)]
    code = "\n".join(f"line {number}" for number in range(300))
    assert plain_text(f"```\n{code}\n```") == code
